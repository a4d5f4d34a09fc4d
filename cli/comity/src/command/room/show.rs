//! `comity room show`.

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{RoomShown, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Members, roles and the hub of a room", "comity room show \"#ops\""),
    Example("The direct room with somebody", "comity room show bob@umbrella.test"),
];

/// Show a room and its members
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<RoomShown as Show>::FIELDS)?;
    let room = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        device::find(client, &args.room).await
    })
    .await?;
    context.show(&RoomShown::from(room))
}
