//! `comity user show`.

use client::Account;

use crate::{
    command::peer::Node,
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Show, UserShown},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("Why cannot alice log in", "comity user show alice@acme.test --data /var/lib/comity")];

/// Show one account: state, devices, rooms and key
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which account
    #[arg(value_parser = device::account)]
    account: Account,
    #[command(flatten)]
    node: Node,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<UserShown as Show>::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let user = super::show(&data, "cannot show the account", &args.account).await?;
    context.show(&UserShown::of_user(&user))
}
