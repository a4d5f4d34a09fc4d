//! The rows of rooms.

use bytes::Bytes;

use super::{Row, Table};

/// Where this device stands with a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum RoomPhase {
    /// Not said.
    Unspecified = 0,
    /// Wanted here, but not founded yet.
    Wanted = 1,
    /// The founding is submitted.
    Founding = 2,
    /// Founded by somebody else; waiting to be added.
    Awaiting = 3,
    /// In it.
    Joined = 4,
    /// Out of it.
    Left = 5,
}

/// A room. Key: `room`. Changes with every event, so it is small.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RoomRow {
    /// The room, 32 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub room: Bytes,
    /// Where this device stands with it.
    #[prost(enumeration = "RoomPhase", tag = "2")]
    pub phase: i32,
    /// The seq of the newest event that was applied; 0 if none.
    #[prost(uint64, tag = "3")]
    pub head_seq: u64,
    /// The hashes of the newest heads, oldest first, 32 bytes each; the last is that of `head_seq`.
    #[prost(bytes = "bytes", tag = "4")]
    pub heads: Bytes,
    /// The seq at which this device's copy begins.
    #[prost(uint64, tag = "5")]
    pub base_seq: u64,
    /// The group's epoch.
    #[prost(uint64, tag = "6")]
    pub epoch: u64,
    /// The newest seq that was read on this device.
    #[prost(uint64, tag = "7")]
    pub read_seq: u64,
    /// Events after the head were passed over and are to be pulled.
    #[prost(bool, tag = "8")]
    pub behind: bool,
    /// Why the room is paused, as an error's number; 0 if it is not.
    #[prost(uint32, tag = "9")]
    pub paused: u32,
    /// When this device last updated its leaf, in milliseconds since 1970; 0: never.
    #[prost(uint64, tag = "10")]
    pub leaf_updated_ms: u64,
    /// The seq of the newest text by somebody else.
    #[prost(uint64, tag = "11")]
    pub last_text_seq: u64,
    /// The seq of the newest event of which this device has said that it cannot follow it.
    #[prost(uint64, tag = "12")]
    pub nacked: u64,
    /// Why this device has lost its way in the room, as an error's number; 0 if it has not.
    #[prost(uint32, tag = "13")]
    pub lost: u32,
    /// The epoch to which the newest commit leads that was passed over; 0 if none was.
    #[prost(uint64, tag = "14")]
    pub lost_epoch: u64,
    /// That commit's confirmation tag.
    #[prost(bytes = "bytes", tag = "15")]
    pub lost_tag: Bytes,
    /// What is added to a seq to give its place in the timeline: where the room was founded anew after
    /// its hub had lost it; 0 if it never was.
    #[prost(uint64, tag = "16")]
    pub offset: u64,
    /// Why it could not be founded, as an error's number; 0 if nothing was refused.
    #[prost(uint32, tag = "17")]
    pub refused: u32,
    /// The hashes of the heads with which this device came in, oldest first, 32 bytes each.
    #[prost(bytes = "bytes", tag = "18")]
    pub bases: Bytes,
    /// The node has another store since; whether the room that it knows is this one is not known yet.
    #[prost(bool, tag = "19")]
    pub doubted: bool,
    /// The node knows that an invitation to the room was accepted: a Welcome may come at any time.
    #[prost(bool, tag = "20")]
    pub accepted: bool,
}

impl Row for RoomRow {
    const TABLE: Table = Table::Room;

    fn key(&self) -> Bytes {
        self.room.clone()
    }
}

/// Who is in a room, its name, and how far everybody is. Key: `room`. Changes when any of it does.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RosterRow {
    /// The room, 32 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub room: Bytes,
    /// The domain that orders it.
    #[prost(string, tag = "2")]
    pub hub: String,
    /// `proto::RoomKind`.
    #[prost(enumeration = "wire::proto::RoomKind", tag = "3")]
    pub kind: i32,
    /// Its name, as the newest `RoomInfo` says.
    #[prost(string, tag = "4")]
    pub name: String,
    /// What it is about.
    #[prost(string, tag = "5")]
    pub topic: String,
    /// Its members, sorted by account.
    #[prost(message, repeated, tag = "6")]
    pub members: Vec<MemberRow>,
    /// Domains that hold events durably, sorted.
    #[prost(message, repeated, tag = "7")]
    pub stored: Vec<StoredRow>,
    /// The other account of a direct room.
    #[prost(string, tag = "8")]
    pub peer: String,
    /// Accounts that have seen another history of the room, sorted.
    #[prost(message, repeated, tag = "9")]
    pub forks: Vec<ForkRow>,
    /// What was before the room was founded anew, each time, oldest first.
    #[prost(message, repeated, tag = "10")]
    pub past: Vec<PastRow>,
    /// The ids of messages of the other side that this device has from before the room was founded
    /// anew, 16 bytes each: they may come again.
    #[prost(bytes = "bytes", tag = "11")]
    pub heard: Bytes,
}

