//! Rows to test with, made from small numbers.

use bytes::Bytes;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use wire::{
    Account, DeviceId, DomainName, MessageId, PublicKey, RoomId,
    proto::{AccountStanding, ContactPolicy, EventHead, EventKind, PeerMode, ProgressKind, RoomKind},
};

use crate::{
    Batch, Write,
    row::{
        AccountRow, AuditRow, DeviceRow, EntryRow, EventRow, KeyPackageRow, MemberRow, OutboxRow, PeerRow,
        PendingRow, ProgressRow, QuarantineRow, RoomRow,
    },
};

/// A batch of these changes.
#[must_use]
pub fn batch(writes: impl IntoIterator<Item = Write>) -> Batch {
    Batch { writes: writes.into_iter().collect() }
}

/// `d1.test` and so on.
#[must_use]
pub fn domain(number: u64) -> DomainName {
    format!("d{number}.test").parse().unwrap()
}

/// An account of `d1.test`.
#[must_use]
pub fn account(number: u64) -> Account {
    format!("a{number}@d1.test").parse().unwrap()
}

fn id<const N: usize>(number: u64) -> [u8; N] {
    let mut bytes = [0x5a; N];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// A device.
#[must_use]
pub fn device(number: u64) -> DeviceId {
    DeviceId::new(id(number))
}

/// A room.
#[must_use]
pub fn room(number: u64) -> RoomId {
    RoomId::new(id(number))
}

/// A message.
#[must_use]
pub fn message(number: u64) -> MessageId {
    MessageId::new(id(number))
}

/// A hash.
#[must_use]
pub fn hash(number: u64) -> [u8; 32] {
    id(number)
}

/// An account without keys.
#[must_use]
pub fn account_row(number: u64) -> AccountRow {
    AccountRow {
        account: account(number),
        code_hash: Some(hash(number)),
        code_expires_ms: u64::MAX,
        keys: None,
        policy: ContactPolicy::Ask,
        standing: AccountStanding::Active,
        standing_since_ms: 0,
    }
}

/// A device with a cursor.
#[must_use]
pub fn device_row(of: u64, number: u64, cursor: u64) -> DeviceRow {
    DeviceRow { account: account(of), device: device(number), key: PublicKey::new(hash(number)), cursor }
}

/// A key package.
#[must_use]
pub fn key_package(of: u64, number: u64, last_resort: bool) -> KeyPackageRow {
    KeyPackageRow {
        account: account(of),
        device: device(1),
        hash: hash(number),
        package: number.to_string().into(),
        last_resort,
        not_after_s: number,
        claimed: false,
    }
}

/// An entry for all devices of an account.
#[must_use]
pub fn entry(position: u64, of: u64) -> EntryRow {
    EntryRow { position, account: account(of), device: None, entry: position.to_string().into() }
}

/// A room with this head.
#[must_use]
pub fn room_row(number: u64, head_seq: u64) -> RoomRow {
    RoomRow {
        room: room(number),
        hub: domain(1),
        kind: RoomKind::Group,
        head_seq,
        head_hash: hash(head_seq),
        epoch: head_seq,
        base_seq: 1,
        wanted_seq: 0,
    }
}

/// A period of membership.
#[must_use]
pub fn member(of: u64, who: u64, from_seq: u64, to_seq: Option<u64>) -> MemberRow {
    MemberRow { room: room(of), account: account(who), from_seq, to_seq }
}

/// An event as a hub makes it; its message id is made from its position.
#[must_use]
pub fn event(position: u64, of: u64, seq: u64) -> EventRow {
    let body = Bytes::from(format!("body of {position}"));
    let head = EventHead {
        room: room(of).to_bytes(),
        seq,
        prev_hash: hash(seq - 1).to_vec().into(),
        hub: domain(1).to_string(),
        epoch: seq / 10,
        kind: EventKind::Message.into(),
        message_id: message(position).to_bytes(),
        body_hash: Sha256::digest(&body).to_vec().into(),
        time_ms: 1_790_000_000_000 + position,
    };
    EventRow {
        position,
        room: room(of),
        seq,
        message: message(position),
        kind: EventKind::Message,
        head: head.encode_to_vec().into(),
        signature: vec![7; 64].into(),
        body,
    }
}

/// A submission that waits for `d{peer}.test`.
#[must_use]
pub fn pending(of: u64, number: u64, peer: u64) -> PendingRow {
    PendingRow {
        room: room(of),
        message: message(number),
        hash: hash(number),
        account: account(1),
        device: device(1),
        peer: domain(peer),
        number,
        time_ms: number,
    }
}

/// Progress of `d{who}.test`.
#[must_use]
pub fn progress(of: u64, who: u64, seq: u64) -> ProgressRow {
    ProgressRow { room: room(of), kind: ProgressKind::Stored, who: domain(who).to_string(), seq }
}

/// A peer.
#[must_use]
pub fn peer(number: u64) -> PeerRow {
    PeerRow {
        domain: domain(number),
        fingerprint: hash(number),
        endpoints: vec!["one.test:1".to_owned(), "[::1]:2".to_owned()],
        held: true,
        outbox_id: id(number),
        next_number: number,
        acked: 2,
        settled: 3,
        their_outbox_id: id(4),
        received: 5,
        failures: 6,
        next_retry_ms: u64::MAX,
        absent_since_ms: 8,
        last_error: 9,
        mode: PeerMode::Open,
    }
}

/// An item for `d{to}.test`, queued at the time that its number says.
#[must_use]
pub fn outbox(to: u64, number: u64) -> OutboxRow {
    OutboxRow {
        peer: domain(to),
        number,
        room: room(number),
        item: format!("item {number}").into(),
        from_seq: 0,
        to_seq: 0,
        queued_ms: number,
    }
}

/// A quarantined item.
#[must_use]
pub fn quarantined(number: u64) -> QuarantineRow {
    QuarantineRow {
        peer: domain(2),
        time_ms: number,
        error: 11,
        kind: "events".to_owned(),
        item: number.to_string().into(),
    }
}

/// An entry of the audit log.
#[must_use]
pub fn audited(seq: u64) -> AuditRow {
    AuditRow { seq, entry: format!("act {seq}").into() }
}
