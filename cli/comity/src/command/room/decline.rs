//! `comity room decline`.

use super::changed::{Patience, Shown};
use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::Show,
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("The other side is told, and nothing else", "comity room decline 3f2a9c01")];

/// Decline an invitation
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    #[command(flatten)]
    patience: Patience,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let room = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find(client, &args.room).await?.id;
        device::within("cannot decline", args.patience.timeout, client.answer(room, false)).await?;
        Ok(room)
    })
    .await?;
    context.show(&Shown::plain(&room, "declined"))
}
