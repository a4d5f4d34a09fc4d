//! The hub's view of a group: everything that can be checked without being a member.

use bytes::Bytes;
use wire::{
    ErrorCode, RoomId,
    proto::{CommitExtras, MessageBinding, RoomFounding, RoomState},
};

use crate::Leaf;

/// The public half of a room's group: tree, context and the leaves proposed in this epoch. Holds no
/// secret.
pub struct Observer {
    room: RoomId,
    state: RoomState,
}

/// What a commit would do, as far as the hub sees. Signature and structure are valid and the
/// `GroupInfo` belongs to it; roles and identities are for the caller to check before
/// [`Observer::merge`].
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The committing leaf, as it was before.
    pub committer: Leaf,
    /// Where it belongs.
    pub binding: MessageBinding,
    /// Leaves that it adds. To be checked with `identity::check_leaf`.
    pub added: Vec<Leaf>,
    /// Leaves that it removes, for whatever reason.
    pub removed: Vec<Leaf>,
    /// The committer's leaf as it is afterwards. To be checked with `identity::check_leaf`.
    pub updated: Option<Leaf>,
    /// The room state afterwards.
    pub state: RoomState,
    /// The epoch afterwards.
    pub epoch_after: u64,
    /// It is an external commit with which a device replaces its own leaf: `added` and `removed` are
    /// empty of it.
    pub rejoined: bool,
}

/// A proposal to leave.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedProposal {
    /// Who leaves.
    pub proposer: Leaf,
    /// Where it belongs.
    pub binding: MessageBinding,
}

impl Observer {
    /// The group of a new room, from its founding.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`, `Unsupported`, `BadSignature`; whether founder and state are allowed is
    /// for the caller.
    pub fn found(founding: &RoomFounding) -> Result<Self, ErrorCode> {
        let _ = founding;
        Err(ErrorCode::Internal)
    }

    /// The observer that [`Observer::save`] wrote.
    ///
    /// # Errors
    /// `Internal` if the bytes are damaged.
    pub fn load(bytes: &[u8]) -> Result<Self, ErrorCode> {
        let _ = bytes;
        Err(ErrorCode::Internal)
    }

    /// Everything, as one value. To be stored in the transaction that stores what was merged; after a
    /// failed one, load the stored value again.
    #[must_use]
    pub fn save(&self) -> Bytes {
        Bytes::new()
    }

    /// Checks a commit and holds it until [`Observer::merge`] or [`Observer::discard`].
    ///
    /// # Errors
    /// `StaleEpoch` if it is not of the current epoch; `Forbidden` if the sender has no leaf;
    /// `Conflict` if a proposed leave is not carried out, or two leaves would have one identity;
    /// `BadSignature`; `Malformed`, `TooLarge`, `Unsupported`; `Malformed` too if the `GroupInfo` is not
    /// of the epoch and tree that the commit leads to.
    pub fn check_commit(&mut self, body: &[u8], extras: &CommitExtras) -> Result<Observed, ErrorCode> {
        let _ = (body, extras);
        Err(ErrorCode::Internal)
    }

    /// Checks a proposal and holds it until [`Observer::merge`] or [`Observer::discard`].
    ///
    /// # Errors
    /// `Forbidden` if it is anything but a device's own departure; `Conflict` if that is proposed
    /// already; else as [`Observer::check_commit`].
    pub fn check_proposal(&mut self, body: &[u8]) -> Result<ObservedProposal, ErrorCode> {
        let _ = body;
        Err(ErrorCode::Internal)
    }

    /// Takes over what was checked last.
    ///
    /// # Errors
    /// `NotFound` if nothing was.
    pub fn merge(&mut self) -> Result<(), ErrorCode> {
        Err(ErrorCode::Internal)
    }

    /// Forgets what was checked last.
    pub fn discard(&mut self) {}

    /// The tree, as a joiner needs it.
    ///
    /// # Errors
    /// `Internal`.
    pub fn ratchet_tree(&self) -> Result<Bytes, ErrorCode> {
        Err(ErrorCode::Internal)
    }

    /// The newest `MLSMessage(GroupInfo)` that was checked, for a device that has to rejoin.
    #[must_use]
    pub fn group_info(&self) -> Bytes {
        Bytes::new()
    }

    /// The room.
    #[must_use]
    pub const fn room(&self) -> &RoomId {
        &self.room
    }

    /// The group's epoch.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        0
    }

    /// The room state.
    #[must_use]
    pub const fn state(&self) -> &RoomState {
        &self.state
    }

    /// All leaves, ascending by index.
    #[must_use]
    pub fn leaves(&self) -> Vec<Leaf> {
        Vec::new()
    }

    /// The leaves whose departure was ordered in this epoch and not yet committed.
    #[must_use]
    pub fn leaving(&self) -> Vec<Leaf> {
        Vec::new()
    }
}
