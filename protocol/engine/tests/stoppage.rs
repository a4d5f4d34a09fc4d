//! What one member, one domain or one clock can do to a room: it is shown, it may stop what this device
//! says there, and it stops nobody for good.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod world;

use engine::{
    Command, Notice, Outcome, Target, Warning,
    device::{DeviceKeys, Enrolment},
    record::RoomPhase,
    view::Delivery,
};
use identity::{AccountBinding, AccountMode, DeviceCertificate, DomainKeys};
use machine::{Seeded, Timestamp};
use mls::{Change, Member, Rows};
use wire::{
    ErrorCode, MessageId, RoomId, SecretKey, limits,
    proto::{AccountKeys, CommitExtras, EventKind, MessageBinding, Submission},
};
use world::{World, account, error};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const CAROL: &str = "carol@acme.test";
const CEO: &str = "ceo@other.example";

fn mark(world: &mut World, phone: usize, room: RoomId, of: &str) -> Option<ErrorCode> {
    world.phones[phone].engine().room(room).unwrap().member(&account(of)).unwrap().unverified
}

fn held(world: &mut World, phone: usize, room: RoomId, of: &str) -> bool {
    world.phones[phone].engine().room(room).unwrap().member(&account(of)).unwrap().held
}

fn goes_on(world: &mut World, room: RoomId, phones: &[usize]) {
    for phone in phones {
        assert_eq!(world.phones[*phone].engine().room(room).unwrap().paused, None, "device {phone}");
        let text = format!("{phone} goes on");
        world.send(*phone, Target::Room(room), &text).unwrap().unwrap();
        for other in phones {
            assert_eq!(world.texts(*other, room).last(), Some(&text));
        }
    }
}

/// The member renews its leaf with other statements, as far as the hub checks anything of them.
fn renew_as(world: &mut World, keys: &DeviceKeys, room: RoomId, number: u8) {
    let message = MessageId::new([number; 16]);
    let binding = MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
    let shown = world.node.rooms[&room].observer.shown().unwrap();
    let mut entropy = Seeded::new(number.into());
    let (_, made) = Member::rejoin(keys, Rows::new(), &shown, &binding, &mut entropy).unwrap();
    let submission = Submission {
        room: room.to_bytes(),
        message_id: message.to_bytes(),
        kind: EventKind::Commit.into(),
        epoch: made.epoch,
        body: made.commit,
        commit: Some(CommitExtras { group_info: made.group_info, ..CommitExtras::default() }),
        account: keys.account.to_string(),
        device_id: keys.device.to_bytes(),
        ..Submission::default()
    };
    world.node.submit(&submission, world.now).unwrap();
}

fn certified(world: &World, phone: usize, account_key: &SecretKey, from: Timestamp) -> DeviceKeys {
    let mut keys = world.phones[phone].keys.clone();
    let device_key = keys.secret.public();
    let made = DeviceCertificate::issue(&keys.account, keys.device, &device_key, account_key, from).unwrap();
    keys.certificate = made.signed().clone();
    keys
}

// [ID-23]
#[test]
fn a_certificate_that_is_over_when_others_see_it_stops_nobody() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    world.disconnect(2);
    // In force for 20 s more.
    let ended = limits::CERTIFICATE_VALID_S * 1_000 - 20_000;
    let from = Timestamp::from_ms(world.now.as_ms() - ended);
    let key = world.phones[1].account_key.clone();
    let keys = certified(&world, 1, &key, from);
    renew_as(&mut world, &keys, room, 3);
    world.run();
    assert_eq!(mark(&mut world, 0, room, BOB), None, "it was in force when it was ordered");
    world.now = world.now.plus_ms(60_000);
    world.connect(2);
    world.run();
    assert_eq!(world.phones[2].engine().room(room).unwrap().members.len(), 3);
    goes_on(&mut world, room, &[0, 2]);
}

// [ID-23]
#[test]
fn a_certificate_that_begins_in_the_near_future_stops_nobody_whose_clock_is_behind() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    let key = world.phones[1].account_key.clone();
    let keys = certified(&world, 1, &key, world.now.plus_ms(limits::CLOCK_SKEW_MS - 1_000));
    renew_as(&mut world, &keys, room, 3);
    // The devices are 100 s behind the hub, which has ordered it by its own clock.
    world.now = Timestamp::from_ms(world.now.as_ms() - 100_000);
    world.run();
    assert_eq!(mark(&mut world, 0, room, BOB), None);
    // Beyond what clocks may differ by it is a mark, whatever the hub says of the time.
    world.now = Timestamp::from_ms(world.now.as_ms() - 3_600_000);
    let keys = certified(&world, 1, &key, world.now.plus_ms(24 * 3_600_000));
    renew_as(&mut world, &keys, room, 4);
    world.run();
    assert_eq!(mark(&mut world, 0, room, BOB), Some(ErrorCode::AuthFailed));
    goes_on(&mut world, room, &[0, 2]);
}

