//! [ROOM-41] The hub of a room does not know it any more. A direct room of one domain is founded anew by
//! its two sides, nothing that was said is lost or shown twice, and nobody else gets into it; any other
//! room stops and says so.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod world;

use engine::{
    Command, Notice, Outcome, Target,
    record::{ItemKind, RoomPhase},
    view::{Body, Delivery},
};
use wire::{ErrorCode, RoomId, proto::*};
use world::{World, account, error};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@acme.test";

/// Alice and Bob of one domain, in their direct room, each of whom has said something.
fn pair() -> (World, RoomId) {
    let mut world = World::new(&[ALICE, BOB]);
    let room = match world.send(0, Target::Account(account(BOB)), "one") {
        Some(Ok(Outcome::Ordered { room, .. })) => room,
        other => panic!("{other:?}"),
    };
    world.send(1, Target::Room(room), "two").unwrap().unwrap();
    (world, room)
}

/// The node comes back from a backup that has no rooms.
fn lose(world: &mut World) {
    let online: Vec<usize> = (0..world.phones.len()).filter(|phone| world.phones[*phone].online).collect();
    for phone in 0..world.phones.len() {
        if world.phones[phone].online {
            world.disconnect(phone);
        }
    }
    world.node.lose_all();
    for phone in online {
        world.connect(phone);
    }
}

fn refounded(world: &World, phone: usize, room: RoomId) -> usize {
    let items = world.phones[phone].messages(room);
    items.iter().filter(|item| item.kind() == ItemKind::Refounded).count()
}

/// Both are in one room, have said that it is another than before, and show these texts.
fn both_show(world: &mut World, room: RoomId, losses: usize, texts: &[&str]) {
    world.agree(room, &[0, 1]);
    for phone in [0, 1] {
        assert_eq!(world.texts(phone, room), texts, "phone {phone}");
        assert_eq!(refounded(world, phone, room), losses, "phone {phone}");
        let view = world.phones[phone].engine().room(room).unwrap();
        assert_eq!((view.phase, view.paused, view.waiting), (RoomPhase::Joined, None, 0), "phone {phone}");
    }
}

#[test]
fn both_sides_at_once_end_in_one_room_and_keep_what_was_said() {
    let (mut world, room) = pair();
    for (losses, text) in [(1, "three"), (2, "four")] {
        lose(&mut world);
        world.order(0, Command::Send { target: Target::Room(room), text: text.into(), reply_to: None });
        world.run();
        world.wait(10_000);
        world.send(1, Target::Room(room), &format!("{text}, too")).unwrap().unwrap();
        let texts = ["one", "two", "three", "three, too", "four", "four, too"];
        both_show(&mut world, room, losses, &texts[..2 + 2 * losses]);
    }
    // What was read and received before stays so.
    let timeline = world.phones[0].timeline(room);
    let one = timeline.iter().find(|item| item.body == Body::Text("one".into())).unwrap();
    assert_eq!(one.delivery, Some(Delivery::Delivered));
    assert!(timeline.windows(2).all(|pair| pair[0].seq < pair[1].seq), "places ascend");
}

#[test]
fn whoever_hears_of_it_by_the_others_join_gets_everything_that_follows_it() {
    let (mut world, room) = pair();
    world.disconnect(1);
    lose(&mut world);
    // Bob's node has packages of Bob, as if he had been there for a moment.
    world.run();
    world.phones[1].online = false;
    let packages = {
        world.connect(1);
        world.disconnect(1);
        world.node.packages.get(&account(BOB)).cloned()
    };
    assert_eq!(packages, None, "he has said nothing");
    world.send(0, Target::Room(room), "are you there?");
    assert_eq!(world.phones[0].engine().room(room).unwrap().phase, RoomPhase::Wanted);
    // He comes, is asked for a package, and finds in one page what Alice has founded and said.
    world.connect(1);
    swallow_the_news(&mut world);
    world.wait(120_000);
    both_show(&mut world, room, 1, &["one", "two", "are you there?"]);
    world.send(1, Target::Room(room), "now I am").unwrap().unwrap();
    both_show(&mut world, room, 1, &["one", "two", "are you there?", "now I am"]);
}

