//! `comity peer allow`.

use wire::{DomainName, proto::PeerMode};

use crate::{
    command::peer::{Node, domain},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{PeerShown, Show},
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
        super::set_mode(&data, "cannot allow the domain", &args.domain, (PeerMode::Denied, PeerMode::Open))
            .await?;
    context.show(&PeerShown::of_peer(&peer))?;
    Ok(())
}
