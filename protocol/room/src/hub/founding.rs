//! Decides whether a room is founded.

use std::collections::{BTreeMap, BTreeSet};

use wire::{
    Account, DeviceId, DomainName, ErrorCode, RoomId, WireError,
    proto::{RoomKind, RoomState},
};

use super::RoomView;
use crate::{Request, State, group_room};

/// What the MLS part of a founding says: one leaf and the state, in epoch 0 of this group.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundingLeaf {
    /// The group id.
    pub group: RoomId,
    /// The epoch; must be 0.
    pub epoch: u64,
    /// Every leaf of the tree; must be one. Its identity is checked by the caller.
    pub leaves: Vec<(Account, DeviceId)>,
    /// The room state extension.
    pub state: RoomState,
}

/// What an ordered founding does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founded {
    /// The room after it.
    pub view: RoomView,
}

/// Checks a founding ([ROOM-18]). `known` is the room, if this domain already orders it.
///
/// # Errors
/// Of a founding that is good otherwise `Conflict` if the room exists: for a direct room the other side
/// was first, and its invitation follows; `Forbidden` if the account was in it and is out, for then only
/// the other side can bring it back. `Misdirected` if another domain is to be hub. `OriginMismatch` if the leaf is not the
/// submitter's. `Forbidden` if the founder is not the first admin of a group, or none of the two of
/// a direct room. `Malformed` if room, hub or id do not agree. `Unsupported` as [`State::parse`].
pub fn order_founding(
    own: &DomainName,
    known: Option<&RoomView>,
    request: &Request,
    observe: impl FnOnce() -> Result<FoundingLeaf, ErrorCode>,
) -> Result<Founded, WireError> {
    if request.hub.as_ref() != Some(own) {
        return Err(ErrorCode::Misdirected.into());
    }
    let seen = observe()?;
    let state = State::parse(&seen.state)?;
    if seen.leaves != [(request.account.clone(), request.device)] {
        return Err(ErrorCode::OriginMismatch.into());
    }
    let agrees =
        seen.group == request.room && seen.epoch == 0 && state.room == request.room && state.hub == *own;
    if !agrees {
        return Err(ErrorCode::Malformed.into());
    }
    let founder = BTreeSet::from([request.account.clone()]);
    match state.kind {
        RoomKind::Group if state.admins != founder => return Err(ErrorCode::Forbidden.into()),
        // [ROOM-2]
        RoomKind::Group if !is_own_group(request, own) => return Err(ErrorCode::Malformed.into()),
        RoomKind::Direct if !state.admins.is_superset(&founder) => return Err(ErrorCode::Forbidden.into()),
        _ => {}
    }
    // Last: whoever guesses at a room of others hears what is wrong with the founding, as for any id.
    if let Some(view) = known {
        let out = view.has_been_in(&request.account);
        return Err(if out { ErrorCode::Forbidden } else { ErrorCode::Conflict }.into());
    }
    let roster = BTreeMap::from([(request.account.clone(), BTreeSet::from([request.device]))]);
    let none = BTreeSet::new;
    let view = RoomView {
        room: request.room,
        state,
        epoch: 0,
        roster,
        leaving: none(),
        declined: none(),
        former: none(),
    };
    Ok(Founded { view })
}

fn is_own_group(request: &Request, own: &DomainName) -> bool {
    request.account.domain() == own && group_room(&request.account, &request.message) == request.room
}
