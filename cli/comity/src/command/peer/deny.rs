//! `comity peer deny`.

use wire::proto::PeerMode;

use super::mode::{Peer, Step};
use crate::{
    context::Context,
    error::CliError,
    examples::{self, Example},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("Spam from there", "comity peer deny umbrella.test --data /var/lib/comity")];

/// Refuse a domain: its connections, its messages, and what is sent to it
///
/// The pin stays. Its connections are refused with `Blocked`, so its administrator sees why; what
/// people here send to its rooms is refused to them with the same word, at once. Events of rooms
/// that this domain orders wait for it, in case it is allowed again; `comity peer remove` drops them.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    peer: Peer,
}

const STEP: Step = Step {
    from: PeerMode::Denied,
    to: PeerMode::Denied,
    would: "denied",
    failed: "cannot deny the domain",
    back: Some(("to let it in again", "allow")),
};

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<(), CliError> {
        STEP.take(context, &self.peer).await
    }
}
