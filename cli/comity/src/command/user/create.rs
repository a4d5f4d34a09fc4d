//! `comity user create`.

use std::path::Path;

use client::Account;
use wire::proto;

use crate::{
    admin,
    command::{
        peer::{Node, Plan},
        user::invite,
    },
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, List, Paper, Row, rfc3339},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Two at once", "comity user create alice@acme.test bob@acme.test --data /var/lib/comity"),
    Example(
        "Everybody of a list, one line of JSON each",
        "comity user create --json dan@acme.test eve@acme.test > invitations.jsonl",
    ),
];

/// Make accounts and print their invitations
///
/// An account that is there already, or was deleted, is refused, and the others are made all the
/// same. Each invitation works once and for seven days; `comity user invite` makes another.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which accounts
    #[arg(value_parser = device::account, required = true, value_name = "ACCOUNT")]
    accounts: Vec<Account>,
    /// Also an address that a deleted account had: it goes to somebody else
    #[arg(long)]
    reuse: bool,
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    node: Node,
}

/// An account that was made.
#[derive(serde::Serialize)]
struct Created {
    account: String,
    invitation: Option<String>,
    expires: Option<String>,
}

impl Row for Created {
    const FIELDS: &'static [&'static str] = &["account", "invitation", "expires"];
    const COLUMNS: &'static [&'static str] = &["ACCOUNT", "INVITATION"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        let invitation = self.invitation.as_deref().unwrap_or("would be made");
        vec![(Label::Account, self.account.clone()), (Label::Id, invitation.to_owned())]
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Created::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let mut rows = Vec::new();
    let mut failed = None;
    for account in &args.accounts {
        let what = format!("cannot make {account}");
        let asked = proto::CreateUser { account: account.to_string(), reuse: args.reuse };
        let request = proto::admin_request::Request::CreateUser(asked);
        let made = match args.plan.dry_run {
            true => plan(&data, &what, account, args.reuse).await,
            false => super::about(&data, &what, account, request).await.map(Some),
        };
        let made = match made {
            Ok(None) => {
                rows.push(Created { account: account.to_string(), invitation: None, expires: None });
                continue;
            }
            Ok(Some(proto::admin_response::Response::Invite(made))) => invite::ticket(&made),
            Ok(Some(_)) => return Err(admin::unexpected(&what)),
            Err(error) => {
                let error = match error.is(client::ErrorCode::Conflict) {
                    true => error
                        .means(format!("{account} is there already, or was deleted"))
                        .hint(format!("comity user show {account} says which; after a deletion: --reuse")),
                    false => error,
                };
                if let Some(before) = failed.replace(error) {
                    context.report(&before);
                }
                continue;
            }
        };
        let ticket = made.map_err(|code| CliError::wire(what, code.into()))?;
        rows.push(Created {
            account: account.to_string(),
            invitation: Some(ticket.encode()),
            expires: Some(rfc3339(ticket.expires.saturating_mul(1_000))),
        });
    }
    let made = !rows.is_empty();
    if made {
        context.list(&List { rows, empty: "" })?;
    }
    if let Some(error) = failed {
        return Err(error);
    }
    if args.plan.dry_run {
        return Ok(());
    }
    context.status("Each works once, for seven days. On their machines: comity login ACCOUNT");
    Ok(())
}

/// Whether an account could be made: nothing comes of it.
async fn plan(
    data: &Path,
    what: &str,
    account: &Account,
    reuse: bool,
) -> Result<Option<proto::admin_response::Response>, CliError> {
    match super::show(data, what, account).await {
        Ok(user) if reuse && user.standing() == proto::AccountStanding::Deleted => Ok(None),
        Ok(_) => Err(CliError::wire(what, client::ErrorCode::Conflict.into())),
        Err(error) if error.is(client::ErrorCode::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let made = Created { account: String::new(), invitation: None, expires: None };
        let value = serde_json::to_value(made).expect("serialises");
        let mut fields = Created::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
