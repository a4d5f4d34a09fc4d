//! `comity message redact`.

use client::Outgoing;

use super::target::Target;
use crate::{
    command::delivery::{Shown, Until},
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::Show as _,
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("A message of yours is shown no more", "comity message redact \"#ops\" @3")];

/// Take a message of yours back
///
/// The devices of the others are told to show it no more. Who has read it has read it.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    until: Until,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let shown = device::with(context, async |client| {
        let (room, message) = args.target.find_own(context, client, "cannot take this message back").await?;
        let sent = client.send(room.id, Outgoing::Delete { target: message.id }).await;
        let sent = sent.map_err(|error| device::failed("cannot take it back", error))?;
        args.until.reached(context, client, sent, &message).await
    })
    .await?;
    context.show(&shown)
}
