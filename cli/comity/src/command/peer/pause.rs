//! `comity peer pause`.

use wire::{DomainName, proto::PeerMode};

use crate::{
    command::peer::{Node, domain},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{PeerShown, Show},
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
    /// Which domain
    #[arg(value_parser = domain)]
    domain: DomainName,
    #[command(flatten)]
    node: Node,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<PeerShown as Show>::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let peer =
        super::set_mode(&data, "cannot pause the link", &args.domain, (PeerMode::Open, PeerMode::Paused))
            .await?;
    context.show(&PeerShown::of_peer(&peer))?;
    context.hint(&format!("to go on: comity peer resume {}", args.domain));
    Ok(())
}
