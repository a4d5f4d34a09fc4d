//! What an administrator makes of accounts and peers, and the log of it.

use bytes::Bytes;
use domain::Input;
use identity::DomainDocument;
use store::Store as _;
use wire::{
    ErrorCode, WireError,
    proto::{
        AccountStanding, AuditEntry, CreateUser, EndSessions, Enrol, GetAccount, InviteUser, ListAudit,
        ListSessions, Peer, PeerMode, PeerPhase, RemovePeer, RetryPeer, SetPasswordSignIn, SetPeerMode,
        SetStanding, ShowUser, Signed, TakeDocument, User, admin_request::Request, admin_response::Response,
        client_request, client_response, enrol, node_frame,
    },
    signed,
};

use crate::{
    device::{Device, error},
    invitation::{group, kinds},
    message::pair,
    refused::refused,
    world::{World, name},
};

const DOMAINS: [&str; 2] = ["acme.test", "umbrella.test"];

fn stand(world: &mut World, account: &str, standing: AccountStanding) -> Result<User, ErrorCode> {
    let domain = name(account.split('@').next_back().unwrap());
    let asked = SetStanding { account: account.to_owned(), standing: standing.into() };
    match world.admin(&domain, Request::SetStanding(asked)) {
        Response::User(user) => Ok(user),
        Response::Error(error) => Err(WireError::from(&error).code),
        other => panic!("{other:?}"),
    }
}

fn mode(world: &mut World, at: &str, peer: &str, mode: PeerMode) -> Peer {
    let asked = SetPeerMode { domain: peer.to_owned(), mode: mode.into() };
    match world.admin(&name(at), Request::SetPeerMode(asked)) {
        Response::Peer(peer) => peer,
        other => panic!("{other:?}"),
    }
}

fn code(response: Response) -> ErrorCode {
    match response {
        Response::Error(error) => WireError::from(&error).code,
        other => panic!("{other:?}"),
    }
}

/// What a session was told at its end.
fn goodbye(world: &World, device: &Device) -> Option<ErrorCode> {
    world.inboxes[&device.session].iter().find_map(|frame| match &frame.frame {
        Some(node_frame::Frame::Goodbye(error)) => Some(WireError::from(error).code),
        _ => None,
    })
}

/// Says hello on a new session; why it was refused.
fn turned_away(world: &mut World, device: &mut Device) -> Option<ErrorCode> {
    device.session = world.open(device.account.domain());
    let hello = identity::session::sign(&device.keys.secret, &device.account, device.id, &[7; 32], world.now);
    let frame = wire::proto::client_frame::Frame::Hello(hello);
    world.send(&device.account.domain().clone(), device.session, frame);
    goodbye(world, device)
}

/// The acts of the log, oldest first; the chain is checked on the way.
fn acts(world: &mut World, at: &str) -> Vec<(String, String, String)> {
    let Response::Audit(log) = world.admin(&name(at), Request::ListAudit(ListAudit { before: 0, limit: 0 }))
    else {
        panic!("no log")
    };
    let mut wanted = log.head;
    let mut acts = Vec::new();
    for bytes in log.entries {
        assert_eq!(Bytes::copy_from_slice(&signed::hash::<AuditEntry>(&bytes)), wanted, "the chain holds");
        let entry: AuditEntry = signed::decode(&bytes).unwrap();
        wanted = entry.prev_hash;
        acts.push((entry.act, entry.by, entry.subject));
    }
    assert!(wanted.is_empty(), "the first entry is there");
    acts.reverse();
    acts
}

fn act(act: &str, subject: &str) -> (String, String, String) {
    (act.to_owned(), "uid 0".to_owned(), subject.to_owned())
}

// [ADMIN-6]
#[test]
fn whether_passwords_enrol_is_written_down_when_it_changes() {
    let mut world = World::new(&DOMAINS);
    let allow = |allowed| Request::SetPasswordSignIn(SetPasswordSignIn { allowed });
    for allowed in [true, false, false, true] {
        world.admin(&name("acme.test"), allow(allowed));
    }
    let acts = acts(&mut world, "acme.test");
    let switched: Vec<_> = acts.into_iter().filter(|(act, ..)| act == "domain.passwords").collect();
    assert_eq!(switched, vec![act("domain.passwords", "acme.test"); 2]);
}

