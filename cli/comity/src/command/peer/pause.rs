//! `comity peer pause`.

use wire::proto::PeerMode;

use super::mode::{Peer, Step};
use crate::{
    context::Context,
    error::CliError,
    examples::{self, Example},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("While something is looked into", "comity peer pause umbrella.test --data /var/lib/comity")];

/// Stop the link to a domain for a while; what is sent waits
///
/// Its connections are refused with `Unavailable`, so that it keeps what it has and tries again.
/// What people here send waits in the queue, visibly, for seven days at most.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    peer: Peer,
}

const STEP: Step = Step {
    from: PeerMode::Open,
    to: PeerMode::Paused,
    would: "paused",
    failed: "cannot pause the link",
    back: Some(("to go on", "resume")),
};

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<(), CliError> {
        STEP.take(context, &self.peer).await
    }
}
