//! A node whose store is an older copy of itself: what it has lost comes back from the others, and
//! nothing is ordered before.

use bytes::Bytes;
use mls::Change;
use prost::Message as _;
use room::chain::{self, Draft, LogHead};
use store::{
    Batch, Store as _, Write,
    memory::{Fault, Memory},
    row::{PeerRow, RoomRow},
};
use wire::{
    DomainName, ErrorCode, MessageId, RoomId, SecretKey, limits,
    proto::{
        CommitNack, Event, EventKind, HubNotice, ProgressKind, PulledEvents, RemovePeer, admin_request,
        hub_notice, peer_response,
    },
};

use crate::{
    device::{Device, error},
    message::pair,
    world::{World, name},
};

fn backup(world: &World, domain: &DomainName) -> Memory {
    world.nodes[domain].disk.fork()
}

/// Puts a copy in the place of a node's store, as a restore leaves it, and starts the node.
fn restore(world: &mut World, domain: &DomainName, copy: &Memory, rooms: &[RoomId]) {
    let disk = copy.fork();
    let mut batch = Batch::default();
    batch.push(Write::PutMeta("store_id", Bytes::copy_from_slice(&[0x5a; 16])));
    for peer in disk.peers().unwrap() {
        let absent_since_ms = world.now.as_ms();
        batch.push(Write::PutPeer(PeerRow { outbox_id: [0xa5; 16], absent_since_ms, ..peer }));
    }
    for room in rooms.iter().filter_map(|room| disk.room(room).unwrap()) {
        let wanted_seq = if room.hub == *domain { i64::MAX.cast_unsigned() } else { room.head_seq + 1 };
        batch.push(Write::PutRoom(RoomRow { wanted_seq, ..room }));
    }
    disk.commit(&batch).unwrap();
    world.nodes.get_mut(domain).unwrap().disk = disk;
    world.crash(domain);
}

/// A device finds another store and begins at its start.
fn return_to(world: &mut World, device: &mut Device) {
    device.cursor = 0;
    world.reconnect(device);
}

fn log(world: &World, domain: &str, room: RoomId) -> Vec<(u64, MessageId)> {
    let rows = world.nodes[&name(domain)].disk.events(&room, 1, usize::MAX).unwrap();
    rows.iter().map(|row| (row.seq, row.message)).collect()
}

fn agree(world: &World, one: &str, other: &str, room: RoomId) -> usize {
    let (one, other) = (log(world, one, room), log(world, other, room));
    let tail = one.iter().filter(|event| other.first().is_some_and(|first| event.0 >= first.0));
    assert_eq!(tail.copied().collect::<Vec<_>>(), other, "one order everywhere");
    one.len()
}

// [ROOM-40]
#[test]
fn a_hub_gets_back_what_it_ordered_before_it_orders_anything() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let acme = name("acme.test");
    world.say(&mut alice, room, "before").1.unwrap();
    let copy = backup(&world, &acme);
    let mut lost = Vec::new();
    for _ in 0..3 {
        lost.push(world.say(&mut alice, room, "since").0);
        lost.push(world.say(&mut bob, room, "since").0);
    }
    let before = log(&world, "umbrella.test", room);
    restore(&mut world, &acme, &copy, &[room]);
    world.pass(1_000);
    return_to(&mut world, &mut alice);
    let seen = Device::events(&world.sync(&mut alice, true));
    assert!(lost.iter().all(|id| seen.iter().filter(|event| event.2 == *id).count() == 1), "all of it, once");
    let (last, answer) = world.say(&mut alice, room, "after");
    answer.unwrap();
    let (reply, answer) = world.say(&mut bob, room, "after");
    answer.unwrap();
    world.sync(&mut bob, true);
    let seen: Vec<MessageId> = Device::events(&bob.entries).iter().map(|event| event.2).collect();
    assert!(seen.ends_with(&[last, reply]), "{seen:?}");
    let distinct: std::collections::BTreeSet<&MessageId> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "nothing is doubled");
    agree(&world, "acme.test", "umbrella.test", room);
    assert!(log(&world, "umbrella.test", room).starts_with(&before));
}

