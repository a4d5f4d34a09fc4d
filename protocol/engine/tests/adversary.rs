//! The servers lie, alone or with a member: every lie is refused by name, shown, and harms nothing
//! else.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper that fails fails its test"
)]

mod world;

use bytes::Bytes;
use engine::{
    Command, Notice, Outcome, Target, Warning,
    device::Enrolment,
    view::{Body, TimelineItem},
};
use machine::Seeded;
use mls::Change;
use prost::Message as _;
use wire::{
    ErrorCode, MessageId, RoomId,
    proto::{
        AccountKeys, Event, EventKind, HubNotice, KeyPackageUpload, MessageBinding, NodeFrame,
        client_response::Response, entry, hub_notice, node_frame,
    },
};
use world::{World, account, error};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const CAROL: &str = "carol@acme.test";

fn direct() -> (World, RoomId) {
    let mut world = World::new(&[ALICE, BOB]);
    let Some(Ok(Outcome::Ordered { room, .. })) = world.send(0, Target::Account(account(BOB)), "first")
    else {
        panic!("no room")
    };
    (world, room)
}

fn last(world: &World, phone: usize, room: RoomId) -> TimelineItem {
    world.phones[phone].timeline(room).pop().expect("an item")
}

#[test]
fn a_ciphertext_shown_in_another_room_is_unreadable_there() {
    let mut world = World::new(&[ALICE, BOB]);
    let (one, other) = (world.group("one"), world.group("other"));
    let kept = world.unsent(0, one, "for one");
    world.node.order(other, (EventKind::Message, MessageId::new([5; 16]), &kept.body), world.now);
    world.run();
    assert!(matches!(last(&world, 1, other).body, Body::Unreadable(_)));
    world.send(0, Target::Room(other), "goes on").unwrap().unwrap();
    assert_eq!(world.texts(1, other), ["goes on"]);
}

// [MLS-12]
#[test]
fn a_ciphertext_shown_under_another_id_is_refused_by_its_binding() {
    let (mut world, room) = direct();
    let kept = world.unsent(0, room, "bound");
    world.node.order(room, (EventKind::Message, MessageId::new([5; 16]), &kept.body), world.now);
    world.run();
    assert_eq!(last(&world, 1, room).body, Body::Unreadable(ErrorCode::Malformed));
}

#[test]
fn a_replayed_ciphertext_is_not_shown_again() {
    let (mut world, room) = direct();
    world.send(0, Target::Room(room), "pay 5").unwrap().unwrap();
    let event = room::chain::read(world.node.rooms[&room].log.last().unwrap()).unwrap();
    world.node.order(room, (EventKind::Message, event.message, &event.event.body), world.now);
    world.run();
    assert_eq!(world.texts(1, room), ["first", "pay 5"]);
    assert_eq!(last(&world, 1, room).body, Body::Unreadable(ErrorCode::Expired));
    world.send(1, Target::Room(room), "goes on").unwrap().unwrap();
    assert_eq!(world.texts(0, room).last().unwrap(), "goes on");
}

// [ROOM-33]
#[test]
fn who_is_out_of_a_room_is_heard_no_more_although_the_hub_orders_it() {
    for leaves in [false, true] {
        let mut world = World::new(&[ALICE, BOB, CAROL]);
        let room = world.group("ours");
        world.send(1, Target::Room(room), "while I may").unwrap().unwrap();
        let kept = world.unsent(1, room, "as if I were there");
        let (by, out) = match leaves {
            true => (1, Command::Leave { room }),
            false => (0, Command::Remove { room, account: account(BOB) }),
        };
        world.command(by, out).unwrap().unwrap();
        let id = kept.message_id.as_ref().try_into().unwrap();
        world.node.order(room, (EventKind::Message, id, &kept.body), world.now);
        world.run();
        let seq = world.node.rooms[&room].head.seq;
        let warning = Notice::Warning(Warning::HubAtFault { room, account: account(BOB), seq });
        for phone in [0, 2] {
            assert_eq!(last(&world, phone, room).body, Body::Unreadable(ErrorCode::Forbidden));
            assert!(world.phones[phone].told(|notice| *notice == warning), "leaves: {leaves}");
            assert_eq!(world.texts(phone, room), ["while I may"]);
        }
        world.wait(10_000);
        world.send(2, Target::Room(room), "goes on").unwrap().unwrap();
        assert_eq!(world.texts(0, room), ["while I may", "goes on"]);
    }
}

