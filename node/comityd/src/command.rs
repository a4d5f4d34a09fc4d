//! The commands, one file each.

mod backup;
mod check;
mod config;
mod init;
mod key;
mod reference;
mod renew;
mod restore;
mod run;
mod support_bundle;
mod verify;

pub(crate) use run::storage;

use crate::{
    args::{Args, Command},
    failure::Failure,
};

/// Does what the command line says.
pub(crate) fn execute(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Init(args) => init::init(&args),
        Command::Run(args) => run::run(&args),
        Command::Check(args) => check::check(&args),
        Command::Doctor(args) => check::doctor(&args),
        Command::Config(args) => config::config(&args),
        Command::Renew(args) => renew::renew(&args),
        Command::Key(args) => key::key(&args),
        Command::Backup(args) => backup::backup(&args),
        Command::Verify(args) => verify::verify(&args),
        Command::Restore(args) => restore::restore(&args),
        Command::SupportBundle(args) => support_bundle::support_bundle(&args),
        Command::Util(args) => reference::util(&args),
    }
}
