//! `comity room`: rooms and who is in them.

mod accept;
mod admit;
mod changed;
mod create;
mod decline;
mod history;
mod invite;
mod leave;
mod list;
mod notify;
mod remove;
mod rename;
mod role;
mod show;

use crate::{context::Context, error::CliError};

/// The verbs of a room.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    List(list::Args),
    Show(show::Args),
    Create(create::Args),
    Invite(invite::Args),
    Accept(accept::Args),
    Decline(decline::Args),
    Leave(leave::Args),
    Remove(remove::Args),
    Rename(rename::Args),
    Notify(notify::Args),
    Role(role::Args),
    Admit(admit::Args),
    History(history::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::List(args) => list::run(context, &args).await,
        Verb::Show(args) => show::run(context, args).await,
        Verb::Create(args) => create::run(context, args).await,
        Verb::Invite(args) => invite::run(context, args).await,
        Verb::Accept(args) => accept::run(context, args).await,
        Verb::Decline(args) => decline::run(context, args).await,
        Verb::Leave(args) => leave::run(context, args).await,
        Verb::Remove(args) => remove::run(context, args).await,
        Verb::Rename(args) => rename::run(context, args).await,
        Verb::Notify(args) => notify::run(context, args).await,
        Verb::Role(args) => role::run(context, args).await,
        Verb::Admit(args) => admit::run(context, args).await,
        Verb::History(args) => history::run(context, args).await,
    }
}
