//! What goes wrong on the way, and that nothing is lost, doubled or reordered by it.
#![expect(clippy::panic, reason = "a helper that fails fails its test")]

mod world;

use std::collections::BTreeSet;

use engine::{
    Command, Notice, Outcome, Output, Table, Target, Warning,
    view::{Body, Delivery, TimelineItem},
};
use machine::Machine as _;
use wire::{
    ErrorCode, RoomId, WireError, limits,
    proto::{
        ClientResponse, EventKind, Page, PeerPhase, PeerState, Submission, client_response::Response, entry,
        node_frame,
    },
};
use world::{World, account};

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

#[test]
fn what_is_sent_offline_survives_a_restart_and_arrives_in_order() {
    let (mut world, room) = direct();
    world.disconnect(0);
    for text in ["one", "two", "three"] {
        assert_eq!(world.send(0, Target::Room(room), text), None);
    }
    assert_eq!(world.texts(0, room), ["first", "one", "two", "three"], "shown as queued");
    world.crash(0);
    assert_eq!(world.texts(0, room), ["first", "one", "two", "three"]);
    world.connect(0);
    world.run();
    assert_eq!(world.texts(1, room), ["first", "one", "two", "three"]);
    assert!(world.phones[0].engine().queued(room).is_empty());
}

#[test]
fn a_lost_answer_is_asked_for_again_under_the_same_id() {
    let (mut world, room) = direct();
    world.lie = Some(Box::new(|_, frame| {
        let accepted = matches!(
            &frame.frame,
            Some(node_frame::Frame::Response(ClientResponse { response: Some(Response::Accepted(_)), .. }))
        );
        let page = matches!(&frame.frame, Some(node_frame::Frame::Page(_)));
        !accepted && !page
    }));
    world.send(0, Target::Room(room), "once");
    let log = world.node.rooms[&room].log.len();
    world.lie = None;
    world.crash(0);
    world.connect(0);
    world.disconnect(1);
    world.connect(1);
    world.run();
    assert_eq!(world.node.rooms[&room].log.len(), log, "nothing was ordered twice");
    assert_eq!(world.texts(0, room), ["first", "once"]);
    assert_eq!(world.texts(1, room), ["first", "once"]);
}

#[test]
fn a_store_that_refuses_stops_the_engine_and_nothing_is_shown_or_lost() {
    let (mut world, room) = direct();
    let shown = world.phones[1].notices.len();
    world.phones[1].store_fails = true;
    world.send(0, Target::Room(room), "full").unwrap().unwrap();
    assert_eq!(world.phones[1].notices[shown..], [Notice::Stopped]);
    world.phones[1].store_fails = false;
    world.crash(1);
    world.connect(1);
    world.run();
    assert_eq!(world.texts(1, room), ["first", "full"], "decrypted again from the stored state");
    world.send(1, Target::Room(room), "back").unwrap().unwrap();
    assert_eq!(world.texts(0, room), ["first", "full", "back"]);
}

// Rule R3.
#[test]
fn nothing_is_sent_or_shown_before_it_is_written() {
    let (mut world, room) = direct();
    let text = Command::Send { target: Target::Room(room), text: "wait".into(), reply_to: None };
    world.order(0, text);
    let now = world.now;
    let engine = world.phones[0].engine();
    let Some(Output::Persist(mark, records)) = engine.poll() else { panic!("a write comes first") };
    let tables: BTreeSet<Table> = records.iter().map(|record| record.table).collect();
    assert!(tables.is_superset(&BTreeSet::from([Table::Mls, Table::Intent])), "{tables:?}");
    assert!(engine.poll().is_none(), "the rest waits for it");
    engine.handle(now, engine::Input::Persisted(mark));
    let rest: Vec<Output> = std::iter::from_fn(|| engine.poll()).collect();
    assert!(rest.iter().any(|output| matches!(output, Output::Send(_))));
    assert!(rest.iter().any(|output| matches!(output, Output::Notify(Notice::Queued { .. }))));
}

#[test]
fn a_later_alarm_does_not_hide_an_earlier_one() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    world.node.failing = Some(("claim", ErrorCode::Unavailable.into()));
    let send = |name: &str| Command::Send {
        target: Target::Account(account(name)),
        text: "x".into(),
        reply_to: None,
    };
    world.order(0, send(BOB));
    world.run();
    let first = world.phones[0].wake.expect("the claim is to be repeated");
    world.now = world.now.plus_ms(1);
    world.order(0, send(CAROL));
    world.run();
    assert!(world.phones[0].wake.expect("still") <= first);
}

