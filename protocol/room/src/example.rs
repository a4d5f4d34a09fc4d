//! Decides what the rooms of the tests look like: alice and carol of acme, bob of umbrella, dave of
//! a third domain; acme is hub; alice is admin.

use std::collections::BTreeSet;

use prost::bytes::Bytes;
use wire::{
    Account, DeviceId, DomainName, MessageId, RoomId, SecretKey,
    proto::{CommitExtras, EventKind, Submission},
};
use zeroize::Zeroizing;

use crate::{Request, Roster, State, direct_room, group_room, hub::RoomView};

pub(crate) const FOUNDING: MessageId = MessageId::new([1; 16]);

pub(crate) fn account(name: &str) -> Account {
    let domain = match name {
        "alice" | "carol" => "acme.test",
        "bob" | "ben" => "umbrella.test",
        _ => "third.test",
    };
    format!("{name}@{domain}").parse().unwrap()
}

/// The n-th device of an account.
pub(crate) fn device(name: &str, n: u8) -> DeviceId {
    let mut bytes = [n; 16];
    for (byte, letter) in bytes.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    DeviceId::new(bytes)
}

pub(crate) fn leaf(name: &str, n: u8) -> (Account, DeviceId) {
    (account(name), device(name, n))
}

pub(crate) fn acme() -> DomainName {
    "acme.test".parse().unwrap()
}

pub(crate) fn roster(leaves: &[(&str, u8)]) -> Roster {
    let mut roster = Roster::new();
    for (name, n) in leaves {
        roster.entry(account(name)).or_default().insert(device(name, *n));
    }
    roster
}

pub(crate) fn group() -> RoomId {
    group_room(&account("alice"), &FOUNDING)
}

pub(crate) fn group_state(admins: &[&str]) -> State {
    let mut state = State::group(group(), acme(), account("alice"));
    state.admins = admins.iter().map(|name| account(name)).collect();
    state
}

/// A group of alice (two devices), bob and carol at epoch 5.
pub(crate) fn group_view() -> RoomView {
    RoomView {
        room: group(),
        state: group_state(&["alice"]),
        epoch: 5,
        roster: roster(&[("alice", 1), ("alice", 2), ("bob", 1), ("carol", 1)]),
        leaving: BTreeSet::new(),
        declined: BTreeSet::new(),
        former: BTreeSet::new(),
    }
}

/// The direct room of alice and bob at epoch 1.
pub(crate) fn direct_view() -> RoomView {
    let state = State::direct(&account("alice"), &account("bob"));
    let room = direct_room(&account("alice"), &account("bob")).0;
    RoomView { room, state, epoch: 1, roster: roster(&[("alice", 1), ("bob", 1)]), ..group_view() }
}

pub(crate) fn submission(room: RoomId, name: &str, kind: EventKind, epoch: u64) -> Submission {
    Submission {
        room: room.to_bytes(),
        message_id: FOUNDING.to_bytes(),
        kind: kind.into(),
        epoch,
        body: Bytes::from_static(b"body"),
        hub: if kind == EventKind::Founding { "acme.test".into() } else { String::new() },
        commit: (kind == EventKind::Commit).then(CommitExtras::default),
        account: account(name).as_str().into(),
        device_id: device(name, 1).to_bytes(),
    }
}

pub(crate) fn request(room: RoomId, name: &str, kind: EventKind, epoch: u64) -> Request {
    Request::parse(&submission(room, name, kind, epoch)).unwrap()
}

pub(crate) fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([n; 32]))
}
