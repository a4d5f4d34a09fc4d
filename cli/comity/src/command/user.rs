//! `comity user`: the accounts of a node. For its administrator.

pub(crate) mod invite;
mod list;
mod password;

use crate::{context::Context, error::CliError};

/// The verbs of an account's administration.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    Invite(invite::Args),
    List(list::Args),
    /// Set the password with which a person logs in on the first device
    Password(password::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Invite(args) => invite::run(context, args).await,
        Verb::List(args) => list::run(context, args).await,
        Verb::Password(args) => password::run(context, args).await,
    }
}
