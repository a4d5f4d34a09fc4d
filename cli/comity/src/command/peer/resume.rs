//! `comity peer resume`.

use wire::proto::PeerMode;

use super::mode::{Peer, Step};
use crate::{
    context::Context,
    error::CliError,
    examples::{self, Example},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("It was looked into", "comity peer resume umbrella.test --data /var/lib/comity")];

/// Go on with a paused link; what has waited goes out
///
/// The domain is tried at once.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    peer: Peer,
}

const STEP: Step = Step {
    from: PeerMode::Paused,
    to: PeerMode::Open,
    would: "resumed",
    failed: "cannot resume the link",
    back: None,
};

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<(), CliError> {
        STEP.take(context, &self.peer).await
    }
}