#[test]
fn what_waited_at_a_peer_is_ordered_after_what_was_lost() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let acme = name("acme.test");
    let copy = backup(&world, &acme);
    world.say(&mut alice, room, "since").1.unwrap();
    world.cut(&acme);
    let (waited, answer) = world.say(&mut bob, room, "queued while the hub was away");
    answer.unwrap();
    restore(&mut world, &acme, &copy, &[room]);
    world.heal(&acme);
    world.pass(300_000);
    let order = log(&world, "acme.test", room);
    assert_eq!(order.last().map(|event| event.1), Some(waited), "{order:?}");
    agree(&world, "acme.test", "umbrella.test", room);
    world.sync(&mut bob, true);
    assert!(Device::events(&bob.entries).iter().any(|event| event.2 == waited), "it was not refused");
}

#[test]
fn members_that_came_and_went_since_the_copy_are_known_again() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let acme = name("acme.test");
    let mut alice = world.person("alice@acme.test");
    let mut carol = world.person("carol@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let (room, _, answer) = world.found(&mut alice, None);
    answer.unwrap();
    world.sync(&mut alice, true);
    world.add(&mut alice, room, &[&carol.account.clone()]).unwrap();
    world.sync(&mut alice, true);
    world.add(&mut alice, room, &[&bob.account.clone()]).unwrap();
    world.sync(&mut alice, true);
    world.sync(&mut carol, true);
    crate::invitation::accept(&mut world, &mut bob, room).unwrap();
    world.sync(&mut bob, true);
    let copy = backup(&world, &acme);
    let leave = carol.leave(room);
    world.submit(&carol, leave).unwrap();
    world.sync(&mut alice, true);
    let leave = Change { remove: vec![carol.account.clone()], ..Change::default() };
    world.commit(&mut alice, room, &leave).1.unwrap();
    world.sync(&mut alice, true);
    let mut dave = world.person("dave@umbrella.test");
    world.add(&mut alice, room, &[&dave.account.clone()]).unwrap();
    world.sync(&mut alice, true);
    world.sync(&mut dave, true);
    restore(&mut world, &acme, &copy, &[room]);
    world.pass(1_000);
    agree(&world, "acme.test", "umbrella.test", room);
    for device in [&mut alice, &mut carol] {
        return_to(&mut world, device);
        world.sync(device, true);
    }
    let message = carol.message_id();
    let submission = carol.submission(room, message, EventKind::Message, 2, vec![1; 40].into());
    assert_eq!(error(world.submit(&carol, submission)), ErrorCode::Forbidden);
    world.commit(&mut alice, room, &Change::default()).1.unwrap();
    world.sync(&mut bob, true);
    let (last, answer) = world.say(&mut bob, room, "the group goes on");
    answer.unwrap();
    world.sync(&mut alice, true);
    let seen = Device::events(&alice.entries);
    assert_eq!(seen.last().map(|event| (event.1, event.2)), Some((EventKind::Message, last)));
}

#[test]
fn a_room_is_closed_until_every_follower_was_heard() {
    let mut world = World::new(&["acme.test", "umbrella.test", "third.test"]);
    let (acme, third) = (name("acme.test"), name("third.test"));
    let mut alice = world.person("alice@acme.test");
    let others: Vec<Device> =
        ["bob@umbrella.test", "carol@third.test"].iter().map(|name| world.person(name)).collect();
    let (room, _, answer) = world.found(&mut alice, None);
    answer.unwrap();
    world.sync(&mut alice, true);
    for other in &others {
        world.add(&mut alice, room, &[&other.account.clone()]).unwrap();
        world.sync(&mut alice, true);
    }
    let copy = backup(&world, &acme);
    world.cut(&name("umbrella.test"));
    let (only_there, answer) = world.say(&mut alice, room, "only the third domain has this");
    answer.unwrap();
    world.cut(&third);
    world.heal(&name("umbrella.test"));
    restore(&mut world, &acme, &copy, &[room]);
    world.pass(10_000);
    return_to(&mut world, &mut alice);
    world.sync(&mut alice, true);
    let (_, submission) = alice.encrypt(room, "too early");
    assert_eq!(error(world.submit(&alice, submission.clone())), ErrorCode::Unavailable, "it can be repeated");
    world.crash(&acme);
    world.pass(10_000);
    return_to(&mut world, &mut alice);
    world.sync(&mut alice, true);
    assert_eq!(error(world.submit(&alice, submission.clone())), ErrorCode::Unavailable, "over a restart too");
    world.heal(&third);
    world.pass(300_000);
    world.submit(&alice, submission).unwrap();
    let order = log(&world, "acme.test", room);
    assert_eq!(order.iter().rev().nth(1).map(|event| event.1), Some(only_there));
    agree(&world, "acme.test", "third.test", room);
    agree(&world, "acme.test", "umbrella.test", room);
}

