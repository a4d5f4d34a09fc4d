//! A node under attack, and the proof that the attack harmed nobody else.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use kit::{Heard, Node, RawDevice, Talker, direct_talk};
use wire::{
    ErrorCode, limits,
    proto::{EventKind, GetDomain, client_request::Request, client_response::Response},
};

/// One bad input: what it is, its bytes, the error that it must get.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) error: ErrorCode,
}

/// A row for a table.
pub(crate) fn row(what: &'static str, bytes: impl Into<Vec<u8>>, error: ErrorCode) -> Row {
    Row { what, bytes: bytes.into(), error }
}

/// A node that runs.
pub(crate) fn node() -> Result<Node> {
    Node::start("acme.test")
}

/// A stranger who behaves is served as ever, two people who meet now have their conversation, and the
/// process is the one that was started.
pub(crate) async fn unharmed(node: &mut Node) -> Result<()> {
    ensure!(node.is_running(), "the node ended:\n{}", node.log().join("\n"));
    served(node).await?;
    conversation(node).await.context("honest people cannot talk")?;
    let fault = node.log().into_iter().find(|line| line.contains("panicked") || line.contains("Internal"));
    ensure!(fault.is_none(), "the node logged a fault: {fault:?}");
    Ok(())
}

/// A stranger who behaves is served.
pub(crate) async fn served(node: &Node) -> Result<()> {
    let domain = node.domain().to_string();
    let mut device = RawDevice::connect(node).await?;
    let request = Request::GetDomain(GetDomain { domain, after_seq: 0 });
    match device.request(request).await? {
        Response::Domain(documents) => ensure!(documents.documents.len() == 1, "{documents:?}"),
        other => anyhow::bail!("{other:?} does not answer a question for the domain"),
    }
    Ok(())
}

/// Two new people: keys, a room, a message there and its decryption.
async fn conversation(node: &Node) -> Result<()> {
    static PAIRS: AtomicU64 = AtomicU64::new(0);
    let pair = PAIRS.fetch_add(1, Ordering::Relaxed);
    let mut one = Talker::enrol(node, &format!("honest-{pair}-a")).await?;
    let mut other = Talker::enrol(node, &format!("honest-{pair}-b")).await?;
    let (mut says, mut hears) = direct_talk(&mut one, &mut other).await?;
    let said = says.say(&one, b"all is well")?;
    one.device.request(Request::Submit(said.clone())).await?;
    let body = other
        .until(|heard| match heard {
            Heard::Event { head, body } if head.message_id == said.message_id => Some((head.kind, body)),
            _ => None,
        })
        .await?;
    ensure!(body.0 == i32::from(EventKind::Message), "{:?}", body.0);
    ensure!(hears.read(&body.1)? == b"all is well".len(), "another message");
    Ok(())
}

/// Resident memory of a node in KiB.
pub(crate) fn resident_kib(node: &Node) -> Result<u64> {
    let pid = node.pid().context("a process")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Devices without a session, each of which asks as much as it may before it is another one's turn.
pub(crate) struct Strangers<'a> {
    node: &'a Node,
    device: RawDevice,
    asked: usize,
}

impl<'a> Strangers<'a> {
    /// The first of them.
    pub(crate) async fn new(node: &'a Node) -> Result<Self> {
        Ok(Self { node, device: RawDevice::connect(node).await?, asked: 0 })
    }

    async fn next(&mut self) -> Result<&mut RawDevice> {
        if self.asked == limits::REQUESTS_BEFORE_HELLO_MAX {
            self.device = RawDevice::connect(self.node).await?;
            self.asked = 0;
        }
        self.asked += 1;
        Ok(&mut self.device)
    }

    /// As [`RawDevice::request`].
    pub(crate) async fn request(&mut self, request: Request) -> Result<Response> {
        self.next().await?.request(request).await
    }

    /// As [`RawDevice::refused`].
    pub(crate) async fn refused(&mut self, request: Request) -> Result<ErrorCode> {
        self.next().await?.refused(request).await
    }
}
