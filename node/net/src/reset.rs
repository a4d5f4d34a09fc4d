//! Stateless resets that outlive the process. A node that was killed and started again is asked about
//! connections that it does not know; because the key of its resets is the same as before, the other
//! side believes the reset at once and need not wait for its idle timeout.

use hmac::{Hmac, KeyInit as _, Mac as _};
use quinn::crypto::{CryptoError, HmacKey};
use sha2::{Digest as _, Sha256};
use wire::SecretKey;

const LABEL: &[u8] = b"comity/v1/StatelessReset\0";

/// The key of the reset tokens: follows from the TLS key, and is of no use for anything else.
pub(crate) struct ResetKey(Hmac<Sha256>);

impl ResetKey {
    pub(crate) fn of(tls_key: &SecretKey) -> Self {
        // Signing is deterministic, and nobody else can make this signature, which never leaves here.
        let mut block = [0; 64];
        let seed: [u8; 32] = Sha256::digest(tls_key.sign(LABEL)).into();
        block[..32].copy_from_slice(&seed);
        Self(Hmac::new(&block.into()))
    }

    /// With what this node marks its connection ids, so that a later run knows them as its own and
    /// answers noise with nothing. Not a secret of weight: whoever has it can ask for resets.
    pub(crate) fn connection_ids(&self) -> u64 {
        let mut tag = [0; 8];
        self.sign(b"connection ids", &mut tag);
        u64::from_le_bytes(tag)
    }
}

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature_out: &mut [u8]) {
        let tag = self.0.clone().chain_update(data).finalize().into_bytes();
        for (out, byte) in signature_out.iter_mut().zip(tag) {
            *out = byte;
        }
    }

    fn signature_len(&self) -> usize {
        32
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.0.clone().chain_update(data).verify_slice(signature).map_err(|_| CryptoError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(seed: u8) -> [u8; 32] {
        let mut token = [0; 32];
        ResetKey::of(&SecretKey::from_seed(&[seed; 32].into())).sign(b"a connection", &mut token);
        token
    }

    #[test]
    fn the_same_key_resets_the_same_connections_and_no_other_does() {
        assert_eq!(token(1), token(1));
        assert_ne!(token(1), token(2));
        let key = ResetKey::of(&SecretKey::from_seed(&[1; 32].into()));
        assert!(key.verify(b"a connection", &token(1)).is_ok());
        assert!(key.verify(b"another", &token(1)).is_err());
    }
}
