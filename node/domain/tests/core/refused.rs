//! What the hub refuses travels home and is shown to the device that sent it.

use domain::Input;
use mls::Change;
use store::Store as _;
use wire::{
    ErrorCode, WireError,
    proto::{BatchAck, LinkFrame, LinkResume, Refused, entry, link_frame},
};

use crate::{
    message::pair,
    world::{World, name},
};

pub(crate) fn refused(entries: &[wire::proto::Entry]) -> Vec<Refused> {
    let refused = entries.iter().filter_map(|entry| match &entry.entry {
        Some(entry::Entry::Refused(refused)) => Some(refused.clone()),
        _ => None,
    });
    refused.collect()
}

#[test]
fn the_loser_of_a_commit_race_is_told_the_current_epoch() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let (lost, late) = bob.commit(room, &Change::default());
    world.commit(&mut alice, room, &Change::default()).1.unwrap();
    world.submit(&bob, late.clone()).unwrap();
    let told = refused(&world.sync(&mut bob, true));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message_id, lost.to_bytes());
    let error = WireError::from(&told[0].error.unwrap());
    assert_eq!((error.code, error.value), (ErrorCode::StaleEpoch, 2));
    let umbrella = &world.nodes[&name("umbrella.test")];
    assert!(store::Store::pending(&umbrella.disk, &[(room, lost)]).unwrap().is_empty());
    let acme = &world.nodes[&name("acme.test")];
    world.nodes.get(&name("umbrella.test")).unwrap();
    assert_eq!(store::Store::answers(&acme.disk, &name("umbrella.test")).unwrap().len(), 1);
    world.say(&mut bob, room, "next").1.unwrap();
    world.pass(1_000);
    let acme = &world.nodes[&name("acme.test")];
    assert!(store::Store::answers(&acme.disk, &name("umbrella.test")).unwrap().is_empty(), "settled");
}

#[test]
fn a_refusal_survives_a_crash_of_the_hub_before_it_was_told() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let (lost, late) = bob.commit(room, &Change::default());
    world.commit(&mut alice, room, &Change::default()).1.unwrap();
    world.cut(&name("umbrella.test"));
    world.submit(&bob, late).unwrap();
    world.heal(&name("umbrella.test"));
    world.crash(&name("acme.test"));
    world.pass(120_000);
    let told = refused(&world.sync(&mut bob, true));
    assert_eq!(told.iter().map(|told| told.message_id.clone()).collect::<Vec<_>>(), [lost.to_bytes()]);
}

#[test]
fn what_waits_too_long_is_undeliverable_and_its_neighbours_are_not_lost() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.cut(&name("umbrella.test"));
    let (old, answer) = world.say(&mut bob, room, "old");
    answer.unwrap();
    let (from_hub, answer) = world.say(&mut alice, room, "from the hub");
    answer.unwrap();
    world.pass((wire::limits::OUTBOX_MAX_AGE_S + 60) * 1000);
    let told = refused(&world.sync(&mut bob, true));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message_id, old.to_bytes());
    assert_eq!(WireError::from(&told[0].error.unwrap()).code, ErrorCode::Undeliverable);
    let (fresh, answer) = world.say(&mut bob, room, "fresh");
    answer.unwrap();
    world.heal(&name("umbrella.test"));
    world.pass(wire::limits::BACKOFF_MAX_MS * 2);
    let at_alice = crate::device::Device::events(&world.sync(&mut alice, true));
    assert!(at_alice.iter().any(|event| event.2 == fresh), "{at_alice:?}");
    assert!(at_alice.iter().all(|event| event.2 != old));
    let at_bob = crate::device::Device::events(&world.sync(&mut bob, true));
    assert!(at_bob.iter().any(|event| event.2 == from_hub), "a run is kept however old: {at_bob:?}");
}

// [LINK-13]
#[test]
fn what_a_hub_takes_and_never_orders_is_undeliverable_in_the_end() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (_alice, mut bob, room) = pair(&mut world);
    let (acme, umbrella) = (name("acme.test"), name("umbrella.test"));
    world.cut(&umbrella);
    let (said, answer) = world.say(&mut bob, room, "into the void");
    answer.unwrap();
    let waiting = world.nodes[&umbrella].disk.outbox(&acme, 1, 99).unwrap();
    let number = waiting.last().unwrap().number;
    let conn = crate::origin::greet(&mut world, &umbrella, &acme);
    let stream = domain::StreamId(world.fresh());
    let tell = |world: &mut World, frame| {
        let frame = LinkFrame { frame: Some(frame) };
        world.feed(&umbrella, Input::LinkFrame { conn, stream, frame });
    };
    tell(&mut world, link_frame::Frame::Resume(LinkResume { received: number - 1, answers: vec![] }));
    tell(&mut world, link_frame::Frame::Ack(BatchAck { received: number, answers: vec![] }));
    assert!(world.nodes[&umbrella].disk.outbox(&acme, 1, 99).unwrap().len() <= waiting.len());
    // The driver gives a tick once a minute, whatever the core has asked for.
    let pass = |world: &mut World, ms| {
        world.pass(ms);
        world.feed(&umbrella, Input::Tick);
    };
    pass(&mut world, (wire::limits::OUTBOX_MAX_AGE_S - 60) * 1000);
    assert_eq!(refused(&world.sync(&mut bob, true)).len(), 0, "it is not too late yet");
    pass(&mut world, 2 * 3_600_000);
    let told = refused(&world.sync(&mut bob, true));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message_id, said.to_bytes());
    assert_eq!(WireError::from(&told[0].error.unwrap()).code, ErrorCode::Undeliverable);
    pass(&mut world, 2 * 3_600_000);
    assert_eq!(refused(&world.sync(&mut bob, true)).len(), 0, "it is told once");
}
