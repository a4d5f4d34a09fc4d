//! Rooms, members, progress.

use super::{Backend, sample::*};
use crate::{
    Store as _, Write,
    row::{ProgressRow, RoomRow},
};
use wire::proto::ProgressKind;

/// Rows and values replace those before.
pub fn rooms_and_their_values(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&batch([Write::PutRoom(room_row(1, 1)), Write::PutRoom(room_row(2, 1))])).unwrap();
    store
        .commit(&batch([
            Write::PutRoom(room_row(1, 2)),
            Write::PutRoom(room_row(1, 3)),
            Write::PutGroup(room(1), "group 1".into()),
            Write::PutGroup(room(1), "group 2".into()),
            Write::PutRoster(room(1), "roster".into()),
        ]))
        .unwrap();
    assert_eq!(store.room(&room(1)).unwrap(), Some(room_row(1, 3)));
    assert_eq!(store.room(&room(3)).unwrap(), None);
    assert_eq!(store.room_count().unwrap(), 2);
    assert_eq!(store.group(&room(1)).unwrap().unwrap(), "group 2");
    assert_eq!(store.roster(&room(1)).unwrap().unwrap(), "roster");
    assert_eq!(store.group(&room(2)).unwrap(), None);
    assert_eq!(store.roster(&room(2)).unwrap(), None);
}

/// Rooms of a hub of which something is missing, until it is there.
pub fn rooms_that_want_events(backend: &mut impl Backend) {
    let store = backend.open();
    let row = |number, head, wanted_seq| RoomRow { wanted_seq, ..room_row(number, head) };
    let elsewhere = RoomRow { hub: domain(2), ..row(5, 1, 9) };
    let rows = [row(3, 5, 6), row(1, 5, 5), row(2, 5, 0), row(4, 5, 9), elsewhere.clone()];
    store.commit(&batch(rows.map(Write::PutRoom))).unwrap();
    assert_eq!(store.rooms_wanting(&domain(1), 9).unwrap(), [row(3, 5, 6), row(4, 5, 9)]);
    assert_eq!(store.rooms_wanting(&domain(1), 1).unwrap(), [row(3, 5, 6)]);
    assert_eq!(store.rooms_wanting(&domain(2), 9).unwrap(), [elsewhere]);
    store.commit(&batch([Write::PutRoom(row(3, 6, 6))])).unwrap();
    assert_eq!(store.rooms_wanting(&domain(1), 9).unwrap(), [row(4, 5, 9)]);
}

/// Periods are listed by room and by account, and closed by being put again.
pub fn periods_of_membership(backend: &mut impl Backend) {
    let store = backend.open();
    let rows = [member(1, 1, 1, None), member(1, 2, 1, None), member(2, 1, 4, None)];
    store.commit(&batch(rows.map(Write::PutMember))).unwrap();
    let later = [member(1, 1, 1, Some(5)), member(1, 1, 8, None)];
    store.commit(&batch(later.map(Write::PutMember))).unwrap();
    assert_eq!(
        store.members(&room(1)).unwrap(),
        [member(1, 1, 1, Some(5)), member(1, 1, 8, None), member(1, 2, 1, None)]
    );
    assert_eq!(
        store.memberships(&account(1)).unwrap(),
        [member(1, 1, 1, Some(5)), member(1, 1, 8, None), member(2, 1, 4, None)]
    );
    assert_eq!(store.memberships(&account(9)).unwrap(), []);
}

/// The larger seq stays, within a batch and between batches.
pub fn progress_never_goes_back(backend: &mut impl Backend) {
    let store = backend.open();
    let delivered = ProgressRow { kind: ProgressKind::Delivered, ..progress(1, 2, 1) };
    store
        .commit(&batch([
            Write::PutProgress(progress(1, 2, 7)),
            Write::PutProgress(progress(1, 2, 3)),
            Write::PutProgress(progress(1, 1, 1)),
            Write::PutProgress(progress(2, 1, 9)),
            Write::PutProgress(delivered.clone()),
        ]))
        .unwrap();
    store
        .commit(&batch([Write::PutProgress(progress(1, 2, 6)), Write::PutProgress(progress(1, 1, 2))]))
        .unwrap();
    assert_eq!(store.progress(&room(1)).unwrap(), [progress(1, 1, 2), progress(1, 2, 7), delivered]);
    assert_eq!(store.progress(&room(3)).unwrap(), []);
}
