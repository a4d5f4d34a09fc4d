//! `comity`: everything a person types. Parses the command line, runs one verb, and turns its
//! outcome into an exit code. The program is [`main`]; the rest that is public judges the text of a file
//! or of another program, for whoever has neither.

mod admin;
mod args;
mod bounds;
mod command;
mod config;
mod context;
mod device;
mod error;
mod examples;
mod fingerprint;
mod hidden;
mod output;
mod passphrase;
mod private;
mod program;
mod secret;

pub use program::{check_action, check_report, check_settings, main};
