//! Keys and sealing: XChaCha20-Poly1305 under keys that HMAC-SHA-256 derives from the master key, one
//! for each use, so that nothing sealed for one use opens for another.

use chacha20poly1305::{AeadInPlace as _, KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use machine::Entropy as _;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clock::SystemEntropy;

/// A nonce is random: with 192 bits no two ever meet.
pub(crate) const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// By how much sealing makes something longer.
pub(super) const SEAL_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// A secret key.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// How long a key is.
    pub(crate) const BYTES: usize = 32;

    /// A key that nobody knows.
    pub(crate) fn random() -> Self {
        let mut key = Zeroizing::new([0; Self::BYTES]);
        SystemEntropy.fill(key.as_mut());
        Self(key)
    }

    /// The key of these bytes; `None` unless there are as many as a key has.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; Self::BYTES]);
        if bytes.len() != Self::BYTES {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// The bytes, for a file or a keyring.
    pub(super) fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// The key for one use: `HMAC(self, "comity/v1/seal/" ‖ use)`.
    pub(crate) fn derive(&self, what: &str) -> Self {
        let mut mac = self.mac();
        mac.update(b"comity/v1/seal/");
        mac.update(what.as_bytes());
        Self(Zeroizing::new(mac.finalize().into_bytes().into()))
    }

    /// What hashes under this key.
    pub(crate) fn mac(&self) -> Hmac<Sha256> {
        use hmac::KeyInit as _;
        let mut block = Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(self.0.iter()) {
            *to = *from;
        }
        Hmac::new((&*block).into())
    }

    /// What seals under this key.
    pub(crate) fn sealer(&self) -> Sealer {
        Sealer(XChaCha20Poly1305::new((&*self.0).into()))
    }
}

/// Seals and opens. `bound` is what a sealed text belongs to: it opens for nothing else.
#[derive(Clone)]
pub(crate) struct Sealer(XChaCha20Poly1305);

impl Sealer {
    /// `nonce ‖ ciphertext ‖ tag` of the parts, one after the other.
    pub(crate) fn seal(&self, nonce: [u8; NONCE_BYTES], bound: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut sealed = Vec::with_capacity(SEAL_BYTES + length);
        sealed.extend_from_slice(&nonce);
        for part in parts {
            sealed.extend_from_slice(part);
        }
        let text = sealed.get_mut(NONCE_BYTES..)?;
        // Fails for more than 256 GiB only.
        let tag = self.0.encrypt_in_place_detached(XNonce::from_slice(&nonce), bound, text).ok()?;
        sealed.extend_from_slice(&tag);
        Some(sealed)
    }

    /// What was sealed; `None` if it was not sealed with this key for this purpose.
    pub(crate) fn open(&self, bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_BYTES)?;
        let (text, tag) = rest.split_at_checked(rest.len().checked_sub(TAG_BYTES)?)?;
        let mut text = Zeroizing::new(text.to_vec());
        self.0.decrypt_in_place_detached(XNonce::from_slice(nonce), bound, &mut text, tag.into()).ok()?;
        Some(text)
    }
}

/// A fresh nonce.
pub(crate) fn nonce() -> [u8; NONCE_BYTES] {
    SystemEntropy.array()
}
