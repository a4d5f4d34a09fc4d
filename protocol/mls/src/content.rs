//! What stands inside the ciphertext: which contents are well-formed, and how their size is hidden.

use bytes::Bytes;
use wire::{ErrorCode, proto::Content};

/// Encodes a content and pads it to its bucket ([MLS-30]).
///
/// # Errors
/// As [`check`].
pub fn pad(content: &Content) -> Result<Bytes, ErrorCode> {
    let _ = content;
    Err(ErrorCode::Internal)
}

/// Decodes a plaintext and checks it. The padding is not returned.
///
/// # Errors
/// As [`check`]; `Malformed` too if the padding is not zero or not to a bucket.
pub fn unpad(plaintext: &[u8]) -> Result<Content, ErrorCode> {
    let _ = plaintext;
    Err(ErrorCode::Internal)
}

/// Whether a content is well-formed.
///
/// # Errors
/// `Unsupported` for another version or an unknown kind; `TooLarge` over a limit of its kind;
/// `Malformed` for an id of the wrong length or an empty field that must not be.
pub fn check(content: &Content) -> Result<(), ErrorCode> {
    let _ = content;
    Err(ErrorCode::Internal)
}
