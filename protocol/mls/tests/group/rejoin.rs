//! A device that lost its state comes back by an external commit, and nobody else does.

use std::collections::BTreeSet;

use bytes::Bytes;
use mls::{Change, Member, Observer, Processed};
use wire::{
    ErrorCode, limits,
    proto::{EventKind, GroupState},
};

use crate::world::{Device, World, accounts, keys, name, read};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const CAROL: &str = "carol@acme.test";
const DAVE: &str = "dave@umbrella.test";

// [MLS-16]
#[test]
fn a_lost_device_replaces_its_own_leaf() {
    let mut world = World::with(&[ALICE, BOB, CAROL], 41);
    let mut bob = world.devices.remove(&name(BOB)).unwrap();
    world.run(ALICE, &Change::default()).unwrap();
    let binding = world.binding();
    let shown = world.observer.shown().unwrap();
    let (member, bundle) =
        Member::rejoin(&bob.keys, bob.rows.clone(), &shown, &binding, &mut world.entropy).unwrap();
    bob.member = member;
    bob.store();
    bob.reload();
    // Nothing can be done with it before the commit is ordered.
    assert!(bob.member.has_pending_commit());
    let early = bob.member.encrypt(&binding, b"x", &mut world.entropy);
    assert_eq!(early.unwrap_err(), ErrorCode::Conflict);
    assert_eq!(bob.member.clear_pending().unwrap_err(), ErrorCode::Conflict);

    let seen = world.order(&bundle).unwrap();
    assert!(seen.rejoined && seen.added.is_empty() && seen.removed.is_empty());
    assert_eq!((seen.committer.account.as_str(), &seen.binding), (BOB, &binding));
    world.deliver(&bundle.commit, &seen);
    let Processed::Commit(change) = bob.member.process(EventKind::Commit, &bundle.commit).unwrap() else {
        panic!("no commit")
    };
    assert!(change.own && change.rejoined);
    assert_eq!((change.updated, change.epoch_after), (seen.updated, seen.epoch_after));
    bob.member.merge_staged().unwrap();
    bob.store();
    bob.reload();
    world.devices.insert(name(BOB), bob);
    world.agree();
    assert_eq!(accounts(&world.observer.leaves()), [ALICE, BOB, CAROL]);
    let message = world.encrypt(BOB, b"back").unwrap();
    assert_eq!(read(world.device(CAROL), BOB, &message), b"back");
    let message = world.encrypt(ALICE, b"good").unwrap();
    assert_eq!(read(world.device(BOB), ALICE, &message), b"good");
    world.run(BOB, &Change::default()).unwrap();
    world.agree();
}

#[test]
fn a_rejoin_that_loses_the_race_is_begun_again() {
    let mut world = World::with(&[ALICE, BOB], 42);
    let bob = world.devices.remove(&name(BOB)).unwrap();
    let rejoin = |world: &mut World| {
        let binding = world.binding();
        let shown = world.observer.shown().unwrap();
        Member::rejoin(&bob.keys, bob.rows.clone(), &shown, &binding, &mut world.entropy).unwrap()
    };
    let (mut lost, late) = rejoin(&mut world);
    let winner = world.commit(ALICE, &Change::default()).unwrap();
    let seen = world.order(&winner).unwrap();
    world.deliver(&winner.commit, &seen);
    assert_eq!(world.order(&late).unwrap_err(), ErrorCode::StaleEpoch);
    let other = lost.process(EventKind::Commit, &winner.commit);
    assert_eq!(other.unwrap_err(), ErrorCode::Conflict);
    let (mut member, bundle) = rejoin(&mut world);
    let seen = world.order(&bundle).unwrap();
    world.deliver(&bundle.commit, &seen);
    member.process(EventKind::Commit, &bundle.commit).unwrap();
    member.merge_staged().unwrap();
    assert_eq!(member.epoch_authenticator(), world.device(ALICE).member.epoch_authenticator());
}

/// `by` asks to leave, which the hub orders and `seen_by` sees.
fn departs(world: &mut World, by: &str, seen_by: &[&str]) -> Bytes {
    let binding = world.binding();
    let leaver = &mut world.devices.get_mut(&name(by)).unwrap().member;
    let body = leaver.propose_leave(&binding, &mut world.entropy).unwrap();
    world.observer.check_proposal(&body).unwrap();
    world.observer.merge().unwrap();
    for device in seen_by {
        world.device(device).member.process(EventKind::Proposal, &body).unwrap();
    }
    body
}

