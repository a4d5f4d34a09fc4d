//! `comity peer show`.

use wire::{DomainName, ErrorCode, proto::PeerPhase};

use crate::{
    command::peer::{Node, domain},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{PeerShown, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[Example(
    "Why does nothing arrive at umbrella.test",
    "comity peer show umbrella.test --data /var/lib/comity",
)];

/// Show one domain: the link, what waits, the last error and the next try
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
    let peer = super::show(&data, "cannot show the peer", &args.domain).await?;
    let unknown = peer.state.as_ref().is_some_and(|state| {
        state.last_error == ErrorCode::KeyUnverified.code() && state.phase() != PeerPhase::Held
    });
    context.show(&PeerShown::of_peer(&peer))?;
    if unknown {
        context.hint(&format!(
            "give the administrator of {} what this prints: comity domain show --ticket",
            args.domain
        ));
    }
    Ok(())
}
