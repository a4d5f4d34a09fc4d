//! `comity room history`: what happened to a room, without what was said in it.

use client::{Message, MessageBody};

use crate::{
    command::page::Paging,
    context::Context,
    error::CliError,
    examples::{self, Example},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Who came, who went, who became an admin", "comity room history \"#ops\""),
    Example("For a script", "comity room history \"#ops\" --json=seq,time,sender,text"),
];

/// List how a room changed: who came, who went, roles and names
///
/// From the moment on in which this device came in; what was before is not told to it.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    page: Paging,
}

const fn is_change(message: &Message) -> bool {
    matches!(message.body, MessageBody::Changed { .. } | MessageBody::Renamed { .. })
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    args.page
        .show(context, "comity room history", async |client, room, cursor| {
            client.messages_that(room, cursor, is_change).await
        })
        .await
}