// [MLS-16] [MLS-17]
#[test]
fn who_comes_back_carries_out_the_departures_that_are_open() {
    let mut world = World::with(&[ALICE, BOB, CAROL, DAVE], 44);
    let bob = world.devices.remove(&name(BOB)).unwrap();
    let first = departs(&mut world, CAROL, &[ALICE, DAVE]);
    let second = departs(&mut world, DAVE, &[ALICE]);
    // They outlive a restart of the hub.
    world.observer = Observer::load(&world.observer.save()).unwrap();
    let shown = world.observer.shown().unwrap();
    assert_eq!(shown.departures, [first.clone(), second.clone()]);
    let rejoin = |world: &mut World, departures: &[&Bytes]| {
        let binding = world.binding();
        let departures = departures.iter().copied().cloned().collect();
        let shown = GroupState { departures, ..shown.clone() };
        Member::rejoin(&bob.keys, bob.rows.clone(), &shown, &binding, &mut world.entropy)
    };
    for left_out in [&[][..], &[&second]] {
        let (_, bundle) = rejoin(&mut world, left_out).unwrap();
        assert_eq!(world.order(&bundle).unwrap_err(), ErrorCode::Conflict);
    }
    let (mut member, bundle) = rejoin(&mut world, &[&first, &second]).unwrap();
    let seen = world.order(&bundle).unwrap();
    assert!(seen.rejoined && seen.committer.account.as_str() == BOB);
    let removed: BTreeSet<String> = accounts(&seen.removed).into_iter().collect();
    assert_eq!(removed, BTreeSet::from([CAROL, DAVE].map(str::to_owned)));
    assert_eq!(world.observer.shown().unwrap().departures, Vec::<Bytes>::new());
    for gone in [CAROL, DAVE] {
        world.devices.remove(&name(gone));
    }
    world.deliver(&bundle.commit, &seen);
    member.process(EventKind::Commit, &bundle.commit).unwrap();
    member.merge_staged().unwrap();
    assert_eq!(accounts(&member.leaves()), [ALICE, BOB]);
    assert_eq!(member.epoch_authenticator(), world.device(ALICE).member.epoch_authenticator());
    assert_eq!(accounts(&world.observer.leaves()), [ALICE, BOB]);
    world.devices.insert(name(BOB), Device { member, ..bob });
    world.run(BOB, &Change::default()).unwrap();
    world.agree();
}

// [MLS-16]
#[test]
fn what_is_shown_as_a_departure_and_is_none_is_not_carried_out() {
    let mut world = World::with(&[ALICE, BOB, CAROL], 45);
    let bob = world.devices.remove(&name(BOB)).unwrap();
    let old = departs(&mut world, CAROL, &[ALICE]);
    let commit = world.commit(ALICE, &Change::default()).unwrap();
    let seen = world.order(&commit).unwrap();
    world.devices.remove(&name(CAROL));
    world.deliver(&commit.commit, &seen);
    let message = world.encrypt(ALICE, b"no departure").unwrap();
    let mut forged = old.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let many = vec![0; limits::DEPARTURES_BYTES_MAX + 1].into();
    let rows: [(&str, Bytes, ErrorCode); 5] = [
        ("of an epoch that is over", old, ErrorCode::Malformed),
        ("a commit", commit.commit, ErrorCode::Malformed),
        ("a message", message, ErrorCode::Malformed),
        ("somebody changed it", forged.into(), ErrorCode::Malformed),
        ("more than fits", many, ErrorCode::TooLarge),
    ];
    let shown = world.observer.shown().unwrap();
    for (row, body, error) in rows {
        let shown = GroupState { departures: vec![body], ..shown.clone() };
        let binding = world.binding();
        let made = Member::rejoin(&bob.keys, bob.rows.clone(), &shown, &binding, &mut world.entropy);
        assert_eq!(made.map(drop).unwrap_err(), error, "{row}");
    }
}

#[test]
fn nobody_comes_in_who_was_not_there() {
    let mut world = World::with(&[ALICE, BOB], 43);
    let binding = world.binding();
    let shown = world.observer.shown().unwrap();
    let stranger = keys(CAROL, 1);
    let made = Member::rejoin(&stranger, mls::Rows::new(), &shown, &binding, &mut world.entropy);
    // The stranger's own client refuses; so do hub and members, if it does not.
    assert_eq!(made.map(|_| ()).unwrap_err(), ErrorCode::NotFound);
}
