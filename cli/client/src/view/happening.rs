//! What a client tells to whoever watches.

use serde::{Deserialize, Serialize};
use wire::{Account, ErrorCode, MessageId, RoomId};

use super::{Level, Message, PeerView, Room, Transfer, text};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Happening {
    /// A new item of a room's timeline.
    Message(Message),
    /// An own message came further, or failed.
    Delivery {
        /// The room.
        #[serde(with = "text")]
        room: RoomId,
        /// Its lasting name.
        #[serde(with = "text")]
        intent: MessageId,
        /// The id under which it is (to be) ordered.
        #[serde(with = "text")]
        id: MessageId,
        /// How far it is; not changed by a failure.
        level: Option<Level>,
        /// Why it will not go further.
        #[serde(with = "text::error")]
        failed: Option<ErrorCode>,
    },
    /// A room is new or changed.
    Room(Room),
    /// A member has read up to a seq.
    Read {
        /// The room.
        #[serde(with = "text")]
        room: RoomId,
        /// Who.
        #[serde(with = "text")]
        account: Account,
        /// Up to where.
        seq: u64,
    },
    /// A member is typing, or stopped.
    Typing {
        /// The room.
        #[serde(with = "text")]
        room: RoomId,
        /// Who.
        #[serde(with = "text")]
        account: Account,
        /// Whether it goes on.
        active: bool,
    },
    /// Something is not as it should be, but goes on; our own words with names in them.
    Warning(String),
    /// The session with the home node stands or fell.
    Connected(bool),
    /// Everything that the node has is here.
    CaughtUp,
    /// A file came further on its way.
    Transfer(Transfer),
    /// A link of the home node changed.
    Peer(PeerView),
    /// An account of this domain, in a room with this one, came or went.
    Presence {
        /// Who.
        #[serde(with = "text")]
        account: Account,
        /// Whether it is here.
        here: bool,
    },
    /// The reader was too slow and missed something: read again what is shown.
    Missed,
    /// The device was locked: nothing happens until [`crate::Client::unlock`], or until another
    /// program has unlocked it.
    Locked,
    /// The device that was locked is open again: read again what is shown.
    Unlocked,
}
