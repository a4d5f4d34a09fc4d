//! `comity user delete`.

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

pub(crate) const EXAMPLES: &[Example] = &[Example(
    "She has left the organisation",
    "comity user delete alice@acme.test --yes --data /var/lib/comity",
)];

/// Delete an account for good
///
/// Its sessions end, its rooms are told that it is out, and what the node kept for it goes: devices,
/// key packages, invitations, what waited for it. Messages in rooms stay, for they are the rooms'.
/// The address stays taken, with the key that it had: others have seen it. Only
/// `comity user create --reuse` gives it to somebody else, and everybody who knew the old key is
/// shown that it changed.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which account
    #[arg(value_parser = device::account)]
    account: Account,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    node: Node,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<UserShown as Show>::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let what = "cannot delete the account";
    let user = super::show(&data, what, &args.account).await?;
    if args.plan.dry_run {
        return context.show(&UserShown::planned(&user, "deleted for good"));
    }
    let question =
        format!("Delete {} for good (devices: {}, rooms: {})?", args.account, user.devices, user.rooms);
    context.confirm(args.yes, &question)?;
    let shown = super::stand(&data, what, &args.account, AccountStanding::Deleted).await?;
    context.show(&shown)
}
