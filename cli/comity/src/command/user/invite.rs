//! `comity user invite`.

use std::path::{Path, PathBuf};

use client::{Account, Ticket};
use wire::{ErrorCode, proto};

use crate::{
    admin,
    command::peer::{Node, Plan},
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Paper, Show, line, rfc3339},
    private,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example(
        "An invitation for alice, shown once",
        "comity user invite alice@acme.test --data /var/lib/comity",
    ),
    Example(
        "Straight into a new file that nobody else can read",
        "comity user invite alice@acme.test --output invite.txt --data /var/lib/comity",
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
    /// Write the invitation into this new file, which nobody else can read
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    node: Node,
}

/// An invitation.
#[derive(serde::Serialize)]
struct Shown {
    account: String,
    invitation: Option<String>,
    output: Option<String>,
    expires: Option<String>,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["account", "invitation", "output", "expires"];

    fn show(&self, paper: &mut Paper) {
        match (&self.invitation, &self.output) {
            (Some(invitation), _) => paper.line(invitation),
            (None, Some(output)) => paper.line(&format!("written to {}", line(output))),
            (None, None) => paper.line(&format!("{} would be invited", self.account)),
        }
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let what = "cannot invite";
    let request =
        proto::admin_request::Request::InviteUser(proto::InviteUser { account: args.account.to_string() });
    let data = context.data(args.node.data.as_ref())?;
    // A code that nobody could keep would void the one before it.
    args.output.as_deref().map_or(Ok(()), private::check_new)?;
    if args.plan.dry_run {
        return plan(context, &data, &args.account).await;
    }
    let invite = match super::about(&data, what, &args.account, request).await {
        Ok(proto::admin_response::Response::Invite(invite)) => invite,
        Ok(_) => return Err(admin::unexpected(what)),
        Err(error) if error.is(ErrorCode::Conflict) => {
            return Err(taken(error, &args.account));
        }
        Err(error) if error.is(ErrorCode::Blocked) => {
            return Err(suspended(error, &args.account));
        }
        Err(error) => return Err(error),
    };
    let ticket = ticket(&invite).map_err(|code| CliError::wire(what, code.into()))?;
    let expires = rfc3339(ticket.expires.saturating_mul(1_000));
    let invitation = ticket.encode();
    if let Some(path) = &args.output {
        private::create(path, format!("{invitation}\n").as_bytes())?;
    }
    context.show(&Shown {
        account: args.account.to_string(),
        // Whoever wants a file wants it nowhere else.
        invitation: args.output.is_none().then_some(invitation),
        output: args.output.as_ref().map(|path| path.display().to_string()),
        expires: Some(expires.clone()),
    })?;
    context.status(&format!("It works once, until {expires}. On the other machine:"));
    context.hint(&format!("comity login {}", args.account));
    Ok(())
}

/// Says whether the account could be invited.
async fn plan(context: &Context, data: &Path, account: &Account) -> Result<(), CliError> {
    let what = "cannot invite";
    let refused = |code: ErrorCode| CliError::wire(what, code.into());
    match super::show(data, what, account).await {
        Ok(user) if user.standing() == proto::AccountStanding::Suspended => {
            return Err(suspended(refused(ErrorCode::Blocked), account));
        }
        Ok(user) if user.enrolled || user.standing() == proto::AccountStanding::Deleted => {
            return Err(taken(refused(ErrorCode::Conflict), account));
        }
        Ok(_) => {}
        Err(error) if error.is(ErrorCode::NotFound) => {}
        Err(error) => return Err(error),
    }
    context.show(&Shown { account: account.to_string(), invitation: None, output: None, expires: None })
}

fn taken(error: CliError, account: &Account) -> CliError {
    error
        .means(format!("{account} has a device already, or was deleted"))
        .hint(format!("comity user show {account} says which"))
}

fn suspended(error: CliError, account: &Account) -> CliError {
    error.means(format!("{account} is suspended")).hint(format!("comity user restore {account}"))
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
        let shown = Shown { account: String::new(), invitation: None, output: None, expires: None };
        let value = serde_json::to_value(shown).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
