//! A passphrase: bounded, never shown, erased when it is dropped.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::ClientError;

/// A longer one is a mistake, such as a wrong file.
const BYTES_MAX: usize = 1_024;
/// A shorter one is guessed however slow each guess is made.
const NEW_CHARACTERS_MIN: usize = 8;

/// A passphrase, as it was typed.
#[derive(Clone)]
pub struct Passphrase(Arc<Zeroizing<String>>);

impl std::fmt::Debug for Passphrase {
    /// Never quotes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}

impl Passphrase {
    /// A passphrase that was given to open a directory.
    ///
    /// # Errors
    /// `Passphrase` if it is empty or longer than 1,024 bytes.
    pub fn new(text: Zeroizing<String>) -> Result<Self, ClientError> {
        match text.len() {
            0 => Err(ClientError::Passphrase("is empty")),
            length if length > BYTES_MAX => Err(ClientError::Passphrase("is longer than 1,024 bytes")),
            _ => Ok(Self(Arc::new(text))),
        }
    }

    /// A passphrase that is to protect a directory from now on.
    ///
    /// # Errors
    /// As [`Self::new`]; also if it has fewer than 8 characters.
    pub fn chosen(text: Zeroizing<String>) -> Result<Self, ClientError> {
        if !text.is_empty() && text.chars().count() < NEW_CHARACTERS_MIN {
            return Err(ClientError::Passphrase("is shorter than 8 characters"));
        }
        Self::new(text)
    }

    /// Whether the same was typed twice.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// What was typed, to hand it to a process that needs it. Never print or log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
