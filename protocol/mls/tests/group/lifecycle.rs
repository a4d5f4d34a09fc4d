//! Rooms grow, change and shrink.

use mls::{Change, Processed};
use wire::{
    ErrorCode,
    proto::{EventKind, RoomState},
};

use crate::world::{World, accounts, keys, name, read, state};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const CAROL: &str = "carol@acme.test";

#[test]
fn two_and_then_three_read_each_other() {
    let mut world = World::with(&[ALICE, BOB], 1);
    let hello = world.encrypt(ALICE, b"hello").unwrap();
    assert_eq!(read(world.device(BOB), ALICE, &hello), b"hello");
    let own = world.device(ALICE).member.process(EventKind::Message, &hello).unwrap();
    assert!(matches!(own, Processed::OwnMessage { .. }));

    let seen = world.add(BOB, &[CAROL]);
    assert_eq!(accounts(&seen.added), [CAROL]);
    assert_eq!(seen.committer.account.as_str(), BOB);
    assert_eq!(world.observer.leaves(), world.device(CAROL).member.leaves());
    // [MLS-8] The places of added leaves are foretold.
    let placed = world.observer.leaves().into_iter().find(|leaf| leaf.account.as_str() == CAROL);
    assert_eq!(placed.as_ref(), seen.added.first());

    let all = world.encrypt(CAROL, b"all").unwrap();
    assert_eq!(read(world.device(ALICE), CAROL, &all), b"all");
    assert_eq!(read(world.device(BOB), CAROL, &all), b"all");
}

#[test]
fn who_is_removed_reads_nothing_later() {
    let mut world = World::with(&[ALICE, BOB, CAROL], 2);
    let mut bob = world.devices.remove(&name(BOB)).unwrap();
    let change = Change { remove: vec![BOB.parse().unwrap()], ..Change::default() };
    let bundle = world.commit(ALICE, &change).unwrap();
    let seen = world.order(&bundle).unwrap();
    assert_eq!(accounts(&seen.removed), [BOB]);
    world.deliver(&bundle.commit, &seen);
    world.agree();
    let later = world.encrypt(ALICE, b"later").unwrap();

    let Processed::Commit(change) = bob.member.process(EventKind::Commit, &bundle.commit).unwrap() else {
        panic!("not a commit")
    };
    assert!(change.removes_us);
    // Before the removal is applied the message is of an epoch that is unknown.
    bob.member.discard_staged();
    assert_eq!(bob.member.process(EventKind::Message, &later).unwrap_err(), ErrorCode::StaleEpoch);
    bob.member.process(EventKind::Commit, &bundle.commit).unwrap();
    bob.member.merge_staged().unwrap();
    assert!(!bob.member.is_active());
    assert_eq!(bob.member.process(EventKind::Message, &later).unwrap_err(), ErrorCode::Forbidden);
    let binding = world.binding();
    let refused = bob.member.encrypt(&binding, b"x", &mut world.entropy);
    assert_eq!(refused.unwrap_err(), ErrorCode::Forbidden);
    bob.store();
    bob.reload();
    assert!(!bob.member.is_active());
}

// [MLS-15], [MLS-17]
#[test]
fn a_leave_is_carried_out_by_the_next_commit_and_by_no_other_way() {
    let mut world = World::with(&[ALICE, BOB, CAROL], 3);
    let before = world.commit(ALICE, &Change::default()).unwrap();
    let binding = world.binding();
    let device = world.devices.get_mut(&name(BOB)).unwrap();
    let leave = device.member.propose_leave(&binding, &mut world.entropy).unwrap();
    assert_eq!(device.member.propose_leave(&binding, &mut world.entropy).unwrap_err(), ErrorCode::Conflict);
    device.store();
    let seen = world.observer.check_proposal(&leave).unwrap();
    assert_eq!((seen.proposer.account.as_str(), &seen.binding), (BOB, &binding));
    world.observer.merge().unwrap();
    assert_eq!(world.observer.check_proposal(&leave).unwrap_err(), ErrorCode::Conflict);
    for device in world.devices.values_mut() {
        let processed = device.member.process(EventKind::Proposal, &leave).unwrap();
        assert!(matches!(processed, Processed::Proposal { sender, .. } if sender.account.as_str() == BOB));
        device.store();
        device.reload();
    }
    world.agree();
    assert_eq!(accounts(&world.observer.leaving()), [BOB]);

    // [MLS-17] A commit that was made before does not carry it out.
    assert_eq!(world.order(&before).unwrap_err(), ErrorCode::Conflict);
    let carol = world.device(CAROL).member.process(EventKind::Commit, &before.commit);
    assert_eq!(carol.unwrap_err(), ErrorCode::Conflict);
    world.device(ALICE).member.clear_pending().unwrap();
    // Nobody sends into an epoch with an open departure, and the leaver does not commit.
    assert_eq!(world.encrypt(ALICE, b"x").unwrap_err(), ErrorCode::Conflict);
    assert_eq!(world.commit(BOB, &Change::default()).unwrap_err(), ErrorCode::Forbidden);

    let seen = world.run(CAROL, &Change::default()).unwrap();
    assert_eq!(accounts(&seen.removed), [BOB]);
    world.agree();
    assert_eq!(accounts(&world.observer.leaves()), [ALICE, CAROL]);
    assert!(!world.devices.contains_key(&name(BOB)));
}

