//! `comity verify`, which is `comity contact verify`: shows what two people compare, and takes the
//! user's word that it is the same.

use client::{Account, Belief, Client, Person};

use super::{differs, find, find_other, look_up};
use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    fingerprint::{self, Compared, QR_NUMBER},
    output::{PersonShown, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Shows the number that both of you see, and asks", "comity verify bob@umbrella.test"),
    Example(
        "With what bob reads out to you, or sent over a way that you trust",
        "comity verify bob@umbrella.test \"$(cat bob.txt)\"",
    ),
    Example("In a script: exit 0 if his key was compared", "comity verify bob@umbrella.test --quiet"),
];

/// Compare an account's key with its owner
///
/// Both of you see the same safety number, over the telephone or face to face; if all digits are
/// the same, nobody stands between you. Exits 0 if the key was compared, 7 if it is another one, 9
/// if nobody has compared it yet.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Whose key
    #[arg(value_parser = device::account)]
    account: Account,
    /// The safety number, or the account's fingerprint of 64 digits; spaces are ignored
    #[arg(num_args = 0.., value_name = "DIGITS")]
    digits: Vec<String>,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<PersonShown as Show>::FIELDS)?;
    let account = &args.account;
    let compared = match args.digits.concat() {
        digits if digits.is_empty() => None,
        digits => Some(fingerprint::compared(&digits).map_err(|error| {
            CliError::usage(error).hint(format!("{account} sees the digits with: comity verify ACCOUNT"))
        })?),
    };
    let (person, shown) = device::with(context, async |client| {
        let person = find_other(context, client, account).await?;
        match compared {
            Some(compared) => Ok((compare(client, person, &compared).await?, false)),
            None => {
                look_up(context, client, account).await?;
                let person = find(client, account).await?;
                ask(context, client, person).await
            }
        }
    })
    .await?;
    let belief = person.belief;
    if !shown {
        context.show(&PersonShown::from(person))?;
    }
    match belief {
        Belief::Changed => Err(changed(account)),
        Belief::Seen => Err(CliError::cannot_tell(format!("nobody has compared the key of {account}"))
            .hint(format!("comity verify {account} DIGITS, with what its owner reads out"))),
        Belief::Verified | Belief::Own | Belief::Unseen => Ok(()),
    }
}

/// Marks the key as verified if it is the one that was read out.
async fn compare(client: &Client, person: Person, compared: &Compared) -> Result<Person, CliError> {
    let account = &person.account;
    let same = match compared {
        Compared::Number(number) => person.safety_number.as_ref() == Some(number),
        Compared::Fingerprint(print) => {
            let digits = fingerprint::digits(print);
            if person.changed.as_ref() == Some(&digits) {
                return Err(CliError::found_by_verb(
                    format!("that is the new key of {account}, which is not believed yet"),
                    client::ErrorCode::KeyUnverified,
                )
                .hint(format!(
                    "if its owner says that it is right: comity contact trust {account} {digits}"
                )));
            }
            person.fingerprint == digits
        }
    };
    if !same {
        return Err(differs(&person));
    }
    mark(client, &person).await
}

/// Shows what is to be compared and asks whether it is the same, if there is somebody to ask.
async fn ask(context: &Context, client: &Client, person: Person) -> Result<(Person, bool), CliError> {
    if person.belief != Belief::Seen || !context.can_prompt() || context.is_json() {
        return Ok((person, false));
    }
    context.show(&PersonShown::from(person.clone()))?;
    if let Some(number) = &person.safety_number {
        context.qr(&format!("{QR_NUMBER}{number}"));
    }
    let question = format!("Does {} see the same safety number?", person.account);
    if !context.agrees(&question).await? {
        return Ok((person, true));
    }
    let person = mark(client, &person).await?;
    context.status(&format!("The key of {} is verified.", person.account));
    Ok((person, true))
}

async fn mark(client: &Client, person: &Person) -> Result<Person, CliError> {
    let print = fingerprint::parse(&person.fingerprint).map_err(CliError::bug)?;
    let verified = client.verify(&person.account, print).await;
    verified.map_err(|error| device::failed("cannot mark the key as verified", error))?;
    find(client, &person.account).await
}

/// Another key is shown than the one in use.
fn changed(account: &Account) -> CliError {
    CliError::found_by_verb(
        format!("{account} has another key than before"),
        client::ErrorCode::KeyUnverified,
    )
    .hint(format!("ask its owner why, then: comity contact trust {account} FINGERPRINT"))
}
