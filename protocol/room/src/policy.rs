//! Decides who may change what in a room. Hub and clients call the same function on the same
//! commit, so a hub that lets something through is caught by every member.

use std::collections::{BTreeMap, BTreeSet};

use wire::{Account, DeviceId, ErrorCode, limits, proto::RoomKind};

use crate::State;

/// Which devices of which accounts have a leaf in the group.
pub type Roster = BTreeMap<Account, BTreeSet<DeviceId>>;

/// A commit as both hub and members see it: who committed, which leaves it adds and removes, and
/// the room state before and after.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The account and device whose leaf committed.
    pub committer: (&'a Account, &'a DeviceId),
    /// Leaves that it adds.
    pub added: &'a [(Account, DeviceId)],
    /// Leaves that it removes, for whatever reason.
    pub removed: &'a [(Account, DeviceId)],
    /// The state in the epoch before.
    pub before: &'a State,
    /// The state in the epoch after.
    pub after: &'a State,
}

/// What a permitted commit does to the room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The leaves after it.
    pub roster: Roster,
    /// Accounts that had no leaf before and have one now.
    pub joined: BTreeSet<Account>,
    /// Accounts that had a leaf before and have none now.
    pub gone: BTreeSet<Account>,
}

/// Checks a commit against roles and room rules. `leaving` are the accounts whose leave was ordered
/// and that still have a leaf.
///
/// # Errors
/// - `Forbidden`: the committer is no member, or the role does not suffice ([ROOM-20]); devices of
///   an account would be separated ([ROOM-21]); a direct room would gain somebody else
///   ([ROOM-22]); room, hub or kind would change ([ROOM-23]).
/// - `Conflict`: a leave that was ordered is not carried out ([ROOM-24]); an added device is
///   already there.
/// - `Malformed`: a removed device is not there; the admins after it are not members ([ROOM-25]).
/// - `TooLarge`: over the limits ([ROOM-26]).
///
/// What may be after it is for [`check_roster`].
pub fn check(
    roster: &Roster,
    leaving: &BTreeSet<Account>,
    change: &Change<'_>,
) -> Result<Outcome, ErrorCode> {
    let (committer, device) = change.committer;
    if leaving.contains(committer) || !roster.get(committer).is_some_and(|own| own.contains(device)) {
        return Err(ErrorCode::Forbidden);
    }
    if change.added.len() > limits::ADDS_PER_COMMIT_MAX {
        return Err(ErrorCode::TooLarge);
    }
    let outcome = outcome(roster, change)?;
    whole_accounts(roster, change, &outcome)?;
    if !leaving.is_disjoint(&outcome.roster.keys().cloned().collect()) {
        return Err(ErrorCode::Conflict);
    }
    immutable(change.before, change.after)?;
    check_roster(change.after, &outcome.roster)?;
    role(leaving, change, &outcome)?;
    Ok(outcome)
}

/// Checks who is in a room against what the room is, whatever led there: a commit, or a Welcome
/// whose past the joiner does not know.
///
/// # Errors
/// - `TooLarge`: more leaves than a room has ([ROOM-26]).
/// - `Forbidden`: in a direct room, an account that is none of its two ([ROOM-22]).
/// - `Malformed`: nobody is in it; in a group, an admin who is no member ([ROOM-25]).
pub fn check_roster(state: &State, roster: &Roster) -> Result<(), ErrorCode> {
    if roster.values().map(BTreeSet::len).sum::<usize>() > limits::ROOM_DEVICES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    if roster.is_empty() || state.admins.is_empty() {
        return Err(ErrorCode::Malformed);
    }
    let (holds, error) = match state.kind {
        RoomKind::Direct => (roster.keys().all(|account| state.is_admin(account)), ErrorCode::Forbidden),
        RoomKind::Group | RoomKind::Unspecified => {
            (state.admins.iter().all(|admin| roster.contains_key(admin)), ErrorCode::Malformed)
        }
    };
    holds.then_some(()).ok_or(error)
}

/// The state that a commit must carry if these accounts remain: admins that are gone are struck
/// out, and if none is left, the lowest remaining account becomes admin ([ROOM-27]). In a direct
/// room nothing changes.
#[must_use]
pub fn succession(before: &State, remaining: &Roster) -> State {
    let mut after = before.clone();
    if before.kind == RoomKind::Direct {
        return after;
    }
    after.admins.retain(|admin| remaining.contains_key(admin));
    if after.admins.is_empty() {
        after.admins.extend(remaining.keys().next().cloned());
    }
    after
}

fn outcome(roster: &Roster, change: &Change<'_>) -> Result<Outcome, ErrorCode> {
    let mut after = roster.clone();
    for (account, device) in change.removed {
        let devices = after.get_mut(account).ok_or(ErrorCode::Malformed)?;
        if !devices.remove(device) {
            return Err(ErrorCode::Malformed);
        }
        if devices.is_empty() {
            after.remove(account);
        }
    }
    for (account, device) in change.added {
        if !after.entry(account.clone()).or_default().insert(*device) {
            return Err(ErrorCode::Conflict);
        }
    }
    let joined = after.keys().filter(|account| !roster.contains_key(*account)).cloned().collect();
    let gone = roster.keys().filter(|account| !after.contains_key(*account)).cloned().collect();
    Ok(Outcome { roster: after, joined, gone })
}

// [ROOM-21] Others add or remove all of an account; its own devices may change one another, as long
// as one stays.
fn whole_accounts(roster: &Roster, change: &Change<'_>, outcome: &Outcome) -> Result<(), ErrorCode> {
    let own = change.committer.0;
    let others_added =
        change.added.iter().all(|(account, _)| account == own || outcome.joined.contains(account));
    let others_removed =
        change.removed.iter().all(|(account, _)| account == own || outcome.gone.contains(account));
    let replaced = change.added.iter().any(|(account, _)| account != own && roster.contains_key(account));
    if !others_added || !others_removed || replaced || !outcome.roster.contains_key(own) {
        return Err(ErrorCode::Forbidden);
    }
    Ok(())
}

// [ROOM-23]
fn immutable(before: &State, after: &State) -> Result<(), ErrorCode> {
    let same = before.room == after.room && before.hub == after.hub && before.kind == after.kind;
    let admins_may_change = before.kind != RoomKind::Direct || before.admins == after.admins;
    (same && admins_may_change).then_some(()).ok_or(ErrorCode::Forbidden)
}

// [ROOM-20] An admin may do all that the room allows; a member may carry out leaves, change its own
// devices, and follow the rule of succession. Whoever adds is still an admin afterwards: those who
// are added cannot see what it was before.
fn role(leaving: &BTreeSet<Account>, change: &Change<'_>, outcome: &Outcome) -> Result<(), ErrorCode> {
    if change.before.kind == RoomKind::Direct {
        return Ok(());
    }
    if change.before.is_admin(change.committer.0) {
        let stays = outcome.joined.is_empty() || change.after.is_admin(change.committer.0);
        return stays.then_some(()).ok_or(ErrorCode::Forbidden);
    }
    let leaves_only = outcome.joined.is_empty() && outcome.gone.is_subset(leaving);
    let state_follows = *change.after == succession(change.before, &outcome.roster);
    (leaves_only && state_follows).then_some(()).ok_or(ErrorCode::Forbidden)
}

#[cfg(test)]
mod tests;
