//! `comity message`: messages of a room, page by page.

mod list;

use crate::{context::Context, error::CliError};

/// The verbs of messages.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    List(list::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::List(args) => list::run(context, args).await,
    }
}
