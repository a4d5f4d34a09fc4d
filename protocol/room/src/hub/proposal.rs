//! Decides whether a proposal is ordered: only that of an account to leave.

use std::collections::BTreeSet;

use wire::{Account, DeviceId, DomainName, ErrorCode, MessageId, RoomId, WireError, proto::RoomKind};

use super::{RoomView, message::current_epoch};
use crate::Request;

/// What an ordered leave does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaveEffects {
    /// The room after it: the account is among the leaving, its leaves are still there.
    pub view: RoomView,
    /// The account whose last event this is.
    pub account: Account,
    /// Its domain, if that receives nothing after this event.
    pub left: BTreeSet<DomainName>,
}

/// Checks a proposal against the room ([ROOM-17]). `observe` gives the leaf that proposes its own
/// removal and the room and message id in the authenticated data.
///
/// # Errors
/// `NotFound`, `Forbidden` by standing, or for the last member of a direct room, who alone can bring
/// the other back; `StaleEpoch` with the current epoch; `OriginMismatch` if the leaf is not the
/// submitter's; `Malformed` if the binding names another place.
pub fn order_proposal(
    view: &RoomView,
    request: &Request,
    observe: impl FnOnce() -> Result<((Account, DeviceId), (RoomId, MessageId)), ErrorCode>,
) -> Result<LeaveEffects, WireError> {
    view.submitter(request)?;
    current_epoch(view, request)?;
    let mut others = view.roster.keys().filter(|account| **account != request.account);
    let alone = !others.any(|account| !view.has_been_in(account));
    if alone && view.state.kind == RoomKind::Direct {
        return Err(ErrorCode::Forbidden.into());
    }
    let (proposer, binding) = observe()?;
    if proposer != (request.account.clone(), request.device) {
        return Err(ErrorCode::OriginMismatch.into());
    }
    if binding != (view.room, request.message) {
        return Err(ErrorCode::Malformed.into());
    }
    Ok(leave_again(view, &request.account))
}

/// [ROOM-40] What a leave does, when it is ordered and when it is got back from a follower.
#[must_use]
pub fn leave_again(view: &RoomView, account: &Account) -> LeaveEffects {
    let mut after = view.clone();
    after.leaving.insert(account.clone());
    let left = view.recipients().difference(&after.recipients()).cloned().collect();
    LeaveEffects { view: after, account: account.clone(), left }
}
