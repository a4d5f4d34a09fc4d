//! Decides nothing: shows who may change what.

use wire::ErrorCode::{Conflict, Forbidden, Malformed, TooLarge};

use super::*;
use crate::{
    example::{account, device, direct_view, group_state, group_view, leaf, roster},
    hub::RoomView,
};

type Leaves<'a> = &'a [(&'a str, u8)];

fn leaves(list: Leaves<'_>) -> Vec<(Account, DeviceId)> {
    list.iter().map(|(name, n)| leaf(name, *n)).collect()
}

fn judge(
    view: &RoomView,
    committer: (&str, u8),
    added: Leaves<'_>,
    removed: Leaves<'_>,
    after: &State,
) -> Result<Outcome, ErrorCode> {
    let (account, device) = leaf(committer.0, committer.1);
    let change = Change {
        committer: (&account, &device),
        added: &leaves(added),
        removed: &leaves(removed),
        before: &view.state,
        after,
    };
    check(&view.roster, &view.leaving, &change)
}

// [ROOM-20] [ROOM-21]
#[test]
fn in_a_group_admins_change_accounts_and_members_their_own_devices() {
    let view = group_view();
    let same = &view.state;
    type Case<'a> = (&'a str, (&'a str, u8), Leaves<'a>, Leaves<'a>, Result<(), ErrorCode>);
    let cases: &[Case<'_>] = &[
        ("an admin adds", ("alice", 1), &[("dave", 1)], &[], Ok(())),
        ("an admin adds all devices of an account", ("alice", 1), &[("dave", 1), ("dave", 2)], &[], Ok(())),
        ("an admin removes", ("alice", 1), &[], &[("bob", 1)], Ok(())),
        ("a member updates its leaf", ("bob", 1), &[], &[], Ok(())),
        ("a member adds a device of its own", ("bob", 1), &[("bob", 2)], &[], Ok(())),
        ("an admin removes a device of its own", ("alice", 1), &[], &[("alice", 2)], Ok(())),
        ("a member adds", ("bob", 1), &[("dave", 1)], &[], Err(Forbidden)),
        ("a member removes", ("bob", 1), &[], &[("carol", 1)], Err(Forbidden)),
        ("a member removes an admin's device", ("bob", 1), &[], &[("alice", 2)], Err(Forbidden)),
        ("an admin adds a device to another", ("alice", 1), &[("bob", 2)], &[], Err(Forbidden)),
        ("an admin replaces another's device", ("alice", 1), &[("bob", 2)], &[("bob", 1)], Err(Forbidden)),
        ("a stranger commits", ("dave", 1), &[], &[], Err(Forbidden)),
        ("a device without leaf commits", ("bob", 2), &[], &[], Err(Forbidden)),
        ("an admin removes itself", ("alice", 1), &[], &[("alice", 1), ("alice", 2)], Err(Forbidden)),
        ("a leaf is added twice", ("alice", 1), &[("alice", 2)], &[], Err(Conflict)),
        ("a leaf that is not there is removed", ("alice", 1), &[], &[("dave", 1)], Err(Malformed)),
    ];
    for (what, committer, added, removed, expected) in cases {
        let judged = judge(&view, *committer, added, removed, same).map(drop);
        assert_eq!(judged, *expected, "{what}");
    }
}

#[test]
fn separating_the_devices_of_an_account_is_forbidden() {
    let mut view = group_view();
    view.roster.entry(account("bob")).or_default().insert(device("bob", 2));
    assert_eq!(judge(&view, ("alice", 1), &[], &[("bob", 1)], &view.state), Err(Forbidden));
    let outcome = judge(&view, ("alice", 1), &[], &[("bob", 1), ("bob", 2)], &view.state).unwrap();
    assert_eq!(outcome.gone, [account("bob")].into());
}

// [ROOM-22]
#[test]
fn a_direct_room_never_gains_a_third_account() {
    let mut view = direct_view();
    let state = view.state.clone();
    assert_eq!(judge(&view, ("alice", 1), &[("carol", 1)], &[], &state), Err(Forbidden));
    assert_eq!(judge(&view, ("alice", 1), &[("carol", 1)], &[("bob", 1)], &state), Err(Forbidden));
    view.roster.remove(&account("bob"));
    assert_eq!(judge(&view, ("alice", 1), &[("carol", 1)], &[], &state), Err(Forbidden));
    let back = judge(&view, ("alice", 1), &[("bob", 1)], &[], &state).unwrap();
    assert_eq!(back.joined, [account("bob")].into());
}

// [ROOM-22] [ROOM-25] [ROOM-26]
#[test]
fn who_is_in_a_room_fits_what_it_is_however_that_came_about() {
    let direct = direct_view().state;
    let in_direct = |names: Leaves<'_>| check_roster(&direct, &roster(names));
    assert_eq!(in_direct(&[("alice", 1), ("alice", 2), ("bob", 1)]), Ok(()));
    assert_eq!(in_direct(&[("bob", 1)]), Ok(()), "one of them may have left");
    assert_eq!(in_direct(&[]), Err(Malformed));
    assert_eq!(in_direct(&[("carol", 1)]), Err(Forbidden));
    assert_eq!(in_direct(&[("alice", 1), ("bob", 1), ("carol", 1)]), Err(Forbidden));

    let group = group_state(&["alice", "bob"]);
    assert_eq!(check_roster(&group, &roster(&[("alice", 1), ("bob", 1), ("carol", 1)])), Ok(()));
    assert_eq!(check_roster(&group, &roster(&[("alice", 1), ("carol", 1)])), Err(Malformed));
    let nobody = State { admins: BTreeSet::new(), ..group.clone() };
    assert_eq!(check_roster(&nobody, &roster(&[("alice", 1)])), Err(Malformed));
    let crowd = (0..=limits::ROOM_DEVICES_MAX).map(|n| {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(n as u64).to_le_bytes());
        DeviceId::new(bytes)
    });
    let crowd = Roster::from([(account("alice"), crowd.collect())]);
    assert_eq!(check_roster(&group_state(&["alice"]), &crowd), Err(TooLarge));
}

// [ROOM-20]
#[test]
fn whoever_adds_is_an_admin_before_and_after() {
    let view = group_view();
    let handed_over = group_state(&["bob"]);
    assert_eq!(judge(&view, ("alice", 1), &[], &[], &handed_over).map(drop), Ok(()));
    assert_eq!(judge(&view, ("alice", 1), &[("dave", 1)], &[], &handed_over), Err(Forbidden));
}

// [ROOM-23] [ROOM-25]
#[test]
fn room_hub_and_kind_never_change_and_admins_are_members() {
    let view = group_view();
    let changed = |change: fn(&mut State)| {
        let mut state = view.state.clone();
        change(&mut state);
        judge(&view, ("alice", 1), &[], &[], &state).map(drop)
    };
    assert_eq!(changed(|state| state.hub = "umbrella.test".parse().unwrap()), Err(Forbidden));
    assert_eq!(changed(|state| state.room = wire::RoomId::new([9; 32])), Err(Forbidden));
    assert_eq!(changed(|state| state.kind = RoomKind::Direct), Err(Forbidden));
    assert_eq!(changed(|state| state.admins.extend([account("bob")])), Ok(()));
    assert_eq!(changed(|state| state.admins.extend([account("dave")])), Err(Malformed));

    let direct = direct_view();
    let mut state = direct.state.clone();
    state.admins.remove(&account("bob"));
    assert_eq!(judge(&direct, ("alice", 1), &[], &[], &state), Err(Forbidden));
}

#[test]
fn a_member_does_not_make_itself_admin() {
    let view = group_view();
    let state = group_state(&["alice", "bob"]);
    assert_eq!(judge(&view, ("bob", 1), &[], &[], &state), Err(Forbidden));
}

#[test]
fn removing_an_admin_strikes_it_out() {
    let mut view = group_view();
    view.state = group_state(&["alice", "bob"]);
    assert_eq!(judge(&view, ("alice", 1), &[], &[("bob", 1)], &view.state), Err(Malformed));
    assert!(judge(&view, ("alice", 1), &[], &[("bob", 1)], &group_state(&["alice"])).is_ok());
}

// [ROOM-24]
#[test]
fn every_commit_carries_out_the_leaves_that_were_ordered() {
    let mut view = group_view();
    view.leaving.insert(account("bob"));
    let state = view.state.clone();
    assert_eq!(judge(&view, ("alice", 1), &[("dave", 1)], &[], &state), Err(Conflict));
    assert!(judge(&view, ("alice", 1), &[("dave", 1)], &[("bob", 1)], &state).is_ok());
    assert!(judge(&view, ("carol", 1), &[], &[("bob", 1)], &state).is_ok(), "any member may");
    assert_eq!(judge(&view, ("bob", 1), &[], &[("bob", 1)], &state), Err(Forbidden), "who left is out");
    assert_eq!(
        judge(&view, ("carol", 1), &[], &[("bob", 1), ("alice", 1), ("alice", 2)], &state),
        Err(Malformed),
        "but nobody else with it: the admin would be gone"
    );
}

// [ROOM-27]
#[test]
fn when_the_last_admin_leaves_the_lowest_remaining_account_becomes_admin() {
    let mut view = group_view();
    view.leaving.insert(account("alice"));
    let gone: Leaves<'_> = &[("alice", 1), ("alice", 2)];
    let heir = group_state(&["bob"]);
    assert_eq!(succession(&view.state, &roster(&[("bob", 1), ("carol", 1)])), heir);
    assert!(judge(&view, ("carol", 1), &[], gone, &heir).is_ok());
    assert_eq!(judge(&view, ("carol", 1), &[], gone, &view.state), Err(Malformed));
    assert_eq!(judge(&view, ("carol", 1), &[], gone, &group_state(&["carol"])), Err(Forbidden));
    let mut nobody = view.state.clone();
    nobody.admins.clear();
    assert_eq!(judge(&view, ("carol", 1), &[], gone, &nobody), Err(Malformed));
}

#[test]
fn an_admin_does_not_leave_a_group_without_one() {
    let view = group_view();
    let mut nobody = view.state.clone();
    nobody.admins.clear();
    assert_eq!(judge(&view, ("alice", 1), &[], &[], &nobody), Err(Malformed));
}

// [ROOM-26]
#[test]
fn the_limits_of_a_commit_and_of_a_room_hold() {
    let mut view = group_view();
    let many = |count: usize| -> Vec<(Account, DeviceId)> {
        (0..count).map(|n| (format!("p{n}@third.test").parse().unwrap(), DeviceId::new([7; 16]))).collect()
    };
    let judge = |view: &RoomView, added: &[(Account, DeviceId)]| {
        let (account, device) = leaf("alice", 1);
        let change = Change {
            committer: (&account, &device),
            added,
            removed: &[],
            before: &view.state,
            after: &view.state,
        };
        check(&view.roster, &view.leaving, &change).map(drop)
    };
    assert_eq!(judge(&view, &many(limits::ADDS_PER_COMMIT_MAX)), Ok(()));
    assert_eq!(judge(&view, &many(limits::ADDS_PER_COMMIT_MAX + 1)), Err(TooLarge));
    let crowd = view.roster.entry(account("carol")).or_default();
    for n in 0..limits::ROOM_DEVICES_MAX - 4 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(n as u64).to_le_bytes());
        crowd.insert(DeviceId::new(bytes));
    }
    assert_eq!(judge(&view, &[]), Ok(()));
    assert_eq!(judge(&view, &many(1)), Err(TooLarge));
}
