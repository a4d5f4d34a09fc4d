//! `comity room accept`.

use super::changed::{Needs, Patience, Shown};
use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::Show,
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("What is said from now on can be read", "comity room accept 3f2a9c01")];

/// Accept an invitation
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
        let room = device::find(client, &args.room).await?;
        if room.standing == client::Standing::Member {
            return Ok(Shown::plain(&room.id, "unchanged"));
        }
        if args.patience.dry_run {
            Needs::Invitation.check(client, &room).await?;
            return Ok(Shown::planned(Some(&room), "accepted", &[]));
        }
        device::within(
            client,
            "cannot accept",
            context.timeout(args.patience.timeout),
            client.answer(room.id, true),
        )
        .await?;
        Ok(Shown::plain(&room.id, "accepted"))
    })
    .await?;
    context.show(&shown)
}
