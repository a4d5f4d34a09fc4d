//! Ed25519 public keys as SubjectPublicKeyInfo (RFC 8410), the form in which TLS carries them.

use identity::PublicKey;
use rustls::pki_types::CertificateDer;

/// SEQUENCE { SEQUENCE { OID 1.3.101.112 } BIT STRING }, up to the 32 bytes of the key.
const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The key as SubjectPublicKeyInfo, 44 bytes.
pub(crate) fn encode(key: &PublicKey) -> Vec<u8> {
    [PREFIX.as_slice(), key.as_bytes()].concat()
}

/// The key in a SubjectPublicKeyInfo; `None` if it is anything but Ed25519 in its one encoding.
pub(crate) fn decode(spki: &[u8]) -> Option<PublicKey> {
    spki.strip_prefix(PREFIX.as_slice()).and_then(|key| PublicKey::try_from(key).ok())
}

/// The key that the other side proved: what rustls calls its certificates (`peer_identity` of a
/// quinn connection, downcast to `Vec<CertificateDer>`). `None` if it presented none.
#[must_use]
pub fn peer_key(certificates: &[CertificateDer<'_>]) -> Option<PublicKey> {
    match certificates {
        [spki] => decode(spki),
        _ => None,
    }
}
