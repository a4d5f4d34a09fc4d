//! `comity room rename`.

use super::changed::{Needs, Patience, Shown};
use crate::{
    bounds,
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::Show,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Its name is encrypted", "comity room rename \"#ops\" operations"),
    Example("What it is about", "comity room rename \"#ops\" --topic \"what runs, and what does not\""),
    Example("May I?", "comity room rename \"#ops\" operations --dry-run"),
];

/// Give a group another name or topic
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// The new name; the one it has if left out
    #[arg(required_unless_present = "topic")]
    name: Option<String>,
    /// What the room is about; encrypted like the name
    #[arg(long, value_name = "TEXT")]
    topic: Option<String>,
    #[command(flatten)]
    patience: Patience,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    bounds::room_name("cannot rename", args.name.as_deref().unwrap_or_default())?;
    bounds::topic("cannot rename", args.topic.as_deref().unwrap_or_default())?;
    let shown = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?;
        if args.patience.dry_run {
            Needs::Admin.check(client, &room).await?;
            return Ok(Shown::planned(Some(&room), "renamed", &[]));
        }
        let name = args.name.as_deref().map_or(room.name.as_str(), |name| name.trim_start_matches('#'));
        let topic = args.topic.as_deref().unwrap_or(&room.topic);
        let renaming = client.rename(room.id, name, topic);
        device::within(client, "cannot rename", context.timeout(args.patience.timeout), renaming).await?;
        Ok(Shown::plain(&room.id, "renamed"))
    })
    .await?;
    context.show(&shown)
}
