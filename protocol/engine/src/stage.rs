//! What was decided since the last `poll` and is to be written in one transaction, and what waits
//! for that (rule R3).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use machine::{Barrier, Mark, Step, Timestamp};
use wire::{MessageId, RoomId, proto::ClientFrame};

use crate::{
    Notice, Output,
    record::{Record, Row, Table},
};

/// What waits for a write.
#[derive(Clone, Debug)]
pub(crate) enum After {
    Send(ClientFrame),
    Notify(Notice),
    Recall(RoomId),
}

/// The changes of one transaction in the making, and the queue of those before it.
#[derive(Default)]
pub(crate) struct Stage {
    records: BTreeMap<(Table, Bytes), Option<Bytes>>,
    after: Vec<After>,
    barrier: Barrier<Vec<Record>, After>,
    wake: Option<Timestamp>,
    /// Rooms whose row is to be written.
    pub(crate) rooms: BTreeSet<RoomId>,
    /// Rooms whose roster is to be written.
    pub(crate) rosters: BTreeSet<RoomId>,
    /// Rooms whose encryption state may have changed.
    pub(crate) mls: BTreeSet<RoomId>,
    /// Intents that are to be written, or deleted if they are gone.
    pub(crate) intents: BTreeSet<MessageId>,
    /// The cursor moved.
    pub(crate) cursor: bool,
}

impl Stage {
    /// Writes a row.
    pub(crate) fn put(&mut self, row: &impl Row) {
        self.record(row.put());
    }

    /// Deletes a row.
    pub(crate) fn gone(&mut self, row: &impl Row) {
        self.record(row.gone());
    }

    /// Adds a change; a later one to the same row takes its place.
    pub(crate) fn record(&mut self, record: Record) {
        self.records.insert((record.table, record.key), record.value);
    }

    /// A frame for the node, after the write.
    pub(crate) fn send(&mut self, frame: ClientFrame) {
        self.after.push(After::Send(frame));
    }

    /// A notice for the user, after the write.
    pub(crate) fn notify(&mut self, notice: Notice) {
        self.after.push(After::Notify(notice));
    }

    /// What the timeline of a room holds is asked of the store, after the write.
    pub(crate) fn recall(&mut self, room: RoomId) {
        self.after.push(After::Recall(room));
    }

    /// The time at which to be woken: the earliest of all that were asked for since the last one.
    pub(crate) fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |earlier| earlier.min(at)));
    }

    /// Whether there is anything to write or to let out.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.after.is_empty()
            && self.rooms.is_empty()
            && self.rosters.is_empty()
            && self.mls.is_empty()
            && self.intents.is_empty()
            && !self.cursor
    }

    /// Closes the transaction: one list of records, and behind it all that waits for it.
    pub(crate) fn close(&mut self) {
        let records: Vec<Record> = std::mem::take(&mut self.records)
            .into_iter()
            .map(|((table, key), value)| Record { table, key, value })
            .collect();
        if !records.is_empty() {
            self.barrier.persist(records);
        }
        for after in self.after.drain(..) {
            self.barrier.send(after);
        }
    }

    /// A write is durable.
    pub(crate) fn persisted(&mut self, mark: Mark) {
        self.barrier.persisted(mark);
    }

    /// What to let out next.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        match self.barrier.poll() {
            Some(Step::Persist(mark, records)) => Some(Output::Persist(mark, records)),
            Some(Step::Send(After::Send(frame))) => Some(Output::Send(frame)),
            Some(Step::Send(After::Notify(notice))) => Some(Output::Notify(notice)),
            Some(Step::Send(After::Recall(room))) => Some(Output::Recall(room)),
            None => self.wake.take().map(Output::WakeAt),
        }
    }

    /// Forgets everything that is not durable.
    pub(crate) fn abandon(&mut self) {
        *self = Self::default();
    }
}