/// The answers to Bob in which the node would say that it does not know the room are lost.
fn swallow_the_news(world: &mut World) {
    world.lie = Some(Box::new(|to, frame| {
        let unknown = matches!(
            &frame.frame,
            Some(node_frame::Frame::Response(ClientResponse {
                response: Some(client_response::Response::Error(error)),
                ..
            })) if error.code == ErrorCode::NotFound.code()
        );
        !(unknown && *to == account(BOB))
    }));
}

#[test]
fn whoever_ends_while_it_hears_of_it_by_a_join_hears_of_it_again() {
    let mut points = 0;
    for at in 1..40 {
        for written in [false, true] {
            let (mut world, room) = pair();
            world.disconnect(1);
            lose(&mut world);
            world.run();
            world.connect(1);
            world.disconnect(1);
            world.send(0, Target::Account(account(BOB)), "are you there?");
            let writes = world.phones[1].writes;
            world.phones[1].crash_at = Some((writes + at, written));
            swallow_the_news(&mut world);
            world.connect(1);
            world.wait(120_000);
            if world.phones[1].crash_at.is_some() {
                break;
            }
            points += 1;
            both_show(&mut world, room, 1, &["one", "two", "are you there?"]);
        }
    }
    assert!(points > 8, "{points}");
}

#[test]
fn nothing_of_the_lost_room_gets_into_the_new_one() {
    let (mut world, room) = pair();
    // Bob has submitted something and heard nothing of it; Alice has it.
    world.lie = Some(Box::new(|to, _| *to != account(BOB)));
    world.order(1, Command::Send { target: Target::Room(room), text: "hello".into(), reply_to: None });
    world.run();
    assert_eq!(world.texts(0, room), ["one", "two", "hello"]);
    // The node that has lost the room has packages of his, as if he had been there for a moment.
    world.lie = None;
    world.disconnect(1);
    world.disconnect(0);
    let packages = world.node.packages[&account(BOB)].clone();
    world.node.lose_all();
    world.node.packages.insert(account(BOB), packages);
    // Alice founds it anew and says more than he knows of the old one.
    world.connect(0);
    world.run();
    world.wait(5_000);
    let said: Vec<String> = (0..8).map(|text| format!("new {text}")).collect();
    for text in &said {
        world.send(0, Target::Room(room), text).unwrap().unwrap();
    }
    world.connect(1);
    world.run();
    world.wait(60_000);
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    assert_eq!(world.texts(0, room), [&["one", "two", "hello"][..], &said].concat());
    assert_eq!(world.texts(1, room), [&["one", "two"][..], &said, &["hello"]].concat());
    world.agree(room, &[0, 1]);
    assert!(!world.phones[1].told(|notice| matches!(notice, Notice::Paused { .. })));
    let unreadable = |item: &engine::record::MessageRow| item.kind() == ItemKind::Unreadable;
    assert_eq!(world.phones[0].messages(room).iter().filter(|item| unreadable(item)).count(), 0);
}

#[test]
fn what_was_accepted_and_not_seen_in_the_log_goes_again_by_its_id_and_is_shown_once() {
    let (mut world, room) = pair();
    // Bob gets it, and Alice hears nothing of that.
    world.lie = Some(Box::new(|to, frame| {
        !(*to == account(ALICE) && matches!(frame.frame, Some(node_frame::Frame::Page(_))))
    }));
    world.send(0, Target::Room(room), "three");
    assert_eq!(world.texts(1, room), ["one", "two", "three"]);
    let intent = world.phones[0].engine().queued(room)[0].intent.clone();
    world.lie = None;
    lose(&mut world);
    world.run();
    world.wait(10_000);
    both_show(&mut world, room, 1, &["one", "two", "three"]);
    let again = &world.node.rooms[&room].ids;
    assert!(again.keys().any(|id| id.to_bytes() == intent), "the same id");
}

