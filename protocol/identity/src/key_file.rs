//! A secret key as the text of a file. Reading and writing files is the caller's part, and so is
//! their mode, 0600.

use std::fmt;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use wire::{PublicKey, SecretKey};
use zeroize::Zeroizing;

const HEADER: &str = "comity-key-1";

/// A file of this kind is far smaller.
const BYTES_MAX: usize = 1_024;

/// What a key in a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// Signs domain documents.
    Root,
    /// Signs domain documents after a rotation.
    NextRoot,
    /// Takes a domain back.
    Recovery,
    /// Proves in TLS that a process is a domain's node.
    Tls,
    /// Signs account bindings.
    Binding,
    /// Signs room events.
    Event,
    /// Signs an account's device lists and certificates.
    Account,
    /// A device's MLS signature key.
    Device,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Root,
        Self::NextRoot,
        Self::Recovery,
        Self::Tls,
        Self::Binding,
        Self::Event,
        Self::Account,
        Self::Device,
    ];

    /// The word in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::NextRoot => "next-root",
            Self::Recovery => "recovery",
            Self::Tls => "tls",
            Self::Binding => "binding",
            Self::Event => "event",
            Self::Account => "account",
            Self::Device => "device",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is not the key file that was wanted. None of them quotes the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// It does not begin with the header, or has too few or too many lines.
    #[error("this is not a comity key file")]
    NotAKeyFile,
    /// The kind is none of [`KeyKind::ALL`].
    #[error("the key file is of an unknown kind; a newer program made it, or it is damaged")]
    UnknownKind,
    /// A key of another kind was wanted.
    #[error("the file holds a {found} key where a {wanted} key is needed")]
    WrongKind {
        /// What is needed.
        wanted: KeyKind,
        /// What is there.
        found: KeyKind,
    },
    /// The public key is not 64 lower-case hexadecimal digits.
    #[error("the public key in the key file is damaged")]
    BadPublicKey,
    /// The seed is not 32 bytes in base32.
    #[error("the seed in the key file is damaged")]
    BadSeed,
    /// The seed makes another public key than the one in the file.
    #[error("the seed in the key file does not belong to its public key")]
    Mismatch,
}

/// The text of a key file.
#[must_use]
pub fn encode(kind: KeyKind, key: &SecretKey) -> Zeroizing<String> {
    let seed = Zeroizing::new(BASE32_NOPAD.encode(key.seed().as_ref()));
    let mut text = Zeroizing::new(String::with_capacity(BYTES_MAX));
    for part in [HEADER, " ", kind.name(), "\npublic ", &key.public().to_string(), "\nseed "] {
        text.push_str(part);
    }
    seed.chars().for_each(|letter| text.push(letter.to_ascii_lowercase()));
    text.push('\n');
    text
}

/// [ID-20] Reads the text of a key file.
///
/// # Errors
/// Everything but `WrongKind`.
pub fn parse(text: &str) -> Result<(KeyKind, SecretKey), KeyFileError> {
    if text.len() > BYTES_MAX {
        return Err(KeyFileError::NotAKeyFile);
    }
    let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    let mut value = |name: &str| {
        let line = lines.next()?.strip_prefix(name)?;
        line.strip_prefix(' ')
    };
    let kind = value(HEADER).ok_or(KeyFileError::NotAKeyFile)?;
    let public = value("public").ok_or(KeyFileError::NotAKeyFile)?;
    let seed = value("seed").ok_or(KeyFileError::NotAKeyFile)?;
    if lines.next().is_some() {
        return Err(KeyFileError::NotAKeyFile);
    }
    let kind =
        KeyKind::ALL.into_iter().find(|known| known.name() == kind).ok_or(KeyFileError::UnknownKind)?;
    let public = HEXLOWER
        .decode(public.as_bytes())
        .ok()
        .and_then(|bytes| PublicKey::try_from(bytes.as_slice()).ok())
        .ok_or(KeyFileError::BadPublicKey)?;
    let key = decode_seed(seed)?;
    if key.public() == public { Ok((kind, key)) } else { Err(KeyFileError::Mismatch) }
}

/// [ID-20] Reads the text of a key file that must be of one kind.
///
/// # Errors
/// As [`KeyFileError`].
pub fn parse_as(wanted: KeyKind, text: &str) -> Result<SecretKey, KeyFileError> {
    let (found, key) = parse(text)?;
    if found == wanted { Ok(key) } else { Err(KeyFileError::WrongKind { wanted, found }) }
}

fn decode_seed(text: &str) -> Result<SecretKey, KeyFileError> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(KeyFileError::BadSeed);
    }
    let upper = Zeroizing::new(text.to_ascii_uppercase());
    let bytes = Zeroizing::new(BASE32_NOPAD.decode(upper.as_bytes()).map_err(|_| KeyFileError::BadSeed)?);
    let mut seed = Zeroizing::new([0; 32]);
    if bytes.len() != seed.len() {
        return Err(KeyFileError::BadSeed);
    }
    seed.copy_from_slice(&bytes);
    Ok(SecretKey::from_seed(&seed))
}

#[cfg(test)]
mod tests;
