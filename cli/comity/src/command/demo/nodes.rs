//! The nodes of the demo: real `comityd` processes on loopback, found beside this program.

use std::{
    fs::OpenOptions,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};
use wire::proto::{self, admin_request::Request, admin_response::Response};

use crate::{admin, error::CliError};

/// How long a node may take to serve, and to end.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A domain and its node. Killed when dropped, unless it was left.
pub(super) struct Node {
    domain: &'static str,
    program: PathBuf,
    data: PathBuf,
    endpoint: String,
    fingerprint: Vec<u8>,
    child: Option<Child>,
}

impl Node {
    /// A domain that is yet to be made.
    pub(super) fn new(domain: &'static str, data: PathBuf) -> Result<Self, CliError> {
        let program = std::env::current_exe()?.with_file_name("comityd");
        if !program.is_file() {
            return Err(CliError::not_found(format!("there is no {}", program.display()))
                .hint("install comityd beside comity, or run: cargo demo"));
        }
        Ok(Self { domain, program, data, endpoint: String::new(), fingerprint: Vec::new(), child: None })
    }

    /// Makes keys, configuration and the first domain document.
    pub(super) async fn init(&mut self) -> Result<(), CliError> {
        // Held only to find a free port: the node binds it a moment later.
        let free = UdpSocket::bind("127.0.0.1:0")?;
        self.endpoint = free.local_addr()?.to_string();
        drop(free);
        let output = Command::new(&self.program)
            .args([
                "init",
                self.domain,
                "--json",
                "--listen",
                &self.endpoint,
                "--endpoint",
                &self.endpoint,
                "--data",
            ])
            .arg(&self.data)
            .stdin(Stdio::null())
            .output()
            .await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(CliError::failed(format!("comityd init {} failed", self.domain))
                .cause(said.trim().to_owned()));
        }
        Ok(())
    }

    /// Starts the process and waits until it answers.
    pub(super) async fn start(&mut self) -> Result<(), CliError> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let child = Command::new(&self.program)
            .args(["run", "--data"])
            .arg(&self.data)
            .env_remove("COMITY_DATA")
            .env_remove("COMITY_LISTEN")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        self.child = Some(child);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
                self.child = None;
                return Err(CliError::failed(format!("the node of {} ended ({status})", self.domain))
                    .cause(self.last_words()));
            }
            match self.ask(Request::ShowDomain(proto::ShowDomain {})).await {
                Ok(Response::Domain(view)) => {
                    self.fingerprint = view.fingerprint.to_vec();
                    return Ok(());
                }
                Ok(_) => return Err(admin::unexpected("starting")),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// SIGTERM, and waits for the end.
    pub(super) async fn stop(&mut self) -> Result<(), CliError> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM).map_err(std::io::Error::from)?;
        }
        match timeout(PATIENCE, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => {
                Err(CliError::failed(format!("the node of {} ended with {status}", self.domain))
                    .cause(self.last_words()))
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(CliError::failed(format!("the node of {} does not end", self.domain))),
        }
    }

    /// Lets the process go on by itself; its process id.
    pub(super) fn leave(mut self) -> Option<u32> {
        let child = self.child.take()?;
        let pid = child.id();
        // Dropping it would kill the process.
        std::mem::forget(child);
        pid
    }

    /// Asks the node as its administrator.
    pub(super) async fn ask(&self, request: Request) -> Result<Response, CliError> {
        admin::ask(&self.data, "cannot ask the node", request).await
    }

    /// Pins another node's domain.
    pub(super) async fn pin(&self, other: &Self) -> Result<(), CliError> {
        let pin = proto::PinPeer {
            domain: other.domain.to_owned(),
            endpoints: vec![other.endpoint.clone()],
            fingerprint: other.fingerprint.clone().into(),
            replace: false,
        };
        self.ask(Request::PinPeer(pin)).await.map(drop)
    }

    /// How the link to a domain stands.
    pub(super) async fn peer(&self, domain: &str) -> Result<proto::PeerState, CliError> {
        match self.ask(Request::ListPeers(proto::ListPeers {})).await? {
            Response::Peers(peers) => peers
                .peers
                .into_iter()
                .find(|peer| peer.domain == domain)
                .ok_or_else(|| CliError::not_found(format!("{domain} is not pinned"))),
            _ => Err(admin::unexpected("listing the peers")),
        }
    }

    /// What waits for a domain.
    pub(super) async fn queue(&self, domain: &str) -> Result<proto::Queue, CliError> {
        let request = proto::ListQueue { domain: domain.to_owned(), limit: 100 };
        match self.ask(Request::ListQueue(request)).await? {
            Response::Queue(queue) => Ok(queue),
            _ => Err(admin::unexpected("listing the queue")),
        }
    }

    /// Its domain.
    pub(super) const fn domain(&self) -> &'static str {
        self.domain
    }

    /// Its data directory.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Where it listens.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The fingerprint of its root key.
    pub(super) fn fingerprint(&self) -> &[u8] {
        &self.fingerprint
    }

    fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        crate::output::line(&lines.into_iter().rev().collect::<Vec<_>>().join(" | "))
    }
}
