//! A message travels from a device through home, hub and follower to another device.

use wire::{
    ErrorCode,
    proto::{Entry, EventKind, ProgressKind, entry},
};

use crate::{
    device::{Device, error},
    world::{World, name},
};

fn progress(entries: &[Entry]) -> Vec<(ProgressKind, String, u64)> {
    let progress = entries.iter().filter_map(|entry| match &entry.entry {
        Some(entry::Entry::Progress(progress)) => Some((progress.kind(), progress.who.clone(), progress.seq)),
        _ => None,
    });
    progress.collect()
}

/// A direct room of two people of two domains, both in it.
pub(crate) fn pair(world: &mut World) -> (Device, Device, wire::RoomId) {
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let (room, _, answer) = world.found(&mut alice, Some(&bob.account));
    answer.unwrap();
    world.sync(&mut alice, true);
    world.add(&mut alice, room, &[&bob.account.clone()]).unwrap();
    world.sync(&mut alice, true);
    crate::invitation::accept(world, &mut bob, room).unwrap();
    world.sync(&mut bob, true);
    assert!(bob.rooms.contains_key(&room));
    (alice, bob, room)
}

// [SYNC-23]
#[test]
fn hub_at_home_and_a_follower() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let (message, answer) = world.say(&mut alice, room, "hello");
    answer.unwrap();
    let at_bob = Device::events(&world.sync(&mut bob, false));
    assert_eq!(at_bob, [(3, EventKind::Message, message)]);
    world.pass(wire::limits::PROGRESS_EVERY_MS);
    let at_alice = world.sync(&mut alice, false);
    assert_eq!(Device::events(&at_alice), [(3, EventKind::Message, message)]);
    assert!(progress(&at_alice).contains(&(ProgressKind::Stored, "umbrella.test".to_owned(), 3)));
    world.sync(&mut bob, true);
    world.pass(2 * wire::limits::PROGRESS_EVERY_MS);
    let delivered = (ProgressKind::Delivered, "bob@umbrella.test".to_owned(), 3);
    assert!(progress(&world.sync(&mut alice, true)).contains(&delivered));
}

#[test]
fn the_other_way_home_is_not_the_hub() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let (first, answer) = world.say(&mut bob, room, "hello");
    answer.unwrap();
    let (second, answer) = world.say(&mut bob, room, "again");
    answer.unwrap();
    let expected = [(3, EventKind::Message, first), (4, EventKind::Message, second)];
    assert_eq!(Device::events(&world.sync(&mut alice, true)), expected);
    world.pass(2 * wire::limits::PROGRESS_EVERY_MS);
    let at_bob = world.sync(&mut bob, true);
    assert_eq!(Device::events(&at_bob), expected, "a device sees what it sent come back in order");
    let delivered = (ProgressKind::Delivered, "alice@acme.test".to_owned(), 4);
    assert!(progress(&at_bob).contains(&delivered));
    let umbrella = &world.nodes[&name("umbrella.test")];
    let pending = store::Store::pending(&umbrella.disk, &[(room, first), (room, second)]).unwrap();
    assert!(pending.is_empty(), "what was ordered is pending no more");
}

#[test]
fn many_in_one_drain_are_one_batch_and_keep_their_order() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let before = world.nodes[&name("acme.test")].disk.commits();
    let mut expected = Vec::new();
    let inputs = (0..100)
        .map(|n| {
            let (message, submission) = alice.encrypt(room, "x");
            expected.push((3 + n, EventKind::Message, message));
            let request = wire::proto::client_request::Request::Submit(submission);
            let request = wire::proto::ClientRequest { id: 1_000_000 + n, request: Some(request) };
            let frame = wire::proto::client_frame::Frame::Request(request);
            let frame = wire::proto::ClientFrame { frame: Some(frame) };
            domain::Input::ClientFrame { session: alice.session, frame }
        })
        .collect();
    world.feed_all(&name("acme.test"), inputs);
    let after = world.nodes[&name("acme.test")].disk.commits();
    assert_eq!(after - before, 1, "one transaction for a hundred messages");
    assert_eq!(Device::events(&world.sync(&mut bob, true)), expected);
    assert_eq!(Device::events(&world.sync(&mut alice, true)), expected);
}

// [ROOM-13]
#[test]
fn the_same_again_is_the_first_answer_and_another_content_a_conflict() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    for device in [&mut alice, &mut bob] {
        let (message, submission) = device.encrypt(room, "once");
        let first = world.submit(device, submission.clone()).unwrap();
        assert_eq!(world.submit(device, submission.clone()).unwrap(), first);
        let (_, mut other) = device.encrypt(room, "other");
        other.message_id = message.to_bytes();
        assert_eq!(error(world.submit(device, other)), ErrorCode::Conflict);
    }
    assert_eq!(Device::events(&world.sync(&mut bob, true)).len(), 2);
}

// [SYNC-6]
#[test]
fn a_device_that_was_away_catches_up_in_order_and_once() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.feed(&name("umbrella.test"), domain::Input::SessionClosed { session: bob.session });
    let sent: Vec<_> = (0..150).map(|n| world.say(&mut alice, room, &n.to_string()).0).collect();
    world.reconnect(&mut bob);
    let got: Vec<_> = Device::events(&world.sync(&mut bob, true)).into_iter().map(|event| event.2).collect();
    assert_eq!(got, sent);
    let (last, _) = world.say(&mut alice, room, "live");
    assert_eq!(Device::events(&world.sync(&mut bob, true)).last().unwrap().2, last);
}

// [SYNC-8]
#[test]
fn a_device_that_does_not_acknowledge_is_sent_a_window_and_the_rest_when_it_does() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let window = wire::limits::SESSION_QUEUE_MAX;
    let sent: Vec<_> = (0..window + 300).map(|_| world.say(&mut alice, room, "x").0).collect();
    let first = Device::events(&world.sync(&mut bob, true));
    assert!(
        first.len() <= window + wire::limits::BATCH_ITEMS_MAX && first.len() >= window - 1,
        "{}",
        first.len()
    );
    let mut got = first;
    for _ in 0..10 {
        got.extend(Device::events(&world.sync(&mut bob, true)));
    }
    assert_eq!(got.into_iter().map(|event| event.2).collect::<Vec<_>>(), sent);
}

// [SYNC-3]
#[test]
fn the_newer_session_of_a_device_takes_the_place_of_the_older() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, _bob, _) = pair(&mut world);
    let old = alice.session;
    world.reconnect(&mut alice);
    assert_eq!(world.closed.get(&old), Some(&ErrorCode::Superseded));
    assert!(!world.closed.contains_key(&alice.session));
}
