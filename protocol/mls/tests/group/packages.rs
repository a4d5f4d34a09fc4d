//! Key packages that are good, bad, old and early.

use machine::{Seeded, Timestamp};
use mls::{Change, Entrance, Member, check_key_package, make_key_packages, welcome_targets};
use wire::{ErrorCode, limits};

use crate::world::{NOW, World, keys};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";

// [MLS-6], [MLS-21]
#[test]
fn packages_say_whose_they_are_and_for_how_long() {
    let bob = keys(BOB, 1);
    let made = make_key_packages(&bob, NOW, 3, true, &mut Seeded::new(31)).unwrap();
    assert_eq!(made.iter().map(|one| one.last_resort).collect::<Vec<_>>(), [false, false, false, true]);
    let mut hashes: Vec<_> = made.iter().map(|one| one.hash).collect();
    hashes.dedup();
    assert_eq!(hashes.len(), 4);
    for one in &made {
        assert!(one.bytes.len() < 2_000, "{}", one.bytes.len());
        let info = check_key_package(&one.bytes, NOW).unwrap();
        assert_eq!((info.hash, info.last_resort), (one.hash, one.last_resort));
        assert_eq!((&info.leaf.account, info.leaf.device), (&bob.account, bob.device));
        assert_eq!((info.leaf.key, &info.leaf.identity), (bob.secret.public(), &bob.identity()));
        assert_eq!(info.not_after_s, NOW.as_s() + limits::KEY_PACKAGE_VALID_S);
        let last = Timestamp::from_ms((info.not_after_s - 1) * 1000);
        assert!(check_key_package(&one.bytes, last).is_ok());
        let after = Timestamp::from_ms(info.not_after_s * 1000);
        assert_eq!(check_key_package(&one.bytes, after).unwrap_err(), ErrorCode::Expired);
        let early = Timestamp::from_ms((NOW.as_s() - 2 * 86_400) * 1000);
        assert_eq!(check_key_package(&one.bytes, early).unwrap_err(), ErrorCode::ClockSkew);
    }
}

#[test]
fn the_same_entropy_makes_the_same_packages() {
    let bob = keys(BOB, 1);
    let make = |seed| make_key_packages(&bob, NOW, 1, false, &mut Seeded::new(seed)).unwrap();
    assert_eq!(make(1).first().unwrap().bytes, make(1).first().unwrap().bytes);
    assert_ne!(make(1).first().unwrap().bytes, make(2).first().unwrap().bytes);
}

