//! `comity user suspend`.

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
    &[Example("Her laptop was stolen", "comity user suspend alice@acme.test --data /var/lib/comity")];

/// End an account's sessions and let it do nothing until it is restored
///
/// Its devices are told `Blocked` and come back by themselves once it is restored; what was sent to
/// its rooms meanwhile reaches them then. Nobody can add it to a room while it is suspended. It stays
/// a member of the rooms that it is in: only their admins can remove it there.
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
    let what = "cannot suspend the account";
    if args.plan.dry_run {
        let user = super::show(&data, what, &args.account).await?;
        return context.show(&super::planned(what, &args.account, &user, "suspended")?);
    }
    let shown = super::stand(&data, what, &args.account, AccountStanding::Suspended).await?;
    context.show(&shown)?;
    context.hint(&format!("to let it back in: comity user restore {}", args.account));
    Ok(())
}