#[test]
fn two_commits_race_and_both_are_done_in_the_end() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("race");
    let promote = Command::SetRole { room, account: account(BOB), admin: true };
    world.command(0, promote).unwrap().unwrap();
    for name in ["dave@acme.test", "erin@umbrella.test"] {
        let index = world.enrol(name);
        world.connect(index);
    }
    world.run();
    let invite = |name: &str| Command::Invite { room, accounts: vec![account(name)] };
    let one = world.order(0, invite("dave@acme.test"));
    let other = world.order(1, invite("erin@umbrella.test"));
    world.run();
    world.wait(20_000);
    for (phone, id) in [(0, one), (1, other)] {
        assert!(matches!(world.result(phone, id), Some(Ok(_))), "{:?}", world.result(phone, id));
    }
    assert_eq!(world.phones[2].engine().room(room).unwrap().members.len(), 5);
    world.agree(room, &[0, 1, 2, 3, 4]);
    world.send(4, Target::Room(room), "all here").unwrap().unwrap();
    assert_eq!(world.texts(3, room), ["all here"]);
}

/// A group in which alice's commits make bob's message, which nobody has taken yet, too old.
fn overtaken(offline: bool) -> (World, RoomId, Submission) {
    let mut world = World::new(&[ALICE, BOB]);
    let room = world.group("ours");
    let kept = world.unsent(1, room, "late");
    if offline {
        world.disconnect(1);
    }
    for admin in [true, false, true] {
        let changed = world.command(0, Command::SetRole { room, account: account(BOB), admin });
        assert!(matches!(changed, Some(Ok(_))), "{changed:?}");
    }
    (world, room, kept)
}

// [ROOM-14]
#[test]
fn a_message_of_a_past_epoch_goes_again_and_is_seen_once() {
    for offline in [true, false] {
        let (mut world, room, kept) = overtaken(offline);
        world.connect(1);
        world.run();
        world.wait(5_000);
        assert_eq!(world.texts(0, room), ["late"]);
        assert_eq!(world.texts(1, room), ["late"]);
        let log = &world.node.rooms[&room].log;
        let again = room::chain::read(log.last().unwrap()).unwrap().message;
        assert_ne!(again.to_bytes(), kept.message_id, "another id, for the ciphertext is another");
        // A hub that orders the first after all breaks its rules, and shows nothing twice.
        let first = kept.message_id.as_ref().try_into().unwrap();
        world.node.order(room, (EventKind::Message, first, &kept.body), world.now);
        world.run();
        assert_eq!(world.texts(0, room), ["late"]);
        let last = world.phones[0].timeline(room).pop().unwrap();
        assert_eq!(last.body, Body::Unreadable(ErrorCode::Expired));
    }
}

// [ROOM-14]
#[test]
fn a_node_that_calls_stale_what_it_has_passed_on_makes_nobody_say_it_twice() {
    let (mut world, room) = direct();
    let alice = account(ALICE);
    let value = world.phones[0].engine().room(room).unwrap().epoch;
    for value in [0, value, value + 100] {
        let before = world.node.rooms[&room].log.len();
        let alice = alice.clone();
        world.lie = Some(Box::new(move |to, frame| {
            if let (true, Some(node_frame::Frame::Response(answer))) = (*to == alice, &mut frame.frame)
                && matches!(answer.response, Some(Response::Accepted(_)))
            {
                let stale = WireError::with_value(ErrorCode::StaleEpoch, value);
                answer.response = Some(Response::Error(stale.into()));
            }
            true
        }));
        let text = format!("once {value}");
        let sent = world.send(0, Target::Room(room), &text);
        assert!(matches!(sent, Some(Ok(Outcome::Ordered { .. }))), "{sent:?}");
        world.wait(60_000);
        let kinds =
            world.node.rooms[&room].log[before..].iter().map(|event| room::chain::read(event).unwrap().kind);
        assert_eq!(kinds.filter(|kind| *kind == EventKind::Message).count(), 1);
        assert_eq!(world.texts(1, room).iter().filter(|shown| **shown == text).count(), 1);
    }
}

// [ROOM-14]
#[test]
fn a_message_that_is_too_late_every_time_is_given_up() {
    let mut world = World::new(&[ALICE, BOB]);
    let room = world.group("ours");
    world.unsent(1, room, "late");
    let failed = |notice: &Notice| {
        matches!(notice, Notice::Delivery { state: Delivery::Failed(ErrorCode::StaleEpoch), .. })
    };
    for round in 0..limits::COMMIT_TRIES_MAX {
        assert!(!world.phones[1].told(failed), "not in round {round}");
        for commit in 0..3 {
            let role = Command::SetRole { room, account: account(BOB), admin: (round + commit) % 2 == 0 };
            world.command(0, role).unwrap().unwrap();
        }
        world.connect(1);
        world.run();
        // The next try, whose frames are lost.
        world.now = world.now.plus_ms(1_000);
        world.phones[1].input(world.now, engine::Input::Tick);
        world.phones[1].drain(world.now);
    }
    assert!(world.phones[1].told(failed));
    assert_eq!(world.texts(0, room), Vec::<String>::new());
}

