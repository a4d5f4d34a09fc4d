//! What a hub asks of its copy of a room's MLS group, in the words of `room`.

use bytes::Bytes;
use identity::{DomainDocument, check_leaf};
use machine::{Entropy, Timestamp};
use mls::Leaf;
use prost::Message as _;
use room::{
    State,
    hub::{FoundingLeaf, Observation},
};
use store::Store;
use wire::{
    Account, DeviceId, DomainName, ErrorCode, MessageId, RoomId,
    proto::{CommitExtras, MessageBinding, RoomFounding},
};

use crate::{Core, room_table::Room};

/// The hub's copy of a room's group.
pub(crate) use mls::Observer as Group;

type Place = (RoomId, MessageId);
type Device = (Account, DeviceId);

fn place(binding: &MessageBinding) -> Result<Place, ErrorCode> {
    Ok((RoomId::try_from(binding.room.as_ref())?, MessageId::try_from(binding.message_id.as_ref())?))
}

fn device(leaf: &Leaf) -> Device {
    (leaf.account.clone(), leaf.device)
}

/// Whether the leaf is the device that it says it is. A leaf of a domain that is not pinned here
/// cannot be checked and is refused.
fn verify(document: Option<&DomainDocument>, leaf: &Leaf, now: Timestamp) -> Result<(), ErrorCode> {
    let document = document.ok_or(ErrorCode::KeyUnverified)?;
    let checked = check_leaf(&leaf.identity, &leaf.key, document, now)?;
    if checked == device(leaf) { Ok(()) } else { Err(ErrorCode::AuthFailed) }
}

/// The group id, epoch and binding that a message names.
pub(crate) fn message_framing(body: &[u8]) -> Result<(RoomId, u64, Place), ErrorCode> {
    let framing = mls::framing(wire::proto::EventKind::Message, body)?;
    let place = place(&framing.binding)?;
    Ok((framing.room, framing.epoch, place))
}

/// [MLS-12] Whether it may travel as a message that nobody stores: it is of this room and not for its
/// log.
pub(crate) fn is_ephemeral(room: &RoomId, body: &[u8]) -> bool {
    mls::ephemeral_framing(body).is_ok_and(|framing| framing.room == *room)
}

/// Makes the commit that was checked last the state of the room's group. Returns the tree for those who
/// join, empty if nobody does. What a joiner needs, the tree and `others` bytes beside it, may have
/// `most` bytes: if it has more, or anything fails, the group is as it was before.
///
/// # Errors
/// `TooLarge`, and those of the group.
pub(crate) fn merge_commit(
    room: &mut Room,
    joined: bool,
    others: usize,
    most: usize,
) -> Result<Bytes, ErrorCode> {
    let group = room.group.as_mut().ok_or(ErrorCode::Internal)?;
    // An earlier commit of the same drain is in memory only: what is stored is behind it.
    let unwritten = room.group_changed.then(|| group.save());
    let merged = group.merge().and_then(|()| {
        let tree = if joined { group.ratchet_tree()? } else { Bytes::new() };
        if tree.len() + others > most { Err(ErrorCode::TooLarge) } else { Ok(tree) }
    });
    match merged {
        Ok(_) => room.group_changed = true,
        // Without one in memory it is loaded again from the store.
        Err(_) => room.group = unwritten.map(|bytes| Group::load(&bytes)).transpose()?,
    }
    merged
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// The newest document of a domain that is pinned here, this one included.
    pub(crate) fn document(&self, domain: &DomainName) -> Option<&DomainDocument> {
        if *domain == self.config.domain {
            return Some(self.chain.newest());
        }
        self.links.get(domain)?.chain.as_ref().map(identity::Chain::newest)
    }

    fn verify_leaf(&self, leaf: &Leaf) -> Result<(), ErrorCode> {
        verify(self.document(leaf.account.domain()), leaf, self.now)
    }

    /// The group that a founding begins, and its one leaf.
    pub(crate) fn found_group(&self, body: &[u8]) -> Result<(Group, FoundingLeaf), ErrorCode> {
        let founding = RoomFounding::decode(body).map_err(|_| ErrorCode::Malformed)?;
        let group = Group::found(&founding)?;
        let leaves = group.leaves();
        for leaf in &leaves {
            self.verify_leaf(leaf)?;
        }
        let seen = FoundingLeaf {
            group: *group.room(),
            epoch: group.epoch(),
            leaves: leaves.iter().map(device).collect(),
            state: group.state().clone(),
        };
        Ok((group, seen))
    }

    /// Loads the group of a room unless it is in memory.
    pub(crate) fn load_group(&self, room: &mut Room) -> Result<(), ErrorCode> {
        if room.group.is_none() {
            let bytes = self.store.group(&room.row.room).map_err(|error| error.code())?;
            room.group = Some(Group::load(&bytes.ok_or(ErrorCode::Internal)?)?);
        }
        Ok(())
    }

    /// Checks a commit against the group, and every leaf that it adds or changes against what is
    /// pinned of its domain.
    pub(crate) fn observe_commit(
        &self,
        group: &mut Group,
        body: &[u8],
        extras: &CommitExtras,
    ) -> Result<Observation, ErrorCode> {
        let seen = group.check_commit(body, extras)?;
        self.observation(&seen)
    }

    /// As [`Self::observe_commit`], of a commit that this hub has ordered before.
    pub(crate) fn observe_ordered(&self, group: &mut Group, body: &[u8]) -> Result<Observation, ErrorCode> {
        let seen = group.check_ordered(body)?;
        self.observation(&seen)
    }

    fn observation(&self, seen: &mls::Observed) -> Result<Observation, ErrorCode> {
        for leaf in seen.added.iter().chain(&seen.updated) {
            self.verify_leaf(leaf)?;
        }
        Ok(Observation {
            committer: device(&seen.committer),
            binding: place(&seen.binding)?,
            added: seen.added.iter().map(device).collect(),
            removed: seen.removed.iter().map(device).collect(),
            state: State::parse(&seen.state)?,
        })
    }

    /// Checks a proposal to leave against the group.
    pub(crate) fn observe_proposal(
        &self,
        group: &mut Group,
        body: &[u8],
    ) -> Result<(Device, Place), ErrorCode> {
        let seen = group.check_proposal(body)?;
        Ok((device(&seen.proposer), place(&seen.binding)?))
    }
}

#[cfg(test)]
mod tests;
