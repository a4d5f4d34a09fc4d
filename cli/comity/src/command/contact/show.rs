//! `comity contact show`.

use client::{Account, Belief};

use super::{find, look_up, people};
use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    fingerprint::QR_FINGERPRINT,
    output::{PersonShown, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Your own, to read out to others", "comity contact show"),
    Example("What is known of somebody, asked for anew", "comity contact show bob@umbrella.test"),
    Example("For the camera of a telephone", "comity contact show --qr"),
    Example(
        "The fingerprint alone, to send over a way that you trust",
        "comity contact show --json=fingerprint",
    ),
];

/// Show the fingerprints of an account, or your own to read out
///
/// The first key of an account is believed without proof: it is as good as the word of your own
/// node, and of the domain of the account. Comparing its fingerprint with the owner, over the
/// telephone or face to face, takes both out of it.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Whose; your own if left out
    #[arg(value_parser = device::account)]
    account: Option<Account>,
    /// Draw the fingerprint as a QR code as well
    #[arg(long)]
    qr: bool,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<PersonShown as Show>::FIELDS)?;
    let person = device::with(context, async |client| match &args.account {
        Some(account) => {
            look_up(context, client, account).await?;
            find(client, account).await
        }
        None => {
            let own = people(client).await?.into_iter().find(|person| person.belief == Belief::Own);
            own.ok_or_else(|| CliError::bug("this account is not among its contacts"))
        }
    })
    .await?;
    let next = match person.belief {
        Belief::Seen => Some(format!("compare it with its owner: comity verify {}", person.account)),
        Belief::Changed => {
            Some(format!("ask its owner, then: comity contact trust {} FINGERPRINT", person.account))
        }
        Belief::Verified | Belief::Own | Belief::Unseen => None,
    };
    let code = args.qr.then(|| format!("{QR_FINGERPRINT}{}", person.fingerprint));
    context.show(&PersonShown::from(person))?;
    if let Some(code) = code {
        context.qr(&code);
    }
    if let Some(next) = next {
        context.hint(&next);
    }
    Ok(())
}
