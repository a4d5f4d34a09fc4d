//! `comity message react`.

use client::Outgoing;

use super::target::{Target, check_text};
use crate::{
    command::delivery::{Shown, Until},
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::Show as _,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("With one sign", "comity message react \"#ops\" @3 👍"),
    Example("Take it away again", "comity message react \"#ops\" @3 👍 --remove"),
];

/// React to a message
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    /// The reaction: an emoji or a short word
    reaction: String,
    /// Take it away again
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    until: Until,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let emoji = args.reaction.trim().to_owned();
    if emoji.is_empty() || emoji.len() > wire::limits::REACTION_BYTES_MAX {
        let max = wire::limits::REACTION_BYTES_MAX;
        let sentence = format!("a reaction has 1 to {max} bytes, and this one has {}", emoji.len());
        return Err(CliError::usage(sentence).hint("an emoji, or one short word"));
    }
    let shown = device::with(context, async |client| {
        let (room, message) = args.target.find(context, client).await?;
        check_text(&message, "cannot react to this message")?;
        let reaction = Outgoing::React { target: message.id, emoji, remove: args.remove };
        let sent = client.send(room.id, reaction).await;
        let sent = sent.map_err(|error| device::failed("cannot react", error))?;
        args.until.reached(context, client, sent, &message).await
    })
    .await?;
    context.show(&shown)
}
