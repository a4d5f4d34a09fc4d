//! A pinned peer that means harm: it takes no place of others, fills nothing, locks nobody out and
//! speaks for nobody but its own.

use bytes::Bytes;
use mls::Change;
use store::{
    Store as _, Write,
    memory::Fault,
    row::{MemberRow, ProgressRow},
};
use wire::{
    Account, DomainName, ErrorCode, MessageId, RoomId, limits,
    proto::{
        ContactPolicy, Event, EventKind, GetDomain, Join, Left, Progress, ProgressKind, RoomKind,
        client_request, entry, item,
    },
};

use crate::{
    device::error,
    invitation::{accept, group, kinds, policy},
    message::pair,
    origin::{codes, play_at},
    world::{World, name},
};

/// A commit that this hub signs at a place of a room's log, and a message right behind it.
fn signed_run(world: &World, hub: &DomainName, room: RoomId, seq: u64) -> (Event, Event) {
    let key = &world.nodes[hub].keys.event;
    let body = Bytes::from_static(b"anything");
    let seal = |before: &room::LogHead, kind, message| {
        let draft = room::chain::Draft { room: &room, hub, epoch: 1, kind, message, body: &body, time_ms: 0 };
        room::chain::seal(before, &draft, key)
    };
    let before = room::LogHead { seq: seq - 1, hash: [1; 32] };
    let (first, second) = (MessageId::new([7; 16]), MessageId::new([8; 16]));
    let (commit, head) = seal(&before, EventKind::Commit, &first);
    (commit, seal(&head, EventKind::Message, &second).0)
}

fn commit(world: &World, hub: &DomainName, room: RoomId, seq: u64) -> Event {
    signed_run(world, hub, room, seq).0
}

/// What stands right behind the commit of [`join`].
pub(crate) fn behind(world: &World, hub: &DomainName, room: RoomId) -> Event {
    signed_run(world, hub, room, 2).1
}

/// What a hub says that has added bob to a group which `founder` began.
pub(crate) fn join(world: &World, hub: &DomainName, founder: &str, inviter: &str) -> (RoomId, Join) {
    let founding = MessageId::new([3; 16]);
    let room = room::group_room(&founder.parse().unwrap(), &founding);
    let join = Join {
        room: room.to_bytes(),
        commit: Some(commit(world, hub, room, 2)),
        accounts: vec!["bob@umbrella.test".to_owned()],
        inviter: inviter.to_owned(),
        kind: RoomKind::Group.into(),
        members: vec![inviter.to_owned(), "bob@umbrella.test".to_owned()],
        founder: founder.to_owned(),
        founding: founding.to_bytes(),
        ..Join::default()
    };
    (room, join)
}

pub(crate) fn play(world: &mut World, hub: &str, items: Vec<item::Item>) -> Vec<(u64, ErrorCode)> {
    codes(&play_at(world, &name("umbrella.test"), &name(hub), items))
}

fn progress(room: RoomId, kind: ProgressKind, who: &str, seq: u64) -> item::Item {
    item::Item::Progress(Progress { room: room.to_bytes(), kind: kind.into(), who: who.to_owned(), seq })
}

fn stored_progress(world: &World, domain: &str, room: RoomId) -> Vec<ProgressRow> {
    world.nodes[&name(domain)].disk.progress(&room).unwrap()
}

// [ROOM-6]
#[test]
fn a_place_beyond_all_places_is_refused_and_stores_nothing() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let _bob = world.person("bob@umbrella.test");
    let acme = name("acme.test");
    let (room, honest) = join(&world, &acme, "alice@acme.test", "alice@acme.test");
    let beyond = Join { commit: Some(commit(&world, &acme, room, 1 << 63)), ..honest };
    let answers = play(&mut world, "acme.test", vec![item::Item::Join(beyond)]);
    assert_eq!(answers, [(1, ErrorCode::Malformed)]);
    assert_eq!(world.nodes[&name("umbrella.test")].disk.room(&room).unwrap(), None);
}