#[test]
fn a_node_that_cannot_take_it_now_gets_the_same_bytes_later() {
    let (mut world, room) = direct();
    world.node.failing = Some(("submit", ErrorCode::StorageFull.into()));
    let id =
        world.order(0, Command::Send { target: Target::Room(room), text: "patience".into(), reply_to: None });
    world.run();
    world.wait(10_000);
    assert_eq!(world.result(0, id), None);
    world.node.failing = None;
    world.wait(10_000);
    let intents: Vec<_> = world.phones[0]
        .notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::Queued { command, intent, .. } if *command == id => Some(*intent),
            _ => None,
        })
        .collect();
    let Some(Ok(Outcome::Ordered { message, .. })) = world.result(0, id) else { panic!() };
    assert_eq!(intents, [message]);
    assert_eq!(world.texts(1, room), ["first", "patience"]);
}

#[test]
fn a_message_that_is_refused_for_good_stays_visible_as_failed() {
    let (mut world, room) = direct();
    world.node.failing = Some(("submit", ErrorCode::Undeliverable.into()));
    let sent = world.send(0, Target::Room(room), "no way");
    assert_eq!(world::error(sent), Some(ErrorCode::Undeliverable));
    world.node.failing = None;
    let last: TimelineItem = world.phones[0].timeline(room).pop().unwrap();
    assert_eq!(last.delivery, Some(Delivery::Failed(ErrorCode::Undeliverable)));
    world.crash(0);
    world.connect(0);
    world.run();
    assert_eq!(world.texts(1, room), ["first"]);
    let cancel = Command::Cancel { room, message: last.message };
    assert_eq!(world.command(0, cancel), Some(Ok(Outcome::Done)));
    assert_eq!(world.texts(0, room), ["first"]);
}

#[test]
fn a_first_message_waits_for_a_domain_that_is_away() {
    let mut world = World::new(&[ALICE, BOB]);
    world.node.failing = Some(("claim", ErrorCode::Unavailable.into()));
    let send = Command::Send { target: Target::Account(account(BOB)), text: "hi".into(), reply_to: None };
    let id = world.order(0, send);
    world.run();
    world.wait(3_600_000);
    assert_eq!(world.result(0, id), None, "it waits visibly");
    world.node.failing = None;
    let state = PeerState {
        domain: "umbrella.test".into(),
        phase: PeerPhase::Connected.into(),
        ..PeerState::default()
    };
    let entry = wire::proto::Entry { position: 0, entry: Some(entry::Entry::PeerState(state)) };
    let page = Page { entries: vec![entry], caught_up: false };
    let frame = wire::proto::NodeFrame { frame: Some(node_frame::Frame::Page(page)) };
    world.phones[0].inbox.push_back(frame);
    world.run();
    assert!(matches!(world.result(0, id), Some(Ok(Outcome::Ordered { .. }))), "at once, not in a minute");
}

#[test]
fn what_the_stream_left_out_is_pulled() {
    let (mut world, room) = direct();
    let bob = account(BOB);
    let mut dropped = 0;
    world.lie = Some(Box::new(move |to, frame| {
        if let Some(node_frame::Frame::Page(page)) = &mut frame.frame
            && *to == bob
            && dropped < 2
        {
            let before = page.entries.len();
            page.entries.retain(|entry| !matches!(entry.entry, Some(entry::Entry::Event(_))));
            dropped += before - page.entries.len();
        }
        true
    }));
    for text in ["a", "b", "c"] {
        world.send(0, Target::Room(room), text).unwrap().unwrap();
    }
    assert_eq!(world.texts(1, room), ["first", "a", "b", "c"]);
}

#[test]
fn entries_that_come_again_or_in_another_order_change_nothing() {
    let (mut world, room) = direct();
    let bob = account(BOB);
    for text in ["a", "b", "c"] {
        world.send(0, Target::Room(room), text).unwrap().unwrap();
    }
    let mut entries = world.node.streams[&bob].clone();
    entries.reverse();
    let page = Page { entries, caught_up: false };
    let frame = wire::proto::NodeFrame { frame: Some(node_frame::Frame::Page(page)) };
    world.phones[1].inbox.push_back(frame);
    world.run();
    assert_eq!(world.texts(1, room), ["first", "a", "b", "c"]);
    assert!(world.phones[1].engine().room(room).unwrap().paused.is_none());
    world.send(1, Target::Room(room), "d").unwrap().unwrap();
    assert_eq!(world.texts(0, room), ["first", "a", "b", "c", "d"]);
}