#[test]
fn a_follower_that_never_comes_back_is_waited_for_as_long_as_anything_is() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, _bob, room) = pair(&mut world);
    let (acme, umbrella) = (name("acme.test"), name("umbrella.test"));
    let copy = backup(&world, &acme);
    world.cut(&umbrella);
    restore(&mut world, &acme, &copy, &[room]);
    world.pass(limits::OUTBOX_MAX_AGE_S * 1000 - 600_000);
    return_to(&mut world, &mut alice);
    let (_, submission) = alice.encrypt(room, "is anybody there?");
    assert_eq!(error(world.submit(&alice, submission.clone())), ErrorCode::Unavailable);
    world.pass(2 * limits::BACKOFF_MAX_MS + 1_200_000);
    world.submit(&alice, submission).unwrap();
}

#[test]
fn what_was_given_back_and_not_written_is_asked_for_again() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let (acme, umbrella) = (name("acme.test"), name("umbrella.test"));
    let copy = backup(&world, &acme);
    let (lost, answer) = world.say(&mut bob, room, "since");
    answer.unwrap();
    world.cut(&umbrella);
    restore(&mut world, &acme, &copy, &[room]);
    world.nodes[&acme].disk.fail_next(Fault::Full);
    world.nodes[&acme].disk.fail_next(Fault::Full);
    world.heal(&umbrella);
    world.pass(600_000);
    world.nodes[&acme].disk.clear_faults();
    assert!(log(&world, "acme.test", room).iter().any(|event| event.1 == lost));
    return_to(&mut world, &mut alice);
    world.say(&mut alice, room, "after").1.unwrap();
    agree(&world, "acme.test", "umbrella.test", room);
}

/// What whoever gives back events says instead.
fn give_back(world: &mut World, events: Vec<Event>) {
    world.lie = Some(Box::new(move |asker, answer| {
        if let (true, Some(peer_response::Response::Pulled(pulled))) =
            (*asker == name("acme.test"), &mut answer.response)
        {
            *pulled = PulledEvents { events: events.clone(), end: true };
        }
    }));
}

/// What a hub would have ordered next.
fn next(
    world: &World,
    room: RoomId,
    key: &SecretKey,
    (kind, number): (EventKind, u8),
    body: &Bytes,
    skip: u64,
) -> Event {
    let row = world.nodes[&name("acme.test")].disk.room(&room).unwrap().unwrap();
    let prev = LogHead { seq: row.head_seq + skip, hash: row.head_hash };
    let message = MessageId::new([number; 16]);
    let hub = name("acme.test");
    let draft = Draft { room: &room, hub: &hub, epoch: row.epoch, kind, message: &message, body, time_ms: 1 };
    chain::seal(&prev, &draft, key).0
}