#[test]
fn every_changed_or_missing_byte_is_noticed() {
    let bob = keys(BOB, 1);
    let made = make_key_packages(&bob, NOW, 0, true, &mut Seeded::new(32)).unwrap();
    let good = made.first().unwrap().bytes.to_vec();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(check_key_package(&bad, NOW).is_err(), "byte {at}");
        assert_eq!(check_key_package(&good[..at], NOW).unwrap_err(), ErrorCode::Malformed, "cut at {at}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(check_key_package(&longer, NOW).unwrap_err(), ErrorCode::Malformed);
    longer.resize(limits::KEY_PACKAGE_BYTES_MAX + 1, 0);
    assert_eq!(check_key_package(&longer, NOW).unwrap_err(), ErrorCode::TooLarge);
    // Version, suite: not ours, and not called malformed.
    for at in [1, 5, 7] {
        let mut other = good.clone();
        other[at] = 2;
        assert_eq!(check_key_package(&other, NOW).unwrap_err(), ErrorCode::Unsupported, "byte {at}");
    }
    let end = good.len() - 1;
    let mut forged = good;
    forged[end] ^= 1;
    assert_eq!(check_key_package(&forged, NOW).unwrap_err(), ErrorCode::BadSignature);
}

// [MLS-23]
#[test]
fn a_welcome_leads_into_the_epoch_that_its_commit_begins() {
    let bob = keys(BOB, 1);
    let package = make_key_packages(&bob, NOW, 1, false, &mut Seeded::new(37)).unwrap().remove(0);
    let change = Change { add: vec![package.bytes.clone()], ..Change::default() };
    let mut world = World::with(&[ALICE], 38);
    let bundle = world.commit(ALICE, &change).unwrap();
    world.order(&bundle).unwrap();
    let tree = world.observer.ratchet_tree().unwrap();
    let join = |commit: &[u8]| {
        let entrance = Entrance { commit, welcome: &bundle.welcome, ratchet_tree: &tree };
        Member::join(&bob, &entrance, &package.rows).map(|joined| joined.committer.account)
    };
    // The same room, epoch and committing leaf, but other members afterwards.
    let mut other = World::with(&[ALICE], 38);
    let carol = other.package(&keys("carol@acme.test", 1));
    let change = Change { add: vec![package.bytes.clone(), carol.bytes], ..Change::default() };
    let elsewhere = other.commit(ALICE, &change).unwrap();
    assert_eq!(join(&elsewhere.commit), Err(ErrorCode::BadSignature));
    assert_eq!(join(&bundle.welcome), Err(ErrorCode::Malformed), "no commit at all");
    assert_eq!(join(&bundle.commit).unwrap().as_str(), ALICE);
}

#[test]
fn a_last_resort_package_joins_more_than_one_room() {
    let bob = keys(BOB, 1);
    let last = make_key_packages(&bob, NOW, 0, true, &mut Seeded::new(33)).unwrap();
    let last = last.first().unwrap();
    for seed in [34, 35] {
        let mut world = World::with(&[ALICE], seed);
        let change = Change { add: vec![last.bytes.clone()], ..Change::default() };
        let bundle = world.commit(ALICE, &change).unwrap();
        world.order(&bundle).unwrap();
        assert_eq!(welcome_targets(&bundle.welcome).unwrap(), [last.hash]);
        let tree = world.observer.ratchet_tree().unwrap();
        let entrance = Entrance { commit: &bundle.commit, welcome: &bundle.welcome, ratchet_tree: &tree };
        let mut member = Member::join(&bob, &entrance, &last.rows).unwrap().member;
        assert_eq!(member.tree_hash(), world.observer.tree_hash());
        assert_eq!(member.leaves(), world.observer.leaves());
        // What is stored of the room has nothing of the package.
        let kept = member.take_changes();
        assert!(kept.iter().all(|(key, _)| !last.rows.contains_key(key)));
    }
}

// [MLS-3], [MLS-20]
#[test]
fn a_welcome_is_for_its_package_and_its_tree() {
    let mut world = World::with(&[ALICE], 36);
    let bob = keys(BOB, 1);
    let (good, other) = (world.package(&bob), world.package(&bob));
    let change = Change { add: vec![good.bytes.clone()], ..Change::default() };
    let bundle = world.commit(ALICE, &change).unwrap();
    let before = world.observer.ratchet_tree().unwrap();
    world.order(&bundle).unwrap();
    let tree = world.observer.ratchet_tree().unwrap();
    let join = |welcome: &[u8], tree: &[u8], rows| {
        let entrance = Entrance { commit: &bundle.commit, welcome, ratchet_tree: tree };
        Member::join(&bob, &entrance, rows).map(drop)
    };
    assert_eq!(join(&bundle.welcome, &tree, &other.rows), Err(ErrorCode::NotFound));
    assert_eq!(join(&bundle.welcome, &before, &good.rows), Err(ErrorCode::Malformed));
    assert_eq!(join(&bundle.commit, &tree, &good.rows), Err(ErrorCode::Malformed));
    for at in (0..bundle.welcome.len()).step_by(7) {
        let mut bad = bundle.welcome.to_vec();
        bad[at] ^= 1;
        assert!(join(&bad, &tree, &good.rows).is_err(), "byte {at}");
        assert!(join(&bundle.welcome[..at], &tree, &good.rows).is_err(), "cut at {at}");
    }
    for at in (0..tree.len()).step_by(7) {
        let mut bad = tree.to_vec();
        bad[at] ^= 1;
        assert!(join(&bundle.welcome, &bad, &good.rows).is_err(), "byte {at}");
        assert!(join(&bundle.welcome, &tree[..at], &good.rows).is_err(), "cut at {at}");
    }
    assert_eq!(join(&bundle.welcome, &tree, &good.rows), Ok(()));
}
