//! A device that lost its state comes back by an external commit, and nobody else does.

use mls::{Change, Member, Processed};
use wire::{ErrorCode, proto::EventKind};

use crate::world::{World, accounts, keys, name, read};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const CAROL: &str = "carol@acme.test";

// [MLS-16]
#[test]
fn a_lost_device_replaces_its_own_leaf() {
    let mut world = World::with(&[ALICE, BOB, CAROL], 41);
    let mut bob = world.devices.remove(&name(BOB)).unwrap();
    world.run(ALICE, &Change::default()).unwrap();
    let binding = world.binding();
    let public = (world.observer.group_info(), world.observer.ratchet_tree().unwrap());
    let (member, bundle) =
        Member::rejoin(&bob.keys, bob.rows.clone(), (&public.0, &public.1), &binding, &mut world.entropy)
            .unwrap();
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
        let public = (world.observer.group_info(), world.observer.ratchet_tree().unwrap());
        let public = (public.0.as_ref(), public.1.as_ref());
        Member::rejoin(&bob.keys, bob.rows.clone(), public, &binding, &mut world.entropy).unwrap()
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

#[test]
fn nobody_comes_in_who_was_not_there() {
    let mut world = World::with(&[ALICE, BOB], 43);
    let binding = world.binding();
    let public = (world.observer.group_info(), world.observer.ratchet_tree().unwrap());
    let stranger = keys(CAROL, 1);
    let made =
        Member::rejoin(&stranger, mls::Rows::new(), (&public.0, &public.1), &binding, &mut world.entropy);
    // The stranger's own client refuses; so do hub and members, if it does not.
    assert_eq!(made.map(|_| ()).unwrap_err(), ErrorCode::NotFound);
}
