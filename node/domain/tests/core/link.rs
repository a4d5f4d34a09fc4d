//! Links that break, resume and wait; peers that are away.

use wire::{
    ErrorCode,
    proto::{PeerPhase, admin_request, admin_response, entry, item, link_frame},
};

use crate::{
    device::Device,
    message::pair,
    world::{World, name},
};

fn sent_submissions(world: &World, from: &str) -> usize {
    let batches = world.links.iter().filter(|(at, _)| at.as_str() == from).filter_map(|(_, frame)| {
        match &frame.frame {
            Some(link_frame::Frame::Batch(batch)) => Some(batch),
            _ => None,
        }
    });
    let items = batches.flat_map(|batch| &batch.items);
    items.filter(|item| matches!(item.item, Some(item::Item::Submission(_)))).count()
}

#[test]
fn what_was_queued_while_the_link_was_down_arrives_in_order_when_it_is_back() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.cut(&name("umbrella.test"));
    let from_alice: Vec<_> = (0..3).map(|_| world.say(&mut alice, room, "a").0).collect();
    let from_bob: Vec<_> = (0..200).map(|_| world.say(&mut bob, room, "b").0).collect();
    assert!(Device::events(&world.sync(&mut bob, true)).is_empty());
    let states = world.admin(&name("umbrella.test"), admin_request::Request::ListPeers(Default::default()));
    let admin_response::Response::Peers(states) = states else { panic!("{states:?}") };
    assert_eq!(states.peers[0].queued, 200);
    assert_eq!(states.peers[0].phase(), PeerPhase::Waiting);
    world.heal(&name("umbrella.test"));
    world.pass(300_000);
    let order: Vec<_> =
        Device::events(&world.sync(&mut alice, true)).into_iter().map(|event| event.2).collect();
    assert_eq!(order[..3], from_alice);
    assert_eq!(order[3..], from_bob);
    let at_bob: Vec<_> =
        Device::events(&world.sync(&mut bob, true)).into_iter().map(|event| event.2).collect();
    assert_eq!(at_bob, order);
    let states = world.admin(&name("umbrella.test"), admin_request::Request::ListPeers(Default::default()));
    let admin_response::Response::Peers(states) = states else { panic!("{states:?}") };
    assert_eq!((states.peers[0].queued, states.peers[0].phase()), (0, PeerPhase::Connected));
}

#[test]
fn inbound_contact_ends_the_backoff_at_once() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.cut(&name("umbrella.test"));
    world.say(&mut alice, room, "waits").1.unwrap();
    world.pass(3_600_000);
    world.heal(&name("umbrella.test"));
    let retry = wire::proto::RetryPeer { domain: "acme.test".to_owned() };
    world.admin(&name("umbrella.test"), admin_request::Request::RetryPeer(retry));
    assert_eq!(
        Device::events(&world.sync(&mut bob, true)).len(),
        1,
        "acme's queue goes with umbrella's dial"
    );
}

// [LINK-12]
#[test]
fn an_absence_is_told_to_the_rooms_concerned_and_so_is_its_end() {
    let mut world = World::new(&["acme.test", "umbrella.test", "initech.test"]);
    let (mut alice, _bob, _room) = pair(&mut world);
    let mut carol = world.person("carol@acme.test");
    let absent = |entries: &[wire::proto::Entry]| -> Vec<(String, bool)> {
        let states = entries.iter().filter_map(|entry| match &entry.entry {
            Some(entry::Entry::PeerState(state)) => Some((state.domain.clone(), state.absent_since_ms > 0)),
            _ => None,
        });
        states.collect()
    };
    world.cut(&name("umbrella.test"));
    world.pass(200_000);
    assert!(absent(&world.sync(&mut alice, true)).is_empty());
    world.pass(200_000);
    assert_eq!(absent(&world.sync(&mut alice, true)), [("umbrella.test".to_owned(), true)]);
    world.pass(3_600_000);
    assert!(absent(&world.sync(&mut alice, true)).is_empty(), "told once");
    world.heal(&name("umbrella.test"));
    world.pass(300_000);
    assert_eq!(absent(&world.sync(&mut alice, true)), [("umbrella.test".to_owned(), false)]);
    assert!(absent(&world.sync(&mut carol, true)).is_empty(), "carol has no room with umbrella");
}

#[test]
fn a_reconnection_sends_nothing_twice_that_was_acknowledged() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (_alice, mut bob, room) = pair(&mut world);
    let before = sent_submissions(&world, "umbrella.test");
    world.say(&mut bob, room, "one").1.unwrap();
    world.cut(&name("umbrella.test"));
    world.heal(&name("umbrella.test"));
    world.pass(300_000);
    world.say(&mut bob, room, "two").1.unwrap();
    assert_eq!(sent_submissions(&world, "umbrella.test") - before, 2);
}

#[test]
fn a_queue_larger_than_memory_comes_from_the_store() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.cut(&name("umbrella.test"));
    let text = "x".repeat(200_000);
    let sent: Vec<_> = (0..60).map(|_| world.say(&mut bob, room, &text).0).collect();
    world.heal(&name("umbrella.test"));
    world.pass(300_000);
    let mut got = Vec::new();
    for _ in 0..10 {
        got.extend(Device::events(&world.sync(&mut alice, true)).into_iter().map(|event| event.2));
    }
    assert_eq!(got, sent);
}

// [SYNC-11]
#[test]
fn a_lookup_at_a_peer_that_is_away_is_unavailable_and_one_that_is_there_is_answered() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (alice, bob, _) = pair(&mut world);
    let ask = |account: &str| {
        wire::proto::client_request::Request::GetAccount(wire::proto::GetAccount {
            account: account.to_owned(),
        })
    };
    let acme = name("acme.test");
    let answer = world.ask(&acme, alice.session, ask(bob.account.as_str()));
    assert!(matches!(answer, Ok(wire::proto::client_response::Response::Account(_))), "{answer:?}");
    let answer = world.ask(&acme, alice.session, ask("nobody@umbrella.test"));
    assert_eq!(crate::device::error(answer), ErrorCode::NotFound);
    let answer = world.ask(&acme, alice.session, ask("nobody@elsewhere.test"));
    assert_eq!(crate::device::error(answer), ErrorCode::NotFound);
    world.cut(&name("umbrella.test"));
    let answer = world.ask(&acme, alice.session, ask(bob.account.as_str()));
    assert_eq!(crate::device::error(answer), ErrorCode::Unavailable);
}
