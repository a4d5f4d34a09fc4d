//! Links that break, resume and wait; peers that are away.

use domain::{ConnId, Input};
use identity::{DocumentFields, DomainDocument, DomainKeys};
use machine::Seeded;
use wire::{
    ErrorCode, SecretKey,
    proto::{PeerPhase, Signed, admin_request, admin_response, entry, item, link_frame},
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

/// How a node sees its only peer.
fn phase(world: &mut World, at: &str) -> PeerPhase {
    let states = world.admin(&name(at), admin_request::Request::ListPeers(Default::default()));
    let admin_response::Response::Peers(states) = states else { panic!("{states:?}") };
    states.peers[0].phase()
}

/// A successor of the domain's newest document, changed, and signed by any key.
fn next_document(
    world: &World,
    of: &str,
    root: &SecretKey,
    change: impl FnOnce(&mut DocumentFields),
) -> Signed {
    let newest = world.nodes[&name(of)].documents.last().unwrap();
    let mut fields = DomainDocument::parse(newest).unwrap().successor(world.now);
    change(&mut fields);
    DomainDocument::issue(&fields, root).unwrap().signed().clone()
}

/// A stranger connects to `at` as `claimed` with these documents, and a key that nobody knows.
fn stranger_says(world: &mut World, at: &str, claimed: &str, documents: Vec<Signed>) {
    let key = DomainKeys::generate(&mut Seeded::new(666)).tls.public();
    let conn = world.play_stranger(&name(at), key);
    let hello = link::hello::make(&name(claimed), &name(at), &documents, 0, 0, world.now);
    world.feed(&name(at), Input::PeerHello { conn, hello });
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

// [LINK-2] [LINK-3]
#[test]
fn a_stranger_who_names_a_peer_cuts_no_link() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.cut(&name("umbrella.test"));
    world.say(&mut alice, room, "waits").1.unwrap();
    let evil = DomainKeys::generate(&mut Seeded::new(667)).root;
    for (at, claimed) in [("acme.test", "umbrella.test"), ("umbrella.test", "acme.test")] {
        let forged = next_document(&world, claimed, &evil, |_| {});
        stranger_says(&mut world, at, claimed, vec![forged]);
        assert_ne!(phase(&mut world, at), PeerPhase::Held, "{at}");
    }
    world.heal(&name("umbrella.test"));
    world.pass(300_000);
    assert_eq!(Device::events(&world.sync(&mut bob, true)).len(), 1, "the link is back by itself");
}

// [LINK-3] [LINK-11]
#[test]
fn a_peer_that_was_dialled_and_not_recognised_is_held_and_dialled_until_it_is() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.cut(&name("umbrella.test"));
    world.say(&mut alice, room, "waits").1.unwrap();
    // Something else answers where umbrella is dialled.
    let usurper = DomainKeys::generate(&mut Seeded::new(668));
    let forged = next_document(&world, "umbrella.test", &usurper.root, |_| {});
    let (acme, umbrella) = (name("acme.test"), name("umbrella.test"));
    let conn = ConnId(world.fresh());
    let (key, dialled) = (usurper.tls.public(), Some(umbrella.clone()));
    world.feed(&acme, Input::PeerConnected { conn, key, dialled });
    let hello = link::hello::make(&umbrella, &acme, &[forged], 0, 0, world.now);
    world.feed(&acme, Input::PeerHello { conn, hello });
    assert_eq!(phase(&mut world, "acme.test"), PeerPhase::Held);

    world.crash(&acme);
    assert_eq!(phase(&mut world, "acme.test"), PeerPhase::Held, "over a restart");
    let dials = |world: &World| world.dials.iter().filter(|(at, _)| *at == acme).count();
    let before = dials(&world);
    world.feed(&acme, Input::Tick);
    world.pass(3_600_000);
    assert!((4..100).contains(&(dials(&world) - before)), "dialled, and not without pause");
    assert_eq!(phase(&mut world, "acme.test"), PeerPhase::Held);

    world.heal(&umbrella);
    world.pass(300_000);
    assert_eq!(Device::events(&world.sync(&mut bob, true)).len(), 1);
    assert_eq!(phase(&mut world, "acme.test"), PeerPhase::Connected);
}

// [LINK-3]
#[test]
fn two_documents_that_a_domain_signed_for_one_place_hold_it_until_it_is_recognised() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.cut(&name("umbrella.test"));
    world.say(&mut alice, room, "waits").1.unwrap();
    let root = world.nodes[&name("umbrella.test")].keys.root.clone();
    let forked = next_document(&world, "umbrella.test", &root, |fields| {
        (fields.seq, fields.prev_hash) = (1, None);
        fields.expires -= 1;
    });
    stranger_says(&mut world, "acme.test", "umbrella.test", vec![forked]);
    assert_eq!(phase(&mut world, "acme.test"), PeerPhase::Held, "it is evidence, whoever brings it");
    world.heal(&name("umbrella.test"));
    world.pass(300_000);
    assert_eq!(Device::events(&world.sync(&mut bob, true)).len(), 1);
    assert_eq!(phase(&mut world, "acme.test"), PeerPhase::Connected);
}
