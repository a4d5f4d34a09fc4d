//! What an administrator meets: a directory in use, a newer schema, a damaged file, a wrong clock.

use std::{
    fs,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    process::Output,
};

use anyhow::{Context as _, Result, bail, ensure};
use kit::{Node, RawDevice, pin_each_other};
use wire::{
    ErrorCode,
    proto::{
        self, PeerPhase, PeerState, admin_request::Request, admin_response::Response, client_frame,
        node_frame,
    },
};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Where this node keeps its database.
fn database(directory: &Path) -> Result<std::path::PathBuf> {
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            if entry.file_name() == "comity.db" {
                return Ok(entry.path());
            }
            if entry.file_type()?.is_dir() {
                directories.push(entry.path());
            }
        }
    }
    bail!("no database in {}", directory.display())
}

#[test]
fn a_second_node_on_a_directory_ends_at_once_and_says_why() -> Result<()> {
    let mut node = Node::start("acme.test")?;
    let output = node.command()?.output()?;
    ensure!(!output.status.success(), "a second node runs");
    let pid = node.pid().context("a process id")?.to_string();
    let said = said(&output);
    ensure!(said.contains("Locked") && said.contains(&pid), "{said}");
    ensure!(node.is_running(), "the first one was disturbed");
    node.stop()
}

#[test]
fn a_newer_schema_is_refused_with_both_versions_and_nothing_is_changed() -> Result<()> {
    let mut node = Node::start("acme.test")?;
    node.stop()?;
    let path = database(node.data())?;
    // The user version stands at byte 60 of a SQLite file, most significant byte first.
    let set_version = |version: u32| -> Result<()> {
        let mut file = fs::File::options().write(true).open(&path)?;
        file.seek(SeekFrom::Start(60))?;
        Ok(file.write_all(&version.to_be_bytes())?)
    };
    let known = fs::read(&path)?.get(60..64).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
    set_version(4_000)?;
    let before = fs::read(&path)?;
    let output = node.command()?.output()?;
    let said = said(&output);
    ensure!(!output.status.success() && said.contains("4000") && said.contains("newer"), "{said}");
    ensure!(fs::read(&path)? == before, "the file was changed");
    set_version(known.context("a version")?)?;
    node.run()?;
    node.stop()
}

#[test]
fn a_file_that_is_no_database_is_named() -> Result<()> {
    let mut node = Node::start("acme.test")?;
    node.stop()?;
    let path = database(node.data())?;
    fs::write(&path, "not a database ".repeat(1000))?;
    let output = node.command()?.output()?;
    let said = said(&output);
    ensure!(!output.status.success() && said.contains("comity.db"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_device_whose_clock_is_two_days_off_is_told_the_time() -> Result<()> {
    let node = Node::start("acme.test")?;
    let (person, _session) = RawDevice::enrolled(&node, "alice").await?;
    const DAYS: u64 = 2 * 24 * 60 * 60 * 1000;
    let now = machine_now(&node)?;
    for wrong in [now - DAYS, now + DAYS] {
        let mut device = RawDevice::connect(&node).await?;
        let hello = identity::session::sign(
            &person.device_key,
            &person.account,
            person.device,
            &device.exporter()?,
            machine::Timestamp::from_ms(wrong),
        );
        device.send(client_frame::Frame::Hello(hello)).await?;
        match device.next().await? {
            node_frame::Frame::Goodbye(error) => {
                ensure!(ErrorCode::from_code(error.code) == ErrorCode::ClockSkew, "{error:?}");
                ensure!(error.value.abs_diff(now) < DAYS / 2, "the node's time is in it: {error:?}");
            }
            other => bail!("{other:?} does not answer a hello of another time"),
        }
    }
    Ok(())
}

/// The node's clock, roughly: it was started a moment ago.
fn machine_now(node: &Node) -> Result<u64> {
    match node.ask(Request::Status(proto::AdminStatusRequest {}))? {
        Response::Status(status) => Ok(status.started_ms),
        other => bail!("{other:?} is no status"),
    }
}

#[test]
fn a_peer_whose_clock_is_two_days_off_is_named_and_comes_back() -> Result<()> {
    const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
    if !Path::new(LIBRARY).exists() {
        kit::skipped(&format!("{LIBRARY} is not installed (apt-get install libfaketime)"));
        return Ok(());
    }
    let right = Node::start("acme.test")?;
    let mut wrong = Node::init("umbrella.test")?;
    wrong.set_env("LD_PRELOAD", LIBRARY);
    wrong.set_env("FAKETIME", "+2d");
    wrong.set_env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    wrong.run()?;
    pin_each_other(&right, &wrong)?;
    retry(&right, &wrong)?;
    wait_for(&right, &wrong, |state| ErrorCode::from_code(state.last_error) == ErrorCode::ClockSkew)?;
    wrong.stop()?;
    wrong.set_env("FAKETIME", "+0");
    wrong.run()?;
    retry(&right, &wrong)?;
    wait_for(&right, &wrong, |state| state.phase() == PeerPhase::Connected && state.last_error == 0)
}

fn retry(node: &Node, peer: &Node) -> Result<()> {
    let domain = peer.domain().to_string();
    node.ask(Request::RetryPeer(proto::RetryPeer { domain })).map(drop)
}

/// Waits until a node shows a peer so.
fn wait_for(node: &Node, peer: &Node, wanted: impl Fn(&PeerState) -> bool) -> Result<()> {
    kit::look_until(|| {
        let Response::Peers(peers) = node.ask(Request::ListPeers(proto::ListPeers {}))? else {
            bail!("no peers")
        };
        let state = peers.peers.iter().find(|state| state.domain == peer.domain().as_str());
        Ok(state.is_some_and(&wanted).then_some(()))
    })
}