type Row = (&'static str, fn(&Event, &Event) -> Event);

// [ROOM-40]
#[test]
fn what_this_domain_never_signed_closes_nothing() {
    let rows: [Row; 5] = [
        ("signed by somebody else", |_, strange| strange.clone()),
        ("a head over its limit", |_, strange| Event { head: vec![0; 513].into(), ..strange.clone() }),
        ("no head", |own, _| Event { head: Bytes::new(), ..own.clone() }),
        ("a body over the limit of its kind", |own, _| Event {
            body: vec![0; limits::NOTICE_BYTES_MAX + 1].into(),
            ..own.clone()
        }),
        ("another body than the one that was signed", |own, strange| Event {
            body: strange.body.clone(),
            ..own.clone()
        }),
    ];
    for (row, change) in rows {
        let mut world = World::new(&["acme.test", "umbrella.test"]);
        let (mut alice, _bob, room) = pair(&mut world);
        let acme = name("acme.test");
        let copy = backup(&world, &acme);
        let stranger = SecretKey::from_seed(&zeroize::Zeroizing::new([9; 32]));
        let notice = |key: &SecretKey, body: u8| {
            next(&world, room, key, (EventKind::Notice, 9), &vec![body; 8].into(), 0)
        };
        let event = change(&notice(&world.nodes[&acme].keys.event, 1), &notice(&stranger, 2));
        give_back(&mut world, vec![event]);
        restore(&mut world, &acme, &copy, &[room]);
        world.pass(10_000);
        return_to(&mut world, &mut alice);
        world.sync(&mut alice, true);
        let (_, submission) = alice.encrypt(room, row);
        assert_eq!(world.submit(&alice, submission).map(drop).map_err(|error| error.code), Ok(()), "{row}");
    }
}

// [ROOM-40]
#[test]
fn what_this_domain_signed_and_cannot_follow_closes_a_room_while_its_holder_is_pinned() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, _bob, room) = pair(&mut world);
    let acme = name("acme.test");
    let copy = backup(&world, &acme);
    let key = world.nodes[&acme].keys.event.clone();
    let commit = next(&world, room, &key, (EventKind::Commit, 9), &vec![7; 300].into(), 0);
    give_back(&mut world, vec![commit]);
    restore(&mut world, &acme, &copy, &[room]);
    world.pass(10_000);
    return_to(&mut world, &mut alice);
    world.sync(&mut alice, true);
    let (_, submission) = alice.encrypt(room, "is it open?");
    assert_eq!(error(world.submit(&alice, submission.clone())), ErrorCode::Unavailable);
    world.pass(600_000);
    assert_eq!(error(world.submit(&alice, submission.clone())), ErrorCode::Unavailable, "nor does time help");
    let remove = RemovePeer { domain: "umbrella.test".to_owned() };
    world.admin(&acme, admin_request::Request::RemovePeer(remove));
    world.pass(10_000);
    world.submit(&alice, submission).unwrap();
}

// [ROOM-40]
#[test]
fn a_gap_in_what_is_given_back_opens_nothing() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, _bob, room) = pair(&mut world);
    let acme = name("acme.test");
    let copy = backup(&world, &acme);
    let key = world.nodes[&acme].keys.event.clone();
    let nack = hub_notice::Notice::Nack(CommitNack { seq: 1, ..CommitNack::default() });
    let body: Bytes = HubNotice { notice: Some(nack) }.encode_to_vec().into();
    let later = next(&world, room, &key, (EventKind::Notice, 9), &body, 1);
    give_back(&mut world, vec![later]);
    restore(&mut world, &acme, &copy, &[room]);
    world.pass(600_000);
    return_to(&mut world, &mut alice);
    world.sync(&mut alice, true);
    let (_, submission) = alice.encrypt(room, "is it open?");
    assert_eq!(error(world.submit(&alice, submission.clone())), ErrorCode::Unavailable, "more was ordered");
    world.lie = None;
    world.pass(600_000);
    world.submit(&alice, submission).unwrap();
}

#[test]
fn a_follower_pulls_what_it_has_lost_though_nobody_says_a_word() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let umbrella = name("umbrella.test");
    let copy = backup(&world, &umbrella);
    let sent: Vec<MessageId> = (0..3).map(|_| world.say(&mut alice, room, "since").0).collect();
    restore(&mut world, &umbrella, &copy, &[room]);
    world.pass(1_000);
    return_to(&mut world, &mut bob);
    let seen: Vec<MessageId> =
        Device::events(&world.sync(&mut bob, true)).iter().map(|event| event.2).collect();
    assert!(seen.ends_with(&sent), "{seen:?}");
    let (last, answer) = world.say(&mut bob, room, "under another name of its outbox");
    answer.unwrap();
    world.sync(&mut alice, true);
    assert!(Device::events(&alice.entries).iter().any(|event| event.2 == last));
    let rows = world.nodes[&name("acme.test")].disk.progress(&room).unwrap();
    assert!(rows.iter().any(|row| row.kind == ProgressKind::Stored && row.who == "umbrella.test"));
}
