//! `comity message edit`.

use client::Outgoing;

use super::target::Target;
use crate::{
    command::{
        delivery::{Shown, Until},
        text,
    },
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::Show as _,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Another text for a message of yours", "comity message edit \"#ops\" @3 \"at ten, not nine\""),
    Example("From a pipe", "echo \"at ten, not nine\" | comity message edit \"#ops\" @3 -"),
];

/// Give a message of yours another text
///
/// The others see that it was changed. Devices that have the first text may keep it.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    /// The new text; `-` or nothing reads it from stdin
    text: Option<String>,
    #[command(flatten)]
    until: Until,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let body = text::of(context, args.text.as_deref())?;
    let shown = device::with(context, async |client| {
        let (room, message) = args.target.find_own(context, client, "cannot edit this message").await?;
        let sent = client.send(room.id, Outgoing::Edit { target: message.id, body }).await;
        let sent = sent.map_err(|error| device::failed("cannot edit", error))?;
        args.until.reached(context, client, sent, &message).await
    })
    .await?;
    context.show(&shown)
}
