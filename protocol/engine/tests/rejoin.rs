//! A device that cannot follow its room comes back into it by itself, visibly, and not into anything
//! else that a hub may show.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod world;

use std::collections::BTreeSet;

use bytes::Bytes;
use engine::{
    Command, Notice, Outcome, Table, Target, Warning,
    record::{ItemKind, RoomPhase},
    view::Body,
};
use machine::Seeded;
use mls::{Change, Member, Observer};
use room::{LogHead, State};
use wire::{
    ErrorCode, MessageId, RoomId, WireError,
    proto::{
        CommitExtras, EventKind, GroupState, MessageBinding, Submission, client_response::Response, entry,
        node_frame,
    },
};
use world::{World, account, error};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const CAROL: &str = "carol@acme.test";
const MALLORY: &str = "mallory@evil.test";

/// A member's commit with a membership tag that is wrong: the hub has no key for it, and orders it.
fn garbage(world: &mut World, phone: usize, room: RoomId, number: u8) -> u64 {
    garbage_of(world, phone, room, number);
    world.node.rooms[&room].head.seq
}

/// As [`garbage`]; gives the member that made it, and the commit as it should have been.
fn garbage_of(world: &mut World, phone: usize, room: RoomId, number: u8) -> (Member, Bytes) {
    let mut member = world.phones[phone].member(room);
    let message = MessageId::new([number; 16]);
    let binding = MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
    let made = member.commit(&binding, &Change::default(), &mut Seeded::new(number.into())).unwrap();
    let mut body = made.commit.to_vec();
    *body.last_mut().unwrap() ^= 1;
    let submission = Submission {
        room: room.to_bytes(),
        message_id: message.to_bytes(),
        kind: EventKind::Commit.into(),
        epoch: made.epoch,
        body: body.into(),
        commit: Some(CommitExtras { group_info: made.group_info, ..CommitExtras::default() }),
        account: world.phones[phone].account.to_string(),
        device_id: world.phones[phone].keys.device.to_bytes(),
        ..Submission::default()
    };
    world.node.submit(&submission, world.now).unwrap();
    (member, made.commit)
}

/// The device's store loses what it had of the room's group.
fn forget(world: &mut World, phone: usize, room: RoomId) {
    world.phones[phone]
        .rows
        .retain(|(table, key), _| *table != Table::Mls || !key.starts_with(room.as_bytes()));
    world.crash(phone);
    world.connect(phone);
    world.run();
}

fn kinds(world: &World, room: RoomId, kind: EventKind) -> usize {
    let log = &world.node.rooms[&room].log;
    log.iter().filter(|event| room::chain::read(event).unwrap().kind == kind).count()
}

fn returns(world: &World, phone: usize, room: RoomId) -> Vec<String> {
    let rows = world.phones[phone].messages(room);
    rows.iter().filter(|row| row.kind() == ItemKind::Rejoined).map(|row| row.sender.clone()).collect()
}

fn goes_on(world: &mut World, room: RoomId, phones: &[usize]) {
    world.agree(room, phones);
    for phone in phones {
        let text = format!("{phone} goes on");
        world.send(*phone, Target::Room(room), &text).unwrap().unwrap();
        for other in phones {
            assert_eq!(world.texts(*other, room).last(), Some(&text), "from {phone} to {other}");
        }
    }
}

// [MLS-24]
#[test]
fn a_commit_that_nobody_can_follow_stops_nobody_for_good() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    world.send(0, Target::Room(room), "before").unwrap().unwrap();
    let seq = garbage(&mut world, 1, room, 8);
    world.run();
    let lost = Warning::Lost { room, account: Some(account(BOB)), seq, error: ErrorCode::BadSignature };
    for phone in [0, 2] {
        assert!(world.phones[phone].told(|notice| *notice == Notice::Warning(lost.clone())), "of {phone}");
        let view = world.phones[phone].engine().room(room).unwrap();
        assert_eq!((view.paused, view.lost), (None, Some(ErrorCode::BadSignature)));
    }
    // What is wanted meanwhile waits.
    let said =
        world.order(0, Command::Send { target: Target::Room(room), text: "waits".into(), reply_to: None });
    world.run();
    world.wait(200_000);
    assert!(matches!(world.result(0, said), Some(Ok(Outcome::Ordered { .. }))));
    goes_on(&mut world, room, &[0, 1, 2]);
    let seen: Vec<usize> = (0..3).map(|phone| returns(&world, phone, room).len()).collect();
    assert_eq!(seen.iter().max(), Some(&3), "whoever is there sees who comes back: {seen:?}");
    for phone in 0..3 {
        assert!(returns(&world, phone, room).contains(&world.phones[phone].account.to_string()));
        assert!(!world.phones[phone].told(|notice| matches!(notice, Notice::Paused { .. })));
        assert_eq!(world.texts(phone, room)[0], "before");
    }
    assert_eq!(kinds(&world, room, EventKind::Notice), 3, "each has said so once");
    // The same again, and again.
    for number in [9, 10] {
        garbage(&mut world, 1, room, number);
        world.run();
        world.wait(200_000);
        goes_on(&mut world, room, &[0, 1, 2]);
    }
}

