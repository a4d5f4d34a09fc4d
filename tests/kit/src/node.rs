//! A node as a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use wire::{
    Account, DomainName,
    proto::{self, admin_request::Request, admin_response::Response},
};

use crate::{admin, bins, ports};

/// How long a node may take to say that it listens; longer means that it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A domain and its `comityd`, which runs unless it was stopped. Killed when dropped.
#[derive(Debug)]
pub struct Node {
    domain: DomainName,
    directory: PathBuf,
    /// Removes the directory; absent if the caller owns it.
    _temporary: Option<TempDir>,
    address: SocketAddr,
    fingerprint: [u8; 32],
    environment: Vec<(String, String)>,
    log_format: &'static str,
    process: Option<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    /// Reads the log until the process has ended.
    reader: JoinHandle<()>,
}

impl Node {
    /// Makes a domain in a directory of its own and starts its node.
    ///
    /// # Errors
    /// If `comityd init` or `comityd run` fails.
    pub fn start(domain: &str) -> Result<Self> {
        let mut node = Self::init(domain)?;
        node.run()?;
        Ok(node)
    }

    /// Makes a domain without starting its node.
    ///
    /// # Errors
    /// If `comityd init` fails.
    pub fn init(domain: &str) -> Result<Self> {
        let temporary = tempfile::Builder::new().prefix("comity-").tempdir()?;
        let directory = temporary.path().join("data");
        let mut node = Self::init_in(domain, &directory)?;
        node._temporary = Some(temporary);
        Ok(node)
    }

    /// As [`Self::init`], in a directory that the caller keeps.
    ///
    /// # Errors
    /// If `comityd init` fails.
    pub fn init_in(domain: &str, directory: &Path) -> Result<Self> {
        let address = ports::free_address()?;
        let output = Command::new(bins::comityd()?)
            .args(["init", domain, "--json", "--data"])
            .arg(directory)
            .args(["--listen", &address.to_string(), "--endpoint", &address.to_string()])
            .output()?;
        ensure!(output.status.success(), "init: {}", String::from_utf8_lossy(&output.stderr));
        let made: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let fingerprint = made.get("fingerprint").and_then(|value| value.as_str()).unwrap_or_default();
        let fingerprint = data_encoding::HEXLOWER.decode(fingerprint.as_bytes())?;
        Ok(Self {
            domain: domain.parse()?,
            directory: directory.to_owned(),
            _temporary: None,
            address,
            fingerprint: fingerprint.try_into().ok().context("32 bytes")?,
            environment: Vec::new(),
            log_format: "text",
            process: None,
        })
    }

    /// Sets a variable for the processes started from now on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Has the processes started from now on write JSON objects as their log.
    pub const fn log_json(&mut self) {
        self.log_format = "json";
    }

