//! A passphrase: out of a file, or asked for on a terminal; never out of the command line.

use std::{
    fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    config,
    data::check_private,
    failure::{Exit, Failure},
    hidden,
};

/// Letters that a new passphrase has at least.
const LEAST: usize = 10;
/// No passphrase is longer, in bytes.
const BYTES_MAX: u64 = 4_096;

/// Where a passphrase comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    /// Its file, if it was named.
    pub(crate) file: Option<PathBuf>,
}

impl Source {
    /// The passphrase of something that is sealed.
    ///
    /// # Errors
    /// `PassphraseNeeded` if it can be neither read nor asked for; those of [`read`].
    pub(crate) fn known(&self, what: &str) -> Result<Zeroizing<String>, Failure> {
        match &self.file {
            Some(file) => read(file),
            None => ask(&format!("Passphrase of {what}: ")),
        }
    }

    /// A passphrase that is to seal something; asked for twice.
    ///
    /// # Errors
    /// As [`Self::known`]; `PassphraseTooShort`, `PassphrasesDiffer`.
    pub(crate) fn new_one(&self, what: &str) -> Result<Zeroizing<String>, Failure> {
        let passphrase = match &self.file {
            Some(file) => read(file)?,
            None => {
                let first = ask(&format!("New passphrase of {what}: "))?;
                if *first != *ask("The same again: ")? {
                    let hint = "type the same twice";
                    return Err(Failure::new(Exit::Usage, "PassphrasesDiffer", "the two differ", hint));
                }
                first
            }
        };
        if passphrase.chars().count() < LEAST {
            let what = format!("a passphrase has at least {LEAST} letters");
            let hint = "take a few words that nobody would guess";
            return Err(Failure::new(Exit::Usage, "PassphraseTooShort", what, hint));
        }
        Ok(passphrase)
    }
}

/// Whether a person can be asked: both ends are a terminal, and nobody forbade it.
pub(crate) fn may_ask() -> bool {
    std::io::stdin().is_terminal()
        && std::io::stderr().is_terminal()
        && config::environment("COMITY_NO_PROMPT").is_none()
}

/// The first line of a file that nobody else can read.
///
/// # Errors
/// `ReadableByOthers`, `FileUnusable`, `PassphraseFile` if it is none.
pub(crate) fn read(file: &Path) -> Result<Zeroizing<String>, Failure> {
    check_private(file, "600")?;
    let none = |what: &str| {
        let hint = "a passphrase file has one line of text";
        Failure::new(Exit::Usage, "PassphraseFile", format!("{}: {what}", file.display()), hint)
    };
    let length = fs::metadata(file).map_err(|error| Failure::io(file, &error))?.len();
    if length > BYTES_MAX {
        return Err(none("it is too long for a passphrase"));
    }
    let text = match fs::read_to_string(file).map(Zeroizing::new) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Err(none("it is no text")),
        Err(error) => return Err(Failure::io(file, &error)),
    };
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() { Err(none("its first line is empty")) } else { Ok(Zeroizing::new(line.to_owned())) }
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if !may_ask() {
        let what = "a passphrase is needed, and there is no terminal to ask for it";
        return Err(Failure::new(
            Exit::Usage,
            "PassphraseNeeded",
            what,
            "give it with `--passphrase-file FILE`",
        ));
    }
    hidden::read(prompt).map_err(|error| {
        let hint = "give it with `--passphrase-file FILE`";
        Failure::new(Exit::Usage, "PassphraseNeeded", error.to_string(), hint)
    })
}