// [MLS-16] [MLS-17] Only a member of the epoch that nobody can follow could carry the leave out from
// inside, and the one there was is gone.
#[test]
fn garbage_and_then_a_leave_stop_nobody_for_good() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    let (mut member, made) = garbage_of(&mut world, 1, room, 8);
    // What its own device, which is not honest, goes on with.
    member.process(EventKind::Commit, &made).unwrap();
    member.merge_staged().unwrap();
    let message = MessageId::new([9; 16]);
    let binding = MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
    let body = member.propose_leave(&binding, &mut Seeded::new(9)).unwrap();
    let leave = Submission {
        room: room.to_bytes(),
        message_id: message.to_bytes(),
        kind: EventKind::Proposal.into(),
        epoch: member.epoch(),
        body,
        account: BOB.to_owned(),
        device_id: world.phones[1].keys.device.to_bytes(),
        ..Submission::default()
    };
    world.node.submit(&leave, world.now).unwrap();
    world.run();
    world.wait(300_000);
    goes_on(&mut world, room, &[0, 2]);
    for phone in [0, 2] {
        let view = world.phones[phone].engine().room(room).unwrap();
        let names: Vec<&str> = view.members.iter().map(|member| member.account.as_str()).collect();
        assert_eq!(names, [ALICE, CAROL]);
    }
}

// [MLS-24]
#[test]
fn a_device_whose_group_is_gone_comes_back() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    world.disconnect(2);
    world.send(0, Target::Room(room), "not for carol any more").unwrap().unwrap();
    forget(&mut world, 2, room);
    world.wait(60_000);
    goes_on(&mut world, room, &[0, 1, 2]);
    let view = world.phones[2].engine().room(room).unwrap();
    assert_eq!((view.lost, view.phase), (None, RoomPhase::Joined));
    let gap = world.phones[2].timeline(room);
    assert!(gap.iter().any(|item| item.body == Body::Unreadable(ErrorCode::StaleEpoch)), "{gap:?}");
    assert!(gap.iter().any(|item| item.own && item.body == Body::Rejoined(Vec::new())));
}

#[test]
fn who_came_in_meanwhile_is_shown_and_trusted_as_far_as_it_passes() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    let dave = world.enrol("dave@umbrella.test");
    world.connect(dave);
    world.run();
    world.disconnect(2);
    world
        .command(0, Command::Invite { room, accounts: vec![account("dave@umbrella.test")] })
        .unwrap()
        .unwrap();
    world.send(dave, Target::Room(room), "hello").unwrap().unwrap();
    forget(&mut world, 2, room);
    world.wait(100_000);
    // Alice has vouched for dave, by her signature.
    goes_on(&mut world, room, &[0, 1, 2, dave]);
    let shown = world.phones[2].timeline(room);
    assert!(shown.iter().any(|item| item.body == Body::Rejoined(vec![account("dave@umbrella.test")])));
}

/// Every transaction of the device that comes back is a place where its process may end.
#[test]
fn a_crash_on_the_way_back_does_not_keep_it_out() {
    let mut points = 0;
    for at in 1..60 {
        for written in [false, true] {
            let mut world = World::new(&[ALICE, BOB]);
            let room = world.group("ours");
            world.send(0, Target::Room(room), "before").unwrap().unwrap();
            let writes = world.phones[0].writes;
            world.phones[0].crash_at = Some((writes + at, written));
            garbage(&mut world, 1, room, 8);
            world.run();
            world.wait(300_000);
            if world.phones[0].crash_at.is_some() {
                break;
            }
            points += 1;
            goes_on(&mut world, room, &[0, 1]);
        }
    }
    assert!(points > 10, "{points}");
}