// [ADMIN-7]
#[test]
fn a_suspended_account_is_out_at_once_and_back_when_it_is_restored() {
    let mut world = World::new(&DOMAINS);
    let (mut alice, mut bob, room) = pair(&mut world);
    let mut carol = world.person("carol@acme.test");
    stand(&mut world, "alice@acme.test", AccountStanding::Suspended).unwrap();
    assert_eq!(goodbye(&world, &alice), Some(ErrorCode::Blocked));
    assert_eq!(world.closed[&alice.session], ErrorCode::Blocked);
    assert_eq!(turned_away(&mut world, &mut alice), Some(ErrorCode::Blocked));

    // Nobody can add it, neither a colleague nor another domain; who it is stays known.
    assert_eq!(group(&mut world, &mut carol, &mut alice), Err(ErrorCode::Blocked));
    assert_eq!(group(&mut world, &mut bob, &mut alice), Err(ErrorCode::Blocked));
    let asked = GetAccount { account: alice.account.to_string() };
    let keys = world.ask(&name("umbrella.test"), bob.session, client_request::Request::GetAccount(asked));
    assert!(matches!(keys, Ok(client_response::Response::Account(_))), "{keys:?}");

    let (sent, answer) = world.say(&mut bob, room, "meanwhile");
    answer.unwrap();
    world.crash(&name("acme.test"));
    world.pass(120_000);
    assert_eq!(turned_away(&mut world, &mut alice), Some(ErrorCode::Blocked), "over a restart");
    let user = stand(&mut world, "alice@acme.test", AccountStanding::Active).unwrap();
    assert_eq!((user.devices, user.rooms, user.sessions), (1, 1, 0));
    world.reconnect(&mut alice);
    let got = Device::events(&world.sync(&mut alice, true));
    assert!(got.iter().any(|(_, _, message)| *message == sent), "{got:?}");
    world.say(&mut alice, room, "back").1.unwrap();
    assert_eq!(Device::events(&world.sync(&mut bob, true)).len(), 2);
}

// [ADMIN-7]
#[test]
fn an_invitation_of_a_suspended_account_is_worth_nothing_until_it_is_restored() {
    let mut world = World::new(&DOMAINS);
    let (acme, alice) = (name("acme.test"), "alice@acme.test".parse().unwrap());
    let code = world.invite(&alice);
    stand(&mut world, "alice@acme.test", AccountStanding::Suspended).unwrap();
    let again = Request::InviteUser(InviteUser { account: alice.to_string() });
    assert_eq!(self::code(world.admin(&acme, again)), ErrorCode::Blocked);
    let keys = Device::proposal(&mut world, &alice);
    let proof = |code| Some(enrol::Proof::Code(code));
    let enrol = Enrol { account: alice.to_string(), proof: proof(code), keys: Some(keys) };
    let session = world.open(&acme);
    let answer = world.ask(&acme, session, client_request::Request::Enrol(enrol.clone()));
    assert_eq!(error(answer), ErrorCode::Blocked);
    let wrong = Enrol { proof: proof(Bytes::from_static(&[1; 16])), ..enrol.clone() };
    let answer = world.ask(&acme, session, client_request::Request::Enrol(wrong));
    assert_eq!(error(answer), ErrorCode::AuthFailed, "a stranger does not learn of it");
    stand(&mut world, "alice@acme.test", AccountStanding::Active).unwrap();
    world.ask(&acme, session, client_request::Request::Enrol(enrol)).unwrap();
}

