//! Nodes and members lie about the way into a room: whoever is refused has changed nothing, and
//! whoever comes in knows by whom, and with whom.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod world;

use std::collections::BTreeSet;

use bytes::Bytes;
use engine::{
    Command, Notice, Outcome, Table, Target, Warning,
    device::{DeviceKeys, Enrolment},
    record::{KeyPackageRow, RoomPhase},
    view::{Body, Delivery},
};
use machine::Seeded;
use mls::{Change, Member, Observer};
use prost::Message as _;
use room::{LogHead, State, chain, direct_room};
use wire::{
    Account, ErrorCode, MessageId, RoomId,
    proto::{
        CommitExtras, Entry, EventKind, Invitation, Join, KeyPackageUpload, Left, MessageBinding, NodeFrame,
        Page, RoomKind, client_response::Response, entry, node_frame,
    },
};
use world::{World, account};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const MALLORY: &str = "mallory@evil.test";
const FOUNDING: MessageId = MessageId::new([9; 16]);
const WEEK_MS: u64 = 7 * 24 * 3_600_000;

fn push(world: &mut World, phone: usize, entry: entry::Entry) {
    let page = Page { entries: vec![Entry { position: 0, entry: Some(entry) }], caught_up: false };
    let frame = NodeFrame { frame: Some(node_frame::Frame::Page(page)) };
    world.phones[phone].inbox.push_back(frame);
    world.run();
}

fn passed(world: &World, phone: usize, error: ErrorCode) -> bool {
    world.phones[phone].told(|notice| *notice == Notice::Warning(Warning::Passed { error }))
}

fn unverified(world: &World, phone: usize, room: RoomId, name: &str, error: ErrorCode) -> bool {
    let warning = Warning::Unverified { room, account: account(name), error };
    world.phones[phone].told(|notice| *notice == Notice::Warning(warning.clone()))
}

/// A one-time key package that an account has uploaded, or its last resort.
fn package(world: &World, name: &str) -> Bytes {
    let packages = &world.node.packages[&account(name)];
    packages.first().unwrap().key_package.clone()
}

/// A device that the account's own key never saw, for another account key that the domain states.
fn ghost(world: &World, name: &str) -> DeviceKeys {
    let made = Enrolment::new(account(name), world.now, &mut Seeded::new(666)).unwrap();
    let (keys, document) = &world.node.domains[account(name).domain()];
    let binding = identity::AccountBinding::parse(made.keys.binding.as_ref().unwrap()).unwrap();
    let binding = binding.countersign(&keys.binding).signed().clone();
    let answer = wire::proto::AccountKeys { binding: Some(binding), ..made.keys.clone() };
    made.finish(&answer, document, world.now).unwrap().keys
}

fn package_of(world: &World, keys: &DeviceKeys) -> Bytes {
    let made = mls::make_key_packages(keys, world.now, 1, false, &mut Seeded::new(667)).unwrap();
    made[0].bytes.clone()
}

/// A group that somebody has made behind all backs, and the event with which its hub lets others in.
struct Trap {
    state: State,
    by: DeviceKeys,
    add: Vec<Bytes>,
    seq: u64,
}

impl Trap {
    fn new(world: &World, by: usize, state: State, add: &[Bytes]) -> Self {
        Self { state, by: world.phones[by].keys.clone(), add: add.to_vec(), seq: 2 }
    }

    fn join(&self, world: &World) -> Join {
        let mut entropy = Seeded::new(1);
        let room = self.state.room;
        let (mut member, founding) = Member::found(&self.by, &self.state.to_proto(), &mut entropy).unwrap();
        let mut hub = Observer::found(&founding).unwrap();
        let message = MessageId::new([8; 16]);
        let binding =
            MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
        let change = Change { add: self.add.clone(), ..Change::default() };
        let made = member.commit(&binding, &change, &mut entropy).unwrap();
        let extras = CommitExtras { welcome: made.welcome.clone(), group_info: made.group_info };
        hub.check_commit(&made.commit, &extras).unwrap();
        hub.merge().unwrap();
        let draft = chain::Draft {
            room: &room,
            hub: &self.state.hub,
            epoch: 0,
            kind: EventKind::Commit,
            message: &message,
            body: &made.commit,
            time_ms: world.now.as_ms(),
        };
        let before = LogHead { seq: self.seq - 1, hash: [3; 32] };
        let (event, _) = chain::seal(&before, &draft, &world.node.domains[&self.state.hub].0.event);
        Join {
            room: room.to_bytes(),
            commit: Some(event),
            welcome: made.welcome,
            ratchet_tree: hub.ratchet_tree().unwrap(),
            accounts: vec![ALICE.into()],
            inviter: self.by.account.to_string(),
            kind: self.state.kind.into(),
            members: Vec::new(),
            founder: self.by.account.to_string(),
            founding: FOUNDING.to_bytes(),
        }
    }

