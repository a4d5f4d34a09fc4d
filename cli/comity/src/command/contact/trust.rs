//! `comity contact trust`.

use client::Account;

use super::{differs, find, find_other, look_up};
use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    fingerprint,
    output::{PersonShown, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[Example(
    "Bob has a new key, and read it out to you",
    "comity contact trust bob@umbrella.test \"$(cat bob.txt)\"",
)];

/// Believe an account's new key, after comparing it
///
/// A key that changes is not used before you say so: somebody else may have taken the account. Ask
/// its owner why it changed, and compare all digits.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Whose key
    #[arg(value_parser = device::account)]
    account: Account,
    /// What its owner reads out from `comity contact show`: 64 digits; spaces are ignored
    #[arg(required = true, num_args = 1.., value_name = "FINGERPRINT")]
    fingerprint: Vec<String>,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<PersonShown as Show>::FIELDS)?;
    let print = fingerprint::parse(&args.fingerprint.concat()).map_err(|error| {
        CliError::usage(error).hint("the owner of the account reads it out from: comity contact show")
    })?;
    let account = &args.account;
    let person = device::with(context, async |client| {
        let person = find_other(context, client, account).await?;
        let digits = fingerprint::digits(&print);
        if person.fingerprint != digits && person.changed.as_ref() != Some(&digits) {
            return Err(differs(&person));
        }
        let trusted = client.trust(account, print).await;
        trusted.map_err(|error| device::failed("cannot believe the key", error))?;
        // What the account's domain says of the new key, such as who holds it.
        look_up(context, client, account).await?;
        find(client, account).await
    })
    .await?;
    context.show(&PersonShown::from(person))
}
