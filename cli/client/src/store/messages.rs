//! Reads parts of timelines.

use engine::{Table, record::MessageRow};
use sqlx::{AssertSqlSafe, Row as _, sqlite::SqliteRow};
use wire::{RoomId, limits};

use super::Store;
use crate::ClientError;

/// What a message is sealed with.
const COLUMNS: &str = "key, value, target, counts";

/// Which part of a timeline: rows between two seqs, both exclusive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Only later rows.
    pub(crate) after: u64,
    /// Only earlier rows.
    pub(crate) before: u64,
    /// At most so many, the oldest if `oldest_first`, else the newest.
    pub(crate) limit: u32,
    /// Which end the limit counts from.
    pub(crate) oldest_first: bool,
}

impl Store {
    /// Items of a room's timeline, ascending. Edits, deletions and reactions are not among them.
    ///
    /// # Errors
    /// `Storage`, also if a row is not what was written.
    pub(crate) async fn items(&mut self, room: &RoomId, part: Part) -> Result<Vec<MessageRow>, ClientError> {
        let order = if part.oldest_first { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT {COLUMNS} FROM message WHERE key > ? AND key < ? AND target IS NULL ORDER BY key {order} LIMIT ?"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(self.rows.message_key(room, part.after))
            .bind(self.rows.message_key(room, part.before))
            .bind(part.limit)
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| self.error(&error))?;
        let mut rows = self.parse(&rows)?;
        if !part.oldest_first {
            rows.reverse();
        }
        Ok(rows)
    }

    /// The newest items of a room's timeline, ascending, edits, deletions and reactions among them: as
    /// many as `Output::Recall` asks for.
    ///
    /// # Errors
    /// As [`Self::items`].
    pub(crate) async fn newest(&mut self, room: &RoomId) -> Result<Vec<MessageRow>, ClientError> {
        let sql =
            format!("SELECT {COLUMNS} FROM message WHERE key > ? AND key < ? ORDER BY key DESC LIMIT ?");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(self.rows.message_key(room, 0))
            .bind(self.rows.message_key(room, u64::MAX))
            .bind(u32::try_from(limits::ROOM_RECALLED_MAX).unwrap_or(u32::MAX))
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| self.error(&error))?;
        let mut rows = self.parse(&rows)?;
        rows.reverse();
        Ok(rows)
    }

    /// Edits, deletions and reactions that concern these items, ascending.
    ///
    /// # Errors
    /// As [`Self::items`].
    pub(crate) async fn changes(&mut self, items: &[MessageRow]) -> Result<Vec<MessageRow>, ClientError> {
        let Some(room) = items.first().map(|item| item.room.clone()) else { return Ok(Vec::new()) };
        let marks = vec!["?"; items.len()].join(", ");
        let sql = format!("SELECT {COLUMNS} FROM message WHERE target IN ({marks}) ORDER BY key");
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for item in items {
            query = query.bind(self.rows.target(&item.message));
        }
        let rows = query
            .persistent(false)
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| self.error(&error))?;
        let mut rows = self.parse(&rows)?;
        rows.retain(|row| row.room == room);
        Ok(rows)
    }

    /// How many messages of others in a room are later than this seq.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) async fn unread(&mut self, room: &RoomId, read_seq: u64) -> Result<u64, ClientError> {
        let row = sqlx::query("SELECT count(*) FROM message WHERE key > ? AND key <= ? AND counts")
            .bind(self.rows.message_key(room, read_seq))
            .bind(self.rows.message_key(room, u64::MAX))
            .fetch_one(&mut self.connection)
            .await
            .map_err(|error| self.error(&error))?;
        let count: i64 = row.try_get(0).map_err(|error| self.error(&error))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    fn parse(&self, rows: &[SqliteRow]) -> Result<Vec<MessageRow>, ClientError> {
        rows.iter()
            .map(|row| {
                let columns = || Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?));
                let (key, value, target, counts) =
                    columns().map_err(|error: sqlx::Error| self.error(&error))?;
                let opened = self.rows.message(key, value, target, counts);
                let opened = opened.ok_or_else(|| self.damaged(Table::Message))?;
                Ok(MessageRow::parse(&opened)?)
            })
            .collect()
    }
}
