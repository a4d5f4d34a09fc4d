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
    /// What may disturb
    #[arg(value_enum)]
    what: What,
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
    let (notify, done) = match args.what {
        What::All => (Notify::All, "all disturbs"),
        What::Mentions => (Notify::Mentions, "mentions disturb"),
        What::None => (Notify::None, "nothing disturbs"),
    };
    let room = device::with(context, async |client| {
        let room = device::find_joined(client, &args.room).await?.id;
        client.set_notify(room, notify).await.map_err(|error| device::failed("cannot keep that", error))?;
        Ok(room)
    })
    .await?;
    context.show(&Shown::plain(&room, done))
}
