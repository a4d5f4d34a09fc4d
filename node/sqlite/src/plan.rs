//! Turns a batch into what its transaction does: for the tables of the hot path, the last value of
//! each key and the rows of many inputs together; for the rest, the changes in their order.
//!
//! Tables do not depend on each other, so that only the order of changes to one key matters.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use store::{
    Batch, StoreError, Write,
    row::{EventRow, OutboxRow, PeerRow, PendingRow, RoomRow},
};
use wire::{Account, DeviceId, DomainName, MessageId, RoomId};

/// Rows are put after all drops.
#[derive(Default)]
pub(crate) struct Plan<'a> {
    /// Changes to tables that are seldom written, in order.
    pub(crate) others: Vec<&'a Write>,
    pub(crate) rooms: BTreeMap<RoomId, &'a RoomRow>,
    pub(crate) groups: BTreeMap<RoomId, &'a Bytes>,
    pub(crate) rosters: BTreeMap<RoomId, &'a Bytes>,
    pub(crate) peers: BTreeMap<&'a DomainName, &'a PeerRow>,
    pub(crate) dropped_peers: BTreeSet<&'a DomainName>,
    /// After `others`.
    pub(crate) cursors: BTreeMap<(&'a Account, DeviceId), u64>,
    pub(crate) events: Vec<&'a EventRow>,
    pub(crate) dropped_pending: BTreeSet<(RoomId, MessageId)>,
    pub(crate) pending: BTreeMap<(RoomId, MessageId), &'a PendingRow>,
    pub(crate) progress: BTreeMap<(RoomId, i32, &'a str), u64>,
    /// Up to this number.
    pub(crate) dropped_outbox: BTreeMap<&'a DomainName, u64>,
    pub(crate) dropped_items: BTreeSet<(&'a DomainName, u64)>,
    pub(crate) outbox: BTreeMap<(&'a DomainName, u64), &'a OutboxRow>,
}

impl<'a> Plan<'a> {
    /// The plan of a batch.
    ///
    /// # Errors
    /// `Conflict` if two rows of the batch have one key; a key taken in the database shows later.
    pub(crate) fn of(batch: &'a Batch) -> Result<Self, StoreError> {
        let mut plan = Self::default();
        for write in &batch.writes {
            plan.add(write)?;
        }
        Ok(plan)
    }

    fn add(&mut self, write: &'a Write) -> Result<(), StoreError> {
        let mut doubled = false;
        match write {
            Write::PutRoom(row) => drop(self.rooms.insert(row.room, row)),
            Write::PutGroup(room, value) => drop(self.groups.insert(*room, value)),
            Write::PutRoster(room, value) => drop(self.rosters.insert(*room, value)),
            Write::PutPeer(row) => drop(self.peers.insert(&row.domain, row)),
            Write::DropPeer(domain) => {
                self.peers.remove(domain);
                self.dropped_peers.insert(domain);
            }
            Write::PutEvent(row) => self.events.push(row),
            Write::PutPending(row) => {
                doubled = self.pending.insert((row.room, row.message), row).is_some();
            }
            Write::DropPending(room, message) => {
                self.pending.remove(&(*room, *message));
                self.dropped_pending.insert((*room, *message));
            }
            Write::PutProgress(row) => {
                let seq = self.progress.entry((row.room, row.kind.into(), &row.who)).or_default();
                *seq = row.seq.max(*seq);
            }
            Write::PutOutbox(row) => {
                doubled = self.outbox.insert((&row.peer, row.number), row).is_some();
            }
            Write::DropOutbox(peer, up_to) => {
                self.outbox.retain(|(of, number), _| *of != peer || number > up_to);
                let dropped = self.dropped_outbox.entry(peer).or_default();
                *dropped = (*dropped).max(*up_to);
            }
            Write::DropOutboxItem(peer, number) => {
                self.outbox.remove(&(peer, *number));
                self.dropped_items.insert((peer, *number));
            }
            Write::Cursor(account, device, position) => {
                let cursor = self.cursors.entry((account, *device)).or_default();
                *cursor = (*cursor).max(*position);
            }
            other => self.add_other(other),
        }
        if doubled { Err(StoreError::Conflict) } else { Ok(()) }
    }

    fn add_other(&mut self, write: &'a Write) {
        // The row that is put brings its own cursor.
        match write {
            Write::PutDevice(row) => drop(self.cursors.remove(&(&row.account, row.device))),
            Write::DropDevice(account, device) => drop(self.cursors.remove(&(account, *device))),
            _ => {}
        }
        self.others.push(write);
    }
}
