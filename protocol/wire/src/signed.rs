//! Statements that are signed as exact bytes (`spec/03-identity.md`, DESIGN section 4): the
//! signature is over `label, a zero byte, body`, with another label for every kind of statement, so
//! that no statement can pass as another. The bytes are stored and forwarded as they came.

use prost::Message;
use sha2::{Digest as _, Sha256};

use crate::{ErrorCode, PublicKey, SecretKey, limits, proto};

/// A kind of statement that is signed.
pub trait Statement: Message + Default {
    /// What precedes the body under the signature.
    const LABEL: &'static str;
    /// The most bytes that a body may have.
    const BYTES_MAX: usize;
}

macro_rules! statement {
    ($($kind:ident, $max:ident;)*) => {$(
        impl Statement for proto::$kind {
            const LABEL: &'static str = concat!("comity/v1/", stringify!($kind));
            const BYTES_MAX: usize = limits::$max;
        }
    )*};
}

statement! {
    DomainDocument, DOCUMENT_BYTES_MAX;
    AccountBinding, BINDING_BYTES_MAX;
    DeviceList, DEVICE_LIST_BYTES_MAX;
    DeviceCertificate, CERTIFICATE_BYTES_MAX;
    EventHead, EVENT_HEAD_BYTES_MAX;
    AuditEntry, AUDIT_ENTRY_BYTES_MAX;
}

/// [SIGN-1] The bytes under a signature: `label ‖ 0 ‖ body`.
#[must_use]
pub fn input(label: &str, body: &[u8]) -> Vec<u8> {
    let mut input = Vec::with_capacity(label.len() + 1 + body.len());
    input.extend_from_slice(label.as_bytes());
    input.push(0);
    input.extend_from_slice(body);
    input
}

/// Signs the body of a statement.
#[must_use]
pub fn sign<S: Statement>(key: &SecretKey, body: &[u8]) -> [u8; 64] {
    key.sign(&input(S::LABEL, body))
}

/// Verifies a signature over the body of a statement.
///
/// # Errors
/// `BadSignature`.
pub fn verify<S: Statement>(key: &PublicKey, body: &[u8], signature: &[u8]) -> Result<(), ErrorCode> {
    key.verify(&input(S::LABEL, body), signature)
}

/// SHA-256 over `label ‖ 0 ‖ body`: what `prev_hash` fields and chains hold.
#[must_use]
pub fn hash<S: Statement>(body: &[u8]) -> [u8; 32] {
    Sha256::digest(input(S::LABEL, body)).into()
}

/// [SIGN-2] Decodes a body, accepting exactly one encoding: unknown fields, repeated singular fields,
/// fields out of order and over-long integers are all refused.
///
/// # Errors
/// `TooLarge` before decoding anything, else `Malformed`.
pub fn decode<S: Statement>(body: &[u8]) -> Result<S, ErrorCode> {
    if body.len() > S::BYTES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    let statement = S::decode(body).map_err(|_| ErrorCode::Malformed)?;
    if statement.encode_to_vec() != body {
        return Err(ErrorCode::Malformed);
    }
    Ok(statement)
}

#[cfg(test)]
mod tests;