    fn spring(&self, world: &mut World) {
        let join = self.join(world);
        push(world, 0, entry::Entry::Join(join));
    }
}

/// The state of a group of this founder at the hub of its domain.
fn group_of(founder: &str) -> State {
    let founder = account(founder);
    let room = room::group_room(&founder, &FOUNDING);
    State::group(room, founder.domain().clone(), founder)
}

fn rooms(world: &mut World) -> Vec<RoomId> {
    world.phones[0].engine().rooms().iter().map(|room| room.room).collect()
}

/// The Joins that the node has sent to an account.
fn joins(world: &World, name: &str) -> Vec<Join> {
    let stream = &world.node.streams[&account(name)];
    let join = |entry: &Entry| match &entry.entry {
        Some(entry::Entry::Join(join)) => Some(join.clone()),
        _ => None,
    };
    stream.iter().filter_map(join).collect()
}

#[test]
fn whoever_comes_in_is_shown_by_whom() {
    let mut world = World::new(&[BOB, ALICE]);
    let room = world.group("ours");
    let item = world.phones[1].timeline(room).remove(0);
    assert_eq!(item.body, Body::Added(vec![account(ALICE)]));
    assert_eq!(item.sender, Some(account(BOB)));
    assert_eq!(item.seq, world.phones[1].engine().room(room).unwrap().head_seq.min(item.seq));
    assert!(!item.own);
}

// [ROOM-31]
#[test]
fn a_room_that_a_device_is_in_is_not_exchanged_under_it() {
    let mut world = World::new(&[ALICE, BOB, MALLORY]);
    let room = world.group("ours");
    world.send(0, Target::Room(room), "to these two").unwrap().unwrap();
    let before = world.phones[0].engine().epoch_authenticator(room);
    let hub = account(ALICE).domain().clone();
    let mut state = State::group(room, hub, account(MALLORY));
    state.room = room;
    let mut trap = Trap::new(&world, 2, state, &[package(&world, ALICE)]);
    trap.seq = 1_000;
    trap.spring(&mut world);
    assert!(passed(&world, 0, ErrorCode::Conflict));
    assert_eq!(world.phones[0].engine().epoch_authenticator(room), before);
    world.agree(room, &[0, 1, 2]);
    world.send(0, Target::Room(room), "still to these two").unwrap().unwrap();
    assert_eq!(world.texts(1, room), ["to these two", "still to these two"]);
}

// [ROOM-31]
#[test]
fn a_group_that_is_being_founded_is_not_exchanged() {
    let mut world = World::new(&[ALICE, MALLORY]);
    world.node.failing = Some(("submit", ErrorCode::Unavailable.into()));
    let create = Command::CreateRoom { name: "mine".into(), topic: String::new(), members: Vec::new() };
    world.order(0, create);
    world.run();
    let [room] = rooms(&mut world)[..] else { panic!("one room") };
    let state = State::group(room, account(ALICE).domain().clone(), account(MALLORY));
    Trap::new(&world, 1, state, &[package(&world, ALICE)]).spring(&mut world);
    let view = world.phones[0].engine().room(room).unwrap();
    assert_eq!((view.phase, view.name.as_str()), (RoomPhase::Founding, "mine"));
    assert!(passed(&world, 0, ErrorCode::Conflict));
}

