//! A member's device in the group of a room.

mod commit;
mod enter;
mod process;

pub use enter::{Entrance, Joined};
pub(crate) use enter::{parse_group_info, parse_tree};

use std::collections::BTreeSet;

use bytes::Bytes;
use machine::Entropy;
use openmls::prelude::{GroupId, MlsGroup, QueuedProposal, StagedCommit};
use wire::{
    Account, ErrorCode, RoomId, SecretKey,
    proto::{MessageBinding, RoomState},
};

use crate::{
    DeviceKeys, Leaf, RowChange, Rows, delta, fault,
    framing::authenticated_data,
    provider::{DeviceSigner, Provider},
    store::{Store, row},
    suite,
};

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
    secret: SecretKey,
    provider: Provider,
    group: MlsGroup,
    staged: Option<Staged>,
    /// The hash of the external commit with which this device came (back) into the group, until that
    /// is ordered.
    rejoin: Option<[u8; 32]>,
}

enum Staged {
    /// A commit of somebody else.
    Foreign(Box<StagedCommit>),
    /// The pending commit.
    Own,
    /// The external commit of this device, which OpenMLS has merged already.
    Rejoin,
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
    /// The member that these rows hold.
    ///
    /// # Errors
    /// `NotFound` if they hold no group of this room; `Internal` if they are damaged.
    pub fn load(keys: &DeviceKeys, room: &RoomId, rows: Rows) -> Result<Self, ErrorCode> {
        let provider = Provider::with_store(Store::load(rows));
        let group = MlsGroup::load(provider.store(), &GroupId::from_slice(room.as_bytes()))
            .map_err(fault::damaged)?
            .ok_or(ErrorCode::NotFound)?;
        if group.group_id().as_slice() != room.as_bytes() {
            return Err(ErrorCode::NotFound);
        }
        let rejoin = provider.store().get(&[row::REJOIN]).map_err(fault::damaged)?;
        let mut member = Self::of_group(keys, *room, provider, group)?;
        member.rejoin = rejoin;
        Ok(member)
    }

    fn of_group(
        keys: &DeviceKeys,
        room: RoomId,
        provider: Provider,
        group: MlsGroup,
    ) -> Result<Self, ErrorCode> {
        let state = suite::room_state(&room, group.extensions())?;
        let secret = keys.secret.clone();
        Ok(Self { room, state, secret, provider, group, staged: None, rejoin: None })
    }

    /// The rows that changed since they were last taken, ascending by key.
    pub fn take_changes(&mut self) -> Vec<RowChange> {
        self.provider.store().take_changes()
    }

    /// The room.
    #[must_use]
    pub const fn room(&self) -> &RoomId {
        &self.room
    }

