//! `comity room leave`.

use super::changed::{Needs, Patience, Shown};
use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::Show,
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("What was said stays readable on this device", "comity room leave \"#ops\"")];

/// Go away from a room
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
    let shown = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?;
        if args.patience.dry_run {
            Needs::Membership.check(client, &room).await?;
            return Ok(Shown::planned(Some(&room), "left", &[]));
        }
        device::within(client, "cannot leave", context.timeout(args.patience.timeout), client.leave(room.id))
            .await?;
        Ok(Shown::plain(&room.id, "left"))
    })
    .await?;
    context.show(&shown)
}
