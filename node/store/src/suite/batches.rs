//! What holds of any batch.

use super::{Backend, sample::*};
use crate::{Batch, Store as _, StoreError, Write};

/// Nothing is a valid batch.
pub fn an_empty_batch(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&Batch::default()).unwrap();
    assert_eq!(store.head().unwrap(), 0);
}

fn one_of_each() -> Vec<Write> {
    vec![
        Write::PutAccount(account_row(1)),
        Write::PutDevice(device_row(1, 1, 1)),
        Write::PutKeyPackage(key_package(1, 1, false)),
        Write::PutEntry(entry(2, 1)),
        Write::PutRoom(room_row(1, 1)),
        Write::PutGroup(room(1), "group".into()),
        Write::PutRoster(room(1), "roster".into()),
        Write::PutMember(member(1, 1, 0, None)),
        Write::PutEvent(event(1, 1, 1)),
        Write::PutPending(pending(1, 9, 2)),
        Write::PutProgress(progress(1, 1, 1)),
        Write::PutPeer(peer(2)),
        Write::PutOutbox(outbox(2, 1)),
        Write::PutQuarantine(quarantined(1)),
        Write::PutMeta("name", "value".into()),
    ]
}

/// A conflict at the end takes everything before it back, from every table, and the store goes on.
pub fn a_batch_is_all_or_nothing(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&batch([Write::PutEvent(event(5, 9, 1))])).unwrap();
    for at in 0..=one_of_each().len() {
        let mut writes = one_of_each();
        writes.insert(at, Write::PutEvent(event(6, 9, 1)));
        assert!(matches!(store.commit(&batch(writes)), Err(StoreError::Conflict)), "{at}");
        assert_eq!(store.account(&account(1)).unwrap(), None);
        assert_eq!(store.devices(&account(1)).unwrap(), []);
        assert_eq!(store.room(&room(1)).unwrap(), None);
        assert_eq!(store.events(&room(1), 0, 9).unwrap(), []);
        assert_eq!(store.members(&room(1)).unwrap(), []);
        assert_eq!(store.peers().unwrap(), []);
        assert_eq!(store.outbox(&domain(2), 0, 9).unwrap(), []);
        assert_eq!(store.pending_of_peer(&domain(2), 99, 9).unwrap(), []);
        assert_eq!(store.quarantine(9).unwrap().1, 0);
        assert_eq!(store.meta("name").unwrap(), None);
    }
    store.commit(&batch(one_of_each())).unwrap();
    assert_eq!(store.events(&room(1), 0, 9).unwrap(), [event(1, 1, 1)]);
}

/// Later changes to a key win over earlier ones.
pub fn order_within_a_batch(backend: &mut impl Backend) {
    let store = backend.open();
    store
        .commit(&batch([
            Write::PutPending(pending(1, 1, 2)),
            Write::DropPending(room(1), message(1)),
            Write::DropPending(room(1), message(2)),
            Write::PutPending(pending(1, 2, 2)),
            Write::PutPending(pending(1, 3, 2)),
            Write::DropPending(room(1), message(3)),
            Write::PutPending(pending(1, 3, 2)),
            Write::PutOutbox(outbox(2, 1)),
            Write::PutOutbox(outbox(2, 2)),
            Write::DropOutbox(domain(2), 1),
            Write::PutMeta("name", "first".into()),
            Write::PutMeta("name", "second".into()),
            Write::PutKeyPackage(key_package(1, 1, false)),
            Write::DropKeyPackage(account(1), device(1), hash(1)),
            Write::DropInvitation(account(1), room(1)),
        ]))
        .unwrap();
    assert_eq!(store.pending_of_peer(&domain(2), 9, 9).unwrap(), [pending(1, 2, 2), pending(1, 3, 2)]);
    assert_eq!(store.outbox(&domain(2), 0, 9).unwrap(), [outbox(2, 2)]);
    assert_eq!(store.meta("name").unwrap().unwrap(), "second");
    assert_eq!(store.key_packages(&account(1), &device(1), 9).unwrap(), []);
}