#[test]
fn another_store_at_the_node_means_reading_everything_again() {
    let (mut world, room) = direct();
    world.node.store_id = bytes::Bytes::from_static(&[9; 16]);
    world.disconnect(1);
    world.connect(1);
    world.run();
    assert!(world.phones[1].told(|notice| *notice == Notice::Warning(Warning::StoreChanged)));
    world.send(0, Target::Room(room), "after").unwrap().unwrap();
    assert_eq!(world.texts(1, room), ["first", "after"]);
}

#[test]
fn a_device_that_was_away_catches_up_through_messages_and_commits() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("busy");
    world.disconnect(2);
    for round in 0..30 {
        world.send(0, Target::Room(room), &format!("{round}")).unwrap().unwrap();
        if round % 10 == 5 {
            let admin = round % 20 == 5;
            let role = Command::SetRole { room, account: account(BOB), admin };
            world.command(0, role).unwrap().unwrap();
        }
    }
    world.send(2, Target::Room(room), "back");
    world.connect(2);
    world.run();
    assert_eq!(world.texts(2, room).len(), 31);
    assert_eq!(world.texts(2, room), world.texts(0, room));
    world.agree(room, &[0, 1, 2]);
}

#[test]
fn key_packages_do_not_run_out() {
    let mut world = World::new(&[ALICE, BOB]);
    let bob = account(BOB);
    for round in 0..40 {
        let members = vec![bob.clone()];
        let create = Command::CreateRoom { name: format!("{round}"), topic: String::new(), members };
        world.command(0, create).unwrap().unwrap();
    }
    let left = world.node.packages[&bob].iter().filter(|package| !package.last_resort).count();
    assert!(left >= 20, "refilled: {left}");
    world.node.packages.get_mut(&bob).unwrap().retain(|package| package.last_resort);
    world.disconnect(1);
    for round in 0..3 {
        let members = vec![bob.clone()];
        let create = Command::CreateRoom { name: format!("x{round}"), topic: String::new(), members };
        world.command(0, create).unwrap().unwrap();
    }
    world.connect(1);
    world.run();
    assert_eq!(world.phones[1].engine().rooms().len(), 43, "the last resort serves more than once");
    let stored = world.phones[1].rows.keys().filter(|(table, _)| *table == Table::KeyPackage).count();
    assert!(stored <= 51 + 50, "used packages are deleted: {stored}");
}

/// Every transaction of every device is a place where the process may end.
#[test]
fn a_crash_at_any_write_loses_and_doubles_nothing() {
    let mut points = 0;
    for victim in 0..2 {
        for at in 1..200 {
            for written in [false, true] {
                if !crash_once(victim, at, written) {
                    break;
                }
                points += 1;
            }
        }
    }
    assert!(points > 40, "the scenario has that many writes: {points}");
}

/// `false` if the scenario has fewer writes.
fn crash_once(victim: usize, at: usize, written: bool) -> bool {
    let mut world = World::new(&[ALICE, BOB]);
    let writes = world.phones[victim].writes;
    world.phones[victim].crash_at = Some((writes + at, written));
    let room = world.send(0, Target::Account(account(BOB)), "one");
    world.wait(10_000);
    let room = match room {
        Some(Ok(Outcome::Ordered { room, .. })) => room,
        _ => room::direct_room(&account(ALICE), &account(BOB)).0,
    };
    if world.phones[0].engine().room(room).is_none() {
        // It ended before the wish was stored: nothing was promised.
        world.send(0, Target::Account(account(BOB)), "one");
        world.wait(10_000);
    }
    world.send(1, Target::Room(room), "two");
    world.wait(10_000);
    if !world.texts(1, room).contains(&"two".to_owned()) {
        world.send(1, Target::Room(room), "two");
        world.wait(10_000);
    }
    for phone in 0..2 {
        assert_eq!(
            world.texts(phone, room),
            ["one", "two"],
            "device {victim} ended at write {at}, written: {written}"
        );
        let queued = world.phones[phone].engine().queued(room);
        assert!(queued.is_empty(), "at {at} {written}: {queued:?}");
    }
    world.agree(room, &[0, 1]);
    world.phones[victim].crash_at.is_none()
}
