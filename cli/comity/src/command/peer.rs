//! `comity peer`: the domains that a node federates with. For its administrator.

mod allow;
mod deny;
mod list;
mod mode;
mod pause;
mod pin;
mod queue;
mod remove;
mod resume;
mod retry;
mod show;

use std::path::{Path, PathBuf};

use wire::{
    DomainName, Endpoint,
    proto::{self, admin_request::Request, admin_response::Response},
};

use crate::{admin, context::Context, error::CliError};

/// The verbs of a peer.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    Pin(pin::Args),
    List(list::Args),
    Show(show::Args),
    Queue(queue::Args),
    Retry(retry::Args),
    Pause(pause::Args),
    Resume(resume::Args),
    Deny(deny::Args),
    Allow(allow::Args),
    Remove(remove::Args),
}

/// Which node is administered.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Node {
    /// The node's data directory [env: COMITY_DATA]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Whether a change of the node is made at all.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Plan {
    /// Only say what would be done, and to what
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Reads a domain; upper case and a final dot are forgiven.
///
/// # Errors
/// A sentence for the command line.
pub(crate) fn domain(text: &str) -> Result<DomainName, String> {
    DomainName::from_input(text).map_err(|_| "a domain looks like acme.example".to_owned())
}

/// Reads where a node listens.
///
/// # Errors
/// A sentence for the command line.
pub(crate) fn endpoint(text: &str) -> Result<Endpoint, String> {
    text.parse().map_err(|_| "where a node listens looks like chat.acme.example:4433".to_owned())
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Pin(args) => pin::run(context, args).await,
        Verb::List(args) => list::run(context, args).await,
        Verb::Show(args) => show::run(context, args).await,
        Verb::Queue(args) => queue::run(context, args).await,
        Verb::Retry(args) => retry::run(context, args).await,
        Verb::Pause(args) => args.run(context).await,
        Verb::Resume(args) => args.run(context).await,
        Verb::Deny(args) => args.run(context).await,
        Verb::Allow(args) => args.run(context).await,
        Verb::Remove(args) => remove::run(context, args).await,
    }
}

/// What the node says of one peer.
///
/// # Errors
/// `NotFound` with how to pin it, and those of asking the node.
async fn show(data: &Path, what: &str, domain: &DomainName) -> Result<proto::Peer, CliError> {
    let request = Request::ShowPeer(proto::ShowPeer { domain: domain.to_string() });
    peer(what, domain, admin::ask(data, what, request).await)
}

fn peer(
    what: &str,
    domain: &DomainName,
    answer: Result<Response, CliError>,
) -> Result<proto::Peer, CliError> {
    match answer {
        Ok(Response::Peer(peer)) => Ok(peer),
        Ok(_) => Err(admin::unexpected(what)),
        Err(error) => Err(unpinned(domain, error)),
    }
}

/// Of an error about one peer: that there is no such peer, and how it becomes one.
fn unpinned(domain: &DomainName, error: CliError) -> CliError {
    match error.is(client::ErrorCode::NotFound) {
        true => CliError::not_found(format!("{domain} is not pinned here"))
            .hint("domains that are not pinned are refused anyway; to pin it: comity peer pin TICKET"),
        false => error,
    }
}
