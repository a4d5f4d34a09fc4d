//! A full disk refuses by name, takes nothing halfway, and heals.

use store::memory::Fault;
use wire::ErrorCode;

use crate::{
    device::{Device, error},
    message::pair,
    world::{World, name},
};

#[test]
fn a_submission_is_refused_and_works_when_there_is_space_again() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let (message, submission) = alice.encrypt(room, "x");
    world.nodes[&name("acme.test")].disk.fail_next(Fault::Full);
    assert_eq!(error(world.submit(&alice, submission.clone())), ErrorCode::StorageFull);
    assert!(Device::events(&world.sync(&mut alice, true)).is_empty());
    world.submit(&alice, submission).unwrap();
    world.pass(300_000);
    let seen = Device::events(&world.sync(&mut bob, true));
    assert_eq!(seen.iter().map(|event| (event.0, event.2)).collect::<Vec<_>>(), [(3, message)]);
    assert_eq!(Device::events(&world.sync(&mut alice, true)).len(), 1);
}

#[test]
fn a_commit_that_was_not_written_can_be_made_again() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let (message, submission) = alice.commit(room, &mls::Change::default());
    world.nodes[&name("acme.test")].disk.fail_next(Fault::Full);
    assert_eq!(error(world.submit(&alice, submission.clone())), ErrorCode::StorageFull);
    world.submit(&alice, submission).unwrap();
    world.pass(300_000);
    assert_eq!(Device::events(&world.sync(&mut bob, true)).last().unwrap().2, message);
    assert_eq!(bob.rooms[&room].epoch(), 2);
}

#[test]
fn a_follower_whose_disk_is_full_gets_everything_later() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.nodes[&name("umbrella.test")].disk.set_capacity(Some(0));
    let sent: Vec<_> = (0..5).map(|_| world.say(&mut alice, room, "x").0).collect();
    world.pass(60_000);
    assert!(Device::events(&world.sync(&mut bob, false)).is_empty());
    world.nodes[&name("umbrella.test")].disk.set_capacity(None);
    world.pass(600_000);
    let got: Vec<_> = Device::events(&world.sync(&mut bob, true)).into_iter().map(|event| event.2).collect();
    assert_eq!(got, sent);
}
