//! `comity peer show`.

use wire::DomainName;

use super::list::states;
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
    let states = states(&data, "cannot show the peer").await?;
    let state = states.iter().find(|state| state.domain == args.domain.as_str()).ok_or_else(|| {
        CliError::not_found(format!("{} is not pinned here", args.domain))
            .hint(format!("comity peer pin {} --endpoint HOST:PORT --fingerprint DIGITS", args.domain))
    })?;
    context.show(&PeerShown::of_state(state))
}
