//! The program as its library: what a command line does, and what is said of texts of files.

use std::{path::Path, process::ExitCode};

use clap::Parser as _;

use crate::{
    args, backup, command, config,
    failure::{Exit, Failure},
};

/// The program: does what the command line of this process says.
#[must_use]
pub fn main() -> ExitCode {
    let json = std::env::args_os().any(|word| word == "--json");
    let done = match args::Args::try_parse() {
        Ok(args) => command::execute(args),
        Err(error) if json && error.use_stderr() => Err(usage(&error)),
        Err(error) => error.exit(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}

/// What clap says up to the first empty line, in one: what is missing stands below the first line.
fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let lines: Vec<&str> = text.trim_start_matches("error: ").lines().map(str::trim).collect();
    let what = lines.split(|line| line.is_empty()).next().unwrap_or_default().join(" ");
    Failure::new(Exit::Usage, "Usage", what, "comityd --help")
}

/// What is wrong with the text of a `comity.toml`, by itself: an error's name and its explanation.
///
/// # Errors
/// `ConfigSyntax`, `ConfigUnknownKey`, `ConfigValue`.
pub fn check_config(text: &str) -> Result<(), (&'static str, String)> {
    let layers = config::Layers::gather(Path::new("comity.toml"), text, &|_| None, &Vec::new());
    let config = layers.and_then(|layers| config::Config::of(&layers));
    config.map(drop).map_err(|failure| (failure.name, failure.what))
}

/// What is wrong with the manifest of a backup, before its signature is looked at.
///
/// # Errors
/// `ManifestMalformed`, `BackupNewer`.
pub fn check_manifest(text: &[u8]) -> Result<(), (&'static str, String)> {
    backup::check_manifest(text).map_err(|failure| (failure.name, failure.what))
}
