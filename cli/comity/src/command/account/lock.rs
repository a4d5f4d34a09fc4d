//! `comity account lock`.

use std::path::Path;

use client::{Client, ClientError, Protection};

use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[Example("Before you leave the machine", "comity account lock")];

/// Forget the keys of the device until the passphrase is given again
///
/// Ends `comity account unlock`; every other program of the device is told, and asks for the
/// passphrase or ends. Nothing is received until the device is unlocked.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {}

/// A device that is locked.
#[derive(Debug, serde::Serialize)]
struct Shown {
    account: String,
    locked: bool,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["account", "locked"];

    fn show(&self, paper: &mut Paper) {
        paper.line(&format!("{} is locked on this machine", paper.paint(Label::Account, &self.account)));
    }
}

pub(super) async fn run(context: &Context, _: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let dir = device::sealed(context).await?;
    let failed = |error| device::failed("cannot lock the device", error);
    if client::protection(&dir).map_err(failed)? != Protection::Passphrase {
        return Err(CliError::found_by_verb("the device cannot be locked", client::ErrorCode::Conflict)
            .cause("no passphrase protects it, so it would open again at once")
            .hint("comity account protect passphrase"));
    }
    match Client::open(&dir).await {
        Ok(client) => client.lock().await.map_err(failed)?,
        Err(ClientError::Locked) => {}
        Err(error) => return Err(failed(error)),
    }
    context.show(&Shown { account: name(&dir), locked: true })
}

/// The account that lives in a directory.
pub(super) fn name(dir: &Path) -> String {
    dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(Shown { account: String::new(), locked: true }).expect("serialises");
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), Shown::FIELDS);
    }
}
