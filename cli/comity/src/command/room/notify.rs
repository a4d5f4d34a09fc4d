//! `comity room notify`.

use client::Notify;

use super::changed::Shown;
use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::Show,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Only what names you", "comity room notify \"#ops\" mentions"),
    Example("Nothing", "comity room notify bob@umbrella.test none"),
];

/// Choose what of a room may disturb
///
/// Kept on this device. `comity tui` notifies by it; `comity room show` says what holds.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// What may disturb; without it, what does is shown
    #[arg(value_enum)]
    what: Option<What>,
}

/// What may disturb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Everything that others say
    All,
    /// Only what names you
    Mentions,
    /// Nothing
    None,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let wanted = args.what.map(|what| match what {
        What::All => Notify::All,
        What::Mentions => Notify::Mentions,
        What::None => Notify::None,
    });
    let (room, notify) = device::with(context, async |client| {
        let room = device::find_joined(client, &args.room).await?;
        let Some(notify) = wanted else { return Ok((room.id, room.notify)) };
        let kept = client.set_notify(room.id, notify).await;
        kept.map_err(|error| device::failed("cannot keep that", error))?;
        Ok((room.id, notify))
    })
    .await?;
    let done = match notify {
        Notify::All => "all disturbs",
        Notify::Mentions => "mentions disturb",
        Notify::None => "nothing disturbs",
    };
    context.show(&Shown::plain(&room, done))
}
