//! A peer that speaks for what is not its own: each item is refused by name, and the good ones
//! beside it go on.

use bytes::Bytes;
use domain::{ConnId, Input, StreamId};
use mls::Member;
use room::State;
use wire::{
    DomainName, ErrorCode, MessageId, RoomId, WireError,
    proto::{
        Answer, Batch, BatchAck, Declined, Event, EventKind, Events, Item, Join, Left, LinkFrame, LinkOpen,
        PeerHello, Progress, ProgressKind, Submission, admin_request, admin_response, item, link_frame,
    },
};

use crate::{
    device::Device,
    message::pair,
    world::{World, name},
};

/// A peer of acme's that a test plays: the items are sent as one batch. Returns the answers.
fn play(world: &mut World, as_domain: &DomainName, items: Vec<item::Item>) -> Vec<Answer> {
    play_at(world, &name("acme.test"), as_domain, items)
}

pub(crate) fn play_at(
    world: &mut World,
    acme: &DomainName,
    as_domain: &DomainName,
    items: Vec<item::Item>,
) -> Vec<Answer> {
    let conn = greet(world, acme, as_domain);
    let stream = StreamId(world.fresh());
    // An outbox of its own each time: numbers begin anew.
    let outbox_id = Bytes::from([world.fresh().to_be_bytes(); 2].concat());
    let open = LinkOpen { outbox_id, first: 1 };
    world.feed(acme, Input::LinkOpened { conn, stream, open });
    let count = items.len() as u64;
    let numbered = (1..).zip(items).map(|(number, item)| Item { number, item: Some(item) });
    let batch = Batch { items: numbered.collect(), settled: 0 };
    let frame = LinkFrame { frame: Some(link_frame::Frame::Batch(batch)) };
    let before = world.links.len();
    world.feed(acme, Input::LinkFrame { conn, stream, frame });
    // As many turns as it takes.
    for _ in 0..count {
        if acks(world, before).last().is_some_and(|ack| ack.received == count) {
            break;
        }
        world.pass(1);
    }
    acks(world, before).into_iter().flat_map(|ack| ack.answers).collect()
}

/// The acknowledgements among the frames that went over links since there were so many.
pub(crate) fn acks(world: &World, before: usize) -> Vec<BatchAck> {
    let frames = world.links[before..].iter().filter_map(|(_, frame)| frame.frame.clone());
    let acks = frames.filter_map(|frame| match frame {
        link_frame::Frame::Ack(ack) => Some(ack),
        _ => None,
    });
    acks.collect()
}

pub(crate) fn greet(world: &mut World, acme: &DomainName, as_domain: &DomainName) -> ConnId {
    let conn = world.play_peer(acme, as_domain);
    let hello = PeerHello {
        from: as_domain.to_string(),
        to: acme.to_string(),
        time_ms: world.now.as_ms(),
        documents: world.nodes[as_domain].documents.clone(),
        known_seq: 0,
        refused: None,
        instance: Default::default(),
    };
    world.feed(acme, Input::PeerHello { conn, hello });
    conn
}

pub(crate) fn codes(answers: &[Answer]) -> Vec<(u64, ErrorCode)> {
    answers.iter().map(|answer| (answer.number, WireError::from(&answer.error.unwrap()).code)).collect()
}

