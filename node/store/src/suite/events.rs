//! A room's log, what waits to be in it, and who sees it.

use super::{Backend, sample::*};
use crate::{
    Store, StoreError, Write,
    row::{EventRow, PendingRow},
};

fn put(rows: impl IntoIterator<Item = EventRow>) -> crate::Batch {
    batch(rows.into_iter().map(Write::PutEvent))
}

fn positions(rows: &[EventRow]) -> Vec<u64> {
    rows.iter().map(|row| row.position).collect()
}

/// Events of one room, ascending, from a seq on.
pub fn events_by_seq(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&put((1..=6).map(|number| event(number, 1 + number % 2, number.div_ceil(2))))).unwrap();
    assert_eq!(store.events(&room(1), 1, 9).unwrap(), [event(2, 1, 1), event(4, 1, 2), event(6, 1, 3)]);
    assert_eq!(store.events(&room(1), 2, 1).unwrap(), [event(4, 1, 2)]);
    assert_eq!(store.events(&room(1), 4, 9).unwrap(), []);
    assert_eq!(store.events(&room(3), 0, 9).unwrap(), []);
}

/// Any number of ids, of many rooms; those that do not exist are left out.
pub fn events_by_message_of_many_rooms(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&put((1..=300).map(|number| event(number, number % 7, 1 + number / 7)))).unwrap();
    let mut ids: Vec<_> = (1..=300).map(|number| (room(number % 7), message(number))).collect();
    ids.push((room(1), message(9999)));
    ids.push((room(5), message(1)));
    ids.push((room(99), message(1)));
    let mut found = store.events_by_message(&ids).unwrap();
    found.sort_by_key(|row| row.position);
    assert_eq!(found.len(), 300);
    assert_eq!(found[41], event(42, 0, 7));
    assert_eq!(store.events_by_message(&[]).unwrap(), []);
}

/// Position, seq and message id are unique; a batch that breaks this leaves nothing behind.
pub fn a_taken_key_is_a_conflict_and_nothing_applies(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&put([event(1, 1, 1), event(2, 1, 2)])).unwrap();
    let same_message = EventRow { message: message(2), ..event(9, 1, 3) };
    let same_message_elsewhere = EventRow { room: room(2), ..same_message.clone() };
    let taken = [event(2, 2, 1), event(9, 1, 2), same_message];
    for row in taken {
        let other = Write::PutRoom(room_row(1, 77));
        let result = store.commit(&batch([other.clone(), Write::PutEvent(row.clone()), other]));
        assert!(matches!(result, Err(StoreError::Conflict)), "{row:?}: {result:?}");
        assert_eq!(store.room(&room(1)).unwrap(), None);
        assert_eq!(store.head().unwrap(), 2);
    }
    let doubled = store.commit(&put([event(3, 1, 3), event(3, 1, 3)]));
    assert!(matches!(doubled, Err(StoreError::Conflict)));
    for write in
        [Write::PutPending(pending(1, 1, 2)), Write::PutOutbox(outbox(2, 1)), Write::PutEntry(entry(50, 1))]
    {
        store.commit(&batch([write.clone()])).unwrap();
        assert!(matches!(store.commit(&batch([write.clone()])), Err(StoreError::Conflict)), "{write:?}");
        let within = store.fork_by_conflict(&write);
        assert!(matches!(within, Err(StoreError::Conflict)), "{write:?}");
    }
    store.commit(&put([same_message_elsewhere])).unwrap();
    assert_eq!(positions(&store.events(&room(1), 1, 9).unwrap()), [1, 2]);
}

trait Doubled: Store {
    fn fork_by_conflict(&self, write: &Write) -> Result<(), StoreError> {
        self.commit(&batch([write.clone(), write.clone()]))
    }
}

impl<S: Store> Doubled for S {}

/// A pending submission is found by id and by its number until it is dropped.
pub fn pending_until_ordered(backend: &mut impl Backend) {
    let store = backend.open();
    let rows: Vec<_> = (1..=40).map(|number| pending(number % 3, number, 1 + number % 2)).collect();
    store.commit(&batch(rows.iter().rev().cloned().map(Write::PutPending))).unwrap();
    let found =
        store.pending(&[(room(1), message(4)), (room(1), message(5)), (room(2), message(5))]).unwrap();
    assert_eq!(found.len(), 2);
    let numbers = |rows: Vec<PendingRow>| rows.iter().map(|row| row.number).collect::<Vec<_>>();
    assert_eq!(numbers(store.pending_of_peer(&domain(1), 9, 9).unwrap()), [2, 4, 6, 8]);
    assert_eq!(numbers(store.pending_of_peer(&domain(1), 9, 2).unwrap()), [2, 4]);
    assert_eq!(numbers(store.pending_of_peer(&domain(2), 40, 99).unwrap()).len(), 20);
    let ordered = rows.iter().filter(|row| row.number > 4);
    store.commit(&batch(ordered.map(|row| Write::DropPending(row.room, row.message)))).unwrap();
    assert_eq!(numbers(store.pending_of_peer(&domain(1), 99, 9).unwrap()), [2, 4]);
    assert_eq!(store.pending(&[(room(2), message(5))]).unwrap(), []);
    assert_eq!(store.pending(&[(room(1), message(4))]).unwrap(), [pending(1, 4, 1)]);
}

