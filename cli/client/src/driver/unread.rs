//! How much of a room is unread, and how much of that names this account.

use engine::view::mentions;
use wire::RoomId;

use super::Driver;
use crate::{ClientError, store::Part};

/// Rows that are looked through at once.
const ROWS: u32 = 200;
/// Rows after which nobody counts on.
const LOOKED_MAX: usize = 1_000;

/// What was counted so far: a new message costs a look at itself, not at all that are unread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    read_seq: u64,
    through: u64,
    looked: usize,
    mentions: u64,
}

impl Driver {
    /// Texts of others after `read_seq`, and those of them that name this account.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) async fn unread(&mut self, room: &RoomId, read_seq: u64) -> Result<(u64, u64), ClientError> {
        let unread = self.store.unread(room, read_seq).await?;
        if unread == 0 {
            self.counted.remove(room);
            return Ok((0, 0));
        }
        let mut counted = match self.counted.get(room) {
            Some(counted) if counted.read_seq == read_seq => *counted,
            _ => Counted { read_seq, through: read_seq, ..Counted::default() },
        };
        while counted.looked < LOOKED_MAX {
            let part = Part { after: counted.through, before: u64::MAX, limit: ROWS, oldest_first: true };
            let rows = self.store.items(room, part).await?;
            let calls = |body: &str| !mentions(body, &self.account).is_empty();
            let found = rows.iter().filter(|row| row.counts() && calls(&row.body)).count();
            counted.mentions += found as u64;
            counted.looked += rows.len();
            counted.through = rows.last().map_or(counted.through, |row| row.seq);
            if rows.len() < ROWS as usize {
                break;
            }
        }
        self.counted.insert(*room, counted);
        Ok((unread, counted.mentions))
    }
}