#[test]
fn all_devices_of_an_account_leave_with_the_one_that_proposed() {
    let mut world = World::with(&[ALICE, BOB], 4);
    let second = keys(BOB, 2);
    let package = world.package(&second);
    let change = Change { add: vec![package.bytes], ..Change::default() };
    world.run(ALICE, &change).unwrap();
    assert_eq!(accounts(&world.observer.leaves()), [ALICE, BOB, BOB]);
    let binding = world.binding();
    let device = world.devices.get_mut(&name(BOB)).unwrap();
    let leave = device.member.propose_leave(&binding, &mut world.entropy).unwrap();
    world.observer.check_proposal(&leave).unwrap();
    world.observer.merge().unwrap();
    for device in world.devices.values_mut() {
        device.member.process(EventKind::Proposal, &leave).unwrap();
    }
    let seen = world.run(ALICE, &Change::default()).unwrap();
    assert_eq!(accounts(&seen.removed), [BOB, BOB]);
    world.agree();
}

#[test]
fn removing_an_account_removes_every_device_of_it() {
    let mut world = World::with(&[ALICE, BOB, CAROL], 5);
    let package = world.package(&keys(BOB, 2));
    world.run(ALICE, &Change { add: vec![package.bytes], ..Change::default() }).unwrap();
    let change = Change { remove: vec![BOB.parse().unwrap()], ..Change::default() };
    let seen = world.run(ALICE, &change).unwrap();
    assert_eq!(accounts(&seen.removed), [BOB, BOB]);
    world.agree();
    let gone = world.commit(ALICE, &change).unwrap_err();
    assert_eq!(gone, ErrorCode::NotFound);
    let own = Change { remove: vec![ALICE.parse().unwrap()], ..Change::default() };
    assert_eq!(world.commit(ALICE, &own).unwrap_err(), ErrorCode::Forbidden);
}

// [MLS-10]
#[test]
fn the_room_state_changes_in_the_same_commit() {
    let mut world = World::with(&[ALICE, BOB], 6);
    let room = world.room;
    let next = state(room, &[ALICE, BOB]);
    let package = world.package(&keys(CAROL, 1));
    let change = Change { add: vec![package.bytes], state: Some(next.clone()), ..Change::default() };
    let seen = world.run(BOB, &change).unwrap();
    assert_eq!(seen.state, next);
    world.agree();
    assert_eq!(world.observer.state(), &next);
    let other = RoomState { room: vec![1; 32].into(), ..next };
    let change = Change { state: Some(other), ..Change::default() };
    assert_eq!(world.commit(ALICE, &change).unwrap_err(), ErrorCode::Malformed);
    assert!(!world.device(ALICE).member.has_pending_commit());
}

// [MLS-8]
#[test]
fn a_device_has_one_leaf() {
    let mut world = World::with(&[ALICE, BOB], 7);
    let again = world.package(&keys(BOB, 1));
    let change = Change { add: vec![again.bytes.clone()], ..Change::default() };
    assert_eq!(world.commit(ALICE, &change).unwrap_err(), ErrorCode::Conflict);
    let carol = world.package(&keys(CAROL, 1)).bytes;
    let other = world.package(&keys(CAROL, 1)).bytes;
    let twice = Change { add: vec![carol, other], ..Change::default() };
    assert_eq!(world.commit(ALICE, &twice).unwrap_err(), ErrorCode::Conflict);
    // Removed and added in one commit it has one leaf, too.
    let change = Change { add: vec![again.bytes], remove: vec![BOB.parse().unwrap()], ..Change::default() };
    let bundle = world.commit(ALICE, &change).unwrap();
    let seen = world.order(&bundle).unwrap();
    assert_eq!((accounts(&seen.added), accounts(&seen.removed)), (vec![BOB.into()], vec![BOB.into()]));
}

#[test]
fn a_departure_that_was_refused_is_forgotten() {
    let mut world = World::with(&[ALICE, BOB], 5);
    let binding = world.binding();
    let device = world.devices.get_mut(&name(BOB)).unwrap();
    device.member.propose_leave(&binding, &mut world.entropy).unwrap();
    device.store();
    assert_eq!(world.encrypt(BOB, b"x").unwrap_err(), ErrorCode::Conflict);
    let device = world.device(BOB);
    device.member.clear_pending().unwrap();
    device.store();
    device.reload();
    world.encrypt(BOB, b"still here").unwrap();
    world.run(BOB, &Change::default()).unwrap();
    world.agree();
}
