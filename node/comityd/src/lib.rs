//! `comityd`, the node of a domain: makes a data directory, checks it, and serves it. The program is
//! [`main`]; the rest that is public judges the texts of files, for whoever has no file.

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
mod owner;
mod passphrase;
mod program;
mod reload;
mod signals;
mod supervisor;
mod system;

pub use program::{check_config, check_manifest, main};
