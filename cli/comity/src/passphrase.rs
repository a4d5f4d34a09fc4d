//! Passphrases of devices: known ones, tried again if they were mistyped, and new ones, given twice.

use std::path::Path;

use client::{ClientError, Passphrase, Unlock};
use zeroize::Zeroizing;

use crate::{context::Context, device, error::CliError, secret};

/// The first line of a file is read up to here.
const LINE_BYTES_MAX: usize = 2_048;
/// What is asked for, in a sentence.
const WHAT: &str = "the passphrase";
/// How often somebody may mistype.
const TRIES: usize = 3;

/// Opens something with a passphrase: the one of `--passphrase-file`, or one that is asked for, again
/// if it was mistyped.
///
/// # Errors
/// `Locked` if nobody can be asked, `WrongPassphrase`, those of `open`.
pub(crate) async fn unlock<T>(
    context: &Context,
    open: impl AsyncFn(Unlock) -> Result<T, ClientError>,
) -> Result<T, CliError> {
    let failed = |error| device::failed("cannot open the device", error);
    if let Some(given) = given(context)? {
        return open(Unlock::Passphrase(given)).await.map_err(failed);
    }
    if !context.can_prompt() {
        return Err(failed(ClientError::Locked));
    }
    for _ in 1..TRIES {
        match open(Unlock::Passphrase(ask("Passphrase: ")?)).await {
            Err(error @ ClientError::WrongPassphrase) => context.warn(&error.to_string()),
            opened => return opened.map_err(failed),
        }
    }
    open(Unlock::Passphrase(ask("Passphrase: ")?)).await.map_err(failed)
}

/// The passphrase of `--passphrase-file`, if it was given.
///
/// # Errors
/// Usage if it cannot be read.
pub(crate) fn given(context: &Context) -> Result<Option<Passphrase>, CliError> {
    let Some(path) = context.passphrase_file() else { return Ok(None) };
    Passphrase::new(line(path)?).map(Some).map_err(|error| refused(&error))
}

/// A passphrase that is to protect the device from now on: from this file, or asked for twice.
///
/// # Errors
/// Usage if there is none or it is too short.
pub(crate) fn choose(context: &Context, file: Option<&Path>, option: &str) -> Result<Passphrase, CliError> {
    if let Some(path) = file {
        return Passphrase::chosen(line(path)?).map_err(|error| refused(&error));
    }
    if !context.can_prompt() {
        return Err(CliError::usage("the passphrase is missing")
            .hint(format!("put it into a file and add {option} FILE")));
    }
    repeated(prompt("New passphrase: ")?)
}

/// As [`choose`] on a terminal; `None` if nothing was typed.
///
/// # Errors
/// As [`choose`].
pub(crate) fn offer() -> Result<Option<Passphrase>, CliError> {
    let typed = prompt("Passphrase for this device (empty: none, only a key file protects it): ")?;
    if typed.is_empty() { Ok(None) } else { repeated(typed).map(Some) }
}

fn repeated(typed: Zeroizing<String>) -> Result<Passphrase, CliError> {
    let chosen = Passphrase::chosen(typed).map_err(|error| refused(&error))?;
    if chosen.is_same_as(&ask("Once more: ")?) {
        return Ok(chosen);
    }
    Err(CliError::usage("that was not the same passphrase twice"))
}

fn ask(text: &str) -> Result<Passphrase, CliError> {
    Passphrase::new(prompt(text)?).map_err(|error| refused(&error))
}

fn prompt(text: &str) -> Result<Zeroizing<String>, CliError> {
    secret::typed(text, WHAT)
}

fn refused(error: &ClientError) -> CliError {
    CliError::usage(error.to_string()).hint("take at least 8 characters; four words or more are good")
}

fn line(path: &Path) -> Result<Zeroizing<String>, CliError> {
    secret::first_line(path, WHAT, LINE_BYTES_MAX)
}
