//! The Welcomes that wait to be judged: each by itself, beside the rooms, and not too many.

use std::collections::BTreeMap;

use machine::Timestamp;
use prost::Message as _;
use wire::{ErrorCode, RoomId, limits, proto::Join};

use super::join::place;
use crate::record::JoinRow;

/// A Welcome that waits to be judged.
pub(crate) struct Waiting {
    pub(crate) row: JoinRow,
    /// It is looked at again then, or when something was fetched.
    pub(crate) look_at: Timestamp,
    /// The user knows that it waits, and why.
    pub(crate) told: bool,
    seq: u64,
    bytes: usize,
}

/// The Welcomes that wait, at most one for a room.
#[derive(Default)]
pub(crate) struct Joins {
    waiting: BTreeMap<RoomId, Waiting>,
    bytes: usize,
}

impl Joins {
    /// Those that were stored.
    pub(crate) fn load(rows: BTreeMap<RoomId, JoinRow>) -> Self {
        let mut joins = Self::default();
        for (id, row) in rows {
            let seq = row.join.as_ref().and_then(|join| place(join).ok()).map_or(0, |(_, _, seq)| seq);
            joins.put_back(id, Waiting::new(seq, row));
        }
        joins
    }

    /// Keeps one, in the place of an earlier one for this room.
    ///
    /// # Errors
    /// `Quota` if too many wait, or too much, beside this many rooms.
    pub(crate) fn put(&mut self, id: RoomId, seq: u64, row: JoinRow, rooms: usize) -> Result<(), ErrorCode> {
        let waiting = Waiting::new(seq, row);
        let (known, before) = self.waiting.get(&id).map_or((false, 0), |before| (true, before.bytes));
        let many = !known && self.waiting.len() + rooms >= limits::ROOMS_PER_ACCOUNT_MAX;
        let bytes = self.bytes.saturating_sub(before).saturating_add(waiting.bytes);
        if many || bytes > limits::JOINS_WAITING_BYTES_MAX {
            return Err(ErrorCode::Quota);
        }
        self.take(id);
        self.put_back(id, waiting);
        Ok(())
    }

    /// Puts back what was taken.
    pub(crate) fn put_back(&mut self, id: RoomId, waiting: Waiting) {
        self.bytes = self.bytes.saturating_add(waiting.bytes);
        self.waiting.insert(id, waiting);
    }

    /// The one for a room, for good.
    pub(crate) fn take(&mut self, id: RoomId) -> Option<Waiting> {
        let waiting = self.waiting.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(waiting.bytes);
        Some(waiting)
    }

    /// The one for a room, if it is time to look at it.
    pub(crate) fn take_due(&mut self, id: RoomId, now: Timestamp) -> Option<Waiting> {
        let due = self.waiting.get(&id).is_some_and(|waiting| waiting.look_at <= now);
        due.then(|| self.take(id)).flatten()
    }

    /// What the one for a room says.
    pub(crate) fn shown(&self, id: RoomId) -> Option<&Join> {
        self.waiting.get(&id)?.row.join.as_ref()
    }

    /// Where the one for a room stands in its log.
    pub(crate) fn seq(&self, id: RoomId) -> Option<u64> {
        self.waiting.get(&id).map(|waiting| waiting.seq)
    }

    /// Something was fetched: all of them are to be looked at.
    pub(crate) fn look_again(&mut self) -> impl Iterator<Item = RoomId> {
        self.waiting.iter_mut().map(|(id, waiting)| {
            waiting.look_at = Timestamp::default();
            *id
        })
    }

    /// Whether the answers for one of them are on their way.
    pub(crate) fn are_fetched(&self) -> bool {
        self.waiting.values().any(|waiting| !waiting.told)
    }
}

impl Waiting {
    fn new(seq: u64, row: JoinRow) -> Self {
        let bytes = row.encoded_len();
        Self { row, look_at: Timestamp::default(), told: false, seq, bytes }
    }
}
