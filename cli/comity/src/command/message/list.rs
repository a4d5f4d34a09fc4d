//! `comity message list`: one page of a room's messages; cursors are seqs.

use crate::{
    command::page::Paging,
    context::Context,
    error::CliError,
    examples::{self, Example},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("The newest page", "comity message list \"#ops\""),
    Example("The page before it", "comity message list \"#ops\" --before 120 --limit 50"),
    Example("Follow a room from a script", "comity message list \"#ops\" --after 120 --json=seq,sender,text"),
];

/// List messages of a room, the newest page first
///
/// Nothing is marked as read.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    page: Paging,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    args.page
        .show(context, "comity message list", async |client, room, cursor| {
            client.messages(room, cursor).await
        })
        .await
}