// [ROOM-31]
#[test]
fn an_old_welcome_does_not_lead_back_into_an_old_epoch() {
    let mut world = World::new(&[BOB, ALICE]);
    // Only the last resort is left: its secrets outlive the Welcome.
    world.node.packages.get_mut(&account(ALICE)).unwrap().retain(|package| package.last_resort);
    let room = world.group("ours");
    world.send(1, Target::Room(room), "once").unwrap().unwrap();
    let join = joins(&world, ALICE).remove(0);
    let left = Left { room: room.to_bytes(), seq: 1_000, ..Left::default() };
    push(&mut world, 1, entry::Entry::Left(left));
    for restart in [false, true] {
        if restart {
            world.crash(1);
            world.connect(1);
        }
        push(&mut world, 1, entry::Entry::Join(join.clone()));
        let view = world.phones[1].engine().room(room).unwrap();
        assert_eq!(view.phase, RoomPhase::Left);
        assert_eq!(world.phones[1].engine().epoch_authenticator(room), None);
    }
    // Even a hub that signs the old commit once more brings nobody back into that epoch.
    let event = chain::read(join.commit.as_ref().unwrap()).unwrap();
    let draft = chain::Draft {
        room: &room,
        hub: &event.hub,
        epoch: event.epoch,
        kind: event.kind,
        message: &event.message,
        body: &event.event.body,
        time_ms: 0,
    };
    let key = &world.node.domains[&event.hub].0.event;
    let (again, _) = chain::seal(&LogHead { seq: 5_000, hash: [0; 32] }, &draft, key);
    push(&mut world, 1, entry::Entry::Join(Join { commit: Some(again), ..join }));
    assert_eq!(world.phones[1].engine().room(room).unwrap().phase, RoomPhase::Left);
    assert!(passed(&world, 1, ErrorCode::Superseded));
}

#[test]
fn a_last_resort_that_was_used_is_replaced() {
    let mut world = World::new(&[BOB, ALICE]);
    world.node.packages.get_mut(&account(ALICE)).unwrap().retain(|package| package.last_resort);
    let before = world.node.packages[&account(ALICE)].clone();
    world.group("ours");
    let last_resorts = |world: &World| -> Vec<KeyPackageUpload> {
        let packages = world.node.packages[&account(ALICE)].iter();
        packages.filter(|package| package.last_resort && !before.contains(package)).cloned().collect()
    };
    assert_eq!(last_resorts(&world).len(), 1, "another one was uploaded");
    let kept = |world: &World| {
        let rows = world.phones[1].rows.iter().filter(|((table, _), _)| *table == Table::KeyPackage);
        rows.filter(|(_, row)| KeyPackageRow::decode(row.as_ref()).unwrap().last_resort).count()
    };
    assert_eq!(kept(&world), 2);
    world.now = world.now.plus_ms(WEEK_MS + 1_000);
    world.disconnect(1);
    world.connect(1);
    world.run();
    assert_eq!(kept(&world), 1, "the old secrets are gone once nothing can be under way");
}

// [MLS-23]
#[test]
fn a_genuine_commit_does_not_open_the_door_to_another_group() {
    let mut world = World::new(&[BOB, MALLORY, ALICE]);
    world.lie = Some(Box::new(|to, frame| {
        // Mallory's home is alice's as well: it keeps her Join and shows her another group.
        let page = matches!(&frame.frame, Some(node_frame::Frame::Page(page)) if !page.entries.is_empty());
        !(page && to.as_str() == ALICE)
    }));
    let room = world.group("ours");
    world.lie = None;
    let genuine = joins(&world, ALICE).remove(0);
    let state = State::group(room, account(BOB).domain().clone(), account(MALLORY));
    let trap = Trap::new(&world, 1, state, &[package(&world, ALICE)]).join(&world);
    let mixed = Join { commit: genuine.commit.clone(), ..trap };
    push(&mut world, 2, entry::Entry::Join(mixed));
    assert!(world.phones[2].engine().rooms().is_empty());
    push(&mut world, 2, entry::Entry::Join(genuine));
    world.agree(room, &[0, 1, 2]);
}

// [ROOM-22] [ROOM-32]
#[test]
fn nobody_else_is_in_a_direct_room() {
    let mut world = World::new(&[ALICE, BOB, MALLORY]);
    let with_bob = State::direct(&account(ALICE), &account(BOB));
    let of_others = State::direct(&account(BOB), &account(MALLORY));
    let cases = [
        ("a third leaf", 1, with_bob.clone(), vec![package(&world, ALICE), package(&world, MALLORY)]),
        ("a room of two others", 1, of_others, vec![package(&world, ALICE)]),
        ("let in by a third", 2, with_bob, vec![package(&world, ALICE)]),
    ];
    for (what, by, state, add) in cases {
        world.phones[0].notices.clear();
        Trap::new(&world, by, state, &add).spring(&mut world);
        assert!(passed(&world, 0, ErrorCode::Forbidden), "{what}: {:?}", world.phones[0].notices);
        assert!(rooms(&mut world).is_empty(), "{what}");
    }
}

