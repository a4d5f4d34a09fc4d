//! `comity account`: the account's device on this machine, and how what it keeps is protected.

mod export;
mod list;
mod lock;
mod logout;
pub(crate) mod protect;
mod show;
mod unlock;

use crate::{context::Context, error::CliError};

/// The verbs of the own account.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    Show(show::Args),
    List(list::Args),
    Unlock(unlock::Args),
    Lock(lock::Args),
    Protect(protect::Args),
    Export(export::Args),
    Logout(logout::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Unlock(args) => unlock::run(context, args).await,
        Verb::Lock(args) => lock::run(context, args).await,
        Verb::Protect(args) => protect::run(context, args).await,
        Verb::Show(args) => show::run(context, args).await,
        Verb::List(args) => list::run(context, args),
        Verb::Export(args) => export::run(context, args).await,
        Verb::Logout(args) => logout::run(context, args).await,
    }
}