/// The domain gives the account another key, and the account certifies its device with it.
fn rebound(world: &World, phone: usize) -> (DeviceKeys, SecretKey) {
    let name = world.phones[phone].account.clone();
    let new = SecretKey::from_seed(&zeroize::Zeroizing::new([78; 32]));
    let binding = AccountBinding::propose(&name, &new, AccountMode::UserHeld, world.now).unwrap();
    let mut keys = certified(world, phone, &new, world.now);
    keys.binding = binding.countersign(&world.node.domains[name.domain()].0.binding).signed().clone();
    (keys, new)
}

#[test]
fn an_account_with_another_key_is_marked_and_stops_nobody_and_trust_lifts_it() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    world.send(2, Target::Account(account(BOB)), "carol knows bob").unwrap().unwrap();
    let (keys, new) = rebound(&world, 1);
    renew_as(&mut world, &keys, room, 3);
    world.run();
    for phone in [0, 2] {
        assert_eq!(mark(&mut world, phone, room, BOB), Some(ErrorCode::KeyUnverified));
        assert!(!held(&mut world, phone, room, BOB), "nobody new reads by it");
    }
    goes_on(&mut world, room, &[0, 2]);
    let trust = Command::TrustKey { account: account(BOB), key: new.public() };
    world.command(0, trust).unwrap().unwrap();
    assert_eq!(mark(&mut world, 0, room, BOB), None);
}

/// A device of an account that a domain has made up.
fn invented(world: &World, name: &str) -> (DeviceKeys, bytes::Bytes) {
    let made = Enrolment::new(account(name), world.now, &mut Seeded::new(666)).unwrap();
    let domain = account(name).domain().clone();
    let keys = DomainKeys::generate(&mut Seeded::new(667));
    let document = keys.first_document(&domain, &["127.0.0.1:4433".parse().unwrap()], world.now).unwrap();
    let binding = AccountBinding::parse(made.keys.binding.as_ref().unwrap()).unwrap();
    let binding = binding.countersign(&keys.binding).signed().clone();
    let answer = AccountKeys { binding: Some(binding), ..made.keys.clone() };
    let keys = made.finish(&answer, &document, world.now).unwrap().keys;
    let package = mls::make_key_packages(&keys, world.now, 1, false, &mut Seeded::new(668)).unwrap();
    (keys, package[0].bytes.clone())
}

/// An admin adds somebody behind the back of its own client.
fn add(world: &mut World, phone: usize, room: RoomId, package: bytes::Bytes) {
    let mut member = world.phones[phone].member(room);
    let message = MessageId::new([8; 16]);
    let binding = MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
    let change = Change { add: vec![package], ..Change::default() };
    let made = member.commit(&binding, &change, &mut Seeded::new(1)).unwrap();
    let submission = Submission {
        room: room.to_bytes(),
        message_id: message.to_bytes(),
        kind: EventKind::Commit.into(),
        epoch: made.epoch,
        body: made.commit,
        commit: Some(CommitExtras { group_info: made.group_info, welcome: made.welcome }),
        account: world.phones[phone].account.to_string(),
        device_id: world.phones[phone].keys.device.to_bytes(),
        ..Submission::default()
    };
    world.node.submit(&submission, world.now).unwrap();
    world.run();
}

