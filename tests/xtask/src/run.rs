//! Runs cargo and the programs it built.

use std::{
    env,
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context as _, bail};

/// One line to the person who waits.
pub(crate) fn say(line: &str) {
    // A closed terminal is no reason to stop working.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

static SKIPPED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Says that something is not checked here, and keeps it for the end.
pub(crate) fn skip(reason: &str) {
    say(&format!("   skipped: {reason}"));
    note_skipped(reason);
}

/// Keeps what a test said of itself.
pub(crate) fn note_skipped(reason: &str) {
    SKIPPED.lock().unwrap_or_else(PoisonError::into_inner).push(reason.to_owned());
}

/// All that was not checked.
pub(crate) fn skipped() -> Vec<String> {
    std::mem::take(&mut *SKIPPED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The result, for whoever reads it from a pipe.
pub(crate) fn print(path: &Path) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{}", path.display())?)
}

pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(top());
    command
}

pub(crate) fn cargo_command() -> Command {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

pub(crate) fn cargo(args: &[&str]) -> anyhow::Result<()> {
    finish(cargo_command().args(args), &format!("cargo {}", args.join(" ")))
}

pub(crate) fn finish(command: &mut Command, name: &str) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}

pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), PathBuf::from)
}

pub(crate) fn demo(args: &[String]) -> anyhow::Result<()> {
    let mut command = demo_command()?;
    command.args(args);
    become_program(command)
}

/// `comity demo`, built in release with the node beside it.
pub(crate) fn demo_command() -> anyhow::Result<Command> {
    release(&["comity", "comityd"])?;
    let mut command = Command::new(target().join("release").join("comity"));
    command.arg("demo");
    Ok(command)
}

pub(crate) fn bench(args: &[String]) -> anyhow::Result<()> {
    release(&["comity", "comityd", "bench"])?;
    let mut command = command(target().join("release").join("bench"));
    command.args(args);
    become_program(command)
}

pub(crate) fn sim(args: &[String]) -> anyhow::Result<()> {
    release(&["sim"])?;
    let mut command = command(target().join("release").join("sim"));
    command.args(args);
    become_program(command)
}

pub(crate) fn release(packages: &[&str]) -> anyhow::Result<()> {
    let mut args = vec!["build", "--quiet", "--release"];
    args.extend(packages.iter().flat_map(|package| ["--package", package]));
    if !target().join("release").join(packages.first().copied().unwrap_or_default()).exists() {
        say("building in release, which takes a few minutes the first time");
    }
    cargo(&args)
}

/// Replaces this process, so that signals and the exit code are the program's own.
fn become_program(mut command: Command) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(anyhow::Error::from(command.exec()).context("cannot start the program that was just built"))
}