// [ADMIN-7]
#[test]
fn a_deleted_account_is_out_of_its_rooms_and_what_it_held_is_gone() {
    let mut world = World::new(&DOMAINS);
    // One room is ordered here, one by the other domain.
    let (mut alice, mut bob, _) = pair(&mut world);
    let mut bert = world.person("bert@umbrella.test");
    let elsewhere = group(&mut world, &mut bert, &mut alice).unwrap();
    world.sync(&mut bert, true);
    crate::invitation::accept(&mut world, &mut alice, elsewhere).unwrap();
    world.sync(&mut alice, true);
    world.sync(&mut bob, true);

    let user = stand(&mut world, "alice@acme.test", AccountStanding::Deleted).unwrap();
    assert_eq!(user.standing(), AccountStanding::Deleted);
    assert_eq!(world.closed[&alice.session], ErrorCode::AuthFailed);
    assert_eq!(turned_away(&mut world, &mut alice), Some(ErrorCode::AuthFailed));
    let acme = &world.nodes[&name("acme.test")].disk;
    assert!(acme.devices(&alice.account).unwrap().is_empty());
    assert_eq!(acme.key_package_count(&alice.account, &alice.id).unwrap(), (0, false));
    assert!(acme.memberships(&alice.account).unwrap().is_empty());
    assert!(acme.account_entries(&alice.account, &alice.id, 0, 99).unwrap().is_empty());
    assert!(!user.fingerprint.is_empty(), "what others have seen is still known");

    // Both rooms are told, in their logs.
    for device in [&mut bob, &mut bert] {
        let told = Device::events(&world.sync(device, true));
        assert!(matches!(told[..], [(_, wire::proto::EventKind::Notice, _)]), "{told:?}");
    }
    let asked = GetAccount { account: alice.account.to_string() };
    let keys = world.ask(&name("umbrella.test"), bob.session, client_request::Request::GetAccount(asked));
    assert_eq!(error(keys), ErrorCode::NotFound);
    assert_eq!(group(&mut world, &mut bob, &mut alice), Err(ErrorCode::NotFound));
    for standing in [AccountStanding::Active, AccountStanding::Suspended] {
        assert_eq!(stand(&mut world, "alice@acme.test", standing), Err(ErrorCode::Conflict));
    }
}

// [ADMIN-7]
#[test]
fn an_address_goes_to_somebody_else_only_knowingly_and_with_nothing_of_the_one_before() {
    let mut world = World::new(&DOMAINS);
    let (alice, _, _) = pair(&mut world);
    let acme = name("acme.test");
    let before = stand(&mut world, "alice@acme.test", AccountStanding::Deleted).unwrap().fingerprint;
    let invite = Request::InviteUser(InviteUser { account: alice.account.to_string() });
    assert_eq!(code(world.admin(&acme, invite)), ErrorCode::Conflict);
    let create = |reuse| Request::CreateUser(CreateUser { account: "alice@acme.test".to_owned(), reuse });
    assert_eq!(code(world.admin(&acme, create(false))), ErrorCode::Conflict);
    assert!(matches!(world.admin(&acme, create(true)), Response::Invite(_)));

    let mut another = world.person("alice@acme.test");
    assert_eq!(kinds(&world.sync(&mut another, true)), [""; 0], "no room, no event, no invitation");
    let show = Request::ShowUser(ShowUser { account: "alice@acme.test".to_owned() });
    let Response::User(now) = world.admin(&acme, show) else { panic!("no user") };
    assert_eq!((now.rooms, now.devices, now.standing()), (0, 1, AccountStanding::Active));
    assert_ne!(now.fingerprint, before, "whoever knew the old key sees another");
}

#[test]
fn sessions_are_listed_and_ended() {
    let mut world = World::new(&DOMAINS);
    let mut alice = world.person("alice@acme.test");
    let acme = name("acme.test");
    let since = world.now;
    world.pass(5_000);
    let list = |account: &str| Request::ListSessions(ListSessions { account: account.to_owned() });
    for account in ["", "alice@acme.test"] {
        let Response::Sessions(all) = world.admin(&acme, list(account)) else { panic!("no list") };
        assert_eq!(all.sessions.len(), 1);
        assert_eq!((all.sessions[0].connected, all.sessions[0].since_ms), (true, since.as_ms()));
    }
    let end = |device_id: Bytes| {
        Request::EndSessions(EndSessions { account: "alice@acme.test".to_owned(), device_id })
    };
    assert_eq!(code(world.admin(&acme, end(Bytes::from_static(&[9; 16])))), ErrorCode::NotFound);
    assert_eq!(code(world.admin(&acme, end(Bytes::from_static(&[9; 15])))), ErrorCode::Malformed);
    assert_eq!(code(world.admin(&acme, list("nobody@acme.test"))), ErrorCode::NotFound);
    let Response::Sessions(ended) = world.admin(&acme, end(alice.id.to_bytes())) else { panic!("not ended") };
    assert_eq!(ended.sessions.len(), 1);
    assert_eq!(world.closed[&alice.session], ErrorCode::Unavailable);
    world.reconnect(&mut alice);
    let acts = acts(&mut world, "acme.test");
    assert_eq!(acts.last(), Some(&act("user.end-sessions", "alice@acme.test")));
}

