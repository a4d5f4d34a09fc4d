//! Contact between domains: asked, accepted, declined, open, denied.

use wire::{
    ErrorCode, RoomId,
    proto::{
        AnswerInvitation, ContactPolicy, Entry, EventKind, GetContactPolicy, HubNotice, SetContactPolicy,
        client_request, client_response, entry, hub_notice::Notice,
    },
};

use crate::{
    device::{Answer, Device, error},
    world::World,
};

pub(crate) fn accept(world: &mut World, device: &mut Device, room: RoomId) -> Answer {
    answer(world, device, room, true)
}

fn answer(world: &mut World, device: &mut Device, room: RoomId, accept: bool) -> Answer {
    let request = AnswerInvitation { room: room.to_bytes(), accept };
    let domain = device.account.domain().clone();
    world.ask(&domain, device.session, client_request::Request::AnswerInvitation(request))
}

pub(crate) fn policy(world: &mut World, device: &Device, policy: ContactPolicy) {
    let request = SetContactPolicy { policy: policy.into() };
    let domain = device.account.domain().clone();
    world.ask(&domain, device.session, client_request::Request::SetContactPolicy(request)).unwrap();
}

fn held(world: &mut World, device: &Device) -> (ContactPolicy, bool) {
    let domain = device.account.domain().clone();
    let request = client_request::Request::GetContactPolicy(GetContactPolicy {});
    let answer = world.ask(&domain, device.session, request).unwrap();
    let client_response::Response::ContactPolicy(state) = answer else { panic!("{answer:?}") };
    (state.policy(), state.own)
}

// [SYNC-34]
#[test]
fn an_account_hears_which_policy_holds_and_whose_word_that_is() {
    let mut world = World::new(&["acme.test"]);
    let (alice, bob) = (world.person("alice@acme.test"), world.person("bob@acme.test"));
    assert_eq!(held(&mut world, &alice), (ContactPolicy::Ask, false), "the domain's");
    for set in [ContactPolicy::Deny, ContactPolicy::Open, ContactPolicy::Ask] {
        policy(&mut world, &alice, set);
        assert_eq!(held(&mut world, &alice), (set, true));
        assert_eq!(held(&mut world, &bob), (ContactPolicy::Ask, false), "it is hers alone");
    }
    policy(&mut world, &alice, ContactPolicy::Unspecified);
    assert_eq!(held(&mut world, &alice), (ContactPolicy::Ask, false), "and is taken back");
}

pub(crate) fn kinds(entries: &[Entry]) -> Vec<&'static str> {
    let kind = |entry: &Entry| match &entry.entry {
        Some(entry::Entry::Event(_)) => Some("event"),
        Some(entry::Entry::Invitation(_)) => Some("invitation"),
        Some(entry::Entry::Join(_)) => Some("join"),
        Some(entry::Entry::Left(_)) => Some("left"),
        Some(entry::Entry::Refused(_)) => Some("refused"),
        _ => None,
    };
    entries.iter().filter_map(kind).collect()
}

/// A group of alice's to which bob was added.
fn invited(world: &mut World) -> (Device, Device, RoomId) {
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let room = group(world, &mut alice, &mut bob).unwrap();
    world.sync(&mut alice, true);
    (alice, bob, room)
}

pub(crate) fn group(world: &mut World, alice: &mut Device, bob: &mut Device) -> Result<RoomId, ErrorCode> {
    let (room, _, answer) = world.found(alice, None);
    answer.unwrap();
    world.sync(alice, true);
    world.add(alice, room, &[&bob.account.clone()]).map_err(|error| error.code)?;
    Ok(room)
}

// [SYNC-20]
#[test]
fn an_invitation_carries_no_text_until_it_is_accepted() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = invited(&mut world);
    let (early, _) = world.say(&mut alice, room, "before");
    let at_bob = world.sync(&mut bob, true);
    assert_eq!(kinds(&at_bob), ["invitation"], "neither Welcome nor events");
    let pull = wire::proto::PullEvents { room: room.to_bytes(), from_seq: 1, limit: 10 };
    let domain = bob.account.domain().clone();
    let pulled = world.ask(&domain, bob.session, client_request::Request::PullEvents(pull.clone()));
    assert_eq!(error(pulled), ErrorCode::NotFound);

    accept(&mut world, &mut bob, room).unwrap();
    assert_eq!(kinds(&world.sync(&mut bob, true)), ["join"]);
    let pulled = world.ask(&domain, bob.session, client_request::Request::PullEvents(pull)).unwrap();
    let wire::proto::client_response::Response::Pulled(pulled) = pulled else { panic!("{pulled:?}") };
    let seen: Vec<_> = pulled.events.iter().map(|event| room::chain::read(event).unwrap()).collect();
    assert_eq!(seen.iter().map(|event| event.message).collect::<Vec<_>>(), [early]);
    assert!(pulled.end);
    let (late, _) = world.say(&mut alice, room, "after");
    assert_eq!(Device::events(&world.sync(&mut bob, true)).last().unwrap().2, late);
    assert_eq!(error(accept(&mut world, &mut bob, room)), ErrorCode::NotFound, "it is answered once");
}