#[test]
fn what_was_ordered_and_not_received_goes_again_by_its_id_and_leaves_its_place() {
    let (mut world, room) = pair();
    world.disconnect(1);
    let sent = match world.send(0, Target::Room(room), "three") {
        Some(Ok(Outcome::Ordered { message, .. })) => message,
        other => panic!("{other:?}"),
    };
    let edit = Command::Edit { room, message: sent, text: "three!".into() };
    world.command(0, edit).unwrap().unwrap();
    lose(&mut world);
    world.run();
    world.connect(1);
    world.run();
    world.wait(120_000);
    both_show(&mut world, room, 1, &["one", "two", "three!"]);
    assert!(world.node.rooms[&room].ids.contains_key(&sent), "the same id");
}

#[test]
fn it_holds_over_every_crash() {
    let run = |crash: Option<(usize, usize, bool)>| {
        let (mut world, room) = pair();
        world.disconnect(1);
        world.send(0, Target::Room(room), "three").unwrap().unwrap();
        lose(&mut world);
        let before = [world.phones[0].writes, world.phones[1].writes];
        if let Some((phone, at, written)) = crash {
            world.phones[phone].crash_at = Some((before[phone] + at, written));
        }
        world.connect(1);
        world.run();
        world.wait(200_000);
        let crashed = crash.is_none_or(|(phone, ..)| world.phones[phone].crash_at.is_none());
        (world, room, crashed)
    };
    for phone in [0, 1] {
        for written in [false, true] {
            for at in 1.. {
                let (mut world, room, crashed) = run(Some((phone, at, written)));
                if !crashed {
                    assert!(at > 5, "there is something to interrupt");
                    break;
                }
                both_show(&mut world, room, 1, &["one", "two", "three"]);
            }
        }
    }
}

/// The node says that it knows none of its rooms, and shows this account with keys of its own making.
#[test]
fn a_node_that_lies_gets_nobody_else_into_the_room() {
    let (mut world, room) = pair();
    world.disconnect(1);
    lose(&mut world);
    // Another Bob, whom only the node knows.
    world.node.accounts.remove(&account(BOB));
    let mallory = world.enrol(BOB);
    let keys = world.node.accounts[&account(BOB)].clone();
    world.phones.swap(1, mallory);
    world.connect(1);
    world.run();
    world.phones.swap(1, mallory);
    assert_eq!(world.node.accounts[&account(BOB)], keys);
    let sent = world.send(0, Target::Account(account(BOB)), "a secret");
    world.wait(200_000);
    let _ = sent;
    assert!(!world.node.rooms.contains_key(&room), "there is nobody to found it with");
    let view = world.phones[0].engine().room(room).unwrap();
    assert_eq!((view.phase, view.refused), (RoomPhase::Wanted, Some(ErrorCode::KeyUnverified)));
    assert_eq!(refounded(&world, 0, room), 1, "and that it was lost is told");
    assert_eq!(world.texts(0, room), ["one", "two", "a secret"]);
}