/// As many rows as a full group commit makes, in every table of the hot path.
pub fn many_rows_at_once(backend: &mut impl Backend) {
    let store = backend.open();
    let count = wire::limits::GROUP_COMMIT_INPUTS_MAX as u64 * 2 + 3;
    let devices = (1..=count).map(|number| Write::PutDevice(device_row(number, 1, 0)));
    store.commit(&batch(devices)).unwrap();
    let writes = (1..=count).flat_map(|number| {
        [
            Write::PutEvent(event(number, number % 5, 1 + number / 5)),
            Write::PutOutbox(outbox(2, number)),
            Write::PutPending(pending(1, number, 2)),
            Write::PutProgress(progress(number % 50, 1 + number % 3, number)),
            Write::PutRoom(room_row(number, number)),
            Write::Cursor(account(number), device(1), number),
        ]
    });
    store.commit(&batch(writes)).unwrap();
    assert_eq!(store.head().unwrap(), count);
    assert_eq!(store.room_count().unwrap(), count);
    assert_eq!(store.outbox_size(&domain(2)).unwrap().0, count);
    assert_eq!(store.pending_of_peer(&domain(2), count, usize::MAX).unwrap().len() as u64, count);
    assert_eq!(store.devices(&account(count)).unwrap(), [device_row(count, 1, count)]);
    let dropped = (1..=count).map(|number| Write::DropPending(room(1), message(number)));
    store.commit(&batch(dropped.chain([Write::DropOutbox(domain(2), count)]))).unwrap();
    assert_eq!(store.pending_of_peer(&domain(2), count, 9).unwrap(), []);
    assert_eq!(store.outbox_size(&domain(2)).unwrap(), (0, 0, 0));
}

/// Whatever was committed is there after closing and opening.
pub fn reopening_keeps_everything(backend: &mut impl Backend) {
    backend.open().commit(&batch(one_of_each())).unwrap();
    let store = backend.open();
    assert_eq!(store.account(&account(1)).unwrap(), Some(account_row(1)));
    assert_eq!(store.devices(&account(1)).unwrap(), [device_row(1, 1, 1)]);
    assert_eq!(store.key_package_count(&account(1), &device(1)).unwrap(), (1, false));
    assert_eq!(store.account_entries(&account(1), &device(1), 0, 9).unwrap(), [entry(2, 1)]);
    assert_eq!(store.room(&room(1)).unwrap(), Some(room_row(1, 1)));
    assert_eq!(store.members(&room(1)).unwrap(), [member(1, 1, 0, None)]);
    assert_eq!(store.account_events(&account(1), 0, 9).unwrap(), [event(1, 1, 1)]);
    assert_eq!(store.pending(&[(room(1), message(9))]).unwrap(), [pending(1, 9, 2)]);
    assert_eq!(store.progress(&room(1)).unwrap(), [progress(1, 1, 1)]);
    assert_eq!(store.peers().unwrap(), [peer(2)]);
    assert_eq!(store.outbox(&domain(2), 0, 9).unwrap(), [outbox(2, 1)]);
    assert_eq!(store.quarantine(9).unwrap(), (vec![quarantined(1)], 1));
    assert_eq!(store.meta("name").unwrap().unwrap(), "value");
    store.commit(&batch([Write::PutEvent(event(3, 1, 2))])).unwrap();
    drop(store);
    assert_eq!(backend.open().events(&room(1), 0, 9).unwrap(), [event(1, 1, 1), event(3, 1, 2)]);
}

/// The head is the largest position of an event or an entry.
pub fn the_head_of_positions(backend: &mut impl Backend) {
    let store = backend.open();
    assert_eq!(store.head().unwrap(), 0);
    store.commit(&batch([Write::PutEvent(event(4, 1, 1))])).unwrap();
    assert_eq!(store.head().unwrap(), 4);
    store.commit(&batch([Write::PutEntry(entry(7, 1))])).unwrap();
    assert_eq!(store.head().unwrap(), 7);
    store.commit(&batch([Write::PutEvent(event(6, 1, 2))])).unwrap();
    assert_eq!(store.head().unwrap(), 7);
}