// [ROOM-32]
#[test]
fn only_an_admin_who_is_there_and_is_who_it_says_lets_anybody_into_a_group() {
    let mut world = World::new(&[ALICE, BOB, MALLORY]);
    let mut not_admin = group_of(MALLORY);
    not_admin.admins = BTreeSet::from([account(BOB)]);
    let add = [package(&world, ALICE), package(&world, BOB)];
    Trap::new(&world, 2, not_admin, &add).spring(&mut world);
    assert!(passed(&world, 0, ErrorCode::Forbidden));

    let mut said = Trap::new(&world, 2, group_of(MALLORY), &add[..1]).join(&world);
    said.inviter = BOB.into();
    push(&mut world, 0, entry::Entry::Join(said));
    assert!(passed(&world, 0, ErrorCode::OriginMismatch));

    let mut absent = group_of(MALLORY);
    absent.admins.insert(account("carol@acme.test"));
    Trap::new(&world, 2, absent, &add[..1]).spring(&mut world);
    assert!(passed(&world, 0, ErrorCode::Malformed));
    assert!(rooms(&mut world).is_empty());
}

// Rule R7.
#[test]
fn a_ghost_lets_nobody_in() {
    let mut world = World::new(&[ALICE, BOB]);
    world.send(0, Target::Account(account(BOB)), "I know bob").unwrap().unwrap();
    let mut trap = Trap::new(&world, 1, group_of(BOB), &[package(&world, ALICE)]);
    trap.by = ghost(&world, BOB);
    trap.spring(&mut world);
    assert_eq!(rooms(&mut world).len(), 1);
    assert!(unverified(&world, 0, trap.state.room, BOB, ErrorCode::KeyUnverified));
}

// Rule R7.
#[test]
fn a_ghost_of_oneself_is_not_let_in_with_oneself() {
    let mut world = World::new(&[ALICE, BOB]);
    let ghost = package_of(&world, &ghost(&world, ALICE));
    let trap = Trap::new(&world, 1, group_of(BOB), &[package(&world, ALICE), ghost]);
    trap.spring(&mut world);
    assert!(rooms(&mut world).is_empty());
    assert!(unverified(&world, 0, trap.state.room, ALICE, ErrorCode::KeyUnverified));
}

#[test]
fn what_is_queued_for_somebody_goes_to_nobody_else() {
    let mut world = World::new(&[ALICE, BOB, MALLORY]);
    world.node.failing = Some(("claim", ErrorCode::Unavailable.into()));
    world.send(0, Target::Account(account(BOB)), "secret");
    let (room, hub) = direct_room(&account(ALICE), &account(BOB));
    let state = State::group(room, hub, account(MALLORY));
    Trap::new(&world, 2, state, &[package(&world, ALICE)]).spring(&mut world);
    let view = world.phones[0].engine().room(room).unwrap();
    assert_eq!((view.kind, view.phase), (RoomKind::Direct, RoomPhase::Wanted));
    assert_eq!(view.peer, Some(account(BOB)));
    assert_eq!(world.phones[0].engine().epoch_authenticator(room), None);
    assert_eq!(world.texts(0, room), ["secret"], "it still waits");
    world.node.failing = None;
    world.wait(200_000);
    assert_eq!(world.texts(1, room), ["secret"]);
}

// [ROOM-2]
#[test]
fn the_place_of_a_direct_room_is_no_group_s() {
    let mut world = World::new(&[ALICE, BOB, MALLORY]);
    let (room, hub) = direct_room(&account(ALICE), &account(BOB));
    let state = State::group(room, hub, account(MALLORY));
    Trap::new(&world, 2, state, &[package(&world, ALICE)]).spring(&mut world);
    assert!(passed(&world, 0, ErrorCode::OriginMismatch));
    world.send(0, Target::Account(account(BOB)), "to bob").unwrap().unwrap();
    assert_eq!(world.texts(1, room), ["to bob"]);
    assert_eq!(world.phones[0].engine().room(room).unwrap().kind, RoomKind::Direct);
}

