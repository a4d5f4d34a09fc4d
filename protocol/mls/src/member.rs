//! A member's device in the group of a room.

use bytes::Bytes;
use machine::Entropy;
use wire::{
    Account, ErrorCode, RoomId,
    proto::{EventKind, MessageBinding, RoomFounding, RoomState},
};

use crate::{DeviceKeys, Leaf, RowChange, Rows};

/// The group of one room as one device has it.
///
/// Every change is made in memory and waits in [`Member::take_changes`]; write these rows in the
/// same transaction as what the operation produced (client rule R3), before anything is sent or
/// shown. If that transaction fails, drop the member and [`Member::load`] it again from the rows
/// that are stored: the live object has spent keys that the store has not, so what was decrypted
/// cannot be decrypted again with it.
pub struct Member {
    room: RoomId,
    state: RoomState,
}

/// What a commit is to do. With everything empty it renews the device's own leaf; every commit does
/// that besides, and carries out the leaves that were proposed.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Key packages to add, as `MLSMessage(KeyPackage)`; at most `ADDS_PER_COMMIT_MAX`. They must have
    /// been checked ([`crate::check_key_package`], `identity::check_leaf`).
    pub add: Vec<Bytes>,
    /// Accounts to remove with all their devices.
    pub remove: Vec<Account>,
    /// The room state from the next epoch on, if it changes.
    pub state: Option<RoomState>,
}

/// A commit that waits for being ordered: the parts of a `Submission`.
#[derive(Clone, Debug)]
pub struct CommitBundle {
    /// The epoch in which it was made.
    pub epoch: u64,
    /// `MLSMessage(PublicMessage)`, the body.
    pub commit: Bytes,
    /// `MLSMessage(Welcome)` without the tree; empty if nobody is added.
    pub welcome: Bytes,
    /// `MLSMessage(GroupInfo)` of the next epoch without the tree.
    pub group_info: Bytes,
}

/// What an event of the room's log turned out to be. Its authenticated data names this room; that
/// its message id is the event's is for the caller to compare.
#[derive(Debug)]
pub enum Processed {
    /// A message of another device.
    Message {
        /// Who sent it.
        sender: Leaf,
        /// Where it belongs.
        binding: MessageBinding,
        /// The plaintext: an encoded and padded `Content` ([`crate::content`]).
        content: Vec<u8>,
    },
    /// A message of this device. Its plaintext is not in it: MLS keeps no key for one's own messages.
    OwnMessage {
        /// Where it belongs.
        binding: MessageBinding,
    },
    /// A commit. It takes effect with [`Member::merge_staged`].
    Commit(StagedChange),
    /// A device proposes that all of its account leaves; the next commit carries it out.
    Proposal {
        /// Who leaves.
        sender: Leaf,
        /// Where it belongs.
        binding: MessageBinding,
    },
}

/// What a commit would do. Its signature and structure are valid; whether it is allowed, and
/// whether the added and renewed leaves are whose they say, is for the caller to check first.
#[derive(Clone, Debug, PartialEq)]
pub struct StagedChange {
    /// The committing leaf, as it was before.
    pub committer: Leaf,
    /// Where it belongs.
    pub binding: MessageBinding,
    /// Leaves that it adds.
    pub added: Vec<Leaf>,
    /// Leaves that it removes, for whatever reason.
    pub removed: Vec<Leaf>,
    /// The committer's leaf as it is afterwards.
    pub updated: Option<Leaf>,
    /// The room state afterwards.
    pub state: RoomState,
    /// The epoch afterwards.
    pub epoch_after: u64,
    /// It is an external commit with which the committer replaces its own leaf.
    pub rejoined: bool,
    /// It is this device's own pending commit.
    pub own: bool,
    /// This device is among the removed.
    pub removes_us: bool,
}

impl Member {
    /// Founds a room with this device as the only member, in epoch 0.
    ///
    /// # Errors
    /// `Malformed` if `state.room` is no room id.
    pub fn found(
        keys: &DeviceKeys,
        state: &RoomState,
        entropy: &mut dyn Entropy,
    ) -> Result<(Self, RoomFounding), ErrorCode> {
        let _ = (keys, state, entropy);
        Err(ErrorCode::Internal)
    }

    /// Joins by a Welcome. `key_package` are the rows of the package that it names.
    ///
    /// # Errors
    /// `NotFound` if the Welcome is not for this package; `Malformed`, `TooLarge`, `Unsupported`,
    /// `BadSignature` if the Welcome or the tree is.
    pub fn join(
        keys: &DeviceKeys,
        welcome: &[u8],
        ratchet_tree: &[u8],
        key_package: &Rows,
    ) -> Result<Self, ErrorCode> {
        let _ = (keys, welcome, ratchet_tree, key_package);
        Err(ErrorCode::Internal)
    }

