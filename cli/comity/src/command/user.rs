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
    Account,
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

/// What the node says of one account.
///
/// # Errors
/// Those of asking the node.
async fn show(data: &Path, what: &str, account: &Account) -> Result<proto::User, CliError> {
    let request = Request::ShowUser(proto::ShowUser { account: account.to_string() });
    match admin::ask(data, what, request).await? {
        Response::User(user) => Ok(user),
        _ => Err(admin::unexpected(what)),
    }
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
    match admin::ask(data, what, request).await {
        Ok(Response::User(user)) => Ok(UserShown::of_user(&user)),
        Ok(_) => Err(admin::unexpected(what)),
        Err(error) if error.exit() == client::ErrorCode::Conflict.exit() => {
            Err(error.hint(format!("{account} was deleted: comity user show {account}")))
        }
        Err(error) => Err(error),
    }
}
