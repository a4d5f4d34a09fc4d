//! The program as its library: what a command line does, and what is said of texts of files.

use std::{path::Path, process::ExitCode};

use clap::Parser as _;

use crate::{args, backup, command, config};

/// The program: does what the command line of this process says.
#[must_use]
pub fn main() -> ExitCode {
    match command::execute(args::Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
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