    /// The group's epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.group.epoch().as_u64()
    }

    /// A secret-derived value that all members of an epoch share: equal here, equal everything.
    #[must_use]
    pub fn epoch_authenticator(&self) -> Vec<u8> {
        self.group.epoch_authenticator().as_slice().to_vec()
    }

    /// The tree hash: two views of one epoch have the same.
    #[must_use]
    pub fn tree_hash(&self) -> Vec<u8> {
        self.group.public_group().group_context().tree_hash().to_vec()
    }

    /// The room state.
    #[must_use]
    pub const fn state(&self) -> &RoomState {
        &self.state
    }

    /// All leaves, ascending by index.
    #[must_use]
    pub fn leaves(&self) -> Vec<Leaf> {
        delta::leaves(self.group.public_group())
    }

    /// This device's leaf, if it is still a member.
    #[must_use]
    pub fn own_leaf(&self) -> Option<Leaf> {
        let own = self.group.own_leaf_index().u32();
        self.is_active().then(|| delta::leaf(self.group.public_group(), own).ok()).flatten()
    }

    /// Whether this device is still a member.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.group.is_active()
    }

    /// Whether an own commit waits for being ordered.
    #[must_use]
    pub fn has_pending_commit(&self) -> bool {
        self.rejoin.is_some() || self.group.pending_commit().is_some()
    }

    /// The leaves whose departure was proposed in this epoch and not yet committed. While there is
    /// one, a commit must come before the next message.
    #[must_use]
    pub fn leaving(&self) -> Vec<Leaf> {
        delta::chosen(self.group.public_group(), &self.leaving_indexes())
    }

    fn leaving_indexes(&self) -> BTreeSet<u32> {
        self.group.pending_proposals().filter_map(|proposal| delta::leaver(proposal).ok()).collect()
    }

    /// Encrypts a padded content as `MLSMessage(PrivateMessage)` of the current epoch.
    ///
    /// # Errors
    /// `Forbidden` if this device is no member; `TooLarge`; `Malformed` if the binding is not to this
    /// room; `Conflict` while a departure is proposed and not committed, or a rejoin is not ordered.
    pub fn encrypt(
        &mut self,
        binding: &MessageBinding,
        content: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Bytes, ErrorCode> {
        if content.len() > wire::limits::MESSAGE_BYTES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        self.settled()?;
        let data = authenticated_data(&self.room, binding)?;
        self.with_entropy(entropy, |member| {
            member.group.set_aad(data);
            let message = member.in_current_epoch(|member| {
                let signer = DeviceSigner(&member.secret);
                member.group.create_message(&member.provider, &signer, content)
            });
            let message = message.map_err(|error| fault::message(&error))?;
            let bytes = message.to_bytes().map_err(|_| ErrorCode::Internal)?;
            if bytes.len() > wire::limits::MESSAGE_BYTES_MAX {
                return Err(ErrorCode::TooLarge);
            }
            Ok(bytes.into())
        })
    }

    /// Makes the staged commit the group's state. A pending commit of this device is gone with it.
    ///
    /// # Errors
    /// `NotFound` if none is staged.
    pub fn merge_staged(&mut self) -> Result<(), ErrorCode> {
        match self.staged.take().ok_or(ErrorCode::NotFound)? {
            Staged::Foreign(staged) => {
                self.group.merge_staged_commit(&self.provider, *staged).map_err(|_| ErrorCode::Internal)?
            }
            Staged::Own => {
                self.group.merge_pending_commit(&self.provider).map_err(|_| ErrorCode::Internal)?;
            }
            Staged::Rejoin => {
                self.provider.store().delete(&[row::REJOIN]);
                self.rejoin = None;
            }
        }
        self.state = suite::room_state(&self.room, self.group.extensions())?;
        Ok(())
    }

    /// Forgets the staged commit.
    pub fn discard_staged(&mut self) {
        self.staged = None;
    }

    /// Forgets the pending commit, or the own proposal to leave: it was refused, or will be made
    /// again.
    ///
    /// # Errors
    /// `Conflict` for a rejoin: drop the member and begin again from the rows that were stored before
    /// it. `Internal`.
    pub fn clear_pending(&mut self) -> Result<(), ErrorCode> {
        if self.rejoin.is_some() {
            return Err(ErrorCode::Conflict);
        }
        if matches!(self.staged, Some(Staged::Own)) {
            self.staged = None;
        }
        self.withdraw_leave()?;
        self.group.clear_pending_commit(self.provider.store()).map_err(fault::damaged)
    }

    // Nothing can be made in a group while the own departure is pending in it.
    fn withdraw_leave(&mut self) -> Result<(), ErrorCode> {
        let own = self.group.own_leaf_index().u32();
        let mine = |proposal: &&QueuedProposal| delta::leaver(proposal).is_ok_and(|leaver| leaver == own);
        let proposals = self.group.pending_proposals().filter(mine);
        let references: Vec<_> =
            proposals.map(|proposal| proposal.proposal_reference_ref().clone()).collect();
        for reference in references {
            self.group
                .remove_pending_proposal(self.provider.store(), &reference)
                .map_err(|_| ErrorCode::Internal)?;
        }
        Ok(())
    }

    // Nothing may be made in a group that does not exist for the others yet.
    fn settled(&self) -> Result<(), ErrorCode> {
        if !self.group.is_active() {
            return Err(ErrorCode::Forbidden);
        }
        self.rejoin.map_or(Ok(()), |_| Err(ErrorCode::Conflict))
    }

    // An operation on a message of the current epoch leaves the secrets of past ones as they are.
    fn in_current_epoch<T>(&mut self, operation: impl FnOnce(&mut Self) -> T) -> T {
        self.provider.store().current_epoch_only.set(true);
        let result = operation(self);
        self.provider.store().current_epoch_only.set(false);
        result
    }

    fn with_entropy<T>(
        &mut self,
        entropy: &mut dyn Entropy,
        operation: impl FnOnce(&mut Self) -> Result<T, ErrorCode>,
    ) -> Result<T, ErrorCode> {
        self.provider.seed(entropy);
        let result = operation(self);
        self.provider.unseed();
        result
    }
}
