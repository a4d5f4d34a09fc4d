//! Leaving and being removed: nothing later is delivered, at once and on both sides.

use mls::Change;
use wire::{
    ErrorCode,
    proto::{EventKind, PullEvents, client_request, client_response, entry},
};

use crate::{
    device::{Device, error},
    message::pair,
    world::{World, name},
};

fn left(entries: &[wire::proto::Entry]) -> Option<u64> {
    entries.iter().find_map(|entry| match &entry.entry {
        Some(entry::Entry::Left(left)) => Some(left.seq),
        _ => None,
    })
}

// [SYNC-12] [SYNC-13]
#[test]
fn a_removed_account_gets_its_removal_and_nothing_later() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let remove = Change { remove: vec![bob.account.clone()], ..Change::default() };
    let (removal, answer) = world.commit(&mut alice, room, &remove);
    answer.unwrap();
    world.sync(&mut alice, true);
    world.say(&mut alice, room, "secret").1.unwrap();
    let at_bob = world.sync(&mut bob, true);
    assert_eq!(Device::events(&at_bob), [(3, EventKind::Commit, removal)]);
    assert_eq!(left(&at_bob), Some(3));
    let umbrella = &world.nodes[&name("umbrella.test")];
    let stored = store::Store::events(&umbrella.disk, &room, 4, 10).unwrap();
    assert!(stored.is_empty(), "the hub sends nothing to a domain without members");
    let (_, submission) = {
        let message = bob.message_id();
        (message, bob.submission(room, message, EventKind::Message, 1, vec![1; 40].into()))
    };
    assert_eq!(error(world.submit(&bob, submission)), ErrorCode::Forbidden);
    let pull = PullEvents { room: room.to_bytes(), from_seq: 1, limit: 50 };
    let pulled = world.ask(&name("umbrella.test"), bob.session, client_request::Request::PullEvents(pull));
    let Ok(client_response::Response::Pulled(pulled)) = pulled else { panic!("{pulled:?}") };
    let seqs: Vec<u64> = pulled.events.iter().map(|event| room::chain::read(event).unwrap().seq).collect();
    assert_eq!(seqs, [3], "of what it was a member for, and no more");
}

#[test]
fn one_of_two_accounts_of_a_domain_is_removed() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let mut dave = world.person("dave@umbrella.test");
    let (room, _, answer) = world.found(&mut alice, None);
    answer.unwrap();
    world.sync(&mut alice, true);
    world.add(&mut alice, room, &[&bob.account.clone(), &dave.account.clone()]).unwrap();
    world.sync(&mut alice, true);
    for device in [&mut bob, &mut dave] {
        crate::invitation::accept(&mut world, device, room).unwrap();
        world.sync(device, true);
    }
    let remove = Change { remove: vec![bob.account.clone()], ..Change::default() };
    world.commit(&mut alice, room, &remove).1.unwrap();
    world.sync(&mut alice, true);
    let (message, answer) = world.say(&mut alice, room, "to those who stay");
    answer.unwrap();
    let at_bob = world.sync(&mut bob, true);
    assert_eq!((left(&at_bob), Device::events(&at_bob).len()), (Some(3), 1));
    let at_dave = world.sync(&mut dave, true);
    assert_eq!((left(&at_dave), Device::events(&at_dave).last().unwrap().2), (None, message));
}

#[test]
fn whoever_leaves_is_out_at_once_and_the_next_commit_carries_it_out() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let leave = bob.leave(room);
    world.submit(&bob, leave).unwrap();
    let at_bob = world.sync(&mut bob, true);
    assert_eq!(left(&at_bob), Some(3));
    world.sync(&mut alice, true);
    world.commit(&mut alice, room, &Change::default()).1.unwrap();
    world.sync(&mut alice, true);
    world.say(&mut alice, room, "alone").1.unwrap();
    let at_bob = world.sync(&mut bob, true);
    assert!(Device::events(&at_bob).is_empty());
}
