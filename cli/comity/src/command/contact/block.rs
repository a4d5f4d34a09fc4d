//! `comity contact block` and `unblock`.

use client::Account;

use super::find;
use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{PersonShown, Show},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("Nothing that eve says is shown any more", "comity contact block eve@umbrella.test")];
pub(crate) const UNBLOCK_EXAMPLES: &[Example] =
    &[Example("What is said from now on is shown", "comity contact unblock eve@umbrella.test")];

/// Hear nothing more of an account
///
/// What it says is shown nowhere on this device, not after unblocking either, and its invitations
/// are declined. It is not told; in rooms that you share, others go on hearing it. To close your
/// account to everybody of other domains: comity contact policy deny.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Of whom
    #[arg(value_parser = device::account)]
    account: Account,
}

/// Hear of a blocked account again
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(UNBLOCK_EXAMPLES))]
pub(crate) struct UnblockArgs {
    /// Of whom
    #[arg(value_parser = device::account)]
    account: Account,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    set(context, &args.account, true).await
}

pub(super) async fn undo(context: &Context, args: UnblockArgs) -> Result<(), CliError> {
    set(context, &args.account, false).await
}

async fn set(context: &Context, account: &Account, blocked: bool) -> Result<(), CliError> {
    context.check_fields(<PersonShown as Show>::FIELDS)?;
    let person = device::with(context, async |client| {
        let status = client.status().await.map_err(|error| device::failed("cannot ask the device", error))?;
        if status.account == *account {
            return Err(CliError::usage(format!("{account} is your own account")));
        }
        let before = find(client, account).await.ok();
        if !blocked && !before.as_ref().is_some_and(|person| person.blocked) {
            return Err(CliError::not_found(format!("{account} is not blocked")).hint("comity contact list"));
        }
        let done = client.block(account, blocked).await;
        done.map_err(|error| device::failed("cannot change who is blocked", error))?;
        // Nothing may be known of it any more.
        let after = find(client, account).await.ok();
        Ok(after.or(before.map(|person| client::Person { blocked, ..person })))
    })
    .await?;
    match person {
        Some(person) => context.show(&PersonShown::from(person)),
        None => Ok(()),
    }
}