    /// Makes an external commit that replaces this device's own leaf, for a device that can process
    /// the room's log no further. `old` are the stored rows of the room; they are replaced.
    ///
    /// The new member is of use only once the commit has come back and was merged. If it loses the
    /// race, drop it and begin again from the rows that were stored before.
    ///
    /// # Errors
    /// `NotFound` if this device has no leaf in the tree; else as [`Member::join`].
    pub fn rejoin(
        keys: &DeviceKeys,
        old: Rows,
        (group_info, ratchet_tree): (&[u8], &[u8]),
        binding: &MessageBinding,
        entropy: &mut dyn Entropy,
    ) -> Result<(Self, CommitBundle), ErrorCode> {
        let _ = (keys, old, group_info, ratchet_tree, binding, entropy);
        Err(ErrorCode::Internal)
    }

    /// The member that these rows hold.
    ///
    /// # Errors
    /// `NotFound` if they hold no group of this room; `Internal` if they are damaged.
    pub fn load(keys: &DeviceKeys, room: &RoomId, rows: Rows) -> Result<Self, ErrorCode> {
        let _ = (keys, room, rows);
        Err(ErrorCode::Internal)
    }

    /// The rows that changed since they were last taken, ascending by key.
    pub fn take_changes(&mut self) -> Vec<RowChange> {
        Vec::new()
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

    /// A secret-derived value that all members of an epoch share: equal here, equal everything.
    #[must_use]
    pub fn epoch_authenticator(&self) -> Vec<u8> {
        Vec::new()
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

    /// Whether this device is still a member.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        false
    }

    /// Whether an own commit waits for being ordered.
    #[must_use]
    pub const fn has_pending_commit(&self) -> bool {
        false
    }

    /// The leaves whose departure was proposed in this epoch and not yet committed.
    #[must_use]
    pub fn leaving(&self) -> Vec<Leaf> {
        Vec::new()
    }

    /// Encrypts a padded content as `MLSMessage(PrivateMessage)` of the current epoch.
    ///
    /// # Errors
    /// `Forbidden` if this device is no member; `TooLarge`; `Malformed` if the binding is not to this
    /// room; `Conflict` while proposals or a commit of this device are pending and forbid it.
    pub fn encrypt(
        &mut self,
        binding: &MessageBinding,
        content: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Bytes, ErrorCode> {
        let _ = (binding, content, entropy);
        Err(ErrorCode::Internal)
    }

    /// Makes a commit. It stays pending until it comes back through [`Member::process`], another one
    /// is merged, or [`Member::clear_pending`].
    ///
    /// # Errors
    /// `Conflict` if one is pending, or a device to add is there already; `NotFound` if an account to
    /// remove is not there; `Forbidden` if this device is no member, or its own account is to be
    /// removed; `TooLarge`; as [`crate::check_key_package`] without the time.
    pub fn commit(
        &mut self,
        binding: &MessageBinding,
        change: &Change,
        entropy: &mut dyn Entropy,
    ) -> Result<CommitBundle, ErrorCode> {
        let _ = (binding, change, entropy);
        Err(ErrorCode::Internal)
    }

    /// Proposes that this device leaves (`SelfRemove`).
    ///
    /// # Errors
    /// `Forbidden` if this device is no member, `Conflict` while a commit is pending.
    pub fn propose_leave(
        &mut self,
        binding: &MessageBinding,
        entropy: &mut dyn Entropy,
    ) -> Result<Bytes, ErrorCode> {
        let _ = (binding, entropy);
        Err(ErrorCode::Internal)
    }

    /// Processes the body of an event of the log, in the log's order.
    ///
    /// # Errors
    /// `StaleEpoch` if a commit or proposal is not of the current epoch, or a message of a later one;
    /// `Expired` if a message's key is gone: too old, too far out of order, or decrypted before;
    /// `Forbidden` if the sender has no leaf or this device is no member; `BadSignature`;
    /// `Malformed`, `TooLarge`, `Unsupported`; `Conflict` if a commit is staged already or two leaves
    /// would have one identity.
    pub fn process(&mut self, kind: EventKind, body: &[u8]) -> Result<Processed, ErrorCode> {
        let _ = (kind, body);
        Err(ErrorCode::Internal)
    }

    /// Makes the staged commit the group's state. A pending commit of this device is gone with it.
    ///
    /// # Errors
    /// `NotFound` if none is staged.
    pub fn merge_staged(&mut self) -> Result<(), ErrorCode> {
        Err(ErrorCode::Internal)
    }

    /// Forgets the staged commit.
    pub fn discard_staged(&mut self) {}

    /// Forgets the pending commit: it was refused, and will be made again.
    ///
    /// # Errors
    /// `Internal`.
    pub fn clear_pending(&mut self) -> Result<(), ErrorCode> {
        Err(ErrorCode::Internal)
    }
}
