//! Rooms and their logs.

use bytes::Bytes;
use wire::{
    Account, DeviceId, DomainName, MessageId, RoomId,
    proto::{EventKind, ProgressKind, RoomKind},
};

/// One room that this domain takes part in. Key: `room`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRow {
    /// The room.
    pub room: RoomId,
    /// The domain that orders it.
    pub hub: DomainName,
    /// Direct or group.
    pub kind: RoomKind,
    /// The newest seq that is stored here.
    pub head_seq: u64,
    /// The hash of that event's head.
    pub head_hash: [u8; 32],
    /// The group's epoch after the newest event.
    pub epoch: u64,
    /// The seq at which this domain's copy begins: 1 at the hub, the joining commit at a follower.
    pub base_seq: u64,
    /// The hub has shown that events up to this seq exist; those after `head_seq` are to be pulled. 0
    /// if none was ever missing.
    pub wanted_seq: u64,
}

/// An account's time in a room. Key: `room, account, from_seq`. At the hub for every account, at a
/// follower for its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// The room.
    pub room: RoomId,
    /// The account.
    pub account: Account,
    /// Events after this seq are for the account.
    pub from_seq: u64,
    /// Events after this seq are not; `None` while it is a member.
    pub to_seq: Option<u64>,
}

/// One event of a room's log. Key: `position`; unique: `room, seq` and `room, message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its place in the domain's positions.
    pub position: u64,
    /// The room.
    pub room: RoomId,
    /// Its place in the room.
    pub seq: u64,
    /// The id that the sending device made.
    pub message: MessageId,
    /// What it is.
    pub kind: EventKind,
    /// The exact bytes of the head.
    pub head: Bytes,
    /// The hub's signature.
    pub signature: Bytes,
    /// The body; empty when retention has removed it.
    pub body: Bytes,
}

/// A submission of an own device that its hub, another domain, has not ordered yet.
/// Key: `room, message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRow {
    /// The room.
    pub room: RoomId,
    /// The id.
    pub message: MessageId,
    /// SHA-256 of the encoded submission.
    pub hash: [u8; 32],
    /// Who sent it.
    pub account: Account,
    /// From which device.
    pub device: DeviceId,
    /// The hub.
    pub peer: DomainName,
    /// Its number in the outbox to the hub.
    pub number: u64,
    /// When it was accepted.
    pub time_ms: u64,
}

/// How far a domain (stored) or an account (delivered) is in a room. Key: `room, kind, who`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressRow {
    /// The room.
    pub room: RoomId,
    /// Stored or delivered.
    pub kind: ProgressKind,
    /// A domain or an account.
    pub who: String,
    /// Up to this seq.
    pub seq: u64,
}
