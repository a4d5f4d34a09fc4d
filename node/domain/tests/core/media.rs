//! Who may put a blob into a room, and who may have it: at the hub, at a follower, and at neither.

use bytes::Bytes;
use domain::{ConnId, Input, MediaAsk, MediaGrant, MediaId, SessionId};
use mls::Change;
use wire::{
    DomainName, ErrorCode, RoomId, limits,
    proto::{GetAccount, GetBlob, RoomDomain, client_request},
};

use crate::{
    device::Device,
    invitation::accept,
    message::pair,
    world::{World, name},
};

type Answer = Result<MediaGrant, ErrorCode>;

impl World {
    fn about_blob(&mut self, at: &DomainName, ask: MediaAsk) -> Answer {
        let id = MediaId(self.fresh());
        self.feed(at, Input::Media { id, ask });
        self.pass(limits::REQUEST_DEADLINE_MS + 1_000);
        self.media.remove(&id).expect("every question is answered").map_err(|error| error.code)
    }

    fn put(&mut self, device: &Device, room: RoomId) -> Answer {
        let ask = MediaAsk::Put { session: device.session, room: room.to_bytes() };
        self.about_blob(device.account.domain(), ask)
    }

    fn get(&mut self, device: &Device, room: RoomId, domain: &str) -> Answer {
        let get = GetBlob { room: room.to_bytes(), domain: domain.to_owned(), ..GetBlob::default() };
        self.about_blob(device.account.domain(), MediaAsk::Get { session: device.session, get })
    }

    /// Has one look up the other, so that their nodes are connected.
    fn connected(&mut self, one: &Device, other: &Device) -> ConnId {
        let (at, of) = (one.account.domain(), other.account.domain());
        let asked = GetAccount { account: other.account.to_string() };
        self.ask(at, one.session, client_request::Request::GetAccount(asked)).unwrap();
        self.wire_between(at, of).expect("they are connected")
    }

    /// What a node says to a peer that asks for a blob of it.
    fn give(&mut self, at: &str, peer: &str, room: RoomId) -> Answer {
        let conn = self.wire_between(&name(at), &name(peer)).expect("they are connected");
        self.about_blob(&name(at), MediaAsk::Give { conn, room: room.to_bytes() })
    }
}