#[test]
fn an_event_that_the_hub_did_not_sign_is_passed_over_and_the_real_one_pulled() {
    let (mut world, room) = direct();
    let bob = account(BOB);
    world.lie = Some(Box::new(move |to, frame| {
        if let (true, Some(node_frame::Frame::Page(page))) = (*to == bob, &mut frame.frame) {
            for entry in &mut page.entries {
                if let Some(entry::Entry::Event(event)) = &mut entry.entry {
                    event.signature = Bytes::from_static(&[1; 64]);
                }
            }
        }
        true
    }));
    world.send(0, Target::Room(room), "real").unwrap().unwrap();
    world.wait(40_000);
    let passed = Notice::Warning(Warning::Passed { error: ErrorCode::BadSignature });
    assert!(world.phones[1].told(|notice| *notice == passed), "{:?}", world.phones[1].notices);
    assert_eq!(world.texts(1, room), ["first", "real"]);
}

#[test]
fn a_second_history_pauses_the_room() {
    let (mut world, room) = direct();
    let fork = world.node.rooms[&room].head;
    world.send(0, Target::Room(room), "told to alice").unwrap().unwrap();
    world.node.rooms.get_mut(&room).unwrap().head = fork;
    let notice = HubNotice { notice: Some(hub_notice::Notice::Declined("x@y.test".into())) };
    let body = Bytes::from(notice.encode_to_vec());
    world.node.order(room, (EventKind::Notice, MessageId::new([6; 16]), &body), world.now);
    world.run();
    for phone in 0..2 {
        let view = world.phones[phone].engine().room(room).unwrap();
        assert_eq!(view.paused, Some(ErrorCode::ForkedLog));
    }
    assert_eq!(error(world.send(0, Target::Room(room), "?")), Some(ErrorCode::ForkedLog));
}

#[test]
fn members_notice_that_they_are_shown_different_histories() {
    let (mut world, room) = direct();
    let common = world.node.rooms[&room].head;
    let mut heads = Vec::new();
    for (phone, name) in [(0, "x@y.test"), (1, "z@y.test")] {
        let notice = HubNotice { notice: Some(hub_notice::Notice::Declined(name.into())) };
        let body = Bytes::from(notice.encode_to_vec());
        let id = MessageId::new([6; 16]);
        let (event, head) = world.sealed(room, &common, (EventKind::Notice, id, &body));
        heads.push(head);
        world.push(phone, entry::Entry::Event(event));
    }
    let sent = world.unsent(0, room, "what do you see?");
    let id = sent.message_id.as_ref().try_into().unwrap();
    let (event, _) = world.sealed(room, &heads[1], (EventKind::Message, id, &sent.body));
    world.push(1, entry::Entry::Event(event));
    let fork = Warning::ForkedLog { room, account: account(ALICE), seq: heads[0].seq };
    assert!(world.phones[1].told(|notice| *notice == Notice::Warning(fork.clone())));
    assert_eq!(world.texts(1, room).last().unwrap(), "what do you see?", "shown, with the warning");
}

#[test]
fn another_body_under_an_own_id_is_not_taken_for_the_own_message() {
    let (mut world, room) = direct();
    let kept = world.unsent(0, room, "mine");
    let id: MessageId = kept.message_id.as_ref().try_into().unwrap();
    world.node.order(room, (EventKind::Message, id, &Bytes::from_static(b"not mine")), world.now);
    world.run();
    assert!(matches!(
        world.phones[0].messages(room).last().unwrap().kind(),
        engine::record::ItemKind::Unreadable
    ));
    assert!(!world.texts(1, room).contains(&"mine".to_owned()));
}

