//! A node under attack, and the proof that the attack harmed nobody else.

use anyhow::{Result, ensure};
use kit::{Node, RawDevice};
use wire::{
    ErrorCode,
    proto::{GetDomain, client_request::Request, client_response::Response},
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

/// A stranger who behaves is served as ever, and the process is the one that was started.
pub(crate) async fn unharmed(node: &mut Node) -> Result<()> {
    ensure!(node.is_running(), "the node ended:\n{}", node.log().join("\n"));
    let domain = node.domain().to_string();
    let mut device = RawDevice::connect(node).await?;
    let request = Request::GetDomain(GetDomain { domain, after_seq: 0 });
    match device.request(request).await? {
        Response::Domain(documents) => ensure!(documents.documents.len() == 1, "{documents:?}"),
        other => anyhow::bail!("{other:?} does not answer a question for the domain"),
    }
    let fault = node.log().into_iter().find(|line| line.contains("panicked") || line.contains("Internal"));
    ensure!(fault.is_none(), "the node logged a fault: {fault:?}");
    Ok(())
}
