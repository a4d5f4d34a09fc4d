//! `comity room rename`.

use super::changed::{Patience, Shown};
use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::Show,
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("Its name is encrypted", "comity room rename \"#ops\" operations")];

/// Give a group another name
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// The new name
    name: String,
    #[command(flatten)]
    patience: Patience,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let room = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?;
        device::within(
            "cannot rename",
            args.patience.timeout,
            client.rename(room, args.name.trim_start_matches('#'), ""),
        )
        .await?;
        Ok(room)
    })
    .await?;
    context.show(&Shown::plain(&room, "renamed"))
}
