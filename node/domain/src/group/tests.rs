//! A group in memory is the one that the log has led to, whatever was refused.

use identity::{AccountMode, DomainKeys};
use machine::Seeded;
use mls::{Change, DeviceKeys, Member};
use store::{Batch, Write, row::RoomRow};
use wire::proto::{EventKind, RoomKind};

use super::*;

/// A device that nobody has countersigned: a group does not ask.
fn device(entropy: &mut Seeded) -> DeviceKeys {
    let account: Account = "alice@acme.test".parse().unwrap();
    let mut key = || identity::domain_keys::generate(entropy);
    let (account_key, secret) = (key(), key());
    let now = Timestamp::from_ms(1_800_000_000_000);
    let id = DeviceId::new(entropy.array());
    let binding =
        identity::AccountBinding::propose(&account, &account_key, AccountMode::UserHeld, now).unwrap();
    let binding = binding.countersign(&DomainKeys::generate(entropy).binding);
    let certificate =
        identity::DeviceCertificate::issue(&account, id, &secret.public(), &account_key, now).unwrap();
    DeviceKeys {
        account,
        device: id,
        secret,
        binding: binding.signed().clone(),
        certificate: certificate.signed().clone(),
    }
}

/// A room that is written, with its founder's member.
fn founded(entropy: &mut Seeded) -> (Room, Member) {
    let keys = device(entropy);
    let message = MessageId::new(entropy.array());
    let id = room::group_room(&keys.account, &message);
    let hub: DomainName = "acme.test".parse().unwrap();
    let state = State::group(id, hub.clone(), keys.account.clone());
    let (member, founding) = Member::found(&keys, &state.to_proto(), entropy).unwrap();
    let mut room = Room::new(RoomRow {
        room: id,
        hub,
        kind: RoomKind::Group,
        head_seq: 1,
        head_hash: [0; 32],
        epoch: 0,
        base_seq: 1,
        wanted_seq: 0,
    });
    room.group = Some(Group::found(&founding).unwrap());
    (room, member)
}

/// A commit of the member, checked by the room's group and not merged there.
fn check(room: &mut Room, member: &mut Member, entropy: &mut Seeded) {
    let binding = MessageBinding {
        room: room.row.room.to_bytes(),
        message_id: MessageId::new(entropy.array()).to_bytes(),
        ephemeral: false,
    };
    let made = member.commit(&binding, &Change::default(), entropy).unwrap();
    let extras = CommitExtras { welcome: made.welcome, group_info: made.group_info };
    room.group.as_mut().unwrap().check_commit(&made.commit, &extras).unwrap();
    member.process(EventKind::Commit, &made.commit).unwrap();
    member.merge_staged().unwrap();
}

fn written(room: &mut Room) -> Option<u64> {
    let mut batch = Batch::default();
    room.write(&mut batch);
    let epochs = batch.writes.iter().filter_map(|write| match write {
        Write::PutGroup(_, bytes) => Some(Group::load(bytes).unwrap().epoch()),
        _ => None,
    });
    epochs.last()
}

/// Two commits in one drain, of which the second is refused after it was merged: the first is in the
/// log, so its group must be the one that is written.
#[test]
fn what_is_refused_after_merging_takes_nothing_ordered_with_it() {
    let mut entropy = Seeded::new(7);
    let (mut room, mut member) = founded(&mut entropy);
    check(&mut room, &mut member, &mut entropy);
    assert!(merge_commit(&mut room, false, 0, 1).is_ok());
    check(&mut room, &mut member, &mut entropy);
    assert_eq!(merge_commit(&mut room, true, 1, 1), Err(ErrorCode::TooLarge));
    assert_eq!(room.group.as_ref().map(Group::epoch), Some(1));
    assert_eq!(written(&mut room), Some(1));
    assert_eq!(written(&mut room), None);
}

#[test]
fn what_is_refused_alone_leaves_the_stored_group() {
    let mut entropy = Seeded::new(8);
    let (mut room, mut member) = founded(&mut entropy);
    check(&mut room, &mut member, &mut entropy);
    assert_eq!(merge_commit(&mut room, true, 1, 1), Err(ErrorCode::TooLarge));
    assert!(room.group.is_none() && written(&mut room).is_none());
}
