//! Decides nothing: shows that a follower's log only ever grows by what follows.

use prost::bytes::Bytes;
use wire::{
    ErrorCode::{BadSignature, Malformed, OriginMismatch},
    MessageId,
    proto::EventKind,
};

use super::*;
use crate::{
    chain::{Draft, seal},
    example::{acme, group, secret},
};

/// A log of commits; two logs with different salts part after their common beginning.
fn log(length: u64, common: u64, salt: u8) -> Vec<Event> {
    let (room, hub) = (group(), acme());
    let mut head = LogHead::default();
    (1..=length)
        .map(|n| {
            let salt = if n <= common { 0 } else { salt };
            let body = Bytes::from(vec![salt, u8::try_from(n).unwrap()]);
            let message = MessageId::new([u8::try_from(n).unwrap(); 16]);
            let kind = EventKind::Commit;
            let draft =
                Draft { room: &room, hub: &hub, epoch: n, kind, message: &message, body: &body, time_ms: n };
            let (event, next) = seal(&head, &draft, &secret(1));
            head = next;
            event
        })
        .collect()
}

/// A follower that holds the first events of a log.
struct Follower {
    hashes: Vec<[u8; 32]>,
    base: u64,
}

impl Follower {
    fn with(log: &[Event]) -> Self {
        Self { hashes: log.iter().map(|event| chain::read(event).unwrap().hash).collect(), base: 1 }
    }

    fn head(&self) -> LogHead {
        let seq = self.hashes.len() as u64;
        LogHead { seq, hash: self.hashes.last().copied().unwrap_or_default() }
    }

    fn known(&self) -> impl Fn(u64) -> Option<[u8; 32]> + '_ {
        |seq| {
            let index = usize::try_from(seq.checked_sub(1)?).ok()?;
            (seq >= self.base).then(|| self.hashes.get(index).copied())?
        }
    }

    fn apply(&self, events: &[Event]) -> Result<Applied, ErrorCode> {
        let (room, domain, keys) = (group(), acme(), [secret(1).public()]);
        apply(&Hub { room: &room, domain: &domain, keys: &keys }, &self.head(), self.known(), events)
    }

    fn join(&self, begins: bool, event: &Event) -> Result<Joined, ErrorCode> {
        let (room, domain, keys) = (group(), acme(), [secret(1).public()]);
        let head = self.head();
        let hub = Hub { room: &room, domain: &domain, keys: &keys };
        join(&hub, (!begins).then_some(&head), self.known(), event)
    }
}

fn new_seqs(applied: Result<Applied, ErrorCode>) -> Vec<u64> {
    match applied {
        Ok(Applied::Applied { events, head }) => {
            assert_eq!(events.last().map(CheckedEvent::log_head), Some(head));
            events.iter().map(|event| event.seq).collect()
        }
        other => panic!("not applied: {other:?}"),
    }
}

// [ROOM-8]
#[test]
fn what_follows_is_applied_what_is_known_is_skipped_what_is_missing_is_asked_for() {
    let log = log(8, 8, 0);
    let follower = Follower::with(&log[..4]);
    assert_eq!(new_seqs(follower.apply(&log[4..8])), [5, 6, 7, 8]);
    assert_eq!(new_seqs(follower.apply(&log[1..6])), [5, 6], "an overlap");
    assert_eq!(follower.apply(&log[0..4]), Ok(Applied::Duplicate));
    assert_eq!(follower.apply(&log[5..8]), Ok(Applied::Gap { from: 5, up_to: 8 }));
    assert_eq!(follower.apply(&[]), Err(Malformed));
    assert_eq!(follower.apply(&[log[4].clone(), log[6].clone()]), Err(Malformed), "a gap inside");
    assert_eq!(follower.apply(&[log[5].clone(), log[4].clone()]), Err(Malformed), "backwards");
}

#[test]
fn a_second_history_is_a_fork_wherever_it_parts() {
    let (one, other) = (log(8, 3, 1), log(8, 3, 2));
    let follower = Follower::with(&one[..5]);
    assert_eq!(follower.apply(&other[0..3]), Ok(Applied::Duplicate), "the common beginning");
    assert_eq!(follower.apply(&other[2..4]), Ok(Applied::Forked { seq: 4 }), "other bytes at a known seq");
    assert_eq!(follower.apply(&other[5..7]), Ok(Applied::Forked { seq: 6 }), "chained to another head");
    assert_eq!(follower.apply(&other[3..8]), Ok(Applied::Forked { seq: 4 }));
}

#[test]
fn only_the_hub_says_what_follows() {
    let log = log(3, 3, 0);
    let follower = Follower::with(&log[..2]);
    let stolen = Event { signature: log[1].signature.clone(), ..log[2].clone() };
    assert_eq!(follower.apply(&[stolen]), Err(BadSignature));
    let (room, domain, keys) = (wire::RoomId::new([9; 32]), acme(), [secret(1).public()]);
    let hub = Hub { room: &room, domain: &domain, keys: &keys };
    assert_eq!(apply(&hub, &LogHead::default(), |_| None, &log[..1]), Err(OriginMismatch));
}

#[test]
fn numbers_near_the_end_do_not_wrap() {
    let (room, hub) = (group(), acme());
    let (body, message) = (Bytes::from_static(b"x"), MessageId::new([1; 16]));
    let draft = Draft {
        room: &room,
        hub: &hub,
        epoch: 0,
        kind: EventKind::Commit,
        message: &message,
        body: &body,
        time_ms: 0,
    };
    let (last, _) = seal(&LogHead { seq: wire::limits::SEQ_MAX - 1, hash: [0; 32] }, &draft, &secret(1));
    let follower = Follower::with(&[]);
    assert_eq!(
        follower.apply(std::slice::from_ref(&last)),
        Ok(Applied::Gap { from: 1, up_to: wire::limits::SEQ_MAX })
    );
    assert_eq!(follower.apply(&[last.clone(), last]), Err(Malformed));
}

// [ROOM-9]
#[test]
fn a_join_begins_a_copy_or_fits_into_the_one_that_is_there() {
    let log = log(8, 8, 0);
    let follower = Follower::with(&log[..4]);
    let seq = |joined| match joined {
        Ok(Joined::Begin(event)) => ("begin", event.seq),
        Ok(Joined::Known(event)) => ("known", event.seq),
        Ok(Joined::Next(event)) => ("next", event.seq),
        Ok(Joined::Gap(event, from)) => ("gap", event.seq * 100 + from),
        other => panic!("{other:?}"),
    };
    assert_eq!(seq(follower.join(true, &log[6])), ("begin", 7));
    assert_eq!(seq(follower.join(false, &log[2])), ("known", 3));
    assert_eq!(seq(follower.join(false, &log[4])), ("next", 5));
    assert_eq!(seq(follower.join(false, &log[6])), ("gap", 705));
    let other = self::log(8, 2, 3);
    assert_eq!(follower.join(false, &other[3]), Ok(Joined::Forked { seq: 4 }));
    assert_eq!(follower.join(false, &other[4]), Ok(Joined::Forked { seq: 5 }));
}

#[test]
fn a_copy_that_begins_late_has_nothing_to_say_about_what_was_before() {
    let log = log(6, 6, 0);
    let mut follower = Follower::with(&log[..5]);
    follower.base = 4;
    assert_eq!(new_seqs(follower.apply(&log[0..6])), [6]);
}
