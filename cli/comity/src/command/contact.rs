//! `comity contact`: whose keys are known here, and comparing them with their owners.

mod block;
mod list;
mod policy;
mod show;
mod trust;
pub(crate) mod verify;

use std::time::Duration;

use client::{Account, Client, ClientError, ErrorCode, Person};
use tokio::time::timeout;

use crate::{context::Context, device, error::CliError, fingerprint};

/// How long the account's node may take to say its keys.
const LOOK_UP: Duration = Duration::from_secs(10);

/// The verbs of the accounts that one talks to.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    List(list::Args),
    Show(show::Args),
    Verify(verify::Args),
    Trust(trust::Args),
    Block(block::Args),
    Unblock(block::UnblockArgs),
    Policy(policy::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::List(args) => list::run(context, args).await,
        Verb::Show(args) => show::run(context, args).await,
        Verb::Verify(args) => verify::run(context, args).await,
        Verb::Trust(args) => trust::run(context, args).await,
        Verb::Block(args) => block::run(context, args).await,
        Verb::Unblock(args) => block::undo(context, args).await,
        Verb::Policy(args) => policy::run(context, args).await,
    }
}

/// Asks the account's domain for its keys, and says so if that cannot be done: what is known is
/// shown all the same.
async fn look_up(context: &Context, client: &Client, account: &Account) -> Result<(), CliError> {
    if !device::catch_up(context, client).await? {
        return Ok(());
    }
    let why = match timeout(LOOK_UP, client.look_up(account)).await {
        Ok(Ok(())) => return Ok(()),
        // That the key is another one is what the list says.
        Ok(Err(ClientError::Refused(error))) if error.code == ErrorCode::KeyUnverified => return Ok(()),
        Ok(Err(ClientError::Refused(error))) => device::reach::why(client, account, error.code).await,
        Ok(Err(error)) => return Err(device::failed("cannot ask for the keys", error)),
        Err(_) => "no answer yet".to_owned(),
    };
    context.warn(&format!("shown is what this device knows: {account} could not be asked about ({why})"));
    Ok(())
}

async fn people(client: &Client) -> Result<Vec<Person>, CliError> {
    client.people().await.map_err(|error| device::failed("cannot list the contacts", error))
}

/// What is known of an account.
///
/// # Errors
/// `NotFound`, with why nothing is.
async fn find(client: &Client, account: &Account) -> Result<Person, CliError> {
    match people(client).await?.into_iter().find(|person| person.account == *account) {
        Some(person) => Ok(person),
        None => Err(no_key(client, account).await),
    }
}

async fn no_key(client: &Client, account: &Account) -> CliError {
    let known = CliError::wire(format!("no key of {account} is known here"), ErrorCode::NotFound.into())
        .means("its node has not been reached yet")
        .hint("is the name right? comity status says what is waited for");
    device::reach::explain(client, account, known).await
}

/// What is known of an account whose key is to be compared; asked for if nothing is.
async fn find_other(context: &Context, client: &Client, account: &Account) -> Result<Person, CliError> {
    if find(client, account).await.is_err() {
        look_up(context, client, account).await?;
    }
    let person = find(client, account).await?;
    if person.belief == client::Belief::Unseen {
        return Err(no_key(client, account).await);
    }
    if person.belief == client::Belief::Own {
        return Err(CliError::usage(format!("{account} is you: the others compare your key"))
            .hint("read this out to them: comity contact show"));
    }
    Ok(person)
}

/// What was read out is not what is known here.
fn differs(person: &Person) -> CliError {
    let account = &person.account;
    let mut error = CliError::found_by_verb(
        format!("that is not the key of {account} that is known here"),
        ErrorCode::KeyUnverified,
    )
    .cause(format!("known is {}", fingerprint::groups(&person.fingerprint)));
    if let Some(changed) = &person.changed {
        error = error.cause(format!("its domain now shows {}", fingerprint::groups(changed)));
    }
    error.hint(format!(
        "compare all digits again; if they differ, write nothing to {account} that others must not read, \
         and tell your administrator, who can compare the domain's key (comity peer show)"
    ))
}
