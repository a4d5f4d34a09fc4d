//! `comity peer allow`.

use wire::proto::PeerMode;

use super::mode::{Peer, Step};
use crate::{
    context::Context,
    error::CliError,
    examples::{self, Example},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("They have put it right", "comity peer allow umbrella.test --data /var/lib/comity")];

/// Let a denied domain in again
///
/// What was owed to it as hub has waited and goes out now; what people sent while it was denied was
/// refused to them, and they send it again.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    peer: Peer,
}

const STEP: Step = Step {
    from: PeerMode::Denied,
    to: PeerMode::Open,
    would: "allowed",
    failed: "cannot allow the domain",
    back: None,
};

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<(), CliError> {
        STEP.take(context, &self.peer).await
    }
}