// [SYNC-22]
#[test]
fn declining_is_told_in_the_room_and_ends_delivery() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = invited(&mut world);
    world.sync(&mut bob, true);
    answer(&mut world, &mut bob, room, false).unwrap();
    let at_alice = world.sync(&mut alice, true);
    let notice = at_alice.iter().find_map(|entry| match &entry.entry {
        Some(entry::Entry::Event(event)) => Some(room::chain::read(event).unwrap()),
        _ => None,
    });
    let notice = notice.unwrap();
    assert_eq!(notice.kind, EventKind::Notice);
    let body: HubNotice = prost::Message::decode(notice.event.body).unwrap();
    assert_eq!(body.notice, Some(Notice::Declined("bob@umbrella.test".to_owned())));
    let links = world.links.len();
    world.say(&mut alice, room, "nobody there").1.unwrap();
    let sent: Vec<_> = world.links[links..].iter().filter(|(from, _)| from.as_str() == "acme.test").collect();
    assert!(sent.is_empty(), "a domain without members gets no events: {sent:?}");
    assert_eq!(kinds(&world.sync(&mut bob, true)), Vec::<&str>::new());
}

#[test]
fn open_accounts_and_colleagues_are_not_asked() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let mut carol = world.person("carol@acme.test");
    policy(&mut world, &bob, ContactPolicy::Open);
    let room = group(&mut world, &mut alice, &mut bob).unwrap();
    world.sync(&mut alice, true);
    assert_eq!(kinds(&world.sync(&mut bob, true)), ["join"]);
    world.add(&mut alice, room, &[&carol.account.clone()]).unwrap();
    assert_eq!(kinds(&world.sync(&mut carol, true)), ["join"]);
    assert_eq!(kinds(&world.sync(&mut bob, true)), ["event"]);
}

// [SYNC-21]
#[test]
fn whoever_shares_a_room_already_is_not_asked_again() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = crate::message::pair(&mut world);
    group(&mut world, &mut alice, &mut bob).unwrap();
    assert_eq!(kinds(&world.sync(&mut bob, true)), ["join"]);
    assert!(bob.rooms.len() == 2 && bob.rooms.contains_key(&room));
}

// [SYNC-19]
#[test]
fn an_account_that_denies_contact_gives_no_packages() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    policy(&mut world, &bob, ContactPolicy::Deny);
    assert_eq!(group(&mut world, &mut alice, &mut bob), Err(ErrorCode::Policy));
}

#[test]
fn denying_after_the_packages_were_given_declines() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    world.cut(&"umbrella.test".parse().unwrap());
    world.heal(&"umbrella.test".parse().unwrap());
    world.pass(60_000);
    let (room, _, answer) = world.found(&mut alice, None);
    answer.unwrap();
    world.sync(&mut alice, true);
    let claim = wire::proto::ClaimKeyPackages {
        room: room.to_bytes(),
        claim_id: vec![1; 16].into(),
        accounts: vec![bob.account.to_string()],
        requester: alice.account.to_string(),
    };
    let domain = alice.account.domain().clone();
    let request = client_request::Request::ClaimKeyPackages(claim);
    let claimed = world.ask(&domain, alice.session, request).unwrap();
    let wire::proto::client_response::Response::Claimed(claimed) = claimed else { panic!("{claimed:?}") };
    policy(&mut world, &bob, ContactPolicy::Deny);
    let add = vec![claimed.accounts[0].packages[0].key_package.clone()];
    world.commit(&mut alice, room, &mls::Change { add, ..mls::Change::default() }).1.unwrap();
    assert_eq!(kinds(&world.sync(&mut bob, true)), Vec::<&str>::new());
    let at_alice = Device::events(&world.sync(&mut alice, true));
    assert_eq!(at_alice.last().unwrap().1, EventKind::Notice);
}
