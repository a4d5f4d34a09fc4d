//! What a device keeps: rows of a few kinds, each with a key and a value of bytes, so that any
//! store can hold them and the engine alone knows what they mean.

mod intent;
mod message;
mod room;
mod snapshot;
mod trust;
mod upload;

use bytes::Bytes;
use wire::RoomId;
use zeroize::Zeroizing;

pub use intent::{IntentKind, IntentRow, Progressed};
pub use message::{ItemKind, MessageRow};
pub use room::{
    ForkRow, InvitationRow, JoinRow, MemberRow, PastRow, RoomPhase, RoomRow, RosterRow, StoredRow,
};
pub use snapshot::{Snapshot, apply};
pub use trust::{ContactRow, CursorRow, DomainRow, KeyPackageRow};
pub use upload::UploadRow;

/// The kinds of rows: one table each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// One row: where the sync stream stands.
    Cursor,
    /// One row for each room.
    Room,
    /// The members of each room and how far they are.
    Roster,
    /// The encryption state of each room. Never backed up, exported or copied (rule R5).
    Mls,
    /// The secret halves of the key packages.
    KeyPackage,
    /// What the user wanted and is not done yet.
    Intent,
    /// The timeline. Not part of a [`Snapshot`].
    Message,
    /// The account keys that were seen.
    Contact,
    /// The documents of domains.
    Domain,
    /// Invitations that wait for an answer.
    Invitation,
    /// Welcomes that wait for keys with which to judge them.
    Join,
    /// Files on their way to the home node. The driver's own: not part of a [`Snapshot`].
    Upload,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 12] = [
        Self::Cursor,
        Self::Room,
        Self::Roster,
        Self::Mls,
        Self::KeyPackage,
        Self::Intent,
        Self::Message,
        Self::Contact,
        Self::Domain,
        Self::Invitation,
        Self::Join,
        Self::Upload,
    ];

    /// A name for it in a schema: lower-case ASCII letters and underscores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cursor => "cursor",
            Self::Room => "room",
            Self::Roster => "roster",
            Self::Mls => "mls",
            Self::KeyPackage => "key_package",
            Self::Intent => "intent",
            Self::Message => "message",
            Self::Contact => "contact",
            Self::Domain => "domain",
            Self::Invitation => "invitation",
            Self::Join => "welcome",
            Self::Upload => "upload",
        }
    }
}

/// One change to one row. Key and value are bytes; a record without a value deletes the row.
///
/// The keys of [`Table::Message`] are `room (32 bytes) ‖ seq (8 bytes, most significant first)`, so
/// that a range of keys is a part of a timeline; those of [`Table::Mls`], [`Table::Room`],
/// [`Table::Roster`] begin with the room.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Which table.
    pub table: Table,
    /// Which row.
    pub key: Bytes,
    /// Its new value, or `None` to delete it.
    pub value: Option<Bytes>,
}

/// A row that knows its table and key.
pub trait Row: prost::Message + Default {
    /// Its table.
    const TABLE: Table;

    /// Its key.
    fn key(&self) -> Bytes;

    /// The change that writes it.
    fn put(&self) -> Record {
        Record { table: Self::TABLE, key: self.key(), value: Some(self.encode_to_vec().into()) }
    }

    /// The change that deletes it.
    fn gone(&self) -> Record {
        Record { table: Self::TABLE, key: self.key(), value: None }
    }
}

/// A change to one row of a room's encryption state.
pub(crate) fn mls_record(room: RoomId, key: &[u8], value: Option<Zeroizing<Vec<u8>>>) -> Record {
    let mut whole = Vec::with_capacity(RoomId::BYTES + key.len());
    whole.extend_from_slice(room.as_bytes());
    whole.extend_from_slice(key);
    Record { table: Table::Mls, key: whole.into(), value: value.map(Bytes::from_owner) }
}
