//! `comity peer retry`.

use wire::{DomainName, proto};

use crate::{
    admin,
    command::peer::{Node, Plan, domain},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{PeerShown, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[Example(
    "The other side says that it is back",
    "comity peer retry umbrella.test --data /var/lib/comity",
)];

/// Try a domain again now, instead of at the next planned time
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which domain
    #[arg(value_parser = domain)]
    domain: DomainName,
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    node: Node,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<PeerShown as Show>::FIELDS)?;
    let what = "cannot try the domain";
    let request =
        proto::admin_request::Request::RetryPeer(proto::RetryPeer { domain: args.domain.to_string() });
    let data = context.data(args.node.data.as_ref())?;
    if args.plan.dry_run {
        let now = super::show(&data, what, &args.domain).await?;
        return context.show(&PeerShown::planned(&now, "tried now"));
    }
    let peer = super::peer(what, &args.domain, admin::ask(&data, what, request).await).map_err(|error| {
        match error.exit() == client::ErrorCode::Blocked.exit() {
            true => error.means("the link is paused or denied").hint(format!(
                "comity peer show {0} says which; comity peer resume {0}, or allow",
                args.domain
            )),
            false => error,
        }
    })?;
    context.show(&PeerShown::of_peer(&peer))
}
