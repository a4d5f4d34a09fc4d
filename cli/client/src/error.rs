//! How an operation of the client can fail.

use std::path::PathBuf;

use wire::{Account, ErrorCode, WireError};

/// Why an operation failed. [`ClientError::code`] gives the protocol's word for it, if it has one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The node or the hub refused, or the other side's bytes were not what they must be.
    #[error("{0}")]
    Refused(WireError),
    /// What answers at the node's address proves another domain, by its own word, than was to be expected:
    /// no secret was sent to it.
    #[error("the node showed the fingerprint {}, and not {}", digits(shown), digits(wanted))]
    OtherFingerprint {
        /// SHA-256 of the root key that was to be expected.
        wanted: [u8; 32],
        /// That of the root key in what it showed.
        shown: [u8; 32],
    },
    /// The node of the account cannot be reached.
    #[error("the node of {domain} cannot be reached: {reason}")]
    Unreachable {
        /// Whose node.
        domain: String,
        /// What was tried and what came of it; our own words.
        reason: String,
    },
    /// No device lives in this directory.
    #[error("no device lives in {0}")]
    NoDevice(PathBuf),
    /// A device lives in this directory already.
    #[error("{0} is a device in this directory already")]
    AlreadyDevice(Account),
    /// A login was begun in this directory, and what it made is protected otherwise.
    #[error("a login was begun in {dir}, protected otherwise ({protection})")]
    BegunOtherwise {
        /// The directory.
        dir: PathBuf,
        /// The word for its protection.
        protection: &'static str,
    },
    /// The invitation cannot be used: it is malformed, for another account, or over.
    #[error("the invitation {0}")]
    Invitation(&'static str),
    /// The device's directory cannot be read or written.
    #[error("{path}: {reason}")]
    Storage {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system or the database said.
        reason: String,
    },
    /// The device is protected by a passphrase, and nobody has unlocked it.
    #[error("the device is locked: it is protected by a passphrase")]
    Locked,
    /// The passphrase is not the one that protects the device.
    #[error("that is not the passphrase of this device")]
    WrongPassphrase,
    /// The passphrase cannot be one.
    #[error("the passphrase {0}")]
    Passphrase(&'static str),
    /// The system's keyring, which protects the device or is to protect it, cannot be used.
    #[error("the system's keyring {0}")]
    Keyring(&'static str),
    /// The directory was written by a newer program.
    #[error("the directory was written by a newer version (schema {found}, known {known})")]
    NewerSchema {
        /// What stands in the directory.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The process that owns the device's directory ended or spoke another version.
    #[error("the program that owns this device's directory {0}")]
    Owner(&'static str),
    /// The process that owns the device's directory serves as many others as it can.
    #[error("the program that owns this device's directory serves as many others as it can")]
    Crowded,
    /// The process that owns the device's directory failed in its own way.
    #[error("{0}")]
    Elsewhere(String),
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
}

impl ClientError {
    /// The protocol's error, if that is what it was.
    #[must_use]
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(error) => Some(error.code),
            Self::OtherFingerprint { .. } => Some(ErrorCode::KeyUnverified),
            _ => None,
        }
    }

    pub(crate) fn storage(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self::Storage { path: path.into(), reason: reason.to_string() }
    }
}

fn digits(fingerprint: &[u8; 32]) -> String {
    fingerprint.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl From<ErrorCode> for ClientError {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(code.into())
    }
}

impl From<WireError> for ClientError {
    fn from(error: WireError) -> Self {
        Self::Refused(error)
    }
}
