//! Reads what a valid commit does, and holds it to the rules that hub and members share. One function
//! for both, so that they cannot disagree.

use std::collections::BTreeSet;

use openmls::prelude::{
    Extension, LeafNodeIndex, Proposal, ProposalOrRefType, PublicGroup, QueuedProposal, Sender, StagedCommit,
};
use wire::{ErrorCode, RoomId, limits, proto::RoomState};

use crate::{Leaf, key_package, suite};

/// What a commit does.
#[derive(Clone, Debug)]
pub(crate) struct Delta {
    pub(crate) committer: Leaf,
    pub(crate) added: Vec<Leaf>,
    pub(crate) removed: Vec<Leaf>,
    pub(crate) updated: Option<Leaf>,
    pub(crate) state: RoomState,
    pub(crate) epoch_after: u64,
    pub(crate) rejoined: bool,
}

/// All leaves, ascending by index. A leaf that is in a group has been checked when it came in.
pub(crate) fn leaves(group: &PublicGroup) -> Vec<Leaf> {
    group.members().filter_map(|member| Leaf::of_member(&member).ok()).collect()
}

/// [MLS-7], [MLS-8] Checks every leaf of a tree that comes from outside.
pub(crate) fn check_tree(group: &PublicGroup) -> Result<(), ErrorCode> {
    let mut devices = BTreeSet::new();
    for (index, node) in group.treesync().full_leaves() {
        let leaf = Leaf::of_node(index.u32(), node)?;
        if !devices.insert((leaf.account, leaf.device)) {
            return Err(ErrorCode::Conflict);
        }
    }
    if devices.len() > limits::ROOM_DEVICES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    Ok(())
}

/// The leaves with these indexes.
pub(crate) fn chosen(group: &PublicGroup, indexes: &BTreeSet<u32>) -> Vec<Leaf> {
    leaves(group).into_iter().filter(|leaf| indexes.contains(&leaf.index)).collect()
}

/// [MLS-15] The leaf that a standalone proposal removes; only its own departure may be proposed.
pub(crate) fn leaver(proposal: &QueuedProposal) -> Result<u32, ErrorCode> {
    match (proposal.proposal(), proposal.sender()) {
        (Proposal::SelfRemove, Sender::Member(leaf)) => Ok(leaf.u32()),
        _ => Err(ErrorCode::Forbidden),
    }
}

/// The leaf with this index.
pub(crate) fn leaf(group: &PublicGroup, index: u32) -> Result<Leaf, ErrorCode> {
    let node = group.leaf(LeafNodeIndex::new(index)).ok_or(ErrorCode::Forbidden)?;
    Leaf::of_node(index, node)
}

/// Reads a staged commit against the group before it. `leaving` are the leaves whose departure was
/// proposed in this epoch.
///
/// # Errors
/// `Malformed`, `Unsupported`, `TooLarge` for what it may not contain; `Conflict` if a proposed leave
/// is not carried out or two leaves would be of one device; `Forbidden` if it would put a leaf into
/// somebody else's name.
pub(crate) fn read(
    room: &RoomId,
    group: &PublicGroup,
    staged: &StagedCommit,
    sender: &Sender,
    leaving: &BTreeSet<u32>,
) -> Result<Delta, ErrorCode> {
    let mut parts = Parts::default();
    for proposal in staged.queued_proposals() {
        parts.take(group, proposal)?;
    }
    if parts.added.len() > limits::ADDS_PER_COMMIT_MAX {
        return Err(ErrorCode::TooLarge);
    }
    let state = suite::room_state(room, staged.group_context().extensions())?;
    let new = staged.update_path_leaf_node();
    let committer = parts.committer(group, staged, sender)?;
    let mut delta = Delta {
        committer,
        added: parts.added,
        removed: [parts.removed, parts.departed].concat(),
        updated: None,
        state,
        epoch_after: staged.epoch().as_u64(),
        rejoined: matches!(sender, Sender::NewMemberCommit),
    };
    // [MLS-13]
    let new = new.ok_or(ErrorCode::Malformed)?;
    let updated = Leaf::of_node(delta.committer.index, new)?;
    // [MLS-9] Names are written by whoever makes the leaf. The key is what was certified and checked
    // when the old leaf came in, so nobody takes its place without it, an external commit included.
    if !updated.same_device(&delta.committer) || updated.key != delta.committer.key {
        return Err(ErrorCode::Forbidden);
    }
    delta.updated = Some(updated);
    place(group, &mut delta)?;
    // [MLS-17]
    let removed: BTreeSet<u32> = delta.removed.iter().map(|leaf| leaf.index).collect();
    leaving.is_subset(&removed).then_some(delta).ok_or(ErrorCode::Conflict)
}

