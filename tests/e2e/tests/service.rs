//! The node as a service: what it tells its supervisor, and how little it is allowed.

use std::{
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use kit::Node;
use rustix::process::{Pid, Signal};

/// Waits until the node tells this.
fn hear(socket: &UnixDatagram, wanted: &str) -> Result<()> {
    let mut buffer = [0; 4096];
    let mut heard = Vec::new();
    loop {
        let length = socket.recv(&mut buffer).with_context(|| format!("no {wanted} after {heard:?}"))?;
        let said = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if said.lines().any(|line| line == wanted) {
            return Ok(());
        }
        ensure!(heard.len() < 1_000, "no {wanted} after {heard:?}");
        heard.push(said);
    }
}

#[test]
fn the_supervisor_is_told_of_every_turn() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path)?;
    socket.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut node = Node::init("acme.test")?;
    node.set_env("NOTIFY_SOCKET", path.to_str().context("a path")?);
    node.set_env("WATCHDOG_USEC", "600000");
    node.run()?;
    hear(&socket, "READY=1")?;
    hear(&socket, "WATCHDOG=1")?;
    hear(&socket, "WATCHDOG=1")?;
    let pid = node.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())).context("a process id")?;
    rustix::process::kill_process(pid, Signal::HUP)?;
    hear(&socket, "RELOADING=1")?;
    hear(&socket, "READY=1")?;
    node.stop()?;
    hear(&socket, "STOPPING=1")
}

fn unit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node/comityd/packaging/comityd.service")
}

/// systemd's own judgement: 0 is a service that may do nothing, 10 one that may do everything.
#[test]
fn the_service_may_do_little_more_than_it_must() -> Result<()> {
    let analysis = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager", "--threshold=20"])
        .arg(unit())
        .stdin(Stdio::null())
        .output();
    let Ok(output) = analysis else {
        kit::skipped("systemd-analyze is not installed (apt-get install systemd)");
        return Ok(());
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let verdict = text.lines().rev().find(|line| line.contains("exposure")).unwrap_or_default();
    ensure!(output.status.success(), "{verdict}");
    Ok(())
}