// [ADMIN-9]
#[test]
fn what_is_sent_over_a_paused_link_waits_and_arrives_in_order() {
    let mut world = World::new(&DOMAINS);
    let (mut alice, mut bob, room) = pair(&mut world);
    let paused = mode(&mut world, "umbrella.test", "acme.test", PeerMode::Paused);
    assert_eq!(paused.state.unwrap().phase(), PeerPhase::Paused);
    let from_bob: Vec<_> = (0..3).map(|_| world.say(&mut bob, room, "b").0).collect();
    let from_alice = world.say(&mut alice, room, "a").0;
    world.crash(&name("umbrella.test"));
    world.pass(3_600_000);
    assert!(Device::events(&world.sync(&mut alice, true)).iter().all(|event| event.2 == from_alice));
    let retry = Request::RetryPeer(RetryPeer { domain: "acme.test".to_owned() });
    assert_eq!(code(world.admin(&name("umbrella.test"), retry)), ErrorCode::Policy);
    let Response::Peers(peers) = world.admin(&name("acme.test"), Request::ListPeers(Default::default()))
    else {
        panic!("no peers")
    };
    assert_eq!(peers.peers[0].last_error, ErrorCode::Unavailable.code(), "the other side tries again");

    mode(&mut world, "umbrella.test", "acme.test", PeerMode::Open);
    world.pass(300_000);
    world.reconnect(&mut bob);
    let order: Vec<_> = Device::events(&world.sync(&mut alice, true)).iter().map(|event| event.2).collect();
    assert_eq!(order, from_bob);
    assert_eq!(Device::events(&world.sync(&mut bob, true)).len(), 4);
}

// [ADMIN-9]
#[test]
fn a_denied_domain_is_refused_by_name_and_so_is_what_is_sent_to_it() {
    let mut world = World::new(&DOMAINS);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.cut(&name("umbrella.test"));
    let waits = world.say(&mut bob, room, "waits").0;
    world.heal(&name("umbrella.test"));
    mode(&mut world, "umbrella.test", "acme.test", PeerMode::Denied);
    let told = refused(&world.sync(&mut bob, true));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message_id, waits.to_bytes());
    assert_eq!(WireError::from(&told[0].error.unwrap()).code, ErrorCode::Blocked);
    assert_eq!(error(world.say(&mut bob, room, "refused").1), ErrorCode::Blocked);
    assert_eq!(group(&mut world, &mut bob, &mut alice), Err(ErrorCode::Blocked));

    // The other side sees why, goes on for its own, and keeps what it owes.
    let at_alice = world.say(&mut alice, room, "kept").0;
    world.pass(600_000);
    let Response::Peers(peers) = world.admin(&name("acme.test"), Request::ListPeers(Default::default()))
    else {
        panic!("no peers")
    };
    assert_eq!(peers.peers[0].last_error, ErrorCode::Blocked.code());
    assert!(Device::events(&world.sync(&mut bob, true)).is_empty());

    mode(&mut world, "umbrella.test", "acme.test", PeerMode::Open);
    world.pass(600_000);
    let got: Vec<_> = Device::events(&world.sync(&mut bob, true)).iter().map(|event| event.2).collect();
    assert_eq!(got, [at_alice]);
    world.say(&mut bob, room, "again").1.unwrap();
    world.pass(1_000);
    assert_eq!(Device::events(&world.sync(&mut alice, true)).len(), 2);
}