// [ROOM-1]
#[test]
fn an_invitation_to_what_is_no_direct_room_of_the_two_is_refused() {
    let mut world = World::new(&[ALICE, BOB]);
    let (room, _) = direct_room(&account(ALICE), &account(BOB));
    let invite = |inviter: &str, kind: RoomKind| {
        entry::Entry::Invitation(Invitation {
            room: room.to_bytes(),
            inviter: inviter.into(),
            kind: kind.into(),
            time_ms: 0,
        })
    };
    push(&mut world, 0, invite(MALLORY, RoomKind::Direct));
    assert!(passed(&world, 0, ErrorCode::OriginMismatch));
    assert!(world.phones[0].engine().invitations().is_empty());
    world.node.failing = Some(("claim", ErrorCode::Unavailable.into()));
    world.send(0, Target::Account(account(BOB)), "secret");
    push(&mut world, 0, invite(BOB, RoomKind::Group));
    assert!(world.phones[0].engine().invitations().is_empty());
}

/// Keeps the answers about a domain from a device.
fn silence(world: &mut World, to: &str, about: &str) {
    let (to, about) = (account(to), about.to_owned());
    world.lie = Some(Box::new(move |receiver: &Account, frame| match &frame.frame {
        Some(node_frame::Frame::Response(response)) if *receiver == to => match &response.response {
            Some(Response::Domain(documents)) => !documents.documents.iter().any(|document| {
                identity::DomainDocument::parse(document).unwrap().domain().as_str() == about
            }),
            _ => true,
        },
        _ => true,
    }));
}

fn mark(world: &mut World, phone: usize, room: RoomId, name: &str) -> Option<ErrorCode> {
    let view = world.phones[phone].engine().room(room).unwrap();
    view.member(&account(name)).unwrap().unverified
}

// Rule R7.
#[test]
fn a_member_that_was_never_judged_is_not_verified_and_no_restart_makes_it_so() {
    let mut world = World::new(&[BOB, ALICE, MALLORY]);
    silence(&mut world, ALICE, "evil.test");
    let room = world.group("ours");
    assert_eq!(mark(&mut world, 1, room, BOB), None);
    assert_eq!(mark(&mut world, 1, room, MALLORY), Some(ErrorCode::Unavailable));
    world.crash(1);
    world.connect(1);
    world.run();
    assert!(mark(&mut world, 1, room, MALLORY).is_some());
    world.wait(120_000);
    assert!(unverified(&world, 1, room, MALLORY, ErrorCode::Timeout), "{:?}", world.phones[1].notices);
    world.lie = None;
    world.wait(120_000);
    assert_eq!(mark(&mut world, 1, room, MALLORY), None);
}

// Rule R7.
#[test]
fn a_welcome_by_somebody_who_cannot_be_judged_waits_and_says_so() {
    let mut world = World::new(&[BOB, ALICE]);
    world.lie = Some(Box::new(|to, frame| {
        let about = matches!(&frame.frame, Some(node_frame::Frame::Response(response))
            if matches!(response.response, Some(Response::Account(_))));
        !(about && to.as_str() == ALICE)
    }));
    let room = world.group("ours");
    assert!(world.phones[1].engine().rooms().is_empty());
    assert!(world.phones[1].engine().joining());
    world.wait(70_000);
    assert!(unverified(&world, 1, room, BOB, ErrorCode::Timeout));
    world.crash(1);
    world.connect(1);
    world.run();
    assert!(world.phones[1].engine().rooms().is_empty());
    world.lie = None;
    world.wait(120_000);
    world.agree(room, &[0, 1]);
}

// Rule R7.
#[test]
fn nothing_is_said_to_the_other_side_while_one_of_its_devices_is_not_its_own() {
    let mut world = World::new(&[ALICE, BOB]);
    let state = State::direct(&account(ALICE), &account(BOB));
    let ghost = package_of(&world, &ghost(&world, BOB));
    let trap = Trap::new(&world, 1, state, &[package(&world, ALICE), ghost]);
    // The world's node does not know the room, and a node that sets a trap does not say so.
    world.lie = Some(Box::new(|_, frame| {
        !matches!(&frame.frame, Some(node_frame::Frame::Response(response))
            if matches!(&response.response, Some(Response::Error(error)) if error.code == ErrorCode::NotFound.code()))
    }));
    trap.spring(&mut world);
    let room = trap.state.room;
    assert_eq!(mark(&mut world, 0, room, BOB), Some(ErrorCode::KeyUnverified));
    let text = "secret".into();
    let target = Target::Account(account(BOB));
    let sent = world.order(0, Command::Send { target, text, reply_to: None });
    world.wait(60_000);
    assert_eq!(world::error(world.result(0, sent)), Some(ErrorCode::KeyUnverified));
    let item = world.phones[0].timeline(room).pop().unwrap();
    assert_eq!(item.delivery, Some(Delivery::Failed(ErrorCode::KeyUnverified)));
}