/// An account sees what came after it joined up to what removed it, in each of its periods.
pub fn an_account_sees_its_periods(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&put((1..=20).map(|number| event(number, 1, number)))).unwrap();
    let rows =
        [member(1, 1, 2, Some(5)), member(1, 1, 9, Some(9)), member(1, 1, 15, None), member(1, 2, 0, None)];
    store.commit(&batch(rows.map(Write::PutMember))).unwrap();
    let seen = |who, after, limit| positions(&store.account_events(&account(who), after, limit).unwrap());
    assert_eq!(seen(1, 0, 99), [3, 4, 5, 16, 17, 18, 19, 20]);
    assert_eq!(seen(1, 4, 2), [5, 16]);
    assert_eq!(seen(1, 20, 99), []);
    assert_eq!(seen(2, 18, 99), [19, 20]);
    assert_eq!(seen(3, 0, 99), []);
    store
        .commit(&batch([Write::PutMember(member(2, 3, 0, None)), Write::PutMember(member(1, 3, 30, None))]))
        .unwrap();
    assert_eq!(seen(3, 0, 99), [], "a room without a log, and a period that begins later");
}

/// Rooms are merged by position; a follower's log that begins late is seen from its beginning; an
/// event that two overlapping periods show comes once.
pub fn an_account_sees_rooms_in_order_of_position(backend: &mut impl Backend) {
    let store = backend.open();
    let rows = (1..=30).map(|number| event(number, number % 3, 100 + number / 3));
    store.commit(&put(rows)).unwrap();
    let rows = [member(0, 1, 99, None), member(1, 1, 104, None), member(1, 1, 105, None)];
    store.commit(&batch(rows.map(Write::PutMember))).unwrap();
    let all = positions(&store.account_events(&account(1), 0, 99).unwrap());
    assert_eq!(all, [3, 6, 9, 12, 15, 16, 18, 19, 21, 22, 24, 25, 27, 28, 30]);
    let mut paged: Vec<u64> = Vec::new();
    for _ in 0..all.len().div_ceil(4) {
        let after = paged.last().copied().unwrap_or(0);
        paged.extend(positions(&store.account_events(&account(1), after, 4).unwrap()));
    }
    assert_eq!(paged, all);
}

/// The exact bytes of a head, whatever they are.
pub fn heads_come_back_as_they_were(backend: &mut impl Backend) {
    let store = backend.open();
    let odd = EventRow { head: "no protobuf at all".into(), signature: "".into(), ..event(2, 1, 2) };
    let retained = EventRow { body: "".into(), ..event(3, 1, 3) };
    let mut padded = event(4, 1, 4).head.to_vec();
    padded.extend_from_slice(&[0xf8, 0x07, 0x00]);
    let padded = EventRow { head: padded.into(), ..event(4, 1, 4) };
    let rows = [event(1, 1, 1), odd, retained, padded];
    store.commit(&put(rows.clone())).unwrap();
    drop(store);
    assert_eq!(backend.open().events(&room(1), 1, 9).unwrap(), rows);
}

/// The largest body that the protocol has, and an empty one.
pub fn large_bodies(backend: &mut impl Backend) {
    let store = backend.open();
    let large = vec![0xab; wire::limits::COMMIT_BYTES_MAX + wire::limits::WELCOME_BYTES_MAX];
    let rows = [
        EventRow { body: large.clone().into(), ..event(1, 1, 1) },
        EventRow { body: "".into(), ..event(2, 1, 2) },
    ];
    store.commit(&put(rows.clone())).unwrap();
    store.commit(&batch([Write::PutGroup(room(1), large.clone().into())])).unwrap();
    assert_eq!(store.events(&room(1), 1, 9).unwrap(), rows);
    assert_eq!(store.group(&room(1)).unwrap().unwrap(), large);
}