#[test]
fn a_hub_that_cannot_be_asked_is_asked_again_and_one_that_refuses_pauses_the_room() {
    let mut world = World::new(&[ALICE, BOB]);
    let room = world.group("ours");
    world.node.failing = Some(("group", ErrorCode::Unavailable.into()));
    garbage(&mut world, 1, room, 8);
    world.run();
    world.wait(3_600_000);
    let view = world.phones[0].engine().room(room).unwrap();
    assert_eq!((view.paused, view.lost), (None, Some(ErrorCode::BadSignature)));
    for refusal in [ErrorCode::Forbidden, ErrorCode::Unsupported] {
        world.node.failing = Some(("group", WireError::from(refusal)));
        world.wait(100_000);
        world.disconnect(0);
        world.connect(0);
        world.run();
        world.wait(10_000);
        let view = world.phones[0].engine().room(room).unwrap();
        assert_eq!(view.paused, Some(refusal));
        assert_eq!(error(world.send(0, Target::Room(room), "?")), Some(refusal));
    }
    world.node.failing = None;
    for phone in 0..2 {
        world.disconnect(phone);
        world.connect(phone);
    }
    world.run();
    world.wait(300_000);
    goes_on(&mut world, room, &[0, 1]);
}

/// A group that somebody made behind all backs, with the own leaf of `victim` in it, as its hub could
/// show it after so many commits.
fn trap(world: &World, room: RoomId, by: usize, victim: &str, commits: usize) -> (Bytes, GroupState) {
    let mut entropy = Seeded::new(1);
    let keys = &world.phones[by].keys;
    let state = State::group(room, account(victim).domain().clone(), keys.account.clone()).to_proto();
    let (mut member, founding) = Member::found(keys, &state, &mut entropy).unwrap();
    let mut hub = Observer::found(&founding).unwrap();
    let package = world.node.packages[&account(victim)][0].key_package.clone();
    let mut last = Bytes::new();
    for commit in 0..commits {
        let message = MessageId::new([70 + commit as u8; 16]);
        let binding =
            MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
        let add = if commit == 0 { vec![package.clone()] } else { Vec::new() };
        let made = member.commit(&binding, &Change { add, ..Change::default() }, &mut entropy).unwrap();
        let extras = CommitExtras { welcome: made.welcome, group_info: made.group_info };
        hub.check_commit(&made.commit, &extras).unwrap();
        hub.merge().unwrap();
        member.process(EventKind::Commit, &made.commit).unwrap();
        member.merge_staged().unwrap();
        last = made.commit;
    }
    (last, hub.shown().unwrap())
}

/// The node answers questions for the group with this.
fn show(world: &mut World, to: &str, shown: GroupState) {
    let to = account(to);
    world.lie = Some(Box::new(move |name, frame| {
        if let (true, Some(node_frame::Frame::Response(answer))) = (*name == to, &mut frame.frame)
            && matches!(answer.response, Some(Response::Group(_)))
        {
            answer.response = Some(Response::Group(shown.clone()));
        }
        true
    }));
}

// [MLS-24]
#[test]
fn another_group_than_that_of_the_log_is_not_entered() {
    let mut world = World::new(&[ALICE, BOB, MALLORY]);
    let members = vec![account(BOB)];
    let create = Command::CreateRoom { name: "ours".into(), topic: String::new(), members };
    let Some(Ok(Outcome::Room { room, .. })) = world.command(0, create) else { panic!("no room") };
    let (_, shown) = trap(&world, room, 2, ALICE, 5);
    show(&mut world, ALICE, shown);
    let old = world.node.rooms[&room].observer.shown().unwrap();
    garbage(&mut world, 1, room, 8);
    world.run();
    world.wait(600_000);
    let view = world.phones[0].engine().room(room).unwrap();
    assert_eq!(view.paused, Some(ErrorCode::StaleEpoch), "given up after some tries");
    assert!(view.member(&account(MALLORY)).is_none());
    // Nor one that was there before.
    world.disconnect(0);
    world.lie = None;
    world.wait(300_000);
    show(&mut world, ALICE, old);
    world.connect(0);
    world.run();
    world.wait(600_000);
    assert!(world.phones[0].engine().room(room).unwrap().paused.is_some());
    world.lie = None;
    world.disconnect(0);
    world.connect(0);
    world.run();
    world.wait(100_000);
    goes_on(&mut world, room, &[0, 1]);
    assert_eq!(returns(&world, 0, room).iter().filter(|name| *name == ALICE).count(), 1);
}

