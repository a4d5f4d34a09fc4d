//! Decides what a message id that was seen before means.

use wire::ErrorCode;

use crate::Request;

/// What is stored under a message id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The kind of the event.
    pub kind: wire::proto::EventKind,
    /// The epoch in its head.
    pub epoch: u64,
    /// SHA-256 of its body.
    pub body_hash: [u8; 32],
}

/// The same submission again gets the first answer and has no second effect; the same id with
/// anything else is refused ([ROOM-13]).
///
/// # Errors
/// `Conflict`.
pub fn repeat(stored: &Repeat, request: &Request) -> Result<(), ErrorCode> {
    let same =
        stored.kind == request.kind && stored.epoch == request.epoch && stored.body_hash == request.body_hash;
    same.then_some(()).ok_or(ErrorCode::Conflict)
}
