//! `comity peer`: the domains that a node federates with. For its administrator.

mod list;
mod pin;
mod queue;
mod retry;
mod show;

use std::path::PathBuf;

use wire::DomainName;

use crate::{context::Context, error::CliError};

/// The verbs of a peer.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    Pin(pin::Args),
    List(list::Args),
    Show(show::Args),
    Queue(queue::Args),
    Retry(retry::Args),
}

/// Which node is administered.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Node {
    /// The node's data directory [env: COMITY_DATA]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Reads a domain; upper case and a final dot are forgiven.
///
/// # Errors
/// A sentence for the command line.
pub(crate) fn domain(text: &str) -> Result<DomainName, String> {
    DomainName::from_input(text).map_err(|_| "a domain looks like acme.example".to_owned())
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Pin(args) => pin::run(context, args).await,
        Verb::List(args) => list::run(context, args).await,
        Verb::Show(args) => show::run(context, args).await,
        Verb::Queue(args) => queue::run(context, args).await,
        Verb::Retry(args) => retry::run(context, args).await,
    }
}
