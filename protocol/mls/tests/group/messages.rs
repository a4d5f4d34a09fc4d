//! Messages out of order, twice, late, in the wrong place, and after a transaction that failed.

use mls::{Change, Processed, ephemeral_framing, framing};
use prost::Message as _;
use wire::{
    ErrorCode, limits,
    proto::{EventKind, MessageBinding},
};

use crate::world::{World, read};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";

// [MLS-4]
#[test]
fn order_does_not_matter_within_the_tolerance_and_nothing_is_read_twice() {
    let mut world = World::with(&[ALICE, BOB], 11);
    let sent: Vec<_> = (0..40u8).map(|n| world.encrypt(ALICE, &[n]).unwrap()).collect();
    let bob = world.device(BOB);
    for n in [3u8, 1, 2, 0, 30, 29] {
        assert_eq!(read(bob, ALICE, &sent[usize::from(n)]), [n]);
        let again = bob.member.process(EventKind::Message, &sent[usize::from(n)]);
        assert_eq!(again.unwrap_err(), ErrorCode::Expired);
    }
    bob.reload();
    let again = bob.member.process(EventKind::Message, &sent[3]);
    assert_eq!(again.unwrap_err(), ErrorCode::Expired);
    assert_eq!(read(bob, ALICE, &sent[39]), [39]);
    // Generation 4 is more than the tolerance behind 39.
    let late = bob.member.process(EventKind::Message, &sent[4]);
    assert_eq!(late.unwrap_err(), ErrorCode::Expired);
    assert_eq!(read(bob, ALICE, &sent[38]), [38]);
    assert_eq!(limits::OUT_OF_ORDER_TOLERANCE, 32);
}

#[test]
fn a_rolled_back_decryption_is_repeated_after_loading_and_only_then() {
    let mut world = World::with(&[ALICE, BOB], 12);
    let message = world.encrypt(ALICE, b"once").unwrap();
    let bob = world.device(BOB);
    bob.member.process(EventKind::Message, &message).unwrap();
    assert!(!bob.member.take_changes().is_empty());
    let live = bob.member.process(EventKind::Message, &message);
    assert_eq!(live.unwrap_err(), ErrorCode::Expired);
    bob.reload();
    assert_eq!(read(bob, ALICE, &message), b"once");

    // The same for a merge.
    let bundle = world.commit(ALICE, &Change::default()).unwrap();
    let seen = world.order(&bundle).unwrap();
    let bob = world.device(BOB);
    bob.member.process(EventKind::Commit, &bundle.commit).unwrap();
    bob.member.merge_staged().unwrap();
    bob.reload();
    assert_eq!(bob.member.epoch(), 1);
    world.deliver(&bundle.commit, &seen);
    world.agree();
}

// [MLS-4], [MLS-18]
#[test]
fn messages_of_past_epochs_are_read_for_so_long_and_not_longer() {
    let mut world = World::with(&[ALICE, BOB], 13);
    let (first, second) = (world.encrypt(ALICE, b"1").unwrap(), world.encrypt(ALICE, b"2").unwrap());
    for _ in 0..limits::PAST_EPOCHS_KEPT {
        world.run(BOB, &Change::default()).unwrap();
    }
    let bob = world.device(BOB);
    assert_eq!(read(bob, ALICE, &first), b"1");
    bob.reload();
    let again = bob.member.process(EventKind::Message, &first);
    assert_eq!(again.unwrap_err(), ErrorCode::Expired);
    world.run(ALICE, &Change::default()).unwrap();
    let bob = world.device(BOB);
    bob.reload();
    let late = bob.member.process(EventKind::Message, &second);
    assert_eq!(late.unwrap_err(), ErrorCode::Expired);
}

#[test]
fn a_message_writes_the_secrets_of_its_epoch_and_nothing_else() {
    let names: Vec<String> = (0..12).map(|n| format!("u{n}@acme.test")).collect();
    let mut written = Vec::new();
    for members in [2, 12] {
        let accounts: Vec<&str> = names.iter().take(members).map(String::as_str).collect();
        let mut world = World::with(&accounts, 20);
        for by in accounts.iter().take(2).cycle().take(8) {
            world.run(by, &Change::default()).unwrap();
        }
        let message = world.encrypt(accounts[0], b"x").unwrap();
        let reader = world.device(accounts[1]);
        reader.member.process(EventKind::Message, &message).unwrap();
        let changes = reader.member.take_changes();
        assert_eq!(changes.len(), 1);
        written.push(
            changes.iter().filter_map(|(_, value)| value.as_ref()).map(|value| value.len()).sum::<usize>(),
        );
    }
    // It does not hold the members of the room.
    assert!(written[1] < written[0] * 2, "{written:?}");
}

#[test]
fn a_message_of_somebody_who_was_removed_since_is_still_theirs() {
    let mut world = World::with(&[ALICE, BOB], 14);
    let last = world.encrypt(BOB, b"last").unwrap();
    let key = world.device(BOB).keys.secret.public();
    world.run(ALICE, &Change { remove: vec![BOB.parse().unwrap()], ..Change::default() }).unwrap();
    let alice = world.device(ALICE);
    let Processed::Message { sender, content, .. } = alice.member.process(EventKind::Message, &last).unwrap()
    else {
        panic!("no message")
    };
    assert_eq!((sender.account.as_str(), sender.key, content.as_slice()), (BOB, key, b"last".as_slice()));
}

