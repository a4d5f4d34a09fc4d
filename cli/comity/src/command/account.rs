//! `comity account`: the account's device on this machine, and how what it keeps is protected.

mod lock;
pub(crate) mod protect;
mod unlock;

use crate::{context::Context, error::CliError};

/// The verbs of the own account.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Keep the device open for some hours, so that no command asks for the passphrase
    Unlock(unlock::Args),
    /// Forget the keys of the device until the passphrase is given again
    Lock(lock::Args),
    /// Change what protects the device on this machine's disk, or its passphrase
    Protect(protect::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Unlock(args) => unlock::run(context, args).await,
        Verb::Lock(args) => lock::run(context, args).await,
        Verb::Protect(args) => protect::run(context, args).await,
    }
}