// [MLS-24]
#[test]
fn a_group_that_the_hub_made_up_is_told_nothing() {
    let mut world = World::new(&[ALICE, BOB, MALLORY]);
    let members = vec![account(BOB)];
    let create = Command::CreateRoom { name: "ours".into(), topic: String::new(), members };
    let Some(Ok(Outcome::Room { room, .. })) = world.command(0, create) else { panic!("no room") };
    // The hub shows alice alone a log in which the made-up group's commit stands.
    let (commit, shown) = trap(&world, room, 2, ALICE, 5);
    let readers: BTreeSet<String> = BTreeSet::from([ALICE.to_owned(), MALLORY.to_owned()]);
    show(&mut world, ALICE, shown);
    let head = world.node.rooms[&room].head;
    let (event, after) = world.sealed(room, &head, (EventKind::Commit, MessageId::new([74; 16]), &commit));
    pulled(&mut world, event.clone());
    world.push(0, entry::Entry::Event(event));
    // It takes alice's external commit for ordered.
    let submitted = returned(&mut world, room, after);
    assert!(submitted, "alice has come into it");
    let view = world.phones[0].engine().room(room).unwrap();
    let names: BTreeSet<String> = view.members.iter().map(|member| member.account.to_string()).collect();
    assert_eq!(names, readers);
    assert!(view.member(&account(MALLORY)).unwrap().held, "nobody who was here vouches for it");
    assert_eq!(error(world.send(0, Target::Room(room), "?")), Some(ErrorCode::KeyUnverified));
    world.wait(100_000);
    assert_eq!(
        error(world.send(0, Target::Room(room), "?")),
        Some(ErrorCode::KeyUnverified),
        "and time does not help"
    );
    let held = Warning::Held { room, account: account(MALLORY), error: ErrorCode::KeyUnverified };
    assert!(world.phones[0].told(|notice| *notice == Notice::Warning(held.clone())));
}

/// Alice's pulls end with this event.
fn pulled(world: &mut World, event: wire::proto::Event) {
    let alice = account(ALICE);
    let before = world.lie.take();
    let mut before = before.unwrap();
    world.lie = Some(Box::new(move |name, frame| {
        if let (true, Some(node_frame::Frame::Response(answer))) = (*name == alice, &mut frame.frame)
            && let Some(Response::Pulled(pulled)) = &mut answer.response
            && pulled.events.is_empty()
        {
            pulled.events.push(event.clone());
        }
        before(name, frame)
    }));
}

/// The external commit that alice submits comes back to her, after this head.
fn returned(world: &mut World, room: RoomId, after: LogHead) -> bool {
    use wire::proto::{client_frame, client_request};
    for _ in 0..200 {
        world.now = world.now.plus_ms(500);
        world.phones[0].input(world.now, engine::Input::Tick);
        let frames = world.phones[0].drain(world.now);
        for frame in frames {
            let Some(client_frame::Frame::Request(request)) = &frame.frame else { continue };
            if let Some(client_request::Request::Submit(made)) = &request.request
                && made.kind() == EventKind::Commit
            {
                let id = made.message_id.as_ref().try_into().unwrap();
                let (event, _) = world.sealed(room, &after, (EventKind::Commit, id, &made.body));
                world.push(0, entry::Entry::Event(event));
                return true;
            }
            let others = world.node.frame(&account(ALICE), frame, world.now);
            for (to, mut answer) in others {
                if let Some(lie) = &mut world.lie {
                    lie(&to, &mut answer);
                }
                if to == account(ALICE) {
                    world.phones[0].inbox.push_back(answer);
                }
            }
        }
        while let Some(frame) = world.phones[0].inbox.pop_front() {
            world.phones[0].input(world.now, engine::Input::Frame(frame));
        }
    }
    false
}
