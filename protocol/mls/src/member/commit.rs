//! What a member asks of the group: commits and its own departure.

use std::collections::BTreeSet;

use bytes::Bytes;
use machine::Entropy;
use openmls::prelude::{
    CommitMessageBundle, KeyPackage, LeafNodeIndex, LeaveGroupError, OpenMlsProvider as _,
};
use wire::{Account, ErrorCode, limits, proto::MessageBinding};

use super::{Change, CommitBundle, Member};
use crate::{Leaf, fault, framing::authenticated_data, key_package, provider::DeviceSigner, suite};

impl Member {
    /// Makes a commit. It stays pending until it comes back through [`Member::process`], another one
    /// is merged, or [`Member::clear_pending`].
    ///
    /// # Errors
    /// `Conflict` if one is pending, or a device to add is there already; `NotFound` if an account to
    /// remove is not there; `Forbidden` if this device is no member or about to leave, or its own
    /// account is to be removed; `TooLarge`; as [`crate::check_key_package`] without the time.
    pub fn commit(
        &mut self,
        binding: &MessageBinding,
        change: &Change,
        entropy: &mut dyn Entropy,
    ) -> Result<CommitBundle, ErrorCode> {
        self.settled()?;
        if self.has_pending_commit() || self.staged.is_some() {
            return Err(ErrorCode::Conflict);
        }
        let data = authenticated_data(&self.room, binding)?;
        let leaves = self.leaves();
        let removed = self.to_remove(&leaves, change)?;
        let added = self.to_add(&leaves, &removed, change)?;
        self.with_entropy(entropy, |member| {
            member.group.set_aad(data);
            let made = member.build(added, &removed, change);
            if made.is_err() {
                member.clear_pending()?;
            }
            made
        })
    }

    /// Proposes that this device leaves (`SelfRemove`).
    ///
    /// # Errors
    /// `Forbidden` if this device is no member, `Conflict` while a commit is pending or if it is
    /// proposed already.
    pub fn propose_leave(
        &mut self,
        binding: &MessageBinding,
        entropy: &mut dyn Entropy,
    ) -> Result<Bytes, ErrorCode> {
        self.settled()?;
        if self.leaving_indexes().contains(&self.group.own_leaf_index().u32()) {
            return Err(ErrorCode::Conflict);
        }
        let data = authenticated_data(&self.room, binding)?;
        self.with_entropy(entropy, |member| {
            member.group.set_aad(data);
            let message = member
                .group
                .leave_group_via_self_remove(&member.provider, &DeviceSigner(&member.secret))
                .map_err(|error| match error {
                    LeaveGroupError::GroupStateError(error) => fault::group_state(&error),
                    _ => ErrorCode::Internal,
                })?;
            message.to_bytes().map(Bytes::from).map_err(|_| ErrorCode::Internal)
        })
    }

    // The leaves that need a Remove proposal: of the accounts to remove, and what is left of those
    // that have proposed to leave.
    fn to_remove(&self, leaves: &[Leaf], change: &Change) -> Result<BTreeSet<u32>, ErrorCode> {
        let own = self.group.own_leaf_index().u32();
        let leaving = self.leaving_indexes();
        let mut accounts: BTreeSet<&Account> = change.remove.iter().collect();
        if accounts.iter().any(|account| !leaves.iter().any(|leaf| leaf.account == **account)) {
            return Err(ErrorCode::NotFound);
        }
        let gone = leaves.iter().filter(|leaf| leaving.contains(&leaf.index));
        accounts.extend(gone.map(|leaf| &leaf.account));
        let all = leaves.iter().filter(|leaf| accounts.contains(&leaf.account));
        let removed: BTreeSet<u32> = all.map(|leaf| leaf.index).collect();
        if removed.contains(&own) {
            return Err(ErrorCode::Forbidden);
        }
        Ok(removed.difference(&leaving).copied().collect())
    }

    // [MLS-8]
    fn to_add(
        &self,
        leaves: &[Leaf],
        removed: &BTreeSet<u32>,
        change: &Change,
    ) -> Result<Vec<KeyPackage>, ErrorCode> {
        if change.add.len() > limits::ADDS_PER_COMMIT_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let stay = leaves.iter().filter(|leaf| !removed.contains(&leaf.index));
        let mut devices: BTreeSet<_> = stay.map(|leaf| (leaf.account.clone(), leaf.device)).collect();
        let mut packages = Vec::with_capacity(change.add.len());
        for bytes in &change.add {
            let package = key_package::parse(bytes, self.provider.crypto())?;
            let leaf = Leaf::of_node(0, package.leaf_node())?;
            if !devices.insert((leaf.account, leaf.device)) {
                return Err(ErrorCode::Conflict);
            }
            packages.push(package);
        }
        if devices.len() > limits::ROOM_DEVICES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        Ok(packages)
    }

    fn build(
        &mut self,
        added: Vec<KeyPackage>,
        removed: &BTreeSet<u32>,
        change: &Change,
    ) -> Result<CommitBundle, ErrorCode> {
        let epoch = self.epoch();
        // [MLS-13]
        let mut builder = self
            .group
            .commit_builder()
            .force_self_update(true)
            .propose_removals(removed.iter().copied().map(LeafNodeIndex::new))
            .propose_adds(added);
        if let Some(state) = change.state.as_ref().filter(|state| **state != self.state) {
            if state.room.as_ref() != self.room.as_bytes() {
                return Err(ErrorCode::Malformed);
            }
            builder = builder
                .propose_group_context_extensions(suite::group_context(state)?)
                .map_err(|error| fault::create_commit(&error))?;
        }
        let commit = builder
            .load_psks(self.provider.storage())
            .map_err(|error| fault::create_commit(&error))?
            .create_group_info(true)
            .use_ratchet_tree_extension(false)
            .build(self.provider.rand(), self.provider.crypto(), &DeviceSigner(&self.secret), |_| true)
            .map_err(|error| fault::create_commit(&error))?
            .stage_commit(&self.provider)
            .map_err(|_| ErrorCode::Internal)?;
        bundle(epoch, commit)
    }
}

pub(super) fn bundle(epoch: u64, made: CommitMessageBundle) -> Result<CommitBundle, ErrorCode> {
    let (commit, welcome, group_info) = made.into_messages();
    let encoded = |message: openmls::prelude::MlsMessageOut| {
        message.to_bytes().map(Bytes::from).map_err(|_| ErrorCode::Internal)
    };
    let bundle = CommitBundle {
        epoch,
        commit: encoded(commit)?,
        welcome: welcome.map(encoded).transpose()?.unwrap_or_default(),
        group_info: group_info.map(encoded).transpose()?.ok_or(ErrorCode::Internal)?,
    };
    let fits = bundle.commit.len() <= limits::COMMIT_BYTES_MAX
        && bundle.welcome.len() <= limits::WELCOME_BYTES_MAX
        && bundle.group_info.len() <= limits::GROUP_INFO_BYTES_MAX;
    fits.then_some(bundle).ok_or(ErrorCode::TooLarge)
}
