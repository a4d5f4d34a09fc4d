//! The demo as a newcomer runs it: once in a pipe, and staying, with every command that it prints.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};

/// What a newcomer is promised to see verified.
const PROMISED: [&str; 6] = [
    "alice reads bob's answer",
    "the reason and the next try are shown",
    "all three arrived, in order, once",
    "in all ",
    "of bob's own device, which are sealed",
    "both nodes ended in good order",
];

fn demo(args: &[&str]) -> Result<Command> {
    // The demo finds the node beside itself.
    kit::comityd()?;
    let mut command = Command::new(kit::comity()?);
    command.arg("demo").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

fn of_kind<'a>(steps: &'a [serde_json::Value], kind: &str) -> Vec<&'a str> {
    steps.iter().filter(|step| step["kind"] == kind).filter_map(|step| step["text"].as_str()).collect()
}

fn steps(stdout: &[u8]) -> Result<Vec<serde_json::Value>> {
    let lines = std::str::from_utf8(stdout)?.lines();
    lines.map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

fn shell(line: &str) -> Result<Output> {
    let output = Command::new("sh").args(["-c", line]).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output)
}

#[test]
fn once_verifies_every_step_and_leaves_nothing_behind() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let output = demo(&["--once", "--json"])?.env("TMPDIR", parent.path()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let steps = steps(&output.stdout)?;
    let verified = of_kind(&steps, "verified");
    for promised in PROMISED {
        ensure!(verified.iter().any(|text| text.contains(promised)), "not verified: {promised}");
    }
    let acknowledged = of_kind(&steps, "said").into_iter().filter(|text| text.starts_with("acknowledged to"));
    let levels: String = acknowledged.collect();
    for level in ["accepted", "ordered", "stored", "delivered", "read"] {
        ensure!(levels.contains(level), "{level} is not in {levels:?}");
    }
    ensure!(std::fs::read_dir(parent.path())?.next().is_none(), "something was left behind");
    Ok(())
}

#[test]
fn plain_lines_come_in_a_pipe() -> Result<()> {
    let output = demo(&["--once"])?.output()?;
    let text = String::from_utf8(output.stdout)?;
    ensure!(output.status.success() && text.contains("\nok "), "{text}");
    ensure!(!text.contains('\u{1b}') && !text.contains('\r'), "a pipe is no terminal: {text:?}");
    Ok(())
}

#[test]
fn what_it_prints_at_the_end_can_be_typed() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let dir = parent.path().join("demo");
    let output = demo(&["--json", "--dir", dir.to_str().context("a path")?])?.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let steps = steps(&output.stdout)?;
    let commands = of_kind(&steps, "command");
    let (watching, rest): (Vec<&str>, Vec<&str>) =
        commands.into_iter().partition(|line| line.contains(" watch "));
    let (stop, rest) = rest.split_last().context("it says how to stop")?;
    let played = watching.iter().try_for_each(|line| sees_what_was_said(line)).and_then(|()| {
        ensure!(watching.len() == 3 && rest.len() == 5, "{watching:?} {rest:?}");
        rest.iter().try_for_each(|line| shell(line).map(drop))
    });
    shell(stop)?;
    played?;
    ensure!(!Path::new(&dir).exists(), "{stop} leaves {}", dir.display());
    Ok(())
}

struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whoever joins sees at once what was said before.
fn sees_what_was_said(line: &str) -> Result<()> {
    let mut watch = Command::new("sh")
        .args(["-c", &format!("exec {line}")])
        .stdout(Stdio::piped())
        .spawn()
        .map(Watching)?;
    let stdout = watch.0.stdout.take().context("no output")?;
    for shown in BufReader::new(stdout).lines() {
        if shown?.contains("Who waters the tulips on Sunday?") {
            return Ok(());
        }
    }
    anyhow::bail!("{line} ended without showing what was said")
}
