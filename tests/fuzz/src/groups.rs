//! What MLS objects of strangers meet: the checks of key packages, the hub's observer, a member.

use std::cell::RefCell;

use bytes::Bytes;
use machine::Seeded;
use mls::{Entrance, Member, Observer, OwnKeyPackage};
use wire::proto::{CommitExtras, EventKind, GroupState, Join, MessageBinding, RoomFounding, RoomState};
use wire::{RoomId, frame};

use crate::people::{ACME, NOW, Person, person};

pub(crate) fn room() -> RoomId {
    RoomId::new([7; 32])
}

/// A room that alice has founded.
pub(crate) fn founded() -> (Member, RoomFounding) {
    let state = RoomState {
        room: room().to_bytes(),
        hub: "acme.test".into(),
        kind: wire::proto::RoomKind::Group.into(),
        admins: vec!["alice@acme.test".into()],
        version: 1,
    };
    Member::found(&ACME.alice.device, &state, &mut Seeded::new(3)).expect("a room")
}

pub(crate) fn binding(number: u8) -> MessageBinding {
    MessageBinding { room: room().to_bytes(), message_id: vec![number; 16].into(), ephemeral: false }
}

/// Somebody who waits to be added, with his packages.
pub(crate) fn joiner() -> (Person, Vec<OwnKeyPackage>) {
    let bob = person("bob@acme.test", &ACME.keys, 4);
    let packages = mls::make_key_packages(&bob.device, NOW, 1, true, &mut Seeded::new(5)).expect("packages");
    (bob, packages)
}

thread_local! {
    static BOB: (Person, Vec<OwnKeyPackage>) = joiner();
    static HUB: RefCell<Observer> =
        RefCell::new(Observer::found(&founded().1).expect("a group"));
    static ALICE: RefCell<Member> = RefCell::new(founded().0);
}

/// Key packages and the targets of a Welcome.
pub fn key_package(bytes: &[u8]) {
    if let Ok(info) = mls::check_key_package(bytes, NOW) {
        assert!(info.not_after_s > NOW.as_s());
        let _ = identity::check_leaf(&info.leaf.identity, &info.leaf.key, &ACME.document, NOW);
    }
    let _ = mls::welcome_targets(bytes);
}

/// The first byte says what the others are to the hub: a founding, a commit, a proposal, a saved
/// group.
pub fn observer(bytes: &[u8]) {
    let Some((what, bytes)) = bytes.split_first() else { return };
    match what % 4 {
        0 => {
            let Ok(founding) = frame::decode::<RoomFounding>(Bytes::copy_from_slice(bytes)) else { return };
            let _ = Observer::found(&founding);
        }
        1 => HUB.with_borrow_mut(|hub| {
            let epoch = hub.epoch();
            let _ = hub.check_commit(bytes, &CommitExtras::default());
            hub.discard();
            assert_eq!(hub.epoch(), epoch, "a check changes nothing");
        }),
        2 => HUB.with_borrow_mut(|hub| {
            let _ = hub.check_proposal(bytes);
            hub.discard();
        }),
        _ => drop(Observer::load(bytes)),
    }
}

/// What a hub shows to a device that comes back: with a first byte of 0 a group, else a commit that
/// nobody can follow.
pub fn group_view(bytes: &[u8]) {
    let Some((what, bytes)) = bytes.split_first() else { return };
    if what % 2 == 1 {
        let _ = mls::confirmation(bytes);
        return;
    }
    let Ok(shown) = frame::decode::<GroupState>(Bytes::copy_from_slice(bytes)) else { return };
    if let Ok(view) = mls::GroupView::read(&shown.group_info, &shown.ratchet_tree) {
        assert!(view.leaves.contains(&view.signer), "a member has signed it");
    }
}

/// The first byte says which kind of event the others are to a member.
pub fn member(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let kinds = [EventKind::Commit, EventKind::Proposal, EventKind::Message];
    let kind = kinds[usize::from(*kind) % kinds.len()];
    let framing = mls::framing(kind, bytes);
    ALICE.with_borrow_mut(|alice| {
        let epoch = alice.epoch();
        let processed = alice.process(kind, bytes);
        assert!(processed.is_err() || framing.is_ok(), "what a member takes, the hub can read");
        alice.discard_staged();
        assert_eq!(alice.epoch(), epoch, "nothing takes effect before it is merged");
        let fleeting = alice.process_ephemeral(bytes);
        assert!(fleeting.is_err() || processed.is_err(), "one ciphertext is for one place");
        let _ = alice.take_changes();
    });
}

/// What a hub sends to whoever was added: commit, Welcome and tree; the hub meets the same parts.
pub fn join(bytes: &[u8]) {
    let Ok(join) = frame::decode::<Join>(Bytes::copy_from_slice(bytes)) else { return };
    let Some(commit) = join.commit else { return };
    BOB.with(|(bob, packages)| {
        let entrance =
            Entrance { commit: &commit.body, welcome: &join.welcome, ratchet_tree: &join.ratchet_tree };
        for package in packages {
            if let Ok(joined) = Member::join(&bob.device, &entrance, &package.rows) {
                assert!(joined.member.leaves().iter().any(|leaf| leaf.account == bob.device.account));
            }
        }
    });
    HUB.with_borrow_mut(|hub| {
        let extras = CommitExtras { welcome: join.welcome, group_info: join.ratchet_tree };
        let _ = hub.check_commit(&commit.body, &extras);
        hub.discard();
    });
}

/// What stands inside a ciphertext.
pub fn content(bytes: &[u8]) {
    if let Ok(content) = mls::content::unpad(bytes) {
        assert_eq!(mls::content::check(&content), Ok(()));
        let again = mls::content::pad(&content).expect("what was taken can be sent");
        assert_eq!(mls::content::unpad(&again), Ok(content));
    }
}
