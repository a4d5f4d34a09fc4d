//! Finds the programs under test, building them once if need be.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context as _, Result, ensure};

/// The node: `COMITYD` if it is set, else built from this workspace.
///
/// # Errors
/// If it does not build.
pub fn comityd() -> Result<PathBuf> {
    static PATH: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    find("COMITYD", "comityd", &PATH)
}

/// The command line client: `COMITY` if it is set, else built from this workspace.
///
/// # Errors
/// If it does not build.
pub fn comity() -> Result<PathBuf> {
    static PATH: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    find("COMITY", "comity", &PATH)
}

/// An example of a package, built from this workspace.
///
/// # Errors
/// If it does not build.
pub fn example(name: &str) -> Result<PathBuf> {
    build(&["--example", name]).map(|profile| profile.join("examples").join(name))
}

fn find(variable: &str, package: &str, path: &'static OnceLock<Result<PathBuf, String>>) -> Result<PathBuf> {
    let found = path.get_or_init(|| match std::env::var_os(variable) {
        Some(path) => Ok(PathBuf::from(path)),
        None => match build(&["--bin", package]) {
            Ok(profile) => Ok(profile.join(package)),
            Err(error) => Err(format!("{error:#}")),
        },
    });
    found.clone().map_err(anyhow::Error::msg)
}

/// Builds with the profile and into the target directory of the running test, where what was built
/// is then.
fn build(what: &[&str]) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test
        .ancestors()
        .find(|path| path.join("deps").is_dir())
        .context("a test runs in a target directory")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // Selected from the whole workspace, it shares every dependency with the tests.
    command.args(["build", "--quiet", "--workspace"]).args(what).current_dir(workspace());
    if profile.file_name().is_some_and(|name| name == "release") {
        command.arg("--release");
    }
    if let Some(target) = profile.parent() {
        command.arg("--target-dir").arg(target);
    }
    ensure!(command.status()?.success(), "{what:?} does not build");
    Ok(profile.to_owned())
}

fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}
