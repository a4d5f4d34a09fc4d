//! What protects a device's directory on a disk that somebody else holds. Everything in it is sealed
//! with keys that come from one random master key; the file `seal` holds the master key, wrapped by
//! what a passphrase, the system's keyring or a key file gives. Changing that wraps the master key
//! anew and leaves the data as it is.

mod cost;
mod directory;
mod keyring;
mod keys;
mod open;
mod passphrase;
mod plain;
#[cfg(test)]
mod tests;
mod wrap;

pub(crate) use directory::SealedDir;
pub use keyring::keyring_runs;
pub(crate) use keys::{Key, NONCE_BYTES, Sealer, nonce};
pub(crate) use open::{begin, forget, unlock};
pub use open::{change_protection, check_unlock, is_begun, protection};
pub use passphrase::Passphrase;
pub use plain::seal_plain;

use serde::{Deserialize, Serialize};

/// How a device's directory is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Protection {
    /// By a passphrase, from which argon2id makes the key. The only one that can be locked.
    Passphrase,
    /// By a key that the system's keyring holds: open as long as the user's session is.
    Keyring,
    /// By a key in the file `seal.key` beside the data (0600): who has the disk has the data. For
    /// bots, and for disks that are encrypted themselves.
    File,
}

impl Protection {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }
}

/// With what a directory is to be protected.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Protect {
    /// A passphrase.
    Passphrase(Passphrase),
    /// A key in the system's keyring.
    Keyring,
    /// A key file in the directory.
    File,
}

impl Protect {
    /// What opens a directory that is protected so.
    #[must_use]
    pub fn unlock(&self) -> Unlock {
        match self {
            Self::Passphrase(passphrase) => Unlock::Passphrase(passphrase.clone()),
            Self::Keyring | Self::File => Unlock::Stored,
        }
    }

    pub(crate) const fn protection(&self) -> Protection {
        match self {
            Self::Passphrase(_) => Protection::Passphrase,
            Self::Keyring => Protection::Keyring,
            Self::File => Protection::File,
        }
    }
}

/// With what a directory is opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Unlock {
    /// With the key that the directory or the system's keyring keeps. A directory that is protected
    /// by a passphrase stays `Locked`, unless a program that has unlocked it serves the others.
    #[default]
    Stored,
    /// With this passphrase, if the directory is protected by one.
    Passphrase(Passphrase),
}