// Rule R7.
#[test]
fn a_ghost_in_a_group_is_shown() {
    let mut world = World::new(&[ALICE, BOB, MALLORY]);
    world.send(0, Target::Account(account(MALLORY)), "I know mallory").unwrap().unwrap();
    let ghost = package_of(&world, &ghost(&world, MALLORY));
    let trap = Trap::new(&world, 1, group_of(BOB), &[package(&world, ALICE), ghost]);
    trap.spring(&mut world);
    let room = trap.state.room;
    assert_eq!(mark(&mut world, 0, room, MALLORY), Some(ErrorCode::KeyUnverified));
    assert!(unverified(&world, 0, room, MALLORY, ErrorCode::KeyUnverified));
}

#[test]
fn welcomes_that_cannot_be_judged_are_bounded_and_given_up() {
    let mut world = World::new(&[ALICE, BOB]);
    world.node.failing = Some(("domain", ErrorCode::Unavailable.into()));
    let good = Trap::new(&world, 1, group_of(BOB), &[package(&world, ALICE)]).join(&world);
    let event = chain::read(good.commit.as_ref().unwrap()).unwrap();
    let unknown: wire::DomainName = "unknown.test".parse().unwrap();
    for number in 0..40_u8 {
        let room = RoomId::new([number; 32]);
        let draft = chain::Draft {
            room: &room,
            hub: &unknown,
            epoch: 0,
            kind: EventKind::Commit,
            message: &event.message,
            body: &event.event.body,
            time_ms: 0,
        };
        let key = &world.node.domains[account(BOB).domain()].0.event;
        let (commit, _) = chain::seal(&LogHead { seq: 1, hash: [0; 32] }, &draft, key);
        let ratchet_tree = Bytes::from(vec![0; 900_000]);
        let join = Join { room: room.to_bytes(), commit: Some(commit), ratchet_tree, ..good.clone() };
        push(&mut world, 0, entry::Entry::Join(join));
    }
    let kept = |world: &World| -> usize {
        let rows = world.phones[0].rows.iter().filter(|((table, _), _)| *table == Table::Join);
        rows.map(|(_, value)| value.len()).sum()
    };
    assert!((1..=wire::limits::JOINS_WAITING_BYTES_MAX).contains(&kept(&world)), "{}", kept(&world));
    assert!(passed(&world, 0, ErrorCode::Quota));
    assert!(rooms(&mut world).is_empty(), "what is not judged is no room");
    world.wait(WEEK_MS + 1_000_000);
    assert_eq!(kept(&world), 0);
    assert!(passed(&world, 0, ErrorCode::Undeliverable));
}

#[test]
fn invitations_and_key_packages_are_bounded_whatever_the_node_says() {
    let mut world = World::new(&[ALICE]);
    for number in 0..60_u8 {
        let invitation = Invitation {
            room: Bytes::copy_from_slice(&[number; 32]),
            inviter: MALLORY.into(),
            kind: RoomKind::Group.into(),
            time_ms: 0,
        };
        push(&mut world, 0, entry::Entry::Invitation(invitation));
    }
    assert_eq!(world.phones[0].engine().invitations().len(), wire::limits::INVITATIONS_PENDING_MAX);
    for _ in 0..8 {
        world.node.packages.clear();
        world.disconnect(0);
        world.connect(0);
        world.run();
    }
    let kept = world.phones[0].rows.keys().filter(|(table, _)| *table == Table::KeyPackage).count();
    assert!(kept <= 2 * wire::limits::KEY_PACKAGES_PER_DEVICE_MAX + 4, "{kept}");
    let Some(Ok(Outcome::Room { .. })) = world
        .command(0, Command::CreateRoom { name: "fine".into(), topic: String::new(), members: Vec::new() })
    else {
        panic!("goes on")
    };
}
