//! `comity account protect`.

use std::path::PathBuf;

use client::{Protect, Protection, Unlock};

use super::lock::name;
use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show},
    passphrase,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example(
        "By a passphrase, or by another one; without a file it is asked for",
        "comity account protect passphrase --new-passphrase-file new.txt",
    ),
    Example("By the keyring of your desktop", "comity account protect keyring"),
    Example("By a key file: for a bot", "comity account protect file --passphrase-file new.txt"),
];

/// Change what protects the device on this machine's disk
///
/// Keys, messages and names of rooms are sealed on the disk; this changes what opens them, and what
/// opened them before is overwritten. Programs that have the device open go on.
///
/// Who copied the directory before, and has what opened it then (its key file, or the passphrase
/// that leaked), opens that copy, and with it all that is written here later: the key below stays.
/// Only a new login makes another: ask for a reset, then log in anew.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// By what
    #[arg(value_name = "HOW")]
    how: How,
    /// A file with the new passphrase in its first line
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

/// What may protect a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum How {
    /// A passphrase that is asked for
    Passphrase,
    /// The keyring of your desktop's session: open while you are logged in
    Keyring,
    /// A key file in the device's directory: who has the disk has the messages
    File,
}

/// How a device is protected.
#[derive(Debug, serde::Serialize)]
struct Shown {
    account: String,
    protection: Protection,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["account", "protection"];

    fn show(&self, paper: &mut Paper) {
        let account = paper.paint(Label::Account, &self.account);
        paper.line(&format!("{account} is protected by {} on this machine", says(self.protection)));
    }
}

/// A protection in words.
pub(crate) const fn says(protection: Protection) -> &'static str {
    match protection {
        Protection::Passphrase => "a passphrase",
        Protection::Keyring => "the system's keyring",
        Protection::File => "a key file only",
        _ => protection.name(),
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let dir = device::sealed(context).await?;
    if args.how != How::Passphrase && args.new_passphrase_file.is_some() {
        return Err(CliError::usage("--new-passphrase-file is for a passphrase only"));
    }
    let failed = |error| device::failed("cannot change the protection", error);
    let now = client::protection(&dir).map_err(failed)?;
    let new = || match args.how {
        How::Passphrase => {
            let file = args.new_passphrase_file.as_deref();
            passphrase::choose(context, file, "--new-passphrase-file").map(Protect::Passphrase)
        }
        How::Keyring => Ok(Protect::Keyring),
        How::File => Ok(Protect::File),
    };
    if now == Protection::Passphrase {
        let old = passphrase::unlock(context, async |unlock| {
            client::check_unlock(&dir, &unlock).await.map(|()| unlock)
        });
        let old = old.await?;
        client::change_protection(&dir, &old, &new()?).await.map_err(failed)?;
    } else {
        client::change_protection(&dir, &Unlock::Stored, &new()?).await.map_err(failed)?;
    }
    let protection = client::protection(&dir).map_err(failed)?;
    context.show(&Shown { account: name(&dir), protection })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let shown = Shown { account: String::new(), protection: Protection::File };
        let value = serde_json::to_value(shown).expect("serialises");
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), Shown::FIELDS);
    }
}