impl Row for RosterRow {
    const TABLE: Table = Table::Roster;

    fn key(&self) -> Bytes {
        self.room.clone()
    }
}

/// A member of a room.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MemberRow {
    /// The account.
    #[prost(string, tag = "1")]
    pub account: String,
    /// Whether it is an admin.
    #[prost(bool, tag = "2")]
    pub admin: bool,
    /// The ids of its devices in the room, 16 bytes each.
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub devices: Vec<Bytes>,
    /// Why its keys are not verified, as an error's number; 0 if they are.
    #[prost(uint32, tag = "4")]
    pub unverified: u32,
    /// One of its devices has persisted all events up to this seq.
    #[prost(uint64, tag = "5")]
    pub delivered: u64,
    /// It has read all events up to this seq.
    #[prost(uint64, tag = "6")]
    pub read: u64,
    /// It has asked to leave and is to be removed.
    #[prost(bool, tag = "7")]
    pub leaving: bool,
    /// It has sent something since it was added.
    #[prost(bool, tag = "8")]
    pub heard: bool,
    /// The seq of the event that added it; 0 if that was before this device joined.
    #[prost(uint64, tag = "9")]
    pub since: u64,
    /// The hub says that it declined the invitation.
    #[prost(bool, tag = "10")]
    pub declined: bool,
    /// A leaf of it was added while this device was in the room, and did not pass: nothing is sent.
    #[prost(bool, tag = "11")]
    pub held: bool,
    /// It came in while this device had lost its way, and nobody vouches for it: nothing is sent.
    #[prost(bool, tag = "12")]
    pub unproved: bool,
}

/// An account that has seen another history of a room than this device.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ForkRow {
    /// The account.
    #[prost(string, tag = "1")]
    pub account: String,
    /// The seq of which it first said so.
    #[prost(uint64, tag = "2")]
    pub seq: u64,
}

/// How far the other side was when a room's hub lost it. All are places in the timeline.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct PastRow {
    /// The last place of this time.
    #[prost(uint64, tag = "1")]
    pub until: u64,
    /// The other side has persisted everything up to here.
    #[prost(uint64, tag = "2")]
    pub delivered: u64,
    /// It has read everything up to here.
    #[prost(uint64, tag = "3")]
    pub read: u64,
}

/// A domain that holds all events of a room up to a seq durably.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StoredRow {
    /// The domain.
    #[prost(string, tag = "1")]
    pub domain: String,
    /// Up to where.
    #[prost(uint64, tag = "2")]
    pub seq: u64,
}

/// An invitation that waits for an answer. Key: `room`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct InvitationRow {
    /// The room, 32 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub room: Bytes,
    /// Who invites.
    #[prost(string, tag = "2")]
    pub inviter: String,
    /// `proto::RoomKind`.
    #[prost(enumeration = "wire::proto::RoomKind", tag = "3")]
    pub kind: i32,
    /// When, by the hub's clock, in milliseconds since 1970.
    #[prost(uint64, tag = "4")]
    pub time_ms: u64,
    /// The answer that the user has given and the node has not confirmed: 1 accept, 2 decline; 3: a
    /// direct room that was declined, confirmed.
    #[prost(uint32, tag = "5")]
    pub answer: u32,
}

impl Row for InvitationRow {
    const TABLE: Table = Table::Invitation;

    fn key(&self) -> Bytes {
        self.room.clone()
    }
}

/// A Welcome that waits for keys with which to judge it. Key: `room`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct JoinRow {
    /// The room, 32 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub room: Bytes,
    /// What the hub sent.
    #[prost(message, optional, tag = "2")]
    pub join: Option<wire::proto::Join>,
    /// Since when it waits, in milliseconds since 1970.
    #[prost(uint64, tag = "3")]
    pub since_ms: u64,
}

impl Row for JoinRow {
    const TABLE: Table = Table::Join;

    fn key(&self) -> Bytes {
        self.room.clone()
    }
}
