//! Decides whether a commit is ordered, and what it does to the room.

use std::collections::BTreeSet;

use wire::{Account, DeviceId, DomainName, ErrorCode, WireError};

use super::{RoomView, message::current_epoch};
use crate::{Change, CheckedEvent, Outcome, Request, State, policy};

/// What the hub's copy of the group says about a commit whose MLS signature and structure are
/// valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The account and device of the committing leaf.
    pub committer: (Account, DeviceId),
    /// The room and message id in the authenticated data.
    pub binding: (wire::RoomId, wire::MessageId),
    /// Leaves that it adds; their identities are checked by the caller.
    pub added: Vec<(Account, DeviceId)>,
    /// Leaves that it removes.
    pub removed: Vec<(Account, DeviceId)>,
    /// The room state after it.
    pub state: State,
}

/// What an ordered commit does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitEffects {
    /// The room after it.
    pub view: RoomView,
    /// Accounts that receive events from this one on: a `Join` goes to each of their domains.
    pub joined: BTreeSet<Account>,
    /// Accounts whose last event this is. Those that left or declined earlier are not among them.
    pub removed: BTreeSet<Account>,
    /// Domains that receive nothing after this event.
    pub left: BTreeSet<DomainName>,
}

/// Checks a commit against the room ([ROOM-15], [ROOM-16]).
///
/// # Errors
/// `NotFound`, `Forbidden` by standing; `StaleEpoch` with the current epoch for a lost race;
/// `OriginMismatch` if the committing leaf is not the submitter's; `Malformed` if the binding names
/// another place, or the Welcome is missing or superfluous; else as [`policy::check`].
pub fn order_commit(
    view: &RoomView,
    request: &Request,
    observe: impl FnOnce() -> Result<Observation, ErrorCode>,
) -> Result<CommitEffects, WireError> {
    view.submitter(request)?;
    current_epoch(view, request)?;
    let seen = observe()?;
    if seen.committer != (request.account.clone(), request.device) {
        return Err(ErrorCode::OriginMismatch.into());
    }
    if seen.binding != (view.room, request.message) {
        return Err(ErrorCode::Malformed.into());
    }
    let has_welcome = request.extras.as_ref().is_some_and(|extras| !extras.welcome.is_empty());
    if has_welcome == seen.added.is_empty() {
        return Err(ErrorCode::Malformed.into());
    }
    Ok(judge(view, seen)?)
}

/// [ROOM-40] What a commit does that this hub has ordered before, and gets back from a follower: the
/// same as the first time.
///
/// # Errors
/// `StaleEpoch` if it is of another epoch, `Malformed` if its binding names another place, else as
/// [`policy::check`].
pub fn commit_again(
    view: &RoomView,
    event: &CheckedEvent,
    observe: impl FnOnce() -> Result<Observation, ErrorCode>,
) -> Result<CommitEffects, ErrorCode> {
    if event.epoch != view.epoch {
        return Err(ErrorCode::StaleEpoch);
    }
    let seen = observe()?;
    if seen.binding != (view.room, event.message) {
        return Err(ErrorCode::Malformed);
    }
    judge(view, seen)
}

fn judge(view: &RoomView, seen: Observation) -> Result<CommitEffects, ErrorCode> {
    let change = Change {
        committer: (&seen.committer.0, &seen.committer.1),
        added: &seen.added,
        removed: &seen.removed,
        before: &view.state,
        after: &seen.state,
    };
    let outcome = policy::check(&view.roster, &view.leaving, &change)?;
    Ok(effects(view, seen.state, outcome))
}

fn effects(view: &RoomView, state: State, outcome: Outcome) -> CommitEffects {
    let Outcome { roster, joined, gone } = outcome;
    let before = view.recipients();
    let removed = gone
        .iter()
        .filter(|account| !view.leaving.contains(*account) && !view.declined.contains(*account))
        .cloned()
        .collect();
    let mut after = RoomView {
        room: view.room,
        state,
        epoch: view.epoch.saturating_add(1),
        leaving: view.leaving.difference(&gone).cloned().collect(),
        declined: view.declined.difference(&gone).cloned().collect(),
        former: view.former.union(&gone).cloned().collect(),
        roster,
    };
    after.former.retain(|account| !after.roster.contains_key(account));
    let left = before.difference(&after.recipients()).cloned().collect();
    CommitEffects { view: after, joined, removed, left }
}
