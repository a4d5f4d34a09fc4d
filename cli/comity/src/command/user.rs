//! `comity user`: the accounts of a node. For its administrator.

mod create;
mod delete;
pub(crate) mod invite;
mod list;
mod password;
mod restore;
mod sessions;
mod show;
mod suspend;

use std::path::Path;

use wire::{
    Account, ErrorCode,
    proto::{self, AccountStanding, admin_request::Request, admin_response::Response},
};

use crate::{admin, context::Context, error::CliError, output::UserShown};

/// The verbs of an account's administration.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    List(list::Args),
    Show(show::Args),
    Create(create::Args),
    Invite(invite::Args),
    Password(password::Args),
    Suspend(suspend::Args),
    Restore(restore::Args),
    Delete(delete::Args),
    Sessions(sessions::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::List(args) => list::run(context, args).await,
        Verb::Password(args) => password::run(context, args).await,
        Verb::Show(args) => show::run(context, args).await,
        Verb::Create(args) => create::run(context, args).await,
        Verb::Invite(args) => invite::run(context, args).await,
        Verb::Suspend(args) => suspend::run(context, args).await,
        Verb::Restore(args) => restore::run(context, args).await,
        Verb::Delete(args) => delete::run(context, args).await,
        Verb::Sessions(args) => sessions::run(context, args).await,
    }
}

/// Asks the node something about one account.
///
/// # Errors
/// Usage if the account is of another domain than the node serves; else those of asking the node.
async fn about(data: &Path, what: &str, account: &Account, request: Request) -> Result<Response, CliError> {
    let error = match admin::ask(data, what, request).await {
        Err(error) if error.is(ErrorCode::Misdirected) => error,
        answered => return answered,
    };
    let Ok(document) = super::domain::document(data, what).await else { return Err(error) };
    let (served, local) = (document.domain(), account.local());
    Err(CliError::usage(format!("{what}: this node serves {served}, and {account} is not of it")).hint(
        format!("is {local}@{served} meant? {} has a node and an administrator of its own", account.domain()),
    ))
}

/// What the node says of one account.
///
/// # Errors
/// Those of asking the node.
async fn show(data: &Path, what: &str, account: &Account) -> Result<proto::User, CliError> {
    let request = Request::ShowUser(proto::ShowUser { account: account.to_string() });
    match about(data, what, account, request).await {
        Ok(Response::User(user)) => Ok(user),
        Err(error) if error.is(ErrorCode::NotFound) => Err(unknown(error, account)),
        Err(error) => Err(error),
        Ok(_) => Err(admin::unexpected(what)),
    }
}

/// There is no such account.
fn unknown(error: CliError, account: &Account) -> CliError {
    error.means(format!("there is no account {account}")).hint(format!(
        "comity user list shows those that are there; to make it: comity user create {account}"
    ))
}

/// An account as it stands, and what would be done to it.
///
/// # Errors
/// Conflict if it was deleted, as of the deed itself.
fn planned(
    what: &str,
    account: &Account,
    user: &proto::User,
    would: &'static str,
) -> Result<UserShown, CliError> {
    match user.standing() {
        AccountStanding::Deleted => Err(deleted(CliError::wire(what, ErrorCode::Conflict.into()), account)),
        _ => Ok(UserShown::planned(user, would)),
    }
}

fn deleted(error: CliError, account: &Account) -> CliError {
    error
        .means(format!("{account} was deleted, and its devices are gone"))
        .hint(format!("to give the address to somebody: comity user create --reuse {account}"))
}

/// Makes something else of an account.
///
/// # Errors
/// Those of asking the node.
async fn stand(
    data: &Path,
    what: &str,
    account: &Account,
    standing: AccountStanding,
) -> Result<UserShown, CliError> {
    let request =
        Request::SetStanding(proto::SetStanding { account: account.to_string(), standing: standing.into() });
    match about(data, what, account, request).await {
        Ok(Response::User(user)) => Ok(UserShown::of_user(&user)),
        Ok(_) => Err(admin::unexpected(what)),
        Err(error) if error.is(ErrorCode::Conflict) => Err(deleted(error, account)),
        Err(error) if error.is(ErrorCode::NotFound) => Err(unknown(error, account)),
        Err(error) => Err(error),
    }
}