#[test]
fn a_join_of_the_lost_room_does_not_lead_back_into_it() {
    let mut world = World::new(&[ALICE, BOB]);
    // Bob's package of last resort lets the same Welcome in again.
    world.node.packages.get_mut(&account(BOB)).unwrap().retain(|package| package.last_resort);
    let room = match world.send(0, Target::Account(account(BOB)), "one") {
        Some(Ok(Outcome::Ordered { room, .. })) => room,
        other => panic!("{other:?}"),
    };
    let old = world.node.streams[&account(BOB)]
        .iter()
        .find(|entry| matches!(entry.entry, Some(entry::Entry::Join(_))))
        .unwrap()
        .clone();
    // Shown again while he is in the room, it is nothing new, however much was said since.
    for text in 0..20 {
        world.send(0, Target::Room(room), &text.to_string()).unwrap().unwrap();
    }
    world.crash(1);
    world.connect(1);
    world.run();
    world.node.stream(&account(BOB), old.entry.clone().unwrap());
    world.run();
    assert_eq!(refounded(&world, 1, room), 0);
    world.disconnect(0);
    lose(&mut world);
    for _ in 0..2 {
        world.node.stream(&account(BOB), old.entry.clone().unwrap());
        world.run();
        let view = world.phones[1].engine().room(room).unwrap();
        assert_ne!(view.phase, RoomPhase::Joined, "{view:?}");
    }
    world.connect(0);
    world.wait(120_000);
    let texts: Vec<String> =
        std::iter::once("one".into()).chain((0..20).map(|text| text.to_string())).collect();
    both_show(&mut world, room, 1, &texts.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_group_that_its_hub_has_lost_says_so_and_is_left() {
    let mut world = World::new(&[ALICE, BOB]);
    let room = world.group("ops");
    world.send(0, Target::Room(room), "one").unwrap().unwrap();
    lose(&mut world);
    world.run();
    for phone in [0, 1] {
        let view = world.phones[phone].engine().room(room).unwrap();
        assert_eq!(view.paused, Some(ErrorCode::NotFound));
        let gone = world.phones[phone].messages(room);
        assert_eq!(gone.iter().filter(|item| item.kind() == ItemKind::Gone).count(), 1);
        assert_eq!(world.texts(phone, room), ["one"], "what was said stays readable");
    }
    assert_eq!(error(world.send(0, Target::Room(room), "two")), Some(ErrorCode::NotFound));
    assert_eq!(world.command(0, Command::Leave { room }), Some(Ok(Outcome::Done)));
    assert_eq!(world.phones[0].engine().room(room).unwrap().phase, RoomPhase::Left);
}

#[test]
fn whoever_leaves_a_room_that_its_hub_does_not_know_is_out_and_may_come_again() {
    let (mut world, room) = pair();
    world.disconnect(1);
    // The node has lost the room, and nobody has noticed yet.
    world.node.rooms.clear();
    assert_eq!(world.command(0, Command::Leave { room }), Some(Ok(Outcome::Done)));
    assert_eq!(world.phones[0].engine().room(room).unwrap().phase, RoomPhase::Left);
    assert_eq!(world.texts(0, room), ["one", "two"]);
    world.order(
        0,
        Command::Send { target: Target::Account(account(BOB)), text: "three".into(), reply_to: None },
    );
    world.connect(1);
    world.wait(60_000);
    for phone in [0, 1] {
        assert_eq!(world.texts(phone, room), ["one", "two", "three"], "phone {phone}");
    }
    world.agree(room, &[0, 1]);
}

#[test]
fn a_founding_that_was_refused_is_shown_as_that_and_tried_anew() {
    let mut world = World::new(&[ALICE, BOB]);
    world.node.failing = Some(("submit", ErrorCode::Quota.into()));
    let refused = world.send(0, Target::Account(account(BOB)), "one");
    assert_eq!(error(refused), Some(ErrorCode::Quota));
    let room = world.phones[0].engine().rooms()[0].room;
    world.crash(0);
    assert_eq!(world.phones[0].engine().room(room).unwrap().refused, Some(ErrorCode::Quota));
    world.node.failing = None;
    world.connect(0);
    world.run();
    world.send(0, Target::Account(account(BOB)), "two").unwrap().unwrap();
    let view = world.phones[0].engine().room(room).unwrap();
    assert_eq!((view.phase, view.refused), (RoomPhase::Joined, None));
    assert_eq!(world.texts(1, room), ["two"]);
    assert!(!world.phones[0].told(|notice| matches!(notice, Notice::Stopped)));
    // A group of which nothing remains is taken back.
    world.node.failing = Some(("submit", ErrorCode::Quota.into()));
    let members = vec![account(BOB)];
    let group = world.command(0, Command::CreateRoom { name: "g".into(), topic: String::new(), members });
    assert_eq!(error(group), Some(ErrorCode::Quota));
    assert_eq!(world.phones[0].engine().rooms().len(), 1);
}
