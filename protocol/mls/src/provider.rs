//! What OpenMLS is given: arithmetic, randomness, rows and a signature key.

use std::cell::RefCell;

use machine::Entropy;
use openmls_traits::{
    OpenMlsProvider,
    random::OpenMlsRand,
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};
use sha2::{Digest as _, Sha256};
use wire::SecretKey;
use zeroize::Zeroizing;

use crate::store::Store;

/// The implementation of every primitive that MLS uses (spec/decisions/0002).
pub(crate) type Crypto = openmls_rust_crypto::RustCrypto;

/// One group's provider.
#[derive(Default)]
pub(crate) struct Provider {
    crypto: Crypto,
    rand: Rand,
    store: Store,
}

impl Provider {
    pub(crate) fn with_store(store: Store) -> Self {
        Self { store, ..Self::default() }
    }

    /// Draws what one operation needs. Randomness that is asked for without it is refused.
    ///
    /// HPKE makes its ephemeral keys by itself, from the operating system: bytes of commits and
    /// Welcomes differ between two runs with the same entropy, their lengths and what is decided on
    /// them do not.
    pub(crate) fn seed(&self, entropy: &mut dyn Entropy) {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(seed.as_mut_slice());
        *self.rand.0.borrow_mut() = Some(Drbg { seed, counter: 0 });
    }

    /// Forgets the seed.
    pub(crate) fn unseed(&self) {
        *self.rand.0.borrow_mut() = None;
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = Crypto;
    type RandProvider = Rand;
    type StorageProvider = Store;

    fn storage(&self) -> &Store {
        &self.store
    }

    fn crypto(&self) -> &Crypto {
        &self.crypto
    }

    fn rand(&self) -> &Rand {
        &self.rand
    }
}

/// SHA-256 of a seed and a counter, seeded anew for each operation.
struct Drbg {
    seed: Zeroizing<[u8; 32]>,
    counter: u64,
}

impl Drbg {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let mut hash = Sha256::new();
            hash.update(b"comity/v1/Drbg\0");
            hash.update(self.seed.as_slice());
            hash.update(self.counter.to_le_bytes());
            self.counter += 1;
            let block = Zeroizing::new(<[u8; 32]>::from(hash.finalize()));
            for (to, from) in chunk.iter_mut().zip(block.iter()) {
                *to = *from;
            }
        }
    }
}

/// OpenMLS's randomness during one operation.
#[derive(Default)]
pub(crate) struct Rand(RefCell<Option<Drbg>>);

/// Randomness was asked for by an operation that needs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no entropy was given to this operation")]
pub(crate) struct NotSeeded;

impl OpenMlsRand for Rand {
    type Error = NotSeeded;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], NotSeeded> {
        let mut bytes = [0; N];
        self.0.borrow_mut().as_mut().ok_or(NotSeeded)?.fill(&mut bytes);
        Ok(bytes)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, NotSeeded> {
        let mut bytes = vec![0; len];
        self.0.borrow_mut().as_mut().ok_or(NotSeeded)?.fill(&mut bytes);
        Ok(bytes)
    }
}

/// A device's key as OpenMLS signs with it.
pub(crate) struct DeviceSigner<'a>(pub(crate) &'a SecretKey);

impl Signer for DeviceSigner<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

#[cfg(test)]
mod tests {
    use machine::Seeded;

    use super::*;

    #[test]
    fn randomness_follows_the_entropy_and_nothing_else() {
        let (one, other) = (Provider::default(), Provider::default());
        assert_eq!(one.rand().random_array::<7>(), Err(NotSeeded));
        one.seed(&mut Seeded::new(1));
        other.seed(&mut Seeded::new(1));
        assert_eq!(one.rand().random_vec(77), other.rand().random_vec(77));
        let (first, second) = (one.rand().random_array::<32>(), one.rand().random_array::<32>());
        assert_ne!(first, second);
        other.seed(&mut Seeded::new(2));
        assert_ne!(other.rand().random_array::<32>(), first);
        one.unseed();
        assert_eq!(one.rand().random_vec(1), Err(NotSeeded));
    }
}