// [MLS-12]
#[test]
fn the_binding_is_authenticated() {
    let mut world = World::with(&[ALICE, BOB], 15);
    let binding = world.binding();
    let message = {
        let device = world.devices.get_mut(&crate::world::name(ALICE)).unwrap();
        device.member.encrypt(&binding, b"x", &mut world.entropy).unwrap()
    };
    assert_eq!(framing(EventKind::Message, &message).unwrap().binding, binding);
    let mut forged = message.to_vec();
    let at = forged.windows(16).position(|part| part == binding.message_id.as_ref()).unwrap();
    forged[at] ^= 1;
    let bob = world.device(BOB);
    let refused = bob.member.process(EventKind::Message, &forged).unwrap_err();
    assert_eq!(refused, ErrorCode::BadSignature);
    // The forgery has spent nothing.
    let Processed::Message { binding: read, .. } = bob.member.process(EventKind::Message, &message).unwrap()
    else {
        panic!("no message")
    };
    assert_eq!(read, binding);
}

#[test]
fn a_binding_names_the_room_and_a_whole_id() {
    let mut world = World::with(&[ALICE], 16);
    let good = world.binding();
    let device = world.devices.get_mut(&crate::world::name(ALICE)).unwrap();
    for binding in [
        MessageBinding { room: vec![9; 32].into(), ..good.clone() },
        MessageBinding { message_id: vec![1; 15].into(), ..good.clone() },
        MessageBinding::default(),
    ] {
        let refused = device.member.encrypt(&binding, b"x", &mut world.entropy).unwrap_err();
        assert_eq!(refused, ErrorCode::Malformed);
    }
    assert!(device.member.encrypt(&good, b"x", &mut world.entropy).is_ok());
    assert_eq!(good.encoded_len(), 52);
}

// [MLS-12]
#[test]
fn a_message_for_the_log_and_one_for_the_moment_are_not_each_other() {
    let mut world = World::with(&[ALICE, BOB], 20);
    let lasting = world.binding();
    let fleeting = MessageBinding { ephemeral: true, ..world.binding() };
    let mut made = Vec::new();
    for binding in [&lasting, &fleeting] {
        let device = world.devices.get_mut(&crate::world::name(ALICE)).unwrap();
        made.push(device.member.encrypt(binding, b"x", &mut world.entropy).unwrap());
    }
    let bob = world.device(BOB);
    assert_eq!(bob.member.process_ephemeral(&made[0]).unwrap_err(), ErrorCode::Malformed);
    assert_eq!(bob.member.process(EventKind::Message, &made[1]).unwrap_err(), ErrorCode::Malformed);
    assert_eq!(framing(EventKind::Message, &made[1]).unwrap_err(), ErrorCode::Malformed);
    assert_eq!(ephemeral_framing(&made[0]).unwrap_err(), ErrorCode::Malformed);
    assert_eq!(ephemeral_framing(&made[1]).unwrap().binding, fleeting);
    // Neither attempt has spent a key.
    assert!(matches!(bob.member.process(EventKind::Message, &made[0]), Ok(Processed::Message { .. })));
    assert!(matches!(bob.member.process_ephemeral(&made[1]), Ok(Processed::Message { .. })));
}

#[test]
fn another_room_s_message_is_refused_there_and_here() {
    let mut one = World::with(&[ALICE, BOB], 17);
    let mut other = World::with(&[ALICE, BOB], 18);
    let message = one.encrypt(ALICE, b"x").unwrap();
    let refused = other.device(BOB).member.process(EventKind::Message, &message);
    assert_eq!(refused.unwrap_err(), ErrorCode::Malformed);
    let commit = one.commit(ALICE, &Change::default()).unwrap();
    let refused = other.device(BOB).member.process(EventKind::Commit, &commit.commit);
    assert_eq!(refused.unwrap_err(), ErrorCode::Malformed);
    assert_eq!(other.order(&commit).unwrap_err(), ErrorCode::Malformed);
}

// [MLS-2]
#[test]
fn a_kind_is_what_it_says() {
    let mut world = World::with(&[ALICE, BOB], 19);
    let message = world.encrypt(ALICE, b"x").unwrap();
    let commit = world.commit(ALICE, &Change::default()).unwrap().commit;
    let bob = world.device(BOB);
    for (kind, body) in [
        (EventKind::Commit, &message),
        (EventKind::Proposal, &message),
        (EventKind::Message, &commit),
        (EventKind::Proposal, &commit),
        (EventKind::Founding, &commit),
        (EventKind::Notice, &message),
        (EventKind::Unspecified, &message),
    ] {
        assert_eq!(bob.member.process(kind, body).unwrap_err(), ErrorCode::Malformed, "{kind:?}");
        assert_eq!(framing(kind, body).unwrap_err(), ErrorCode::Malformed, "{kind:?}");
    }
    let huge = vec![0; limits::MESSAGE_BYTES_MAX + 1];
    assert_eq!(framing(EventKind::Message, &huge).unwrap_err(), ErrorCode::TooLarge);
    let content = vec![0; limits::MESSAGE_BYTES_MAX];
    assert_eq!(world.encrypt(ALICE, &content).unwrap_err(), ErrorCode::TooLarge);
}
