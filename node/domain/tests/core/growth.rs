//! What a peer or a device can make a node keep is bounded, and what nobody needs any more goes.

use domain::{Input, RequestId};
use store::Store as _;
use wire::{
    ErrorCode, MessageId, limits,
    proto::{
        Batch, ClaimKeyPackages, ClaimedKeyPackages, Events, GetDomain, Item, Join, LinkFrame, PeerRequest,
        client_request, client_response, item, link_frame, peer_request,
    },
};

use crate::{
    abuse::{behind, join, play},
    device::{Answer, Device, error},
    invitation::kinds,
    message::pair,
    origin::{greet, signed},
    world::{World, name},
};

fn claim(world: &mut World, device: &Device, id: u64, accounts: &[&str]) -> Answer {
    let claim = ClaimKeyPackages {
        room: vec![1; 32].into(),
        claim_id: [id.to_be_bytes(); 2].concat().into(),
        accounts: accounts.iter().map(ToString::to_string).collect(),
        requester: device.account.to_string(),
    };
    let request = client_request::Request::ClaimKeyPackages(claim);
    world.ask(&device.account.domain().clone(), device.session, request)
}

fn claimed(answer: Answer) -> ClaimedKeyPackages {
    match answer {
        Ok(client_response::Response::Claimed(claimed)) => claimed,
        other => panic!("{other:?}"),
    }
}

// [SYNC-15] [SYNC-16]
#[test]
fn claims_are_remembered_for_a_time_and_only_if_they_took_something() {
    let mut world = World::new(&["acme.test"]);
    let alice = world.person("alice@acme.test");
    let mut carol = world.person("carol@acme.test");
    let twice = claim(&mut world, &alice, 1, &["carol@acme.test", "carol@acme.test"]);
    assert_eq!(error(twice), ErrorCode::Malformed);
    let acme = name("acme.test");
    let rows = |world: &World| world.nodes[&acme].disk.rows();
    let before = rows(&world);
    for id in 0..10 {
        assert!(
            !claimed(claim(&mut world, &alice, id, &["carol@acme.test"])).accounts[0].packages[0].last_resort
        );
    }
    assert_eq!(rows(&world) - before, 10, "one for each claim; a package stays as a mark");
    for id in 10..30 {
        assert!(
            claimed(claim(&mut world, &alice, id, &["carol@acme.test"])).accounts[0].packages[0].last_resort
        );
        claimed(claim(&mut world, &alice, id + 100, &["nobody@acme.test"]));
    }
    assert_eq!(rows(&world) - before, 10);
    world.pass((limits::KEY_PACKAGE_VALID_S + 200_000) * 1000);
    let before = rows(&world);
    world.upload(&mut carol, 1, true);
    assert!(
        !claimed(claim(&mut world, &alice, 200, &["carol@acme.test"])).accounts[0].packages[0].last_resort
    );
    assert!(rows(&world) + 17 <= before, "{} of {before}: ten claims, ten packages less", rows(&world));
}

// [SYNC-7]
#[test]
fn entries_that_all_devices_have_are_not_kept() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (_alice, bob, room) = pair(&mut world);
    world.pass(1_000);
    let disk = &world.nodes[&name("umbrella.test")].disk;
    let kept = disk.account_entries(&bob.account, &bob.id, 0, 9).unwrap();
    assert!(kept.len() <= 1, "of invitation and join one may stay, to mark the place: {kept:?}");
    assert_eq!(disk.events(&room, 1, 9).unwrap().len(), 1, "the log stays");
}

// [SYNC-20]
#[test]
fn an_invitation_is_one_however_often_its_hub_tells_it() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let mut bob = world.person("bob@umbrella.test");
    let (_, told) = join(&world, &name("acme.test"), "alice@acme.test", "alice@acme.test");
    for _ in 0..9 {
        assert_eq!(play(&mut world, "acme.test", vec![item::Item::Join(told.clone())]), []);
    }
    assert_eq!(kinds(&world.sync(&mut bob, true)), ["invitation"]);
}