#[test]
fn after_a_refused_batch_every_input_stands_for_itself() {
    let mut world = World::new(&["acme.test"]);
    let mut alice = world.person("alice@acme.test");
    let (room, _, answer) = world.found(&mut alice, None);
    answer.unwrap();
    let acme = name("acme.test");
    let mut say = |world: &mut World, count: u64| {
        let inputs = (0..count).map(|_| {
            let submission = alice.encrypt(room, "x").1;
            let request = Some(client_request::Request::Submit(submission));
            let request = wire::proto::ClientRequest { id: 1, request };
            let frame = Some(wire::proto::client_frame::Frame::Request(request));
            domain::Input::ClientFrame { session: alice.session, frame: wire::proto::ClientFrame { frame } }
        });
        let inputs = inputs.collect();
        let before = world.nodes[&acme].disk.commits();
        world.feed_all(&acme, inputs);
        world.nodes[&acme].disk.commits() - before
    };
    assert_eq!(say(&mut world, 5), 1);
    world.nodes[&acme].disk.fail_next(Fault::Conflict);
    assert_eq!(say(&mut world, 5), 0);
    assert_eq!(say(&mut world, 5), 5, "a transaction for each: one that cannot be written harms no other");
}

// [ROOM-28]
#[test]
fn a_follower_tells_of_its_own_accounts_that_are_in_the_room() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (_alice, _bob, room) = pair(&mut world);
    world.pass(1_000);
    let before = stored_progress(&world, "acme.test", room);
    let delivered = |who: &str| progress(room, ProgressKind::Delivered, who, 1);
    let items = vec![
        delivered("invented@umbrella.test"),
        delivered("a@b@umbrella.test"),
        delivered("@umbrella.test"),
        delivered("alice@acme.test"),
        progress(room, ProgressKind::Stored, "umbrella", 1),
    ];
    let answers = codes(&play_at(&mut world, &name("acme.test"), &name("umbrella.test"), items));
    let (malformed, origin) = (ErrorCode::Malformed, ErrorCode::OriginMismatch);
    assert_eq!(
        answers,
        [(1, ErrorCode::NotFound), (2, malformed), (3, malformed), (4, origin), (5, malformed)]
    );
    world.pass(1_000);
    assert_eq!(stored_progress(&world, "acme.test", room), before);
}

#[test]
fn a_hub_makes_a_follower_keep_no_more_progress_than_a_room_can_have() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (_alice, _bob, room) = pair(&mut world);
    for turn in 0..50 {
        let invented = |n: usize| format!("p{turn}-{n}@acme.test");
        let items = (0..limits::BATCH_ITEMS_MAX)
            .map(|n| progress(room, ProgressKind::Delivered, &invented(n), u64::MAX))
            .collect();
        play(&mut world, "acme.test", items);
    }
    world.pass(1_000);
    let kept = stored_progress(&world, "umbrella.test", room);
    assert_eq!(kept.len(), 2 * limits::ROOM_DEVICES_MAX);
    assert!(kept.iter().all(|row| row.seq <= 2), "nor beyond what is stored here");
}

