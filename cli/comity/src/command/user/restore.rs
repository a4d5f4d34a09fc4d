//! `comity user restore`.

use client::Account;
use wire::proto::AccountStanding;

use crate::{
    command::peer::{Node, Plan},
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Show, UserShown},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("She has her laptop back", "comity user restore alice@acme.test --data /var/lib/comity")];

/// Let a suspended account back in
///
/// Its devices find out within half a minute, and get what they missed.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which account
    #[arg(value_parser = device::account)]
    account: Account,
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    node: Node,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<UserShown as Show>::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let what = "cannot restore the account";
    if args.plan.dry_run {
        let user = super::show(&data, what, &args.account).await?;
        return context.show(&super::planned(what, &args.account, &user, "let in again")?);
    }
    let shown = super::stand(&data, what, &args.account, AccountStanding::Active).await?;
    context.show(&shown)
}