// [ROOM-30]
#[test]
fn a_room_that_nobody_here_is_in_is_not_kept() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let acme = name("acme.test");
    let (other, told) = join(&world, &acme, "alice@acme.test", "alice@acme.test");
    let told = Join { accounts: vec!["nobody@umbrella.test".to_owned()], ..told };
    assert_eq!(play(&mut world, "acme.test", vec![item::Item::Join(told)]), []);
    assert_eq!(world.nodes[&name("umbrella.test")].disk.room(&other).unwrap(), None);
    world.pass(300_000);
    let leave = bob.leave(room);
    world.submit(&bob, leave).unwrap();
    world.sync(&mut bob, true);
    world.sync(&mut alice, true);
    world.cut(&acme);
    let run = Events { room: room.to_bytes(), events: signed(&world, room, &[MessageId::new([5; 16])]) };
    assert_eq!(play(&mut world, "acme.test", vec![item::Item::Events(run)]), [(1, ErrorCode::NotFound)]);
    let kept = world.nodes[&name("umbrella.test")].disk.events(&room, 4, 9).unwrap();
    assert!(kept.is_empty(), "{kept:?}");
}

// [ROOM-30]
#[test]
fn what_comes_in_one_batch_with_the_invitation_is_kept() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let _bob = world.person("bob@umbrella.test");
    let acme = name("acme.test");
    let (room, told) = join(&world, &acme, "alice@acme.test", "alice@acme.test");
    let run = Events { room: room.to_bytes(), events: vec![behind(&world, &acme, room)] };
    let items = vec![item::Item::Join(told), item::Item::Events(run)];
    assert_eq!(play(&mut world, "acme.test", items), []);
    let kept = world.nodes[&name("umbrella.test")].disk.events(&room, 3, 9).unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
}

#[test]
fn a_peer_fills_its_own_share_of_the_quarantine() {
    let mut world = World::new(&["acme.test", "umbrella.test", "initech.test"]);
    let bad = |kind: i32| item::Item::Join(Join { kind, ..Join::default() });
    play(&mut world, "initech.test", vec![bad(9)]);
    let umbrella = name("umbrella.test");
    let conn = greet(&mut world, &umbrella, &name("acme.test"));
    let stream = domain::StreamId(world.fresh());
    let open = wire::proto::LinkOpen { outbox_id: vec![8; 16].into(), first: 1 };
    world.feed(&umbrella, Input::LinkOpened { conn, stream, open });
    let mut number = 0;
    for _ in 0..limits::QUARANTINE_KEPT_MAX / limits::BATCH_ITEMS_MAX + 2 {
        let items = (0..limits::BATCH_ITEMS_MAX).map(|_| {
            number += 1;
            Item { number, item: Some(bad(0)) }
        });
        let batch = Batch { items: items.collect(), settled: number.saturating_sub(1) };
        let frame = LinkFrame { frame: Some(link_frame::Frame::Batch(batch)) };
        world.feed(&umbrella, Input::LinkFrame { conn, stream, frame });
        // As many turns as it takes.
        world.pass(100);
    }
    let (rows, count) = world.nodes[&umbrella].disk.quarantine(usize::MAX).unwrap();
    assert_eq!(count, limits::QUARANTINE_KEPT_MAX as u64 + 1);
    assert!(rows.iter().any(|row| row.peer == name("initech.test")), "the other's stays");
}

// [LINK-15]
#[test]
fn a_peer_that_asks_too_often_is_told_to_wait() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let acme = name("acme.test");
    let conn = greet(&mut world, &acme, &name("umbrella.test"));
    let ask = |world: &mut World| {
        let asked = GetDomain { domain: "acme.test".to_owned(), after_seq: 0 };
        let body = PeerRequest { request: Some(peer_request::Request::GetDomain(asked)) };
        let request = RequestId(world.fresh());
        world.feed(&acme, Input::PeerRequest { conn, request, body });
        world.answers.pop().unwrap().response.unwrap()
    };
    let error = |response: wire::proto::peer_response::Response| match response {
        wire::proto::peer_response::Response::Error(error) => Some(wire::WireError::from(&error)),
        _ => None,
    };
    for _ in 0..limits::PEER_REQUESTS_BURST {
        assert_eq!(error(ask(&mut world)), None);
    }
    let refused = error(ask(&mut world)).unwrap();
    assert_eq!(refused.code, ErrorCode::RateLimited);
    world.pass(refused.retry_after_ms);
    assert_eq!(error(ask(&mut world)), None);
}
