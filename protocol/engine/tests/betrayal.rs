//! The servers lie by leaving out, or about people who are present already: what a device can know of
//! it, it says, and remembers.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod world;

use bytes::Bytes;
use engine::{Command, Notice, Outcome, Target, Warning};
use identity::DeviceList;
use machine::Seeded;
use mls::Change;
use prost::Message as _;
use wire::{
    DeviceId, ErrorCode, MessageId, RoomId, SecretKey,
    proto::{Ephemeral, EventKind, HubNotice, MessageBinding, NodeFrame, entry, node_frame},
};
use world::{World, account};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const CAROL: &str = "carol@third.test";

fn direct() -> (World, RoomId) {
    let mut world = World::new(&[ALICE, BOB]);
    let Some(Ok(Outcome::Ordered { room, .. })) = world.send(0, Target::Account(account(BOB)), "first")
    else {
        panic!("no room")
    };
    (world, room)
}

// [MLS-31]
#[test]
fn an_event_that_the_hub_withholds_is_noticed_by_what_others_say_next() {
    let (mut world, room) = direct();
    let common = world.node.rooms[&room].head;
    let body = Bytes::from(HubNotice::default().encode_to_vec());
    let (withheld, seen) = world.sealed(room, &common, (EventKind::Notice, MessageId::new([6; 16]), &body));
    world.push(1, entry::Entry::Event(withheld));
    let sent = world.unsent(1, room, "as I said before");
    let id = sent.message_id.as_ref().try_into().unwrap();
    // For alice the hub counts on as if there had been nothing.
    let (event, _) = world.sealed(room, &common, (EventKind::Message, id, &sent.body));
    world.push(0, entry::Entry::Event(event));
    assert_eq!(world.texts(0, room).last().unwrap(), "as I said before", "shown, with the warning");
    let fork = Warning::ForkedLog { room, account: account(BOB), seq: seen.seq };
    assert!(world.phones[0].told(|notice| *notice == Notice::Warning(fork.clone())));
    world.crash(0);
    let view = world.phones[0].engine().room(room).unwrap();
    assert_eq!(view.forks, [(account(BOB), seen.seq)], "and it is not forgotten");
    assert_eq!(view.paused, None, "a member's word alone stops nobody");
}

// [MLS-12]
#[test]
fn a_message_passed_off_as_typing_is_still_read_in_its_place() {
    let (mut world, room) = direct();
    let kept = world.unsent(1, room, "not typing");
    let (epoch, body) = (kept.epoch, kept.body.clone());
    let ephemeral = Ephemeral { room: kept.room.clone(), epoch, body };
    let frame = NodeFrame { frame: Some(node_frame::Frame::Ephemeral(ephemeral)) };
    world.phones[0].inbox.push_back(frame);
    world.run();
    assert!(!world.phones[0].told(|notice| matches!(notice, Notice::Typing { .. })));
    world.node.order(
        room,
        (EventKind::Message, kept.message_id.as_ref().try_into().unwrap(), &kept.body),
        world.now,
    );
    world.run();
    assert_eq!(world.texts(0, room), ["first", "not typing"]);
}

/// The account states a list in which its device has been revoked, and another stands.
fn revoke(world: &mut World, phone: usize) {
    let (name, key) = (world.phones[phone].account.clone(), world.phones[phone].account_key.clone());
    let known = &world.node.accounts[&name];
    let first = DeviceList::parse(known.device_list.as_ref().unwrap()).unwrap();
    let other = SecretKey::from_seed(&zeroize::Zeroizing::new([77; 32])).public();
    let device = DeviceId::new([77; 16]);
    let revoked = [(world.phones[phone].keys.device, world.now.as_s())];
    let list = DeviceList::issue(&name, Some(&first), &[(device, other)], &revoked, &key, world.now).unwrap();
    let certificate = identity::DeviceCertificate::issue(&name, device, &other, &key, world.now).unwrap();
    let keys = world.node.accounts.get_mut(&name).unwrap();
    keys.device_list = Some(list.signed().clone());
    keys.certificates = vec![certificate.signed().clone()];
}

fn mark(world: &mut World, phone: usize, room: RoomId, of: &str) -> Option<ErrorCode> {
    world.phones[phone].engine().room(room).unwrap().member(&account(of)).unwrap().unverified
}

#[test]
fn a_device_that_its_account_has_revoked_is_marked_where_it_is_present() {
    let (mut world, room) = direct();
    world.command(0, Command::LookUp { account: account(BOB) }).unwrap().unwrap();
    assert_eq!(mark(&mut world, 0, room, BOB), None);
    revoke(&mut world, 1);
    world.wait(40_000);
    world.command(0, Command::LookUp { account: account(BOB) }).unwrap().unwrap();
    assert_eq!(mark(&mut world, 0, room, BOB), Some(ErrorCode::AuthFailed));
    let warning = Warning::Unverified { room, account: account(BOB), error: ErrorCode::AuthFailed };
    assert!(world.phones[0].told(|notice| *notice == Notice::Warning(warning.clone())));
}

/// A member gives its leaf new keys.
fn renew(world: &mut World, phone: usize, room: RoomId) {
    let mut member = world.phones[phone].member(room);
    let message = MessageId::new([8; 16]);
    let binding = MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
    let bundle = member.commit(&binding, &Change::default(), &mut Seeded::new(1)).unwrap();
    world.node.order(room, (EventKind::Commit, message, &bundle.commit), world.now);
    world.run();
}

#[test]
fn a_revoked_device_that_renews_its_leaf_is_marked() {
    let (mut world, room) = direct();
    world.wait(25 * 3_600_000);
    revoke(&mut world, 1);
    // The list that alice has is of yesterday, and the next one comes too late for the first renewal.
    renew(&mut world, 1, room);
    let view = world.phones[0].engine().room(room).unwrap();
    assert_eq!((view.paused, mark(&mut world, 0, room, BOB)), (None, Some(ErrorCode::AuthFailed)));
}

#[test]
fn a_renewed_leaf_is_not_followed_before_it_can_be_judged() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    // Nobody knows carol's domain when bob comes into the room.
    world.disconnect(1);
    let room = world.group("ours");
    let third = account(CAROL).domain().clone();
    let document = world.node.domains.remove(&third).unwrap();
    world.connect(1);
    world.run();
    assert_eq!(mark(&mut world, 1, room, CAROL), Some(ErrorCode::NotFound));
    world.now = world.now.plus_ms(40_000);
    // Then it turns out that its statements are not what they seem.
    let (mut keys, _) = document;
    let before = world.phones[1].engine().room(room).unwrap().epoch;
    keys =
        identity::DomainKeys { binding: identity::DomainKeys::generate(&mut Seeded::new(5)).binding, ..keys };
    let forged = keys.first_document(&third, &["127.0.0.1:4433".parse().unwrap()], world.now).unwrap();
    world.node.domains.insert(third, (keys, forged));
    renew(&mut world, 2, room);
    let view = world.phones[1].engine().room(room).unwrap();
    assert_eq!((view.paused, view.epoch), (None, before + 1), "nobody new reads by it");
    assert_eq!(mark(&mut world, 1, room, CAROL), Some(ErrorCode::BadSignature));
}