/// A room of three domains, whose hub is acme.test.
fn three() -> (World, Device, Device, Device, RoomId) {
    let mut world = World::new(&["acme.test", "umbrella.test", "wayne.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let mut carol = world.person("carol@wayne.test");
    let (room, _, answer) = world.found(&mut alice, None);
    answer.unwrap();
    world.sync(&mut alice, true);
    world.add(&mut alice, room, &[&bob.account.clone(), &carol.account.clone()]).unwrap();
    world.sync(&mut alice, true);
    for device in [&mut bob, &mut carol] {
        accept(&mut world, device, room).unwrap();
        world.sync(device, true);
    }
    (world, alice, bob, carol, room)
}

// [MEDIA-10] [MEDIA-12]
#[test]
fn members_put_and_have_and_nobody_else_learns_of_the_room() {
    let (mut world, mut alice, bob, carol, room) = three();
    assert_eq!(world.put(&alice, room), Ok(MediaGrant::Device(alice.account.clone())));
    assert_eq!(world.put(&bob, room), Ok(MediaGrant::Device(bob.account.clone())));
    assert_eq!(world.get(&bob, room, "umbrella.test"), Ok(MediaGrant::Device(bob.account.clone())));
    assert!(matches!(world.get(&bob, room, "acme.test"), Ok(MediaGrant::Elsewhere(_))));
    assert!(matches!(world.get(&carol, room, "umbrella.test"), Ok(MediaGrant::Elsewhere(_))));
    let (eve, forged) = (world.person("eve@acme.test"), RoomId::new([9; 32]));
    // [ROOM-11] As with messages.
    assert_eq!(world.put(&eve, room), Err(ErrorCode::Forbidden));
    assert_eq!(world.put(&eve, forged), Err(ErrorCode::NotFound));
    for (device, room) in [(&eve, room), (&eve, forged), (&alice, forged)] {
        assert_eq!(world.get(device, room, "acme.test"), Err(ErrorCode::NotFound));
        assert_eq!(world.get(device, room, "umbrella.test"), Err(ErrorCode::NotFound));
    }
    assert_eq!(world.get(&alice, room, "nobody.test"), Err(ErrorCode::NotFound), "it is not pinned");
    assert_eq!(world.get(&alice, room, "no domain"), Err(ErrorCode::Malformed));
    let stranger = SessionId(u64::MAX);
    let ask = MediaAsk::Put { session: stranger, room: room.to_bytes() };
    assert_eq!(world.about_blob(&name("acme.test"), ask), Err(ErrorCode::AuthFailed));
    let ask = MediaAsk::Put { session: alice.session, room: Bytes::from_static(&[1; 31]) };
    assert_eq!(world.about_blob(&name("acme.test"), ask), Err(ErrorCode::Malformed));
    // Whoever is out is out, although the log shows that it was there.
    let remove = Change { remove: vec![bob.account.clone()], ..Change::default() };
    world.commit(&mut alice, room, &remove).1.unwrap();
    assert_eq!(world.put(&bob, room), Err(ErrorCode::Forbidden));
    assert_eq!(world.get(&bob, room, "umbrella.test"), Err(ErrorCode::NotFound));
    assert_eq!(world.get(&bob, room, "acme.test"), Err(ErrorCode::NotFound));
}

// [MEDIA-13]
#[test]
fn a_domain_gives_to_those_that_have_members_in_the_room_now() {
    let (mut world, mut alice, bob, _, room) = three();
    assert_eq!(world.give("acme.test", "umbrella.test", room), Ok(MediaGrant::Peer));
    assert_eq!(world.give("umbrella.test", "acme.test", room), Ok(MediaGrant::Peer), "the hub's own word");
    let forged = RoomId::new([9; 32]);
    assert_eq!(world.give("acme.test", "umbrella.test", forged), Err(ErrorCode::NotFound));
    let nobody = MediaAsk::Give { conn: ConnId(u64::MAX), room: room.to_bytes() };
    assert_eq!(world.about_blob(&name("acme.test"), nobody), Err(ErrorCode::AuthFailed));
    let remove = Change { remove: vec![bob.account.clone()], ..Change::default() };
    world.commit(&mut alice, room, &remove).1.unwrap();
    assert_eq!(world.give("acme.test", "umbrella.test", room), Err(ErrorCode::NotFound));
}

// [MEDIA-13]
#[test]
fn a_follower_asks_the_hub_and_believes_it_for_a_while() {
    let (mut world, mut alice, mut bob, carol, room) = three();
    // Followers are connected when one of them wants something.
    assert!(matches!(world.get(&carol, room, "umbrella.test"), Ok(MediaGrant::Elsewhere(_))));
    assert_eq!(world.give("umbrella.test", "wayne.test", room), Ok(MediaGrant::Peer));
    // The hub is away: its word of a moment ago is good, and then no more.
    world.cut(&name("acme.test"));
    assert_eq!(world.give("umbrella.test", "wayne.test", room), Ok(MediaGrant::Peer));
    world.pass(limits::MEDIA_PERMIT_S * 1_000);
    let unknown = world.give("umbrella.test", "wayne.test", room);
    assert!(matches!(unknown, Err(ErrorCode::Unavailable | ErrorCode::Timeout)), "{unknown:?}");
    world.heal(&name("acme.test"));
    world.pass(limits::BACKOFF_MAX_MS);
    world.sync(&mut bob, true);
    assert_eq!(world.give("umbrella.test", "wayne.test", room), Ok(MediaGrant::Peer));
    let remove = Change { remove: vec![carol.account.clone()], ..Change::default() };
    world.reconnect(&mut alice);
    world.sync(&mut alice, true);
    world.commit(&mut alice, room, &remove).1.unwrap();
    world.pass(limits::MEDIA_PERMIT_S * 1_000);
    assert_eq!(world.give("umbrella.test", "wayne.test", room), Err(ErrorCode::NotFound));
}

// [MEDIA-13]
#[test]
fn a_hub_tells_of_its_rooms_only_to_those_in_them() {
    let (mut world, ..) = three();
    let mut dave = world.person("dave@wayne.test");
    let (alone, _, answer) = world.found(&mut dave, None);
    answer.unwrap();
    let (at, conn) =
        (name("wayne.test"), world.wire_between(&name("wayne.test"), &name("acme.test")).unwrap());
    let body = RoomDomain { room: alone.to_bytes(), domain: "wayne.test".to_owned() };
    let request = wire::proto::peer_request::Request::RoomDomain(body);
    let body = wire::proto::PeerRequest { request: Some(request) };
    let (before, id) = (world.answers.len(), domain::RequestId(world.fresh()));
    world.feed(&at, Input::PeerRequest { conn, request: id, body });
    let Some(wire::proto::peer_response::Response::Error(error)) = world.answers[before].response.clone()
    else {
        panic!("{:?}", world.answers)
    };
    assert_eq!(wire::WireError::from(&error).code, ErrorCode::NotFound);
}

// [MEDIA-13]
#[test]
fn a_domain_that_guesses_at_a_room_hears_what_it_would_of_none() {
    let mut world = World::new(&["acme.test", "umbrella.test", "wayne.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let carol = world.person("carol@wayne.test");
    // The id of their room follows from their names.
    let (direct, _, answer) = world.found(&mut alice, Some(&bob.account));
    answer.unwrap();
    world.sync(&mut alice, true);
    world.add(&mut alice, direct, &[&bob.account.clone()]).unwrap();
    world.sync(&mut alice, true);
    accept(&mut world, &mut bob, direct).unwrap();
    let (group, _, answer) = world.found(&mut alice, None);
    answer.unwrap();
    world.sync(&mut alice, true);
    world.add(&mut alice, group, &[&bob.account.clone()]).unwrap();
    let hub = store::Store::room(&world.nodes[&name("umbrella.test")].disk, &direct).unwrap().unwrap().hub;
    let follower = if hub == name("acme.test") { name("umbrella.test") } else { name("acme.test") };
    for away in [false, true] {
        if away {
            world.cut(&hub);
        }
        let conn = world.connected(&carol, if hub == name("acme.test") { &bob } else { &alice });
        let ask = MediaAsk::Give { conn, room: direct.to_bytes() };
        let id = MediaId(world.fresh());
        world.feed(&follower, Input::Media { id, ask });
        let answer = world.media.remove(&id).expect("at once, with no question to the hub");
        assert_eq!(answer.unwrap_err().code, ErrorCode::NotFound);
    }
    world.heal(&hub);
    world.pass(limits::BACKOFF_MAX_MS);
    world.cut(&name("acme.test"));
    // Nobody guesses at the id of a group, and who is in it hears that its hub is away.
    for (room, error) in [(group, ErrorCode::Unavailable), (RoomId::new([9; 32]), ErrorCode::NotFound)] {
        let conn = world.connected(&carol, &bob);
        let ask = MediaAsk::Give { conn, room: room.to_bytes() };
        assert_eq!(world.about_blob(&name("umbrella.test"), ask), Err(error));
    }
}

#[test]
fn whoever_asks_too_much_waits() {
    let (mut world, mut alice, _, room) = {
        let mut world = World::new(&["acme.test", "umbrella.test"]);
        let (alice, bob, room) = pair(&mut world);
        (world, alice, bob, room)
    };
    world.sync(&mut alice, true);
    let most = limits::TOKENS_BURST / limits::COST_BLOB;
    let asks = (0..2 * most).map(|_| {
        let ask = MediaAsk::Put { session: alice.session, room: room.to_bytes() };
        let id = MediaId(world.fresh());
        world.feed(&name("acme.test"), Input::Media { id, ask });
        world.media.remove(&id).expect("an answer")
    });
    let refused: Vec<_> = asks.filter_map(Result::err).collect();
    assert!(refused.len() >= most / 2, "{}", refused.len());
    assert!(refused.iter().all(|error| error.code == ErrorCode::RateLimited && error.retry_after_ms > 0));
}