// [ROOM-2]
#[test]
fn no_other_domain_takes_the_place_of_a_room_that_is_not_known_here_yet() {
    let mut world = World::new(&["acme.test", "umbrella.test", "initech.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let (own, founding, answer) = world.found(&mut alice, None);
    answer.unwrap();
    world.sync(&mut alice, true);
    let initech = name("initech.test");
    let (_, honest) = join(&world, &initech, "erin@initech.test", "erin@initech.test");
    let (direct, _) = room::direct_room(&alice.account, &bob.account);
    let squat = |room: RoomId, founder: &str| {
        let commit = Some(commit(&world, &initech, room, 2));
        let founding = founding.to_bytes();
        let founder = founder.to_owned();
        item::Item::Join(Join { room: room.to_bytes(), commit, founder, founding, ..honest.clone() })
    };
    let items = vec![
        squat(own, "alice@acme.test"),
        squat(own, "erin@initech.test"),
        squat(direct, "erin@initech.test"),
        squat(own, "erin"),
    ];
    let answers = play(&mut world, "initech.test", items);
    let origin = ErrorCode::OriginMismatch;
    assert_eq!(answers, [(1, origin), (2, origin), (3, origin), (4, ErrorCode::Malformed)]);
    world.add(&mut alice, own, &[&bob.account.clone()]).unwrap();
    accept(&mut world, &mut bob, own).unwrap();
    world.sync(&mut bob, true);
    assert!(bob.rooms.contains_key(&own), "its hub comes later and is believed");
}

// [SYNC-21]
#[test]
fn whoever_has_left_a_direct_room_is_asked_again() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let (room, _, answer) = world.found(&mut alice, Some(&bob.account));
    answer.unwrap();
    world.sync(&mut alice, true);
    world.found(&mut bob, Some(&alice.account)).2.unwrap();
    bob.rooms.remove(&room);
    world.add(&mut alice, room, &[&bob.account.clone()]).unwrap();
    world.sync(&mut alice, true);
    assert_eq!(kinds(&world.sync(&mut bob, true)), ["refused", "join"], "it had asked itself");
    let leave = bob.leave(room);
    world.submit(&bob, leave).unwrap();
    world.sync(&mut alice, true);
    world.commit(&mut alice, room, &Change::default()).1.unwrap();
    world.sync(&mut alice, true);
    world.sync(&mut bob, true);
    bob.rooms.remove(&room);
    world.upload(&mut bob, 5, false);
    world.add(&mut alice, room, &[&bob.account.clone()]).unwrap();
    assert_eq!(kinds(&world.sync(&mut bob, true)), ["invitation"]);
    policy(&mut world, &bob, ContactPolicy::Deny);
    let claim = world.add(&mut alice, room, &[&bob.account.clone()]);
    assert_eq!(error(claim), ErrorCode::Policy);
}

// [SYNC-19]
#[test]
fn a_room_that_an_account_has_asked_for_opens_it_to_nobody_else() {
    let mut world = World::new(&["acme.test", "umbrella.test", "wayne.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let mut carol = world.person("carol@wayne.test");
    let (room, _, answer) = world.found(&mut alice, Some(&bob.account));
    answer.unwrap();
    world.sync(&mut alice, true);
    policy(&mut world, &bob, ContactPolicy::Deny);
    world.found(&mut bob, Some(&alice.account)).2.unwrap();
    let claim = world.add(&mut carol, room, &[&bob.account.clone()]);
    assert_eq!(error(claim), ErrorCode::Policy);
    world.add(&mut alice, room, &[&bob.account.clone()]).unwrap();
}

fn rows(world: &World, account: &Account, to_seq: Option<u64>) {
    let row = |n: usize| {
        let mut room = [9; 32];
        room[..8].copy_from_slice(&(n as u64).to_be_bytes());
        MemberRow { room: RoomId::new(room), account: account.clone(), from_seq: 1, to_seq }
    };
    let writes = (0..limits::ROOMS_PER_ACCOUNT_MAX).map(|n| Write::PutMember(row(n))).collect();
    world.nodes[account.domain()].disk.commit(&store::Batch { writes }).unwrap();
}

// [SYNC-24]
#[test]
fn rooms_that_an_account_is_out_of_do_not_lock_it_out_and_those_that_it_is_in_count() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    rows(&world, &bob.account, Some(9));
    let room = group(&mut world, &mut alice, &mut bob).unwrap();
    assert_eq!(kinds(&world.sync(&mut bob, true)), ["invitation"]);
    rows(&world, &bob.account, None);
    assert_eq!(error(accept(&mut world, &mut bob, room)), ErrorCode::Quota);
    assert_eq!(error(world.found(&mut bob, None).2), ErrorCode::Quota);
    assert_eq!(error(world.found(&mut bob, Some(&alice.account)).2), ErrorCode::Quota);
    rows(&world, &bob.account, Some(9));
    accept(&mut world, &mut bob, room).unwrap();
    assert_eq!(kinds(&world.sync(&mut bob, true)), ["join"], "the invitation had stayed");
}

// [SYNC-21]
#[test]
fn a_hub_that_names_a_friend_of_another_domain_as_inviter_is_asked_about() {
    let mut world = World::new(&["acme.test", "umbrella.test", "initech.test"]);
    let (_alice, mut bob, _) = pair(&mut world);
    let initech = name("initech.test");
    let (_, named) = join(&world, &initech, "erin@initech.test", "alice@acme.test");
    assert_eq!(play(&mut world, "initech.test", vec![item::Item::Join(named)]), []);
    assert_eq!(kinds(&world.sync(&mut bob, true)), ["invitation"]);
}

// [SYNC-21]
#[test]
fn another_hub_opens_no_shut_door_by_naming_a_colleague() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let mut dave = world.person("dave@umbrella.test");
    let room = group(&mut world, &mut alice, &mut dave).unwrap();
    world.sync(&mut alice, true);
    accept(&mut world, &mut dave, room).unwrap();
    policy(&mut world, &bob, ContactPolicy::Deny);
    let founding = world.nodes[&name("acme.test")].disk.events(&room, 1, 1).unwrap().remove(0).message;
    let (_, named) = join(&world, &name("acme.test"), "alice@acme.test", "dave@umbrella.test");
    let row = world.nodes[&name("umbrella.test")].disk.room(&room).unwrap().unwrap();
    let draft = room::chain::Draft {
        room: &room,
        hub: &name("acme.test"),
        epoch: 1,
        kind: EventKind::Commit,
        message: &MessageId::new([7; 16]),
        body: &Bytes::from_static(b"a commit"),
        time_ms: 0,
    };
    let head = room::LogHead { seq: row.head_seq, hash: row.head_hash };
    let (commit, _) = room::chain::seal(&head, &draft, &world.nodes[&name("acme.test")].keys.event);
    let named = Join { room: room.to_bytes(), commit: Some(commit), founding: founding.to_bytes(), ..named };
    assert_eq!(play(&mut world, "acme.test", vec![item::Item::Join(named)]), []);
    let at_bob = world.sync(&mut bob, true);
    assert!(!at_bob.iter().any(|entry| matches!(entry.entry, Some(entry::Entry::Join(_)))), "{at_bob:?}");
}

// [SYNC-4]
#[test]
fn who_is_pinned_here_is_told_to_own_devices_only() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (alice, _bob, _) = pair(&mut world);
    let acme = name("acme.test");
    let stranger = world.open(&acme);
    let of = |domain: &str| {
        client_request::Request::GetDomain(GetDomain { domain: domain.to_owned(), after_seq: 0 })
    };
    assert!(world.ask(&acme, stranger, of("acme.test")).is_ok());
    for domain in ["umbrella.test", "nowhere.test"] {
        assert_eq!(error(world.ask(&acme, stranger, of(domain))), ErrorCode::AuthFailed);
    }
    assert!(world.ask(&acme, alice.session, of("umbrella.test")).is_ok());
    assert_eq!(error(world.ask(&acme, alice.session, of("nowhere.test"))), ErrorCode::NotFound);
}

