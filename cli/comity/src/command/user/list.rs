//! `comity user list`.

use wire::proto;

use crate::{
    admin,
    command::peer::Node,
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{List, Row, UserShown},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("Who has logged in", "comity user list --data /var/lib/comity")];

/// List the accounts
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    node: Node,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<UserShown as Row>::FIELDS)?;
    let what = "cannot list the accounts";
    let data = context.data(args.node.data.as_ref())?;
    let request = proto::admin_request::Request::ListUsers(proto::ListUsers {});
    let proto::admin_response::Response::Users(users) = admin::ask(&data, what, request).await? else {
        return Err(admin::unexpected(what));
    };
    let rows = users.users.iter().map(UserShown::of_list).collect();
    context.list(&List { rows, empty: "There are no accounts yet: comity user invite ACCOUNT" })
}