// [ADMIN-9]
#[test]
fn what_the_hub_owes_a_denied_domain_keeps_its_order_behind_what_was_refused() {
    let mut world = World::new(&DOMAINS);
    let (mut alice, mut bob, room) = pair(&mut world);
    // At acme, which orders the room, a submission to umbrella stands among events for it.
    let elsewhere = group(&mut world, &mut bob, &mut alice).unwrap();
    world.sync(&mut bob, true);
    world.sync(&mut alice, true);
    assert!(alice.rooms.contains_key(&elsewhere), "they share a room: nobody is asked");
    world.cut(&name("umbrella.test"));
    let first = world.say(&mut alice, room, "1").0;
    world.say(&mut alice, elsewhere, "refused").1.unwrap();
    let second = world.say(&mut alice, room, "2").0;
    world.heal(&name("umbrella.test"));
    let peer = mode(&mut world, "acme.test", "umbrella.test", PeerMode::Denied);
    assert_eq!(peer.state.unwrap().queued, 2, "the two events, and nothing in place of the third");
    assert_eq!(refused(&world.sync(&mut alice, true)).len(), 1);
    mode(&mut world, "acme.test", "umbrella.test", PeerMode::Open);
    world.pass(600_000);
    let got: Vec<_> = Device::events(&world.sync(&mut bob, true)).iter().map(|event| event.2).collect();
    assert_eq!(got, [first, second]);
    let quarantined = world.nodes[&name("umbrella.test")].disk.quarantine(9).unwrap().1;
    assert_eq!(quarantined, 0, "nothing without content was sent");
}

// [ADMIN-10]
#[test]
fn a_removed_peer_is_a_stranger_and_can_be_pinned_anew() {
    let mut world = World::new(&DOMAINS);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.cut(&name("umbrella.test"));
    world.say(&mut bob, room, "waits").1.unwrap();
    let remove = Request::RemovePeer(RemovePeer { domain: "acme.test".to_owned() });
    let Response::RemovedPeer(removed) = world.admin(&name("umbrella.test"), remove.clone()) else {
        panic!("not removed")
    };
    assert_eq!(removed.dropped_items, 1);
    let told = refused(&world.sync(&mut bob, true));
    assert_eq!(WireError::from(&told[0].error.unwrap()).code, ErrorCode::Undeliverable);
    assert_eq!(code(world.admin(&name("umbrella.test"), remove)), ErrorCode::NotFound);
    assert_eq!(error(world.say(&mut bob, room, "to whom").1), ErrorCode::NotFound);
    world.heal(&name("umbrella.test"));
    world.say(&mut alice, room, "kept").1.unwrap();
    world.pass(600_000);
    let disk = &world.nodes[&name("umbrella.test")].disk;
    assert!(disk.peers().unwrap().is_empty() && disk.documents(&name("acme.test"), 0).unwrap().is_empty());
    assert!(disk.outbox(&name("acme.test"), 0, 9).unwrap().is_empty());
    world.crash(&name("umbrella.test"));

    world.pin(&name("umbrella.test"), &name("acme.test"));
    world.pass(600_000);
    world.reconnect(&mut bob);
    world.say(&mut bob, room, "here again").1.unwrap();
    world.pass(600_000);
    assert_eq!(Device::events(&world.sync(&mut alice, true)).len(), 2);
    assert_eq!(Device::events(&world.sync(&mut bob, true)).len(), 2);
}

// [ADMIN-6]
#[test]
fn every_act_stands_in_a_chained_log_once_and_none_that_did_not_happen() {
    let mut world = World::new(&DOMAINS);
    let acme = name("acme.test");
    world.invite(&"alice@acme.test".parse().unwrap());
    for standing in [AccountStanding::Suspended, AccountStanding::Suspended, AccountStanding::Active] {
        stand(&mut world, "alice@acme.test", standing).unwrap();
    }
    mode(&mut world, "acme.test", "umbrella.test", PeerMode::Denied);
    mode(&mut world, "acme.test", "umbrella.test", PeerMode::Denied);
    // The disk is full: neither the act nor its entry is there.
    world.nodes[&acme].disk.set_capacity(Some(0));
    let open =
        Request::SetPeerMode(SetPeerMode { domain: "umbrella.test".to_owned(), mode: PeerMode::Open.into() });
    assert_eq!(code(world.admin(&acme, open)), ErrorCode::StorageFull);
    world.nodes[&acme].disk.set_capacity(None);
    stand(&mut world, "nobody@acme.test", AccountStanding::Deleted).unwrap_err();
    stand(&mut world, "alice@acme.test", AccountStanding::Deleted).unwrap();
    world.crash(&acme);
    mode(&mut world, "acme.test", "umbrella.test", PeerMode::Paused);
    assert_eq!(
        acts(&mut world, "acme.test"),
        [
            act("peer.pin", "umbrella.test"),
            act("user.invite", "alice@acme.test"),
            act("user.suspend", "alice@acme.test"),
            act("user.restore", "alice@acme.test"),
            act("peer.deny", "umbrella.test"),
            act("user.delete", "alice@acme.test"),
            act("peer.pause", "umbrella.test"),
        ]
    );
}

