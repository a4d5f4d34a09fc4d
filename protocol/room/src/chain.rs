//! Decides how a room's log is numbered, chained and signed, and whether an event continues it.

use prost::{Message as _, bytes::Bytes};
use sha2::{Digest as _, Sha256};
use wire::{
    DomainName, ErrorCode, MessageId, PublicKey, RoomId, SecretKey, limits,
    proto::{Event, EventHead, EventKind},
    signed,
};

/// The end of a log: the seq and the hash of its newest event. The empty log has both zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogHead {
    /// The newest seq.
    pub seq: u64,
    /// The hash of that event's head: SHA-256 over label and exact bytes.
    pub hash: [u8; 32],
}

/// What the hub decided to order, before it has a place.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The room.
    pub room: &'a RoomId,
    /// The ordering domain.
    pub hub: &'a DomainName,
    /// The epoch in which the body was made.
    pub epoch: u64,
    /// What it is.
    pub kind: EventKind,
    /// The id that the device made, or the hub for a notice of its own.
    pub message: &'a MessageId,
    /// The body.
    pub body: &'a Bytes,
    /// The hub's clock, milliseconds since 1970; for display only.
    pub time_ms: u64,
}

/// An event whose head is well-formed and fits its body. [`check_run`] and [`check`] make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedEvent {
    /// The room.
    pub room: RoomId,
    /// Its place.
    pub seq: u64,
    /// The hash of the head before it.
    pub prev_hash: [u8; 32],
    /// The hash of its own head.
    pub hash: [u8; 32],
    /// The domain that ordered it.
    pub hub: DomainName,
    /// The epoch in which the body was made.
    pub epoch: u64,
    /// What it is; never `Unspecified`.
    pub kind: EventKind,
    /// The idempotency key.
    pub message: MessageId,
    /// SHA-256 of the body.
    pub body_hash: [u8; 32],
    /// The hub's clock, for display only.
    pub time_ms: u64,
    /// The exact bytes.
    pub event: Event,
}

impl CheckedEvent {
    /// The end of the log after this event.
    #[must_use]
    pub const fn log_head(&self) -> LogHead {
        LogHead { seq: self.seq, hash: self.hash }
    }
}

/// Gives a draft the next place in the log and signs it ([ROOM-5]).
#[must_use]
pub fn seal(prev: &LogHead, draft: &Draft<'_>, key: &SecretKey) -> (Event, LogHead) {
    let seq = prev.seq.saturating_add(1);
    let head = EventHead {
        room: draft.room.to_bytes(),
        seq,
        prev_hash: Bytes::copy_from_slice(&prev.hash),
        hub: draft.hub.as_str().into(),
        epoch: draft.epoch,
        kind: draft.kind.into(),
        message_id: draft.message.to_bytes(),
        body_hash: Bytes::copy_from_slice(&Sha256::digest(draft.body)),
        time_ms: draft.time_ms,
    };
    let bytes = head.encode_to_vec();
    let hash = signed::hash::<EventHead>(&bytes);
    let signature = signed::sign::<EventHead>(key, &bytes);
    let event =
        Event { head: bytes.into(), signature: Bytes::copy_from_slice(&signature), body: draft.body.clone() };
    (event, LogHead { seq, hash })
}

/// Reads an event whose origin is trusted already: one's own store, or a session with one's own
/// node after [`check`] was done there. Checks form, not signature.
///
/// # Errors
/// `Malformed`, `TooLarge`, or `BadSignature` if the body is not the one that was signed.
pub fn read(event: &Event) -> Result<CheckedEvent, ErrorCode> {
    let head: EventHead = signed::decode(&event.head)?;
    let kind = EventKind::try_from(head.kind).map_err(|_| ErrorCode::Malformed)?;
    if kind == EventKind::Unspecified || !(1..=limits::SEQ_MAX).contains(&head.seq) {
        return Err(ErrorCode::Malformed);
    }
    if event.body.len() > crate::submission::body_bytes_max(kind) {
        return Err(ErrorCode::TooLarge);
    }
    let body_hash = hash_field(&head.body_hash)?;
    // [ROOM-6]
    if <[u8; 32]>::from(Sha256::digest(&event.body)) != body_hash {
        return Err(ErrorCode::BadSignature);
    }
    Ok(CheckedEvent {
        room: RoomId::try_from(head.room.as_ref())?,
        seq: head.seq,
        prev_hash: hash_field(&head.prev_hash)?,
        hash: signed::hash::<EventHead>(&event.head),
        hub: head.hub.parse()?,
        epoch: head.epoch,
        kind,
        message: MessageId::try_from(head.message_id.as_ref())?,
        body_hash,
        time_ms: head.time_ms,
        event: event.clone(),
    })
}

/// Checks one event by itself: form, room, hub, body and the signature of one of the hub's event
/// keys ([ROOM-6]).
///
/// # Errors
/// `OriginMismatch` for another room or hub, `BadSignature` if none of the keys signed it, else as
/// [`read`].
pub fn check(
    room: &RoomId,
    hub: &DomainName,
    keys: &[PublicKey],
    event: &Event,
) -> Result<CheckedEvent, ErrorCode> {
    let checked = read(event)?;
    if checked.room != *room || checked.hub != *hub {
        return Err(ErrorCode::OriginMismatch);
    }
    let input = signed::input(<EventHead as signed::Statement>::LABEL, &event.head);
    if !keys.iter().any(|key| key.verify(&input, &event.signature).is_ok()) {
        return Err(ErrorCode::BadSignature);
    }
    Ok(checked)
}

/// Checks that events follow one another without a gap and continue `prev` ([ROOM-7]).
///
/// # Errors
/// `Malformed` for a run with a gap in itself, `ForkedLog` for an event of the right seq that was
/// chained to another, else as [`check`].
pub fn check_run(
    room: &RoomId,
    hub: &DomainName,
    keys: &[PublicKey],
    prev: &LogHead,
    events: &[Event],
) -> Result<Vec<CheckedEvent>, ErrorCode> {
    let mut end = *prev;
    let mut run = Vec::with_capacity(events.len());
    for event in events {
        let checked = check(room, hub, keys, event)?;
        if Some(checked.seq) != end.seq.checked_add(1) {
            return Err(ErrorCode::Malformed);
        }
        if checked.prev_hash != end.hash {
            return Err(ErrorCode::ForkedLog);
        }
        end = checked.log_head();
        run.push(checked);
    }
    Ok(run)
}

fn hash_field(bytes: &[u8]) -> Result<[u8; 32], ErrorCode> {
    bytes.try_into().map_err(|_| ErrorCode::Malformed)
}

#[cfg(test)]
mod tests;
