//! The rows of what the user wanted and is not done yet (rule R4).

use bytes::Bytes;
use wire::proto;

use super::{Row, Table};

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum IntentKind {
    /// Not said.
    Unspecified = 0,
    /// Send `content`.
    Message = 1,
    /// Found the room.
    Found = 2,
    /// Add `accounts`.
    Add = 3,
    /// Remove `accounts`.
    Remove = 4,
    /// Make `accounts` admins.
    Promote = 5,
    /// Make `accounts` members.
    Demote = 6,
    /// Go away.
    Leave = 7,
    /// Give the own leaf new keys (rule R6).
    Refresh = 8,
    /// Commit what others proposed.
    Settle = 9,
    /// Say that a commit could not be followed.
    Nack = 10,
    /// Say in a room that this device cannot follow any more that its account goes away.
    Farewell = 11,
    /// Come back into the room by an external commit. `refused` are those who came in meanwhile and do
    /// not pass, `added` those for whom nobody vouches.
    Rejoin = 12,
}

impl IntentKind {
    /// Nobody waits for it, and nothing depends on whether it is done: the first answer ends it.
    #[must_use]
    pub const fn is_said_once(self) -> bool {
        matches!(self, Self::Nack | Self::Farewell)
    }
}

/// How far an intent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Progressed {
    /// Nothing was derived from it.
    Waiting = 0,
    /// `submission` is to be sent until it is answered.
    Submitted = 1,
    /// The home node owns its delivery.
    Accepted = 2,
    /// It will never be done; kept so that the user sees it.
    Failed = 3,
}

/// What the user wanted. Key: `intent`. Ordered by `number`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct IntentRow {
    /// Its lasting name, 16 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub intent: Bytes,
    /// The room, 32 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub room: Bytes,
    /// Its place among the intents of this device.
    #[prost(uint64, tag = "3")]
    pub number: u64,
    /// What is wanted.
    #[prost(enumeration = "IntentKind", tag = "4")]
    pub kind: i32,
    /// How far it is.
    #[prost(enumeration = "Progressed", tag = "5")]
    pub progressed: i32,
    /// What is to be sent, without head and padding.
    #[prost(message, optional, tag = "6")]
    pub content: Option<proto::Content>,
    /// Whom it concerns.
    #[prost(string, repeated, tag = "7")]
    pub accounts: Vec<String>,
    /// The id under which it was last submitted, 16 bytes; empty if it was not.
    #[prost(bytes = "bytes", tag = "8")]
    pub message: Bytes,
    /// What was last submitted; absent once the home node owns it.
    #[prost(message, optional, tag = "9")]
    pub submission: Option<proto::Submission>,
    /// SHA-256 of the body that was last submitted.
    #[prost(bytes = "bytes", tag = "10")]
    pub body_hash: Bytes,
    /// How often it was derived.
    #[prost(uint32, tag = "11")]
    pub tries: u32,
    /// When it was stored, in milliseconds since 1970.
    #[prost(uint64, tag = "12")]
    pub since_ms: u64,
    /// The claim of key packages that belongs to it, 16 bytes.
    #[prost(bytes = "bytes", tag = "13")]
    pub claim: Bytes,
    /// Accounts that cannot be added, and why.
    #[prost(message, repeated, tag = "14")]
    pub refused: Vec<proto::ClaimedAccount>,
    /// Accounts that were added by earlier commits of this intent.
    #[prost(string, repeated, tag = "15")]
    pub added: Vec<String>,
    /// It makes no item of the timeline and nobody waits for it.
    #[prost(bool, tag = "16")]
    pub quiet: bool,
    /// Why it failed, as an error's number.
    #[prost(uint32, tag = "17")]
    pub error: u32,
    /// A node said that the epoch of what was last submitted is past.
    #[prost(bool, tag = "18")]
    pub stale: bool,
}

impl Row for IntentRow {
    const TABLE: Table = Table::Intent;

    fn key(&self) -> Bytes {
        self.intent.clone()
    }
}