#[test]
fn nothing_is_said_to_somebody_whom_nobody_can_judge() {
    for admitted in [true, false] {
        let mut world = World::new(&[BOB, ALICE, CAROL]);
        let room = world.group("ours");
        let promote = Command::SetRole { room, account: account(CAROL), admin: true };
        world.command(0, promote).unwrap().unwrap();
        let (_, package) = invented(&world, CEO);
        add(&mut world, 0, room, package);
        let why = ErrorCode::NotFound;
        assert_eq!((mark(&mut world, 2, room, CEO), held(&mut world, 2, room, CEO)), (Some(why), true));
        let warning = Warning::Held { room, account: account(CEO), error: why };
        assert!(world.phones[2].told(|notice| *notice == Notice::Warning(warning.clone())));
        let log = world.node.rooms[&room].log.len();
        let said = world.send(2, Target::Room(room), "the figures");
        assert_eq!(error(said), Some(ErrorCode::KeyUnverified));
        world.command(2, Command::Typing { room, active: true }).unwrap().unwrap();
        assert!(!world.phones[1].told(|notice| matches!(notice, Notice::Typing { .. })));
        assert_eq!(world.node.rooms[&room].log.len(), log, "nothing has left the device");
        // It is not forgotten over a restart.
        world.crash(2);
        world.connect(2);
        world.run();
        assert_eq!(error(world.send(2, Target::Room(room), "?")), Some(ErrorCode::KeyUnverified));
        let lift = match admitted {
            true => Command::Admit { room, account: account(CEO) },
            false => Command::Remove { room, account: account(CEO) },
        };
        world.command(2, lift).unwrap().unwrap();
        world.send(2, Target::Room(room), "knowing that").unwrap().unwrap();
        let view = world.phones[2].engine().room(room).unwrap();
        let left = view.member(&account(CEO)).map(|member| (member.unverified, member.held));
        assert_eq!(left, admitted.then_some((Some(why), false)), "the mark stays");
    }
}

#[test]
fn what_is_said_waits_until_somebody_new_was_judged() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    let dave = world.enrol("dave@umbrella.test");
    world.connect(dave);
    world.run();
    let carol = account(CAROL);
    world.lie = Some(Box::new(move |to, frame| {
        use wire::proto::{client_response::Response, node_frame::Frame};
        if let (true, Some(Frame::Response(answer))) = (*to == carol, &mut frame.frame)
            && matches!(answer.response, Some(Response::Account(_)))
        {
            answer.response = Some(Response::Error(ErrorCode::Unavailable.into()));
        }
        true
    }));
    let invite = Command::Invite { room, accounts: vec![account("dave@umbrella.test")] };
    world.command(0, invite).unwrap().unwrap();
    assert!(held(&mut world, 2, room, "dave@umbrella.test"));
    let said =
        world.order(2, Command::Send { target: Target::Room(room), text: "hi".into(), reply_to: None });
    world.run();
    world.wait(60_000);
    assert_eq!(world.result(2, said), None, "it waits");
    assert_eq!(world.phones[2].timeline(room).last().unwrap().delivery, Some(Delivery::Queued));
    world.lie = None;
    world.wait(60_000);
    assert!(matches!(world.result(2, said), Some(Ok(Outcome::Ordered { .. }))));
    assert!(!held(&mut world, 2, room, "dave@umbrella.test"));
    assert_eq!(world.texts(dave, room), ["hi"]);
}

#[test]
fn a_device_of_a_known_account_that_its_key_never_saw_is_told_nothing() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    world.send(2, Target::Account(account(BOB)), "carol knows bob").unwrap().unwrap();
    world.command(0, Command::Remove { room, account: account(BOB) }).unwrap().unwrap();
    let (_, package) = invented(&world, BOB);
    add(&mut world, 0, room, package);
    assert!(held(&mut world, 2, room, BOB));
    assert_eq!(error(world.send(2, Target::Room(room), "?")), Some(ErrorCode::KeyUnverified));
    world.wait(100_000);
    assert!(held(&mut world, 2, room, BOB), "and time does not help");
}

#[test]
fn a_room_that_cannot_go_on_can_be_left() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ours");
    let (_, package) = invented(&world, CEO);
    let mut member = world.phones[1].member(room);
    let message = MessageId::new([8; 16]);
    let binding = MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
    let change = Change { add: vec![package], ..Change::default() };
    let made = member.commit(&binding, &change, &mut Seeded::new(1)).unwrap();
    world.node.order(room, (EventKind::Commit, message, &made.commit), world.now);
    world.run();
    assert_eq!(error(world.send(0, Target::Room(room), "?")), Some(ErrorCode::Forbidden));
    assert_eq!(world.command(0, Command::Leave { room }), Some(Ok(Outcome::Done)));
    assert!(world.phones[0].told(|notice| *notice == Notice::Left(room)));
    for _ in 0..2 {
        let view = world.phones[0].engine().room(room).unwrap();
        assert_eq!((view.phase, view.paused), (RoomPhase::Left, None));
        world.crash(0);
        world.connect(0);
        world.run();
    }
    assert_eq!(world.phones[0].engine().queued(room), []);
}
