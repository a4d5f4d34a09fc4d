//! `comity peer resume`.

use wire::{DomainName, proto::PeerMode};

use crate::{
    command::peer::{Node, domain},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{PeerShown, Show},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("It was looked into", "comity peer resume umbrella.test --data /var/lib/comity")];

/// Go on with a paused link; what has waited goes out
///
/// The domain is tried at once.
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
        super::set_mode(&data, "cannot resume the link", &args.domain, (PeerMode::Paused, PeerMode::Open))
            .await?;
    context.show(&PeerShown::of_peer(&peer))?;
    Ok(())
}
