//! The exact bytes of an event's head, kept without what stands beside them anyway.
//!
//! Of a head's 155 bytes or so, the room, the hub, the seq, the kind, the message id and the body's
//! hash are in other columns or follow from them. What is left is the epoch, the time and the hash
//! of the head before. A head is kept like that only if the very bytes come out again, which is
//! tried before writing; any other head is kept whole.

use bytes::Bytes;
use prost::{
    Message as _,
    encoding::{decode_varint, encode_varint},
};
use sha2::{Digest as _, Sha256};
use store::{StoreError, row::EventRow};
use wire::{
    MessageId, RoomId,
    proto::{EventHead, EventKind},
};

use crate::rows::damaged;

const WHOLE: u8 = 0;
const SHORT: u8 = 1;

/// The other columns of an event that a head may repeat.
pub(crate) struct Beside<'a> {
    pub(crate) room: RoomId,
    pub(crate) hub: &'a str,
    pub(crate) seq: u64,
    pub(crate) kind: EventKind,
    pub(crate) message: MessageId,
    pub(crate) body: &'a [u8],
}

/// The hub that a head names, empty if it does not decode.
pub(crate) fn hub_of(row: &EventRow) -> String {
    EventHead::decode(row.head.clone()).map_or_else(|_| String::new(), |head| head.hub)
}

/// The bytes to keep.
pub(crate) fn pack(row: &EventRow, hub: &str) -> Vec<u8> {
    shorten(row, hub).unwrap_or_else(|| [&[WHOLE], row.head.as_ref()].concat())
}

/// The head that was kept.
pub(crate) fn unpack(kept: &[u8], beside: &Beside<'_>) -> Result<Bytes, StoreError> {
    match kept.split_first() {
        Some((&WHOLE, whole)) => Ok(Bytes::copy_from_slice(whole)),
        Some((&SHORT, short)) => lengthen(short, beside).ok_or_else(|| damaged("the head of an event")),
        _ => Err(damaged("the head of an event")),
    }
}

fn shorten(row: &EventRow, hub: &str) -> Option<Vec<u8>> {
    let head = EventHead::decode(row.head.clone()).ok()?;
    let mut short = Vec::with_capacity(48);
    encode_varint(head.epoch, &mut short);
    encode_varint(head.time_ms, &mut short);
    short.extend_from_slice(&head.prev_hash);
    let beside =
        Beside { room: row.room, hub, seq: row.seq, kind: row.kind, message: row.message, body: &row.body };
    let same = lengthen(&short, &beside).is_some_and(|bytes| bytes == row.head);
    same.then(|| [&[SHORT], short.as_slice()].concat())
}

fn lengthen(mut short: &[u8], beside: &Beside<'_>) -> Option<Bytes> {
    let epoch = decode_varint(&mut short).ok()?;
    let time_ms = decode_varint(&mut short).ok()?;
    let head = EventHead {
        room: beside.room.to_bytes(),
        seq: beside.seq,
        prev_hash: Bytes::copy_from_slice(short),
        hub: beside.hub.to_owned(),
        epoch,
        kind: beside.kind.into(),
        message_id: beside.message.to_bytes(),
        body_hash: Bytes::copy_from_slice(&Sha256::digest(beside.body)),
        time_ms,
    };
    Some(head.encode_to_vec().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(head: &EventHead) -> EventRow {
        EventRow {
            position: 1,
            room: RoomId::new([1; 32]),
            seq: 7,
            message: MessageId::new([2; 16]),
            kind: EventKind::Message,
            head: head.encode_to_vec().into(),
            signature: Bytes::new(),
            body: Bytes::from_static(b"body"),
        }
    }

    fn head() -> EventHead {
        EventHead {
            room: RoomId::new([1; 32]).to_bytes(),
            seq: 7,
            prev_hash: vec![9; 32].into(),
            hub: "acme.test".to_owned(),
            epoch: 300,
            kind: EventKind::Message.into(),
            message_id: MessageId::new([2; 16]).to_bytes(),
            body_hash: Sha256::digest(b"body").to_vec().into(),
            time_ms: 1_790_000_000_000,
        }
    }

    fn again(row: &EventRow) -> (usize, Bytes) {
        let kept = pack(row, "acme.test");
        let (room, message, body) = (row.room, row.message, &row.body);
        let beside = Beside { room, hub: "acme.test", seq: row.seq, kind: row.kind, message, body };
        (kept.len(), unpack(&kept, &beside).unwrap())
    }

    #[test]
    fn a_head_comes_out_as_it_went_in_and_takes_a_third() {
        let row = row(&head());
        let (bytes, head) = again(&row);
        assert_eq!(head, row.head);
        assert!(bytes < 48 && row.head.len() > 140, "{bytes} of {}", row.head.len());
    }

    #[test]
    fn a_head_that_differs_from_its_columns_in_anything_is_kept_whole() {
        let changes: [fn(&mut EventHead); 8] = [
            |head| head.room = vec![3; 32].into(),
            |head| head.seq = 8,
            |head| head.hub = "umbrella.test".to_owned(),
            |head| head.kind = EventKind::Commit.into(),
            |head| head.message_id = vec![4; 16].into(),
            |head| head.body_hash = vec![5; 32].into(),
            |head| head.kind = 77,
            |head| head.hub = String::new(),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut head = head();
            change(&mut head);
            let row = row(&head);
            let (bytes, head) = again(&row);
            assert_eq!(head, row.head, "{index}");
            assert_eq!(bytes, row.head.len() + 1, "{index}");
        }
        for bytes in [&b""[..], b"not a head", b"\x08"] {
            let row = EventRow { head: Bytes::from_static(bytes), ..row(&head()) };
            assert_eq!(again(&row).1, row.head);
        }
    }

    #[test]
    fn an_encoding_that_is_not_the_usual_one_is_kept_whole() {
        // The same fields, the epoch in front: a parser sees no difference, a signature does.
        let usual = head().encode_to_vec();
        let epoch = [0x28, 0xac, 0x02];
        let at = usual.windows(3).position(|bytes| bytes == epoch).unwrap();
        let other = [&epoch[..], &usual[..at], &usual[at + 3..]].concat();
        let row = EventRow { head: other.into(), ..row(&head()) };
        assert_eq!(again(&row).1, row.head);
    }

    #[test]
    fn kept_bytes_that_are_damaged_are_named_so() {
        let row = row(&head());
        let (room, message, body) = (row.room, row.message, &row.body);
        let beside = Beside { room, hub: "acme.test", seq: row.seq, kind: row.kind, message, body };
        for kept in [&b""[..], b"\x02", b"\x01", b"\x01\xff"] {
            assert!(matches!(unpack(kept, &beside), Err(StoreError::Damaged(_))), "{kept:?}");
        }
    }
}
