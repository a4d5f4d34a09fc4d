//! This side's key in the handshake. The secret stays in its own type, which wipes itself.

use std::sync::Arc;

use identity::SecretKey;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use crate::raw_key;

/// The key as rustls presents it: the public half in the place of a certificate.
pub(crate) fn certified(key: &SecretKey) -> Arc<CertifiedKey> {
    let public = CertificateDer::from(raw_key::encode(&key.public()));
    Arc::new(CertifiedKey::new(vec![public], Arc::new(Ed25519(key.clone()))))
}

#[derive(Clone, Debug)]
struct Ed25519(SecretKey);

impl SigningKey for Ed25519 {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ED25519).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(raw_key::encode(&self.0.public()).into())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for Ed25519 {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.0.sign(message).to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// A device presents no key in TLS, but says that it would only ever present a raw one, for a
/// server that asks for raw keys refuses a client which does not.
#[derive(Debug)]
pub(crate) struct NoKey;

impl ResolvesClientCert for NoKey {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }

    fn has_certs(&self) -> bool {
        false
    }
}
