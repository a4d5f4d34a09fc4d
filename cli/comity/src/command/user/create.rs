//! `comity user create`.

use client::Account;
use wire::proto;

use crate::{
    admin,
    command::{peer::Node, user::invite},
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
    node: Node,
}

/// An account that was made.
#[derive(serde::Serialize)]
struct Created {
    account: String,
    invitation: String,
    expires: String,
}

impl Row for Created {
    const FIELDS: &'static [&'static str] = &["account", "invitation", "expires"];
    const COLUMNS: &'static [&'static str] = &["ACCOUNT", "INVITATION"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        vec![(Label::Account, self.account.clone()), (Label::Id, self.invitation.clone())]
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
        let made = match super::about(&data, &what, account, request).await {
            Ok(proto::admin_response::Response::Invite(made)) => invite::ticket(&made),
            Ok(_) => return Err(admin::unexpected(&what)),
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
            invitation: ticket.encode(),
            expires: rfc3339(ticket.expires.saturating_mul(1_000)),
        });
    }
    let made = !rows.is_empty();
    if made {
        context.list(&List { rows, empty: "" })?;
    }
    if let Some(error) = failed {
        return Err(error);
    }
    context.status("Each works once, for seven days. On their machines: comity login ACCOUNT");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let made = Created { account: String::new(), invitation: String::new(), expires: String::new() };
        let value = serde_json::to_value(made).expect("serialises");
        let mut fields = Created::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