// [ADMIN-6]
#[test]
fn a_peer_that_is_held_again_and_again_fills_no_log() {
    let mut world = World::new(&DOMAINS);
    let (acme, umbrella) = (name("acme.test"), name("umbrella.test"));
    pair(&mut world);
    let usurper = identity::DomainKeys::generate(&mut machine::Seeded::new(668));
    let endpoints = ["umbrella.test:4433".parse().unwrap()];
    let forged = usurper.first_document(&umbrella, &endpoints, world.now).unwrap().signed().clone();
    for _ in 0..5 {
        let conn = domain::ConnId(world.fresh());
        let (key, dialled) = (usurper.tls.public(), Some(umbrella.clone()));
        world.feed(&acme, Input::PeerConnected { conn, key, dialled });
        let hello = link::hello::make(&umbrella, &acme, std::slice::from_ref(&forged), 0, 0, world.now);
        world.feed(&acme, Input::PeerHello { conn, hello });
        world.pass(60_000);
    }
    let held = |world: &mut World| {
        acts(world, "acme.test").iter().filter(|act| act.0 == "peer.held" && act.1 == "node").count()
    };
    assert_eq!(held(&mut world), 1);
}

fn next_document(world: &World, at: &str, change: impl FnOnce(&mut identity::DocumentFields)) -> Signed {
    let node = &world.nodes[&name(at)];
    let newest = DomainDocument::parse(node.documents.last().unwrap()).unwrap();
    let mut fields = newest.successor(world.now);
    change(&mut fields);
    DomainDocument::issue(&fields, &node.keys.root).unwrap().signed().clone()
}

// [ADMIN-8]
#[test]
fn the_next_document_takes_effect_in_a_running_node_if_the_node_could_live_with_it() {
    let mut world = World::new(&DOMAINS);
    let (mut alice, mut bob, room) = pair(&mut world);
    let acme = name("acme.test");
    let take = |world: &mut World, document: Option<Signed>| {
        world.admin(&acme, Request::TakeDocument(TakeDocument { document }))
    };
    assert_eq!(code(take(&mut world, None)), ErrorCode::Malformed);
    let without_keys = next_document(&world, "acme.test", |fields| fields.keys.truncate(2));
    assert_eq!(code(take(&mut world, Some(without_keys))), ErrorCode::AuthFailed);
    let gap = next_document(&world, "acme.test", |fields| fields.seq += 1);
    assert_eq!(code(take(&mut world, Some(gap))), ErrorCode::KeyUnverified);
    let others = next_document(&world, "umbrella.test", |_| {});
    assert!(matches!(take(&mut world, Some(others)), Response::Error(_)));

    let moved = next_document(&world, "acme.test", |fields| {
        fields.endpoints = vec!["elsewhere.acme.test:4433".parse().unwrap()];
    });
    for _ in 0..2 {
        let Response::Domain(view) = take(&mut world, Some(moved.clone())) else { panic!("not taken") };
        assert_eq!(view.document, Some(moved.clone()));
    }
    // Peers learn it with the next connection.
    world.cut(&acme);
    world.heal(&acme);
    world.say(&mut alice, room, "x").1.unwrap();
    world.pass(600_000);
    assert_eq!(Device::events(&world.sync(&mut bob, true)).len(), 1);
    let known = &world.nodes[&name("umbrella.test")].disk;
    assert_eq!(known.documents(&acme, 1).unwrap().len(), 1);
    assert_eq!(known.peers().unwrap()[0].endpoints, ["elsewhere.acme.test:4433"]);
    let acts = acts(&mut world, "acme.test");
    assert_eq!(acts.iter().filter(|act| act.0 == "domain.publish").count(), 1);
}