/// Another key pair for an account, stated by its own domain, and a package of a ghost device.
fn ghost(world: &World, name: &str) -> (AccountKeys, KeyPackageUpload) {
    let name = account(name);
    let made = Enrolment::new(name.clone(), world.now, &mut Seeded::new(666)).unwrap();
    let (keys, document) = &world.node.domains[name.domain()];
    let binding = identity::AccountBinding::parse(made.keys.binding.as_ref().unwrap()).unwrap();
    let binding = binding.countersign(&keys.binding).signed().clone();
    let answer = AccountKeys { binding: Some(binding), ..made.keys.clone() };
    let login = made.finish(&answer, document, world.now).unwrap();
    let made = mls::make_key_packages(&login.keys, world.now, 1, false, &mut Seeded::new(667)).unwrap();
    let upload = KeyPackageUpload { key_package: made[0].bytes.clone(), last_resort: false };
    (answer, upload)
}

#[test]
fn a_domain_that_changes_an_account_key_adds_nobody() {
    let (mut world, _) = direct();
    let (keys, package) = ghost(&world, BOB);
    world.node.accounts.insert(account(BOB), keys);
    world.node.packages.insert(account(BOB), vec![package]);
    let members = vec![account(BOB)];
    let create = Command::CreateRoom { name: "trap".into(), topic: String::new(), members };
    assert_eq!(error(world.command(0, create)), Some(ErrorCode::KeyUnverified));
    let changed = Notice::Warning(Warning::KeyChanged { account: account(BOB) });
    assert!(world.phones[0].told(|notice| *notice == changed));
}

#[test]
fn a_ghost_device_without_the_account_key_adds_nobody() {
    let (mut world, _) = direct();
    let (_, package) = ghost(&world, BOB);
    world.node.packages.insert(account(BOB), vec![package]);
    let members = vec![account(BOB)];
    let create = Command::CreateRoom { name: "trap".into(), topic: String::new(), members };
    let refused = error(world.command(0, create));
    assert!(
        matches!(refused, Some(ErrorCode::KeyUnverified | ErrorCode::AuthFailed | ErrorCode::BadSignature)),
        "{refused:?}"
    );
}

#[test]
fn a_stale_key_package_adds_nobody() {
    let mut world = World::new(&[ALICE, BOB]);
    world.now = world.now.plus_ms(100 * 24 * 3_600_000);
    let members = vec![account(BOB)];
    let create = Command::CreateRoom { name: "late".into(), topic: String::new(), members };
    assert_eq!(error(world.command(0, create)), Some(ErrorCode::Expired));
}

/// A member's commit that the hub orders against the rules.
fn forced_commit(world: &mut World, phone: usize, room: RoomId, change: &Change) -> u64 {
    let mut member = world.phones[phone].member(room);
    let message = MessageId::new([8; 16]);
    let binding = MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
    let bundle = member.commit(&binding, change, &mut Seeded::new(1)).unwrap();
    world.node.order(room, (EventKind::Commit, message, &bundle.commit), world.now);
    world.run();
    world.node.rooms[&room].head.seq
}

#[test]
fn an_add_by_somebody_who_is_no_admin_pauses_the_room_and_is_said_aloud() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    let (keys, package) = ghost(&world, "eve@umbrella.test");
    world.node.accounts.insert(account("eve@umbrella.test"), keys);
    let change = Change { add: vec![package.key_package], ..Change::default() };
    forced_commit(&mut world, 1, room, &change);
    for phone in [0, 2] {
        assert_eq!(world.phones[phone].engine().room(room).unwrap().paused, Some(ErrorCode::Forbidden));
        assert_eq!(world.phones[phone].engine().room(room).unwrap().members.len(), 3);
    }
    let notices = world.node.rooms[&room]
        .log
        .iter()
        .filter(|event: &&Event| room::chain::read(event).unwrap().kind == EventKind::Notice);
    assert_eq!(notices.count(), 3, "each of them says so in the log, the tool of the lie included");
    assert!(matches!(world.send(0, Target::Account(account(BOB)), "elsewhere"), Some(Ok(_))));
}

