//! A device that lost its way asks for the group: the hub shows it to whoever is in it, and to nobody
//! else.

use domain::{Input, RequestId};
use mls::{Change, GroupView, Member, Rows};
use wire::{
    ErrorCode, RoomId, WireError,
    proto::{
        CommitExtras, EventKind, GetGroup, GroupState, MessageBinding, PeerRequest, Submission,
        client_request, client_response, peer_request, peer_response,
    },
};

use crate::{
    device::{Answer, Device, error},
    message::pair,
    origin::greet,
    world::{World, name},
};

fn ask(world: &mut World, device: &Device, room: RoomId) -> Answer {
    // Whatever the device says about who it is, its home node knows better.
    let request = GetGroup {
        room: room.to_bytes(),
        account: "carol@third.test".to_owned(),
        device_id: vec![9; 16].into(),
    };
    world.ask(device.account.domain(), device.session, client_request::Request::GetGroup(request))
}

fn shown(answer: Answer) -> GroupState {
    match answer {
        Ok(client_response::Response::Group(shown)) => shown,
        other => panic!("{other:?}"),
    }
}

// [ROOM-34] [SYNC-25]
#[test]
fn a_device_comes_back_over_two_nodes() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let at_hub = shown(ask(&mut world, &alice, room));
    let at_follower = shown(ask(&mut world, &bob, room));
    assert_eq!(at_hub, at_follower, "the hub's word, through the home node");
    let view = GroupView::read(&at_follower.group_info, &at_follower.ratchet_tree).unwrap();
    assert_eq!((view.room, view.epoch, view.leaves.len()), (room, 1, 2));

    let message = bob.message_id();
    let binding = MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
    let (member, made) =
        Member::rejoin(&bob.keys, Rows::new(), &at_follower, &binding, &mut bob.entropy).unwrap();
    bob.rooms.insert(room, member);
    let commit = Some(CommitExtras { group_info: made.group_info, ..CommitExtras::default() });
    let submission = bob.submission(room, message, EventKind::Commit, made.epoch, made.commit);
    world.submit(&bob, Submission { commit, ..submission }).unwrap();
    world.sync(&mut bob, true);
    world.sync(&mut alice, true);
    let epochs = |device: &Device| device.rooms[&room].epoch_authenticator();
    assert_eq!(epochs(&alice), epochs(&bob));
    world.say(&mut bob, room, "back").1.unwrap();
    assert_eq!(Device::events(&world.sync(&mut alice, true)).len(), 1);
}

// [ROOM-34]
#[test]
fn the_group_is_shown_to_nobody_who_is_not_in_it() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let (carol, dave) = (world.person("carol@acme.test"), world.person("dave@umbrella.test"));
    for stranger in [&carol, &dave] {
        assert_eq!(error(ask(&mut world, stranger, room)), ErrorCode::NotFound);
        assert_eq!(error(ask(&mut world, stranger, RoomId::new([7; 32]))), ErrorCode::NotFound);
    }
    let leave = bob.leave(room);
    let left = leave.body.clone();
    world.submit(&bob, leave).unwrap();
    world.sync(&mut bob, true);
    world.sync(&mut alice, true);
    assert_eq!(error(ask(&mut world, &bob, room)), ErrorCode::Forbidden);
    assert_eq!(shown(ask(&mut world, &alice, room)).departures, [left], "what has to be carried out");
    world.commit(&mut alice, room, &Change::default()).1.unwrap();
    assert!(shown(ask(&mut world, &alice, room)).departures.is_empty());
    assert_eq!(error(ask(&mut world, &bob, room)), ErrorCode::Forbidden);
}

// [ROOM-34] [LINK-15]
#[test]
fn a_peer_asks_for_its_own_devices_that_are_there_and_not_too_often() {
    let mut world = World::new(&["acme.test", "umbrella.test", "initech.test"]);
    let (alice, bob, room) = pair(&mut world);
    let erin = world.person("erin@initech.test");
    let acme = name("acme.test");
    let peers = ["umbrella.test", "initech.test"].map(|peer| greet(&mut world, &acme, &name(peer)));
    let ask = |world: &mut World, peer: usize, asked: GetGroup| {
        let body = PeerRequest { request: Some(peer_request::Request::GetGroup(asked)) };
        let request = RequestId(world.fresh());
        world.feed(&acme, Input::PeerRequest { conn: peers[peer], request, body });
        match world.answers.pop().unwrap().response.unwrap() {
            peer_response::Response::Group(_) => None,
            peer_response::Response::Error(error) => Some(WireError::from(&error).code),
            other => panic!("{other:?}"),
        }
    };
    let of = |device: &Device| GetGroup {
        room: room.to_bytes(),
        account: device.account.to_string(),
        device_id: device.id.to_bytes(),
    };
    let honest = of(&bob);
    let rows = [
        (0, honest.clone(), None),
        (1, honest.clone(), Some(ErrorCode::OriginMismatch)),
        (0, of(&alice), Some(ErrorCode::OriginMismatch)),
        (1, of(&erin), Some(ErrorCode::NotFound)),
        (0, GetGroup { device_id: vec![1; 16].into(), ..honest.clone() }, Some(ErrorCode::Forbidden)),
        (0, GetGroup { device_id: vec![1; 15].into(), ..honest.clone() }, Some(ErrorCode::Malformed)),
        (0, GetGroup { account: String::new(), ..honest.clone() }, Some(ErrorCode::Malformed)),
        (0, GetGroup { room: vec![1; 31].into(), ..honest.clone() }, Some(ErrorCode::Malformed)),
        (0, GetGroup { room: vec![1; 32].into(), ..honest.clone() }, Some(ErrorCode::NotFound)),
    ];
    for (row, (peer, asked, error)) in rows.into_iter().enumerate() {
        assert_eq!(ask(&mut world, peer, asked), error, "row {row}");
    }
    let mut answered = 0;
    while ask(&mut world, 0, honest.clone()).is_none() {
        answered += 1;
        assert!(answered < 60, "whole groups cost more than other questions");
    }
}
