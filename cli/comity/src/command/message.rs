//! `comity message`: messages of a room, page by page and one by one.

mod edit;
mod list;
mod react;
mod receipts;
mod redact;
mod search;
mod show;
mod target;

use crate::{context::Context, error::CliError};

/// The verbs of messages.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    List(list::Args),
    Show(show::Args),
    Search(search::Args),
    React(react::Args),
    Edit(edit::Args),
    Redact(redact::Args),
    Receipts(receipts::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::List(args) => list::run(context, args).await,
        Verb::Show(args) => show::run(context, args).await,
        Verb::Search(args) => search::run(context, args).await,
        Verb::React(args) => react::run(context, args).await,
        Verb::Edit(args) => edit::run(context, args).await,
        Verb::Redact(args) => redact::run(context, args).await,
        Verb::Receipts(args) => receipts::run(context, args).await,
    }
}
