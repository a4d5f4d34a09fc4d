//! Bytes that anyone may have sent: every cut and every changed bit has a named error and no effect.

use mls::{Change, Observer};
use wire::{
    ErrorCode, limits,
    proto::{CommitExtras, EventKind, RoomFounding},
};

use crate::world::{World, keys, name, read};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const CAROL: &str = "carol@acme.test";

fn variants(good: &[u8], step: usize) -> impl Iterator<Item = Vec<u8>> + '_ {
    let cut = (0..good.len()).step_by(step).map(|at| good[..at].to_vec());
    let flipped = (0..good.len()).step_by(step).flat_map(|at| {
        [0x01, 0x80].map(|bit| {
            let mut bad = good.to_vec();
            bad[at] ^= bit;
            bad
        })
    });
    let longer = [[good, &[0]].concat(), [good, good].concat(), Vec::new()];
    cut.chain(flipped).chain(longer)
}

/// Only the membership tag differs, which is the members' to check: the hub has no key for it.
fn tag_only(bad: &[u8], good: &[u8]) -> bool {
    bad.len() == good.len() && bad[..bad.len() - 33] == good[..good.len() - 33]
}

#[test]
fn messages() {
    let mut world = World::with(&[ALICE, BOB], 51);
    let message = world.encrypt(ALICE, b"the content").unwrap();
    let bob = world.device(BOB);
    for bad in variants(&message, 1) {
        assert!(bob.member.process(EventKind::Message, &bad).is_err());
    }
    assert_eq!(bob.member.take_changes(), vec![]);
    assert_eq!(read(bob, ALICE, &message), b"the content");
}

#[test]
fn commits_and_what_comes_with_them() {
    let mut world = World::with(&[ALICE, BOB], 52);
    let package = world.package(&keys(CAROL, 1)).bytes;
    let bundle = world.commit(ALICE, &Change { add: vec![package], ..Change::default() }).unwrap();
    let extras = CommitExtras { welcome: bundle.welcome.clone(), group_info: bundle.group_info.clone() };
    for bad in variants(&bundle.commit, 5) {
        assert!(tag_only(&bad, &bundle.commit) || world.observer.check_commit(&bad, &extras).is_err());
        assert!(world.device(BOB).member.process(EventKind::Commit, &bad).is_err());
    }
    for bad in variants(&bundle.group_info, 1) {
        let extras = CommitExtras { group_info: bad.into(), ..extras.clone() };
        assert!(world.observer.check_commit(&bundle.commit, &extras).is_err());
    }
    // Of the Welcome the hub sees for whom it is, and no more.
    for at in 0..8 {
        let cut = CommitExtras { welcome: bundle.welcome.slice(..at), ..extras.clone() };
        assert_eq!(world.observer.check_commit(&bundle.commit, &cut).unwrap_err(), ErrorCode::Malformed);
    }
    let large = CommitExtras { group_info: vec![0; limits::GROUP_INFO_BYTES_MAX + 1].into(), ..extras };
    let refused = world.observer.check_commit(&bundle.commit, &large);
    assert_eq!(refused.unwrap_err(), ErrorCode::TooLarge);
    let seen = world.order(&bundle).unwrap();
    world.deliver(&bundle.commit, &seen);
    world.agree();
}

// [MLS-19], [MLS-20]
#[test]
fn a_group_info_of_another_epoch_or_signer_is_refused() {
    let mut world = World::with(&[ALICE, BOB], 53);
    let old = world.observer.group_info();
    let bundle = world.commit(ALICE, &Change::default()).unwrap();
    let other = world.commit(BOB, &Change::default()).unwrap();
    for group_info in [old, other.group_info] {
        let extras = CommitExtras { group_info, ..CommitExtras::default() };
        let refused = world.observer.check_commit(&bundle.commit, &extras);
        assert_eq!(refused.unwrap_err(), ErrorCode::Malformed);
    }
    let superfluous = CommitExtras { welcome: vec![1].into(), group_info: bundle.group_info.clone() };
    let refused = world.observer.check_commit(&bundle.commit, &superfluous);
    assert_eq!(refused.unwrap_err(), ErrorCode::Malformed);
    let mut forged = bundle.group_info.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = CommitExtras { group_info: forged.into(), ..CommitExtras::default() };
    let refused = world.observer.check_commit(&bundle.commit, &forged);
    assert_eq!(refused.unwrap_err(), ErrorCode::BadSignature);
    world.order(&bundle).unwrap();
}

#[test]
fn proposals() {
    let mut world = World::with(&[ALICE, BOB], 54);
    let binding = world.binding();
    let device = world.devices.get_mut(&name(BOB)).unwrap();
    let leave = device.member.propose_leave(&binding, &mut world.entropy).unwrap();
    for bad in variants(&leave, 1) {
        let hub = world.observer.check_proposal(&bad).is_ok();
        assert!(tag_only(&bad, &leave) || !hub);
        // What the hub orders, members follow: the tag alone stops nobody.
        assert_eq!(world.device(ALICE).member.process(EventKind::Proposal, &bad).is_ok(), hub);
    }
    world.observer.discard();
    world.observer.check_proposal(&leave).unwrap();
}

#[test]
fn foundings() {
    let world = World::with(&[ALICE], 55);
    let good = &world.founding;
    for bad in variants(&good.group_info, 1) {
        let founding = RoomFounding { group_info: bad.into(), ..good.clone() };
        assert!(Observer::found(&founding).is_err());
    }
    for bad in variants(&good.ratchet_tree, 1) {
        let founding = RoomFounding { ratchet_tree: bad.into(), ..good.clone() };
        assert!(Observer::found(&founding).is_err());
    }
    assert!(Observer::found(good).is_ok());
    let other = World::with(&[BOB], 56);
    let mixed = RoomFounding { ratchet_tree: other.founding.ratchet_tree, ..good.clone() };
    assert!(Observer::found(&mixed).is_err());
}

#[test]
fn stored_values() {
    let world = World::with(&[ALICE, BOB], 57);
    let saved = world.observer.save();
    for at in (0..saved.len()).step_by(3) {
        assert_eq!(Observer::load(&saved[..at]).map(|_| ()).unwrap_err(), ErrorCode::Internal);
        let mut bad = saved.to_vec();
        bad[at] ^= 0x55;
        let _ = Observer::load(&bad);
    }
    let device = &world.devices[&name(ALICE)];
    for key in device.rows.keys() {
        let mut rows = device.rows.clone();
        rows.insert(key.clone(), vec![0xc1].into());
        let _ = mls::Member::load(&device.keys, &world.room, rows);
    }
    let none = mls::Member::load(&device.keys, &world.room, mls::Rows::new());
    assert_eq!(none.map(|_| ()).unwrap_err(), ErrorCode::NotFound);
}
