//! `comity room list`.

use client::Standing;

use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{List, RoomShown, Row},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Rooms and invitations", "comity room list"),
    Example("Ids of rooms with something unread", "comity room list --json=room,unread"),
];

/// List rooms and invitations
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Also rooms that the account is out of
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<(), CliError> {
    context.check_fields(<RoomShown as Row>::FIELDS)?;
    let rooms = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        client.rooms().await.map_err(|error| device::failed("cannot list the rooms", error))
    })
    .await?;
    let rows = rooms
        .into_iter()
        .filter(|room| args.all || room.standing != Standing::Left)
        .map(RoomShown::from)
        .collect();
    context.list(&List { rows, empty: "There are no rooms yet: comity send ACCOUNT \"hello\"" })
}