    /// Starts the process, on the same port as before, and waits until it listens.
    ///
    /// # Errors
    /// If it ends instead; the error holds its log.
    pub fn run(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "the node of {} runs already", self.domain);
        let mut child = self.command()?.spawn()?;
        let stderr = child.stderr.take().context("a piped stderr")?;
        let log = Arc::new(Mutex::new(Vec::new()));
        let (ready, reader) = follow(stderr, Arc::clone(&log));
        let mut process = Process { child, log, reader };
        match ready.recv_timeout(PATIENCE) {
            Ok(()) => {
                self.process = Some(process);
                Ok(())
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let status = process.child.wait()?;
                bail!("comityd ended with {status}:\n{}", process.log().join("\n"))
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                process.child.kill()?;
                process.child.wait()?;
                bail!("comityd does not listen:\n{}", process.log().join("\n"))
            }
        }
    }

    /// `comityd run` on this domain, for a caller that expects it to fail.
    ///
    /// # Errors
    /// If the program is not there.
    pub fn command(&self) -> Result<Command> {
        let mut command = Command::new(bins::comityd()?);
        command.args(["run", "--log-format", self.log_format, "--data"]).arg(&self.directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.env_remove("COMITY_DATA");
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        Ok(command)
    }

    /// SIGHUP, and waits until the log says this once more.
    ///
    /// # Errors
    /// If it does not.
    pub fn reload(&self, sign: &str) -> Result<()> {
        let seen = || self.log().iter().filter(|line| line.contains(sign)).count();
        let before = seen();
        self.signal(Signal::HUP)?;
        let end = Instant::now() + PATIENCE;
        while seen() == before {
            ensure!(Instant::now() < end, "no line says {sign:?}: {:#?}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Runs `comityd` with these arguments and `--data` of this domain.
    ///
    /// # Errors
    /// If the program is not there.
    pub fn comityd(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(bins::comityd()?);
        command.args(arguments).arg("--data").arg(&self.directory).stdin(Stdio::null());
        Ok(command.env_remove("COMITY_DATA").output()?)
    }

    /// The disk is gone, and everything on it.
    ///
    /// # Errors
    /// If the node runs, or the directory cannot be removed.
    pub fn wipe(&self) -> Result<()> {
        ensure!(self.process.is_none(), "the node of {} runs", self.domain);
        Ok(std::fs::remove_dir_all(&self.directory)?)
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Errors
    /// If it does not end with status 0.
    pub fn stop(&mut self) -> Result<()> {
        self.stop_with_log().map(|_| ())
    }

    /// As [`Self::stop`]; the whole log.
    ///
    /// # Errors
    /// If it does not end with status 0.
    pub fn stop_with_log(&mut self) -> Result<Vec<String>> {
        self.signal(Signal::TERM)?;
        let (status, log) = self.wait()?;
        ensure!(status.success(), "comityd ended with {status}:\n{}", log.join("\n"));
        Ok(log)
    }

    /// SIGKILL, and waits for the end.
    ///
    /// # Errors
    /// If the process does not run.
    pub fn kill(&mut self) -> Result<()> {
        self.signal(Signal::KILL)?;
        let (status, log) = self.wait()?;
        ensure!(status.signal().is_some(), "comityd ended with {status} by itself:\n{}", log.join("\n"));
        Ok(())
    }

    /// SIGSTOP: the process is there and does nothing.
    ///
    /// # Errors
    /// If the process does not run.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// If the process does not run.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Whether the process runs; a process that ended by itself does not.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.child.try_wait(), Ok(None)))
    }

    /// Waits for a process that is expected to end by itself.
    ///
    /// # Errors
    /// If the process does not run.
    pub fn wait(&mut self) -> Result<(ExitStatus, Vec<String>)> {
        let mut process = self.process.take().context("the node does not run")?;
        let status = process.child.wait()?;
        let log = Arc::clone(&process.log);
        // Nothing in it panics; a log that was read in part would still be one.
        let _ = process.reader.join();
        let log = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok((status, log))
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid().context("the node does not run")?)?;
        Ok(kill_process(Pid::from_raw(pid).context("a process id")?, signal)?)
    }

    /// The process id, while the process runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.child.id())
    }

    /// The lines that the process has logged.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }

    /// The domain.
    #[must_use]
    pub const fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.directory
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The fingerprint of its root key.
    #[must_use]
    pub const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// Asks it as its administrator.
    ///
    /// # Errors
    /// As [`admin::ask`].
    pub fn ask(&self, request: Request) -> Result<Response> {
        admin::ask(&self.directory, request)
    }

    /// Invites an account of the domain and returns the one-time code.
    ///
    /// # Errors
    /// As [`admin::ask`].
    pub fn invite(&self, account: &Account) -> Result<[u8; 16]> {
        match self.ask(Request::InviteUser(proto::InviteUser { account: account.to_string() }))? {
            Response::Invite(invite) => invite.code.as_ref().try_into().context("16 bytes"),
            other => bail!("{other:?} is no invitation"),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // The directory goes next; nothing of it may stay open.
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}

impl Process {
    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Keeps the log and tells when the node says that it listens.
fn follow(stderr: ChildStderr, log: Arc<Mutex<Vec<String>>>) -> (mpsc::Receiver<()>, JoinHandle<()>) {
    let (tell, ready) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut tell = Some(tell);
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if line.contains("listening on ") {
                // Dropped as well, so that the end of the process is heard after this only.
                if let Some(tell) = tell.take() {
                    let _ = tell.send(());
                }
            }
            log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
    (ready, reader)
}

/// Has one node's administrator pin another domain.
///
/// # Errors
/// As [`admin::ask`].
pub fn pin(node: &Node, domain: &DomainName, address: SocketAddr, fingerprint: &[u8; 32]) -> Result<()> {
    node.ask(Request::PinPeer(proto::PinPeer {
        domain: domain.to_string(),
        endpoints: vec![address.to_string()],
        fingerprint: fingerprint.to_vec().into(),
        replace: false,
    }))?;
    Ok(())
}

/// Has the administrators of two domains pin each other.
///
/// # Errors
/// As [`admin::ask`].
pub fn pin_each_other(one: &Node, other: &Node) -> Result<()> {
    pin(one, other.domain(), other.address(), other.fingerprint())?;
    pin(other, one.domain(), one.address(), one.fingerprint())
}