// [ROOM-19]
#[test]
fn a_hub_s_word_that_somebody_declined_removes_nobody() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    world.send(1, Target::Room(room), "here I am").unwrap().unwrap();
    for (number, name) in [ALICE, BOB, CAROL].into_iter().enumerate() {
        let notice = HubNotice { notice: Some(hub_notice::Notice::Declined(name.into())) };
        let body = Bytes::from(notice.encode_to_vec());
        let id = MessageId::new([6 + number as u8; 16]);
        world.node.order(room, (EventKind::Notice, id, &body), world.now);
    }
    world.run();
    world.wait(100_000);
    let view = world.phones[0].engine().room(room).unwrap();
    let declined: Vec<_> = view.members.iter().map(|member| member.declined).collect();
    assert_eq!(declined, [false, false, true], "not this account, not one that has spoken");
    // It is not true, as what carol says next shows.
    world.send(2, Target::Room(room), "so am I").unwrap().unwrap();
    let view = world.phones[0].engine().room(room).unwrap();
    assert!(view.members.iter().all(|member| !member.declined));
    // And nothing stands in the way of a leave, which the others carry out.
    world.command(2, Command::Leave { room }).unwrap().unwrap();
    world.wait(10_000);
    assert_eq!(world.phones[0].engine().room(room).unwrap().members.len(), 2);
}

#[test]
fn documents_that_do_not_chain_are_refused() {
    let (mut world, _) = direct();
    let other = identity::DomainKeys::generate(&mut Seeded::new(99));
    let umbrella = account(BOB).domain().clone();
    let (_, document) = &world.node.domains[&umbrella];
    let forged = identity::DomainDocument::issue(&document.successor(world.now), &other.root).unwrap();
    world.node.domains.insert(umbrella.clone(), (other, forged));
    world.command(0, Command::LookUp { account: account(BOB) });
    let warning = Notice::Warning(Warning::DomainKeyChanged { domain: umbrella });
    assert!(world.phones[0].told(|notice| *notice == warning), "{:?}", world.phones[0].notices);
}

#[test]
fn a_welcome_that_is_not_what_it_says_is_refused_and_leaves_nothing() {
    let (mut world, _) = direct();
    let join = world.node.streams[&account(BOB)].iter().find_map(|entry| match &entry.entry {
        Some(entry::Entry::Join(join)) => Some(join.clone()),
        _ => None,
    });
    let join = join.unwrap();
    let mut other = join.clone();
    other.welcome = Bytes::from_static(b"garbage");
    let mut elsewhere = join;
    elsewhere.commit = None;
    for lie in [other, elsewhere] {
        world.push(0, entry::Entry::Join(lie));
    }
    assert_eq!(world.phones[0].engine().rooms().len(), 1);
    let id = world.phones[0].engine().rooms()[0].room;
    world.send(1, Target::Room(id), "fine").unwrap().unwrap();
    assert_eq!(world.texts(0, id), ["first", "fine"]);
}

#[test]
fn answers_that_nobody_asked_for_and_frames_without_sense_are_passed_over() {
    let (mut world, room) = direct();
    for frame in [
        NodeFrame { frame: None },
        NodeFrame {
            frame: Some(node_frame::Frame::Response(wire::proto::ClientResponse {
                id: 4_000,
                response: Some(Response::Done(wire::proto::Done {})),
            })),
        },
    ] {
        world.phones[0].inbox.push_back(frame);
    }
    world.run();
    world.push(0, entry::Entry::Event(Event::default()));
    world.push(0, entry::Entry::Left(wire::proto::Left::default()));
    world.push(0, entry::Entry::Invitation(wire::proto::Invitation::default()));
    let passed = world.phones[0]
        .notices
        .iter()
        .filter(|notice| matches!(notice, Notice::Warning(Warning::Passed { .. })));
    assert!(passed.count() >= 5);
    world.send(1, Target::Room(room), "fine").unwrap().unwrap();
    assert_eq!(world.texts(0, room), ["first", "fine"]);
}