#[test]
fn a_departure_names_no_more_accounts_than_a_room_can_have() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (_alice, bob, room) = pair(&mut world);
    let left = |count: usize, seq: u64| {
        let accounts = vec![bob.account.to_string(); count];
        item::Item::Left(Left { room: room.to_bytes(), seq, accounts })
    };
    let items = vec![left(limits::ROOM_DEVICES_MAX + 1, 2), left(1, u64::MAX), left(2, 2)];
    let answers = play(&mut world, "acme.test", items);
    assert_eq!(answers, [(1, ErrorCode::TooLarge), (2, ErrorCode::Malformed)]);
}

// [ROOM-29]
#[test]
fn a_peers_account_founds_a_direct_room_with_nobody_here() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let mut bob = world.person("bob@umbrella.test");
    let nobody: Account = "a-nobody@acme.test".parse().unwrap();
    let (room, message, answer) = world.found(&mut bob, Some(&nobody));
    answer.unwrap();
    let told = crate::refused::refused(&world.sync(&mut bob, true));
    assert_eq!(told[0].message_id, message.to_bytes());
    assert_eq!(wire::WireError::from(&told[0].error.unwrap()).code, ErrorCode::NotFound);
    assert_eq!(world.nodes[&name("acme.test")].disk.room(&room).unwrap(), None);
}
