//! Reads what stands in the clear around a message, without any group.

use wire::{
    ErrorCode, RoomId,
    proto::{EventKind, MessageBinding},
};

/// The outside of an MLS message, as far as everybody may read it. Nothing of it is authenticated
/// yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Framing {
    /// The group id.
    pub room: RoomId,
    /// The epoch in which it was made.
    pub epoch: u64,
    /// The authenticated data.
    pub binding: MessageBinding,
}

/// Reads the framing of the body of a commit, proposal or message event.
///
/// # Errors
/// `TooLarge` by kind before anything is read. `Malformed` if it is not exactly one MLS message of
/// this kind in the required wire format (commits and proposals `PublicMessage`, messages
/// `PrivateMessage` with application content), or its authenticated data is no binding to the room
/// that is its group. `Unsupported` for another protocol version.
pub fn framing(kind: EventKind, body: &[u8]) -> Result<Framing, ErrorCode> {
    let _ = (kind, body);
    Err(ErrorCode::Internal)
}
