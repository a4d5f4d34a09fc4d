//! `comity message show`.

use super::target::Target;
use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{MessageAlone, MessageShown, room_label},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("By its place in the room", "comity message show \"#ops\" @3"),
    Example("Its text alone", "comity message show \"#ops\" @3 --json=text"),
];

/// Show one message with its reactions
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(MessageShown::FIELDS)?;
    let (room, message) =
        device::with(context, async |client| args.target.find(context, client).await).await?;
    context.show(&MessageAlone(MessageShown::new(message, &room_label(&room))))
}
