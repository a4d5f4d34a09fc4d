//! Decides nothing: shows that a log cannot be changed, cut or continued by anybody but its hub.

use wire::ErrorCode::{BadSignature, ForkedLog, Malformed, OriginMismatch, TooLarge};

use super::*;
use crate::example::{acme, group, secret};

fn log(length: u64) -> Vec<Event> {
    let mut head = LogHead::default();
    (1..=length)
        .map(|n| {
            let body = Bytes::from(format!("body {n}"));
            let message = MessageId::new([u8::try_from(n).unwrap(); 16]);
            let (event, next) = seal(&head, &draft(&group(), &acme(), &message, &body), &secret(1));
            head = next;
            event
        })
        .collect()
}

fn draft<'a>(room: &'a RoomId, hub: &'a DomainName, message: &'a MessageId, body: &'a Bytes) -> Draft<'a> {
    Draft { room, hub, epoch: 3, kind: EventKind::Message, message, body, time_ms: 9 }
}

fn run(events: &[Event]) -> Result<Vec<CheckedEvent>, ErrorCode> {
    check_run(&group(), &acme(), &[secret(1).public()], &LogHead::default(), events)
}

// [ROOM-5] [ROOM-7]
#[test]
fn a_log_counts_from_one_without_gaps_and_each_head_names_the_one_before() {
    let checked = run(&log(5)).unwrap();
    assert_eq!(checked.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(checked[0].prev_hash, [0; 32]);
    for pair in checked.windows(2) {
        assert_eq!(pair[1].prev_hash, signed::hash::<EventHead>(&pair[0].event.head));
    }
}

#[test]
fn gaps_repeats_and_foreign_continuations_are_refused() {
    let events = log(4);
    let without = |index: usize| {
        let mut events = events.clone();
        events.remove(index);
        events
    };
    assert_eq!(run(&without(1)), Err(Malformed), "a gap");
    assert_eq!(run(&without(0)), Err(Malformed), "no beginning");
    let twice = [events[0].clone(), events[0].clone()];
    assert_eq!(run(&twice), Err(Malformed), "a repeat");
    let body = Bytes::from_static(b"another second event");
    let other = LogHead { seq: 1, hash: [7; 32] };
    let (forged, _) = seal(&other, &draft(&group(), &acme(), &MessageId::new([9; 16]), &body), &secret(1));
    assert_eq!(run(&[events[0].clone(), forged]), Err(ForkedLog), "another first event");
}

// [ROOM-6]
#[test]
fn whatever_was_not_signed_by_the_hub_is_refused_by_name() {
    let event = log(1).remove(0);
    let with = |change: &dyn Fn(&mut EventHead)| {
        let mut head: EventHead = signed::decode(&event.head).unwrap();
        change(&mut head);
        let bytes = head.encode_to_vec();
        let signature = signed::sign::<EventHead>(&secret(1), &bytes);
        Event { head: bytes.into(), signature: Bytes::copy_from_slice(&signature), ..event.clone() }
    };
    let flipped = |bytes: &Bytes, at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        Bytes::from(bytes)
    };
    let trailing = {
        let mut head = event.head.to_vec();
        head.extend_from_slice(&[0x50, 1]);
        Event { head: head.into(), ..event.clone() }
    };
    let foreign = {
        let signature = signed::sign::<EventHead>(&secret(2), &event.head);
        Event { signature: Bytes::copy_from_slice(&signature), ..event.clone() }
    };
    let cases = [
        ("another body", Event { body: Bytes::from_static(b"x"), ..event.clone() }, BadSignature),
        (
            "a changed signature",
            Event { signature: flipped(&event.signature, 5), ..event.clone() },
            BadSignature,
        ),
        ("no signature", Event { signature: Bytes::new(), ..event.clone() }, BadSignature),
        ("a cut signature", Event { signature: event.signature.slice(..63), ..event.clone() }, BadSignature),
        ("another's key", foreign, BadSignature),
        ("an unknown field", trailing, Malformed),
        ("an empty head", Event { head: Bytes::new(), ..event.clone() }, Malformed),
        ("a head over its limit", Event { head: Bytes::from(vec![0; 513]), ..event.clone() }, TooLarge),
        ("seq 0", with(&|head| head.seq = 0), Malformed),
        ("seq beyond 2^63 - 1", with(&|head| head.seq = 1 << 63), Malformed),
        ("an unknown kind", with(&|head| head.kind = 77), Malformed),
        ("no kind", with(&|head| head.kind = 0), Malformed),
        ("a short id", with(&|head| head.message_id = Bytes::from_static(b"short")), Malformed),
        ("a short hash", with(&|head| head.prev_hash = Bytes::from_static(b"short")), Malformed),
        ("another room", with(&|head| head.room = Bytes::from(vec![7; 32])), OriginMismatch),
        ("another hub", with(&|head| head.hub = "umbrella.test".into()), OriginMismatch),
    ];
    for (what, event, expected) in cases {
        assert_eq!(run(&[event]), Err(expected), "{what}");
    }
    assert!(run(&[event]).is_ok());
}

#[test]
fn every_flipped_bit_of_a_head_is_noticed() {
    let event = log(1).remove(0);
    for at in 0..event.head.len() * 8 {
        let mut head = event.head.to_vec();
        head[at / 8] ^= 1 << (at % 8);
        assert!(run(&[Event { head: head.into(), ..event.clone() }]).is_err(), "bit {at}");
    }
}

#[test]
fn any_of_the_keys_that_the_hub_lists_counts() {
    let events = log(2);
    let keys = [secret(9).public(), secret(1).public()];
    assert!(check_run(&group(), &acme(), &keys, &LogHead::default(), &events).is_ok());
    assert_eq!(check_run(&group(), &acme(), &[], &LogHead::default(), &events), Err(BadSignature));
}
