//! `comity user invite`.

use client::{Account, Ticket};
use wire::{ErrorCode, proto};

use crate::{
    admin,
    command::peer::Node,
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Paper, Show, rfc3339},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example(
        "An invitation for alice, shown once",
        "comity user invite alice@acme.test --data /var/lib/comity",
    ),
    Example(
        "Straight into a file that only she can read",
        "comity user invite alice@acme.test --data /var/lib/comity > invite.txt",
    ),
];

/// Make an account, or a new invitation for it, and print that
///
/// The invitation works once and for seven days. It is a secret: hand it over in a way that you
/// trust. A new one takes the place of one that was not used.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which account
    #[arg(value_parser = device::account)]
    account: Account,
    #[command(flatten)]
    node: Node,
}

/// An invitation.
#[derive(serde::Serialize)]
struct Shown {
    account: String,
    invitation: String,
    expires: String,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["account", "invitation", "expires"];

    fn show(&self, paper: &mut Paper) {
        paper.line(&self.invitation);
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let what = "cannot invite";
    let request =
        proto::admin_request::Request::InviteUser(proto::InviteUser { account: args.account.to_string() });
    let data = context.data(args.node.data.as_ref())?;
    let invite = match admin::ask(&data, what, request).await {
        Ok(proto::admin_response::Response::Invite(invite)) => invite,
        Ok(_) => return Err(admin::unexpected(what)),
        Err(error) if error.exit() == ErrorCode::Conflict.exit() => {
            return Err(error.hint(format!(
                "{0} has a device already, or was deleted: comity user show {0}",
                args.account
            )));
        }
        Err(error) if error.exit() == ErrorCode::Blocked.exit() => {
            return Err(error.hint(format!("it is suspended: comity user restore {}", args.account)));
        }
        Err(error) => return Err(error),
    };
    let ticket = ticket(&invite).map_err(|code| CliError::wire(what, code.into()))?;
    let expires = rfc3339(ticket.expires.saturating_mul(1_000));
    context.show(&Shown {
        account: args.account.to_string(),
        invitation: ticket.encode(),
        expires: expires.clone(),
    })?;
    context.status(&format!("It works once, until {expires}. On the other machine:"));
    context.hint(&format!("comity login {}", args.account));
    Ok(())
}

/// The ticket that the node's answer amounts to.
///
/// # Errors
/// `Malformed` if the node says nonsense.
pub(crate) fn ticket(invite: &proto::UserInvite) -> Result<Ticket, ErrorCode> {
    Ok(Ticket {
        account: invite.account.parse()?,
        code: invite.code.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?,
        fingerprint: invite.fingerprint.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?,
        endpoints: invite.endpoints.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        expires: invite.expires,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let shown = Shown { account: String::new(), invitation: String::new(), expires: String::new() };
        let value = serde_json::to_value(shown).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
