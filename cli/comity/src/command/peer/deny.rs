//! `comity peer deny`.

use wire::{DomainName, proto::PeerMode};

use crate::{
    command::peer::{Node, domain},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{PeerShown, Show},
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
        super::set_mode(&data, "cannot deny the domain", &args.domain, (PeerMode::Denied, PeerMode::Denied))
            .await?;
    context.show(&PeerShown::of_peer(&peer))?;
    context.hint(&format!("to let it in again: comity peer allow {}", args.domain));
    Ok(())
}