#[test]
fn each_kind_of_item_for_what_is_not_the_peers_own() {
    let mut world = World::new(&["acme.test", "umbrella.test", "initech.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let _erin = world.person("erin@initech.test");
    let initech = name("initech.test");
    let bytes = room.to_bytes();
    let (_, forged) = bob.encrypt(room, "in bob's name");
    let commit = store::Store::events(&world.nodes[&name("acme.test")].disk, &room, 2, 1).unwrap().remove(0);
    let commit = wire::proto::Event { head: commit.head, signature: commit.signature, body: commit.body };
    let join = Join {
        room: bytes.clone(),
        commit: Some(commit.clone()),
        welcome: Bytes::new(),
        ratchet_tree: Bytes::new(),
        accounts: vec!["alice@acme.test".to_owned()],
        inviter: "bob@umbrella.test".to_owned(),
        kind: 2,
        members: Vec::new(),
        founder: "carol@initech.test".to_owned(),
        founding: vec![1; 16].into(),
    };
    let foreign_join = Join { accounts: vec!["erin@initech.test".to_owned()], ..join.clone() };
    let progress = |who: &str, kind: ProgressKind| {
        item::Item::Progress(Progress { room: bytes.clone(), kind: kind.into(), who: who.to_owned(), seq: 2 })
    };
    let items = vec![
        item::Item::Submission(forged),
        item::Item::Events(Events { room: bytes.clone(), events: vec![commit] }),
        item::Item::Join(join),
        item::Item::Join(foreign_join),
        item::Item::Declined(Declined { room: bytes.clone(), account: "bob@umbrella.test".to_owned() }),
        item::Item::Left(Left { room: bytes.clone(), seq: 2, accounts: vec!["alice@acme.test".to_owned()] }),
        progress("bob@umbrella.test", ProgressKind::Delivered),
        progress("alice@acme.test", ProgressKind::Stored),
    ];
    let answers = codes(&play(&mut world, &initech, items));
    let origin = ErrorCode::OriginMismatch;
    assert_eq!(
        answers,
        [
            (1, origin),
            (2, ErrorCode::NotFound),
            (3, origin),
            (4, origin),
            (5, origin),
            (6, ErrorCode::NotFound),
            (7, ErrorCode::NotFound),
            (8, ErrorCode::Malformed),
        ]
    );
    world.say(&mut alice, room, "unharmed").1.unwrap();
    assert_eq!(Device::events(&world.sync(&mut bob, true)).len(), 1);
}

/// The id of a direct room follows from two names, which anybody may guess.
#[test]
fn a_third_domain_does_not_learn_of_the_room_of_two_others() {
    let mut world = World::new(&["acme.test", "umbrella.test", "wayne.test"]);
    let (alice, bob, room) = pair(&mut world);
    let mut carol = world.person("carol@wayne.test");
    let (dave, erin) = (world.person("dave@acme.test"), world.person("erin@umbrella.test"));
    let none = room::direct_room(&dave.account, &erin.account).0;
    let theirs = [State::direct(&alice.account, &bob.account), State::direct(&dave.account, &erin.account)];
    // As her own device would make it, but for the room.
    let state = State::direct(&carol.account, &alice.account);
    let mut founding = |id: wire::RoomId, state: &State| {
        let message = carol.message_id();
        let (_, made) = Member::found(&carol.keys, &state.to_proto(), &mut carol.entropy).unwrap();
        let body = prost::Message::encode_to_vec(&made).into();
        let submission = carol.submission(id, message, EventKind::Founding, 0, body);
        move |hub: &wire::DomainName| {
            item::Item::Submission(Submission { hub: hub.to_string(), ..submission.clone() })
        }
    };
    let foundings = theirs.map(|theirs| [founding(theirs.room, &state), founding(theirs.room, &theirs)]);
    assert_eq!(room, State::direct(&alice.account, &bob.account).room);
    for at in ["acme.test", "umbrella.test"].map(name) {
        let mut heard = Vec::new();
        for (id, foundings) in [room, none].into_iter().zip(&foundings) {
            let bytes = id.to_bytes();
            let own = if at == name("acme.test") { "alice@acme.test" } else { "bob@umbrella.test" };
            let events = |events| item::Item::Events(Events { room: bytes.clone(), events });
            let mut items = vec![
                events(Vec::new()),
                events(signed(&world, room, &[])),
                events(vec![wire::proto::Event::default()]),
                item::Item::Left(Left { room: bytes.clone(), seq: 1, accounts: Vec::new() }),
                item::Item::Left(Left { room: bytes.clone(), seq: 1, accounts: vec![own.to_owned()] }),
                item::Item::Declined(Declined { room: bytes, account: "carol@wayne.test".to_owned() }),
            ];
            items.extend(foundings.iter().map(|founding| founding(&at)));
            let answers = codes(&play_at(&mut world, &at, &name("wayne.test"), items));
            assert_eq!(answers.len(), 8, "each is refused: {answers:?}");
            heard.push(answers);
        }
        assert_eq!(heard[0], heard[1], "at {at}");
    }
}

#[test]
fn poison_beside_good_items_is_counted_and_shown() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let umbrella = name("umbrella.test");
    world.cut(&umbrella);
    let (first, good) = bob.encrypt(room, "one");
    let (_, mut forged) = bob.encrypt(room, "poison");
    forged.body = Bytes::from(vec![0xff; 64]);
    let (second, better) = bob.encrypt(room, "two");
    let items = [good, forged, better].map(item::Item::Submission).to_vec();
    let answers = codes(&play(&mut world, &umbrella, items));
    assert_eq!(answers, [(2, ErrorCode::Unsupported)], "no version of MLS begins so");
    let seen: Vec<_> =
        Device::events(&world.sync(&mut alice, true)).into_iter().map(|event| event.2).collect();
    assert_eq!(seen, [first, second]);
    let list = admin_request::Request::ListQuarantine(wire::proto::ListQuarantine { limit: 10 });
    match world.admin(&name("acme.test"), list) {
        admin_response::Response::Quarantine(kept) => {
            assert_eq!((kept.total, kept.items[0].kind.as_str()), (1, "submission"));
            assert_eq!(kept.items[0].error, ErrorCode::Unsupported.code());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stranger_to_a_room_learns_nothing_of_it() {
    let mut world = World::new(&["acme.test", "umbrella.test", "initech.test"]);
    let (_alice, _bob, room) = pair(&mut world);
    let mut erin = world.person("erin@initech.test");
    let (real, unreal) = (room, RoomId::new([3; 32]));
    let items: Vec<item::Item> = [real, unreal]
        .map(|room| {
            let message = erin.message_id();
            let kind = wire::proto::EventKind::Proposal;
            item::Item::Submission(erin.submission(room, message, kind, 1, vec![1; 40].into()))
        })
        .to_vec();
    let answers = codes(&play(&mut world, &name("initech.test"), items));
    assert_eq!(answers, [(1, ErrorCode::NotFound), (2, ErrorCode::NotFound)]);
}

// [LINK-3]
#[test]
fn keys_that_do_not_chain_are_refused_and_traffic_goes_on_without_them() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let (acme, umbrella) = (name("acme.test"), name("umbrella.test"));
    world.cut(&umbrella);
    let honest = world.nodes[&umbrella].documents.clone();
    let impostor = identity::DomainKeys::generate(&mut machine::Seeded::new(4711));
    let endpoint = "umbrella.test:4433".parse().unwrap();
    let document = impostor.first_document(&umbrella, &[endpoint], world.now).unwrap();
    world.nodes.get_mut(&umbrella).unwrap().documents = vec![document.signed().clone()];
    greet(&mut world, &acme, &umbrella);
    world.nodes.get_mut(&umbrella).unwrap().documents = honest;
    let listed = world.admin(&acme, admin_request::Request::ListPeers(Default::default()));
    let admin_response::Response::Peers(peers) = listed else { panic!("{listed:?}") };
    assert_eq!(peers.peers[0].phase(), wire::proto::PeerPhase::Waiting, "they were shown to acme unasked");
    assert_eq!(peers.peers[0].last_error, ErrorCode::Unavailable.code(), "and say nothing of umbrella");
    let (message, answer) = world.say(&mut alice, room, "waits");
    answer.unwrap();
    world.heal(&umbrella);
    world.pass(600_000);
    assert_eq!(Device::events(&world.sync(&mut bob, true)).last().unwrap().2, message);
}

/// Events that the hub signs after its log's end, with these message ids.
pub(crate) fn signed(world: &World, room: RoomId, messages: &[MessageId]) -> Vec<Event> {
    let acme = name("acme.test");
    let node = &world.nodes[&acme];
    let row = store::Store::room(&node.disk, &room).unwrap().unwrap();
    let mut head = room::LogHead { seq: row.head_seq, hash: row.head_hash };
    let body = Bytes::from_static(b"anything");
    let mut events = Vec::new();
    for message in messages {
        let draft = room::chain::Draft {
            room: &room,
            hub: &acme,
            epoch: 1,
            kind: wire::proto::EventKind::Message,
            message,
            body: &body,
            time_ms: 0,
        };
        let (event, next) = room::chain::seal(&head, &draft, &node.keys.event);
        head = next;
        events.push(event);
    }
    events
}

// [ROOM-13]
#[test]
fn a_hub_that_gives_a_message_id_two_places_is_refused_and_others_go_on() {
    let mut world = World::new(&["acme.test", "umbrella.test", "initech.test"]);
    let (_alice, mut bob, room) = pair(&mut world);
    let (acme, umbrella) = (name("acme.test"), name("umbrella.test"));
    world.cut(&acme);
    let message = MessageId::new([5; 16]);
    let events = signed(&world, room, &[message, message]);
    let run = Events { room: room.to_bytes(), events };
    let answers =
        play_at(&mut world, &umbrella, &acme, vec![item::Item::Events(run.clone()), item::Item::Events(run)]);
    assert_eq!(codes(&answers), [(1, ErrorCode::Malformed), (2, ErrorCode::Malformed)]);
    let seen = Device::events(&world.sync(&mut bob, true));
    assert_eq!(seen.iter().map(|event| event.2).collect::<Vec<_>>(), [message], "up to there it is a log");
}

#[test]
fn a_hub_that_shows_another_history_is_refused_and_what_was_first_stays() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let (acme, umbrella) = (name("acme.test"), name("umbrella.test"));
    let fork = signed(&world, room, &[MessageId::new([5; 16])]);
    let (first, answer) = world.say(&mut alice, room, "first");
    answer.unwrap();
    world.cut(&acme);
    let run = Events { room: room.to_bytes(), events: fork };
    let answers = play_at(&mut world, &umbrella, &acme, vec![item::Item::Events(run)]);
    assert_eq!(codes(&answers), [(1, ErrorCode::ForkedLog)]);
    let seen = Device::events(&world.sync(&mut bob, true));
    assert_eq!(seen.iter().map(|event| event.2).collect::<Vec<_>>(), [first]);
}

#[test]
fn a_gap_is_pulled_from_the_hub() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let umbrella = name("umbrella.test");
    // The follower is restored from an older copy of its disk: what it acknowledged since is gone.
    let node = world.nodes.get_mut(&umbrella).unwrap();
    let disk = node.disk.fork();
    let before = std::mem::replace(&mut node.disk, disk);
    let sent: Vec<_> = (0..3).map(|_| world.say(&mut alice, room, "x").0).collect();
    world.pass(1_000);
    world.nodes.get_mut(&umbrella).unwrap().disk = before;
    world.crash(&umbrella);
    world.pass(300_000);
    let (last, answer) = world.say(&mut alice, room, "shows the gap");
    answer.unwrap();
    world.reconnect(&mut bob);
    let mut expected = sent;
    expected.push(last);
    let seen = Device::events(&world.sync(&mut bob, true));
    assert_eq!(seen.iter().map(|event| event.2).collect::<Vec<_>>(), expected);
    world.pass(1_000);
    assert_eq!(stored_at_acme(&world, room), 6, "the follower says so once it has them");
}

fn stored_at_acme(world: &World, room: RoomId) -> u64 {
    let rows = store::Store::progress(&world.nodes[&name("acme.test")].disk, &room).unwrap();
    let of_umbrella =
        |row: &&store::row::ProgressRow| row.kind == ProgressKind::Stored && row.who == "umbrella.test";
    rows.iter().find(of_umbrella).map_or(0, |row| row.seq)
}

// [ROOM-8]
#[test]
fn a_gap_that_was_shown_before_a_crash_is_filled_after_it() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let (acme, umbrella) = (name("acme.test"), name("umbrella.test"));
    let node = world.nodes.get_mut(&umbrella).unwrap();
    let disk = node.disk.fork();
    let before = std::mem::replace(&mut node.disk, disk);
    let sent: Vec<_> = (0..3).map(|_| world.say(&mut alice, room, "x").0).collect();
    world.pass(1_000);
    world.cut(&acme);
    world.nodes.get_mut(&umbrella).unwrap().disk = before;
    world.crash(&umbrella);
    let last = store::Store::events(&world.nodes[&acme].disk, &room, 5, 1).unwrap().remove(0);
    let last = Event { head: last.head, signature: last.signature, body: last.body };
    let run = item::Item::Events(Events { room: room.to_bytes(), events: vec![last] });
    let answers = codes(&play_at(&mut world, &umbrella, &acme, vec![run]));
    assert_eq!(answers, [(1, ErrorCode::Unavailable)], "it is not stored and not said to be");
    world.crash(&umbrella);
    world.heal(&acme);
    world.pass(300_000);
    world.reconnect(&mut bob);
    let seen = Device::events(&world.sync(&mut bob, true));
    assert_eq!(seen.iter().map(|event| event.2).collect::<Vec<_>>(), sent, "though nobody said a word since");
}