#[derive(Default)]
struct Parts {
    added: Vec<Leaf>,
    removed: Vec<Leaf>,
    departed: Vec<Leaf>,
    external_init: bool,
}

impl Parts {
    // [MLS-14]
    fn take(&mut self, group: &PublicGroup, proposal: &QueuedProposal) -> Result<(), ErrorCode> {
        let by_value = proposal.proposal_or_ref_type() == ProposalOrRefType::Proposal;
        match proposal.proposal() {
            Proposal::Add(add) if by_value => {
                self.added.push(key_package::check_form(add.key_package())?);
            }
            Proposal::Remove(remove) if by_value => {
                self.removed.push(leaf(group, remove.removed().u32())?);
            }
            Proposal::GroupContextExtensions(change) if by_value => {
                let own = |extension: &Extension| {
                    matches!(
                        extension,
                        Extension::RequiredCapabilities(_) | Extension::Unknown(suite::ROOM_STATE, _)
                    )
                };
                if !change.extensions().iter().all(own) {
                    return Err(ErrorCode::Unsupported);
                }
            }
            Proposal::ExternalInit(_) if by_value => self.external_init = true,
            Proposal::SelfRemove if !by_value => {
                self.departed.push(leaf(group, leaver(proposal)?)?);
            }
            _ => return Err(ErrorCode::Unsupported),
        }
        Ok(())
    }

    // The committing leaf as it was. For an external commit that is the one leaf that it removes by
    // itself, and its index the one that the new leaf takes.
    fn committer(
        &mut self,
        group: &PublicGroup,
        staged: &StagedCommit,
        sender: &Sender,
    ) -> Result<Leaf, ErrorCode> {
        match sender {
            Sender::Member(index) if !self.external_init => leaf(group, index.u32()),
            // [MLS-16]
            Sender::NewMemberCommit => {
                let new = staged.update_path_leaf_node().ok_or(ErrorCode::Malformed)?;
                let new = Leaf::of_node(0, new)?;
                let own = self.removed.iter().position(|leaf| leaf.same_device(&new));
                let mut old = self.removed.remove(own.ok_or(ErrorCode::Forbidden)?);
                if !self.added.is_empty() || !self.removed.is_empty() {
                    return Err(ErrorCode::Forbidden);
                }
                let index = group.ext_commit_sender_index(staged).map_err(|_| ErrorCode::Malformed)?;
                old.index = index.u32();
                Ok(old)
            }
            Sender::Member(_) | Sender::External(_) | Sender::NewMemberProposal => Err(ErrorCode::Forbidden),
        }
    }
}

// [MLS-8] Gives added leaves the places that they will have (the leftmost free ones, in the order of
// the proposals) and refuses a second leaf of a device.
fn place(group: &PublicGroup, delta: &mut Delta) -> Result<(), ErrorCode> {
    if delta.added.is_empty() {
        return Ok(());
    }
    let gone: BTreeSet<u32> = delta.removed.iter().map(|leaf| leaf.index).collect();
    let stay: Vec<Leaf> = leaves(group).into_iter().filter(|leaf| !gone.contains(&leaf.index)).collect();
    let mut taken: BTreeSet<u32> = stay.iter().map(|leaf| leaf.index).collect();
    let mut devices: BTreeSet<_> = stay.into_iter().map(|leaf| (leaf.account, leaf.device)).collect();
    for leaf in &mut delta.added {
        let free = (0..).find(|index| !taken.contains(index)).ok_or(ErrorCode::TooLarge)?;
        taken.insert(free);
        leaf.index = free;
        if !devices.insert((leaf.account.clone(), leaf.device)) {
            return Err(ErrorCode::Conflict);
        }
    }
    if devices.len() > limits::ROOM_DEVICES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    Ok(())
}
