//! `comity user password`: the password with which a person logs in on the first device, set by the
//! node's administrator and never taken from the command line.

use std::path::PathBuf;

use bytes::Bytes;
use wire::{Account, ErrorCode, limits, proto};
use zeroize::Zeroizing;

use crate::{
    admin, bounds,
    command::peer::{Node, Plan},
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show},
    secret::{self, Asked},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Asks for the password", "comity user password alice@acme.test --data /var/lib/comity"),
    Example(
        "From a file, or `-` for a pipe",
        "comity user password alice@acme.test --password-file password.txt --data /var/lib/comity",
    ),
    Example("Forget it again", "comity user password alice@acme.test --unset --data /var/lib/comity"),
];

const PASSWORD: Asked = Asked {
    what: "the password",
    prompt: "New password (it is not shown): ",
    option: "--password-file",
    bytes_max: limits::PASSWORD_BYTES_MAX,
};

/// Set the password with which a person logs in on the first device
///
/// The account is made if it does not exist. A new password takes the place of the one before. The
/// node keeps an argon2id hash of it. A password lets its owner enrol the first device, as an
/// invitation does; on an account that has a device it gives nobody keys or messages.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which account
    #[arg(value_parser = device::account)]
    account: Account,
    /// A file that holds the password; `-` is stdin
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Forget the password: an account that is not enrolled needs an invitation then
    #[arg(long, conflicts_with = "password_file")]
    unset: bool,
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    node: Node,
}

/// What was done.
#[derive(Debug, serde::Serialize)]
struct Shown {
    account: String,
    password: &'static str,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["account", "password"];

    fn show(&self, paper: &mut Paper) {
        let account = paper.paint(Label::Account, &self.account);
        let is = if self.password.starts_with("would") { "" } else { "is " };
        paper.line(&format!("the password of {account} {is}{}", self.password));
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let account = args.account.to_string();
    let what = if args.unset { "cannot unset the password" } else { "cannot set the password" };
    if args.plan.dry_run {
        let password = if args.unset { "would be unset" } else { "would be set" };
        match super::show(&data, what, &args.account).await {
            Ok(user) if user.standing() == proto::AccountStanding::Deleted => {
                return Err(super::deleted(CliError::wire(what, ErrorCode::Conflict.into()), &args.account));
            }
            Ok(_) => {}
            // It would be made.
            Err(error) if error.is(ErrorCode::NotFound) && !args.unset => {}
            Err(error) => return Err(error),
        }
        return context.show(&Shown { account, password });
    }
    let request = if args.unset {
        proto::admin_request::Request::UnsetPassword(proto::UnsetPassword { account: account.clone() })
    } else {
        let password = password(context, &args)?;
        let password = Bytes::from_owner(Zeroizing::new(password.as_bytes().to_vec()));
        proto::admin_request::Request::SetPassword(proto::SetPassword { account: account.clone(), password })
    };
    match super::about(&data, what, &args.account, request).await {
        Ok(proto::admin_response::Response::Done(_)) => {}
        Ok(_) => return Err(admin::unexpected(what)),
        Err(error) if error.is(ErrorCode::Policy) => {
            return Err(error
                .means("passwords are off at this node")
                .hint("set `auth.password = \"on\"` in comity.toml, then reload"));
        }
        Err(error) if error.is(ErrorCode::Conflict) => {
            return Err(error
                .means(format!("{account} was deleted"))
                .hint(format!("to give the address to somebody: comity user create --reuse {account}")));
        }
        Err(error) if error.is(ErrorCode::NotFound) => {
            return Err(error
                .means(format!("there is no account {account}, or it has no password"))
                .hint("comity user list shows both"));
        }
        Err(error) => return Err(error),
    }
    context.show(&Shown { account, password: if args.unset { "unset" } else { "set" } })?;
    if !args.unset {
        context.hint(&format!(
            "comity login {} --ticket TICKET (comity domain show --ticket prints it)",
            args.account
        ));
    }
    Ok(())
}

fn password(context: &Context, args: &Args) -> Result<Zeroizing<String>, CliError> {
    let file = args.password_file.as_deref();
    let password = secret::read(context, file, PASSWORD)?;
    let least = limits::PASSWORD_BYTES_MIN;
    if password.len() < least {
        return Err(CliError::usage(format!("the password is too short: it has at least {least} bytes")));
    }
    bounds::password("cannot set the password", &password)?;
    secret::confirm(context, file, PASSWORD, &password)?;
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(Shown { account: String::new(), password: "" }).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
