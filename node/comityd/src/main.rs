//! `comityd`, the node of a domain: makes a data directory, checks it, and serves it.

mod admin;
mod args;
mod ask;
mod backup;
mod command;
mod config;
mod data;
mod documents;
mod examine;
mod failure;
mod health;
mod hidden;
mod keys;
mod logging;
mod passphrase;
mod reload;
mod signals;
mod supervisor;
mod system;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match command::execute(args::Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
