//! The commands, one file each.

mod check;
mod config;
mod init;
mod renew;
mod run;

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
        Command::Config(args) => config::config(&args),
        Command::Renew(args) => renew::renew(&args),
    }
}
