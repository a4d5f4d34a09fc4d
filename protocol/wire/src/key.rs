//! Ed25519 keys. Secrets are wiped when dropped and have no way into a log.

use std::fmt;

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::ErrorCode;

/// An Ed25519 public key, 32 bytes as they came; checked for being a usable point on verification.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// [SIGN-3] Verifies strictly: canonical encodings only, no small-order key, no malleable signature.
    ///
    /// # Errors
    /// `BadSignature` in every other case, a signature of the wrong length included.
    pub fn verify(&self, input: &[u8], signature: &[u8]) -> Result<(), ErrorCode> {
        if !self.is_canonical() {
            return Err(ErrorCode::BadSignature);
        }
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| ErrorCode::BadSignature)?;
        let signature = Signature::from_slice(signature).map_err(|_| ErrorCode::BadSignature)?;
        key.verify_strict(input, &signature).map_err(|_| ErrorCode::BadSignature)
    }

    /// Whether the coordinate is below 2^255 - 19, so that no two keys are one point.
    fn is_canonical(&self) -> bool {
        let [low, middle @ .., high] = &self.0;
        *low < 0xed || high & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff)
    }
}

impl TryFrom<&[u8]> for PublicKey {
    type Error = ErrorCode;

    fn try_from(bytes: &[u8]) -> Result<Self, ErrorCode> {
        bytes.try_into().map(Self).map_err(|_| ErrorCode::Malformed)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// An Ed25519 secret key.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key with this seed.
    #[must_use]
    pub fn from_seed(seed: &Zeroizing<[u8; 32]>) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, for storing it.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `input`, which must begin with a label (`signed::input`), 64 bytes.
    #[must_use]
    pub fn sign(&self, input: &[u8]) -> [u8; 64] {
        self.0.sign(input).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

#[cfg(test)]
mod tests;
