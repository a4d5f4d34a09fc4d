//! Two commits of one epoch: the first that is ordered wins, and the other is made again.

use mls::{Change, Processed};
use wire::{ErrorCode, proto::EventKind};

use crate::world::{World, accounts, keys};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const CAROL: &str = "carol@acme.test";

// [MLS-18]
#[test]
fn the_loser_s_pending_commit_gives_way_and_is_made_again() {
    let mut world = World::with(&[ALICE, BOB], 21);
    let package = world.package(&keys(CAROL, 1)).bytes;
    let intent = Change { add: vec![package], ..Change::default() };
    let winner = world.commit(ALICE, &Change::default()).unwrap();
    let loser = world.commit(BOB, &intent).unwrap();
    assert_eq!(world.commit(BOB, &intent).unwrap_err(), ErrorCode::Conflict);
    let seen = world.order(&winner).unwrap();
    assert_eq!(world.order(&loser).unwrap_err(), ErrorCode::StaleEpoch);
    assert!(world.device(BOB).member.has_pending_commit());
    world.deliver(&winner.commit, &seen);
    world.agree();
    assert!(!world.device(BOB).member.has_pending_commit());
    let late = world.device(ALICE).member.process(EventKind::Commit, &loser.commit);
    assert_eq!(late.unwrap_err(), ErrorCode::StaleEpoch);
    let seen = world.run(BOB, &intent).unwrap();
    assert_eq!(accounts(&seen.added), [CAROL]);
}

#[test]
fn an_own_commit_takes_effect_when_it_comes_back_and_not_before() {
    let mut world = World::with(&[ALICE, BOB], 22);
    let bundle = world.commit(ALICE, &Change::default()).unwrap();
    let epoch = bundle.epoch;
    let seen = world.order(&bundle).unwrap();
    let alice = world.device(ALICE);
    alice.reload();
    assert_eq!((alice.member.epoch(), alice.member.has_pending_commit()), (epoch, true));
    // While it waits, messages go on in the old epoch.
    let message = world.encrypt(ALICE, b"between").unwrap();
    let alice = world.device(ALICE);
    let Processed::Commit(change) = alice.member.process(EventKind::Commit, &bundle.commit).unwrap() else {
        panic!("no commit")
    };
    assert!(change.own);
    assert_eq!(alice.member.epoch(), epoch);
    let twice = alice.member.process(EventKind::Commit, &bundle.commit);
    assert_eq!(twice.unwrap_err(), ErrorCode::Conflict);
    alice.member.discard_staged();
    assert!(alice.member.has_pending_commit());
    assert_eq!(alice.member.merge_staged().unwrap_err(), ErrorCode::NotFound);
    world.deliver(&bundle.commit, &seen);
    world.agree();
    assert_eq!(crate::world::read(world.device(BOB), ALICE, &message), b"between");
}

#[test]
fn a_refused_commit_is_cleared() {
    let mut world = World::with(&[ALICE, BOB], 23);
    let refused = world.commit(ALICE, &Change::default()).unwrap();
    let alice = world.device(ALICE);
    alice.member.clear_pending().unwrap();
    alice.store();
    alice.reload();
    assert!(!alice.member.has_pending_commit());
    // If it is ordered nevertheless, this device cannot follow it and says so.
    let lost = alice.member.process(EventKind::Commit, &refused.commit);
    assert_eq!(lost.unwrap_err(), ErrorCode::Malformed);
    world.run(ALICE, &Change::default()).unwrap();
    world.agree();
}

#[test]
fn the_hub_takes_nothing_that_it_did_not_merge() {
    let mut world = World::with(&[ALICE, BOB], 24);
    let bundle = world.commit(ALICE, &Change::default()).unwrap();
    let before = world.observer.save();
    let extras =
        wire::proto::CommitExtras { welcome: bundle.welcome.clone(), group_info: bundle.group_info.clone() };
    world.observer.check_commit(&bundle.commit, &extras).unwrap();
    assert_eq!(world.observer.save(), before);
    world.observer.discard();
    assert_eq!(world.observer.merge().unwrap_err(), ErrorCode::NotFound);
    let seen = world.order(&bundle).unwrap();
    assert_ne!(world.observer.save(), before);
    assert_eq!(world.observer.group_info(), bundle.group_info);
    world.deliver(&bundle.commit, &seen);
    world.agree();
}
