//! `comity peer list`.

use wire::proto;

use crate::{
    admin,
    command::peer::Node,
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{List, PeerShown, Row},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("Which links stand, and what waits", "comity peer list --data /var/lib/comity")];

/// List the pinned domains and what waits for them
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    node: Node,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<PeerShown as Row>::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let rows: Vec<_> =
        states(&data, "cannot list the peers").await?.iter().map(PeerShown::of_state).collect();
    let away: Vec<String> = rows.iter().filter(|peer| peer.is_away()).filter_map(told).collect();
    context.list(&List { rows, empty: "No domain is pinned yet: comity peer pin TICKET" })?;
    for line in away {
        context.status(&line);
    }
    Ok(())
}

/// What a name in a table does not say.
fn told(peer: &PeerShown) -> Option<String> {
    Some(format!("{}: {}", peer.domain(), peer.why()?))
}

/// What the node says of all its peers.
///
/// # Errors
/// Those of asking the node.
pub(super) async fn states(data: &std::path::Path, what: &str) -> Result<Vec<proto::PeerState>, CliError> {
    let request = proto::admin_request::Request::ListPeers(proto::ListPeers {});
    match admin::ask(data, what, request).await? {
        proto::admin_response::Response::Peers(peers) => Ok(peers.peers),
        _ => Err(admin::unexpected(what)),
    }
}
