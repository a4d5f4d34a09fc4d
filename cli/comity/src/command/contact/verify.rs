//! `comity contact verify`.

use super::{Compared, differs, find, find_other};
use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    fingerprint,
    output::{PersonShown, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[Example(
    "With what bob reads out to you from `comity contact show`",
    "comity contact verify bob@umbrella.test \"$(cat bob.txt)\"",
)];

/// Compare an account's key with what its owner reads out
///
/// If all digits are the same, the key is marked as verified.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    compared: Compared,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<PersonShown as Show>::FIELDS)?;
    let print = args.compared.digits()?;
    let account = &args.compared.account;
    let person = device::with(context, async |client| {
        let person = find_other(context, client, account).await?;
        let digits = fingerprint::digits(&print);
        if person.changed.as_ref() == Some(&digits) {
            return Err(CliError::wire(
                format!("that is the new key of {account}, which is not believed yet"),
                client::ErrorCode::KeyUnverified.into(),
            )
            .hint(format!("if its owner says that it is right: comity contact trust {account} {digits}")));
        }
        if person.fingerprint != digits {
            return Err(differs(&person));
        }
        let verified = client.verify(account, print).await;
        verified.map_err(|error| device::failed("cannot mark the key as verified", error))?;
        find(client, account).await
    })
    .await?;
    if person.changed.is_some() {
        context.warn(&format!("the key is right, and the domain of {account} shows another one"));
    }
    context.show(&PersonShown::from(person))
}
