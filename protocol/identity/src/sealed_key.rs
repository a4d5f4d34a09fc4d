//! A secret key as the text of a file that a passphrase opens. What it is for and its public half stay
//! readable, so that a program can tell which key it is without the passphrase.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use machine::Entropy;
use wire::{PublicKey, SecretKey};
use zeroize::Zeroizing;

use crate::KeyKind;

const HEADER: &str = "comity-sealed-key-1";

/// A file of this kind is far smaller.
const BYTES_MAX: usize = 1_024;

/// What guessing one passphrase costs. A reader refuses more than it would wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// The second recommendation of RFC 9106, section 4.
    pub const RECOMMENDED: Self = Self { memory_kib: 65_536, passes: 3, lanes: 4 };

    const fn is_bearable(self) -> bool {
        self.memory_kib <= 1_048_576
            && self.passes >= 1
            && self.passes <= 16
            && self.lanes >= 1
            && self.lanes <= 16
            && self.memory_kib >= 8 * self.lanes
    }
}

/// Why a text is no sealed key file, or does not open. None of them quotes the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealedKeyError {
    /// It does not begin with the header, or has too few or too many lines.
    #[error("this is not a sealed comity key file")]
    NotASealedKey,
    /// The kind is none of [`KeyKind::ALL`].
    #[error("the sealed key file is of an unknown kind; a newer program made it, or it is damaged")]
    UnknownKind,
    /// The public key is not 64 lower-case hexadecimal digits.
    #[error("the public key in the sealed key file is damaged")]
    BadPublicKey,
    /// The line with the cost and the salt is not one, or asks for more than anybody would wait for.
    #[error("the sealed key file asks for a cost that is none")]
    BadCost,
    /// The sealed part has another length or other letters.
    #[error("the sealed part of the key file is damaged")]
    BadSeal,
    /// The passphrase does not open it, or a byte of the file was changed.
    #[error("the passphrase does not open the key")]
    WrongPassphrase,
}

/// A key that only its passphrase opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKey {
    kind: KeyKind,
    public: PublicKey,
    cost: Cost,
    salt: [u8; 16],
    nonce: [u8; 24],
    sealed: Vec<u8>,
}

impl SealedKey {
    /// Whether a text says that it is one.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.starts_with(HEADER)
    }

    /// Seals a key. `None` if the cost is unbearable.
    #[must_use]
    pub fn seal(
        kind: KeyKind,
        key: &SecretKey,
        passphrase: &str,
        cost: Cost,
        entropy: &mut impl Entropy,
    ) -> Option<Self> {
        let mut sealed = Self {
            kind,
            public: key.public(),
            cost,
            salt: entropy.array(),
            nonce: entropy.array(),
            sealed: Vec::new(),
        };
        let seed = key.seed();
        let head = sealed.head();
        let payload = Payload { msg: seed.as_ref(), aad: head.as_bytes() };
        sealed.sealed =
            sealed.cipher(passphrase).ok()?.encrypt(XNonce::from_slice(&sealed.nonce), payload).ok()?;
        Some(sealed)
    }

    /// [ID-40] Reads the text of a sealed key file.
    ///
    /// # Errors
    /// Everything but `WrongPassphrase`.
    pub fn parse(text: &str) -> Result<Self, SealedKeyError> {
        if text.len() > BYTES_MAX {
            return Err(SealedKeyError::NotASealedKey);
        }
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let mut value = |name: &str| {
            let line = lines.next()?.strip_prefix(name)?;
            line.strip_prefix(' ')
        };
        let kind = value(HEADER).ok_or(SealedKeyError::NotASealedKey)?;
        let public = value("public").ok_or(SealedKeyError::NotASealedKey)?;
        let cost = value("argon2id").ok_or(SealedKeyError::NotASealedKey)?;
        let seal = value("sealed").ok_or(SealedKeyError::NotASealedKey)?;
        if lines.next().is_some() {
            return Err(SealedKeyError::NotASealedKey);
        }
        let known = KeyKind::ALL.into_iter().find(|known| known.name() == kind);
        let kind = known.ok_or(SealedKeyError::UnknownKind)?;
        let public = HEXLOWER
            .decode(public.as_bytes())
            .ok()
            .and_then(|bytes| PublicKey::try_from(bytes.as_slice()).ok())
            .ok_or(SealedKeyError::BadPublicKey)?;
        let (cost, salt) = parse_cost(cost).ok_or(SealedKeyError::BadCost)?;
        let seal =
            letters(seal).filter(|bytes| bytes.len() == 24 + 32 + 16).ok_or(SealedKeyError::BadSeal)?;
        let (nonce, sealed) = seal.split_at(24);
        let nonce = nonce.try_into().map_err(|_| SealedKeyError::BadSeal)?;
        Ok(Self { kind, public, cost, salt, nonce, sealed: sealed.to_vec() })
    }

    /// The text of the file.
    #[must_use]
    pub fn encode(&self) -> String {
        let seal = [self.nonce.as_slice(), &self.sealed].concat();
        format!("{}sealed {}\n", self.head(), BASE32_NOPAD.encode(&seal).to_ascii_lowercase())
    }

    /// What the key is for.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Its public half, as the file says.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// Opens it. Takes as long as the cost says.
    ///
    /// # Errors
    /// `WrongPassphrase`.
    pub fn open(&self, passphrase: &str) -> Result<SecretKey, SealedKeyError> {
        let wrong = SealedKeyError::WrongPassphrase;
        let head = self.head();
        let payload = Payload { msg: &self.sealed, aad: head.as_bytes() };
        let opened = self.cipher(passphrase)?.decrypt(XNonce::from_slice(&self.nonce), payload);
        let opened = Zeroizing::new(opened.map_err(|_| wrong)?);
        let mut seed = Zeroizing::new([0; 32]);
        if opened.len() != seed.len() {
            return Err(wrong);
        }
        seed.copy_from_slice(&opened);
        let key = SecretKey::from_seed(&seed);
        if key.public() == self.public { Ok(key) } else { Err(wrong) }
    }

    /// What stands before the sealed part, and is under its tag.
    fn head(&self) -> String {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let salt = BASE32_NOPAD.encode(&self.salt).to_ascii_lowercase();
        format!(
            "{HEADER} {}\npublic {}\nargon2id {memory_kib} {passes} {lanes} {salt}\n",
            self.kind, self.public
        )
    }

    fn cipher(&self, passphrase: &str) -> Result<XChaCha20Poly1305, SealedKeyError> {
        if !self.cost.is_bearable() {
            return Err(SealedKeyError::BadCost);
        }
        let Cost { memory_kib, passes, lanes } = self.cost;
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| SealedKeyError::BadCost)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, key.as_mut())
            .map_err(|_| SealedKeyError::BadCost)?;
        Ok(XChaCha20Poly1305::new(Key::from_slice(key.as_ref())))
    }
}

fn parse_cost(text: &str) -> Option<(Cost, [u8; 16])> {
    let mut parts = text.split(' ');
    let mut number = || {
        let text = parts.next()?;
        let number: u32 = text.parse().ok()?;
        // One way to write a number: what is under the tag is written anew from it.
        (number.to_string() == text).then_some(number)
    };
    let cost = Cost { memory_kib: number()?, passes: number()?, lanes: number()? };
    let salt = letters(parts.next()?)?.try_into().ok()?;
    (cost.is_bearable() && parts.next().is_none()).then_some((cost, salt))
}

/// Bytes from lower-case base32 without padding.
fn letters(text: &str) -> Option<Vec<u8>> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok()
}

#[cfg(test)]
mod tests;
