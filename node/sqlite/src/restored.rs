//! Makes of a copy a store that goes on: what was handed out since the copy was made must not be
//! handed out again, and what others have seen since is to be asked of them.

use std::sync::PoisonError;

use sqlx::SqliteConnection;
use store::StoreError;
use wire::DomainName;

use crate::{
    Sqlite,
    connection::{row, run},
    outage,
    rows::{Columns, kept},
    statement::{Statement, statement},
};

/// What was done to a restored store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Rooms that this domain orders and whose other domains are asked for what came after the copy.
    pub rooms_ordered: u64,
    /// Rooms that this domain orders and of which nobody else has a copy.
    pub rooms_alone: u64,
    /// Rooms of other hubs, which are asked for what came after the copy.
    pub rooms_followed: u64,
    /// One-time invitation codes that are void now, because they may have been used.
    pub codes_voided: u64,
    /// Passwords that are void now: of accounts that nobody has enrolled in this copy, so that one which
    /// was changed, or used, since would enrol them anew.
    pub passwords_voided: u64,
    /// Peers.
    pub peers: u64,
}

impl Sqlite {
    /// Turns the store from a copy of an earlier moment into one that goes on from there, in one
    /// transaction:
    ///
    /// - Devices find another store: its next opening gives it another id, cursors are void.
    /// - Key packages and claims are forgotten, unused invitation codes are void, and so are
    ///   passwords with which nobody has enrolled.
    /// - Items to peers are numbered under another name, and peers are tried at once.
    /// - Rooms want what came after the copy (`RoomRow::wanted_seq`).
    ///
    /// # Errors
    /// Those of a commit.
    pub fn restored(&self, own: &DomainName, now_ms: u64) -> Result<Restored, StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = &mut *writer.connection;
        let done = run(connection, statement("BEGIN IMMEDIATE")).and_then(|()| {
            let found = count(connection, own)?;
            rewrite(connection, own, now_ms)?;
            run(connection, statement("COMMIT")).map(|()| found)
        });
        done.map_err(|error| {
            // SQLite has rolled back by itself after some errors, and says so to this.
            let _ = run(connection, statement("ROLLBACK"));
            outage::store_error(&error, &self.directory)
        })
    }
}

/// Members of other domains.
const FOREIGN: &str = "EXISTS (SELECT 1 FROM member WHERE member.room = room.room AND member.to_seq IS NULL \
                       AND substr(member.account, instr(member.account, '@') + 1) <> ?1)";

fn rewrite(connection: &mut SqliteConnection, own: &DomainName, now_ms: u64) -> sqlx::Result<()> {
    run(connection, statement("DELETE FROM meta WHERE name = 'store_id'"))?;
    run(connection, statement("UPDATE device SET cursor = 0"))?;
    run(connection, statement("DELETE FROM key_package"))?;
    run(connection, statement("DELETE FROM claim"))?;
    run(connection, statement("UPDATE account SET code_hash = NULL, code_expires_ms = 0"))?;
    let unused = "DELETE FROM password WHERE account IN (SELECT account FROM account WHERE keys IS NULL)";
    run(connection, statement(unused))?;
    let peers =
        "UPDATE peer SET outbox_id = randomblob(16), failures = 0, next_retry_ms = 0, absent_since_ms = ?";
    run(connection, statement(peers).bind(kept(now_ms)))?;
    let followed = statement("UPDATE room SET wanted_seq = max(wanted_seq, head_seq + 1) WHERE hub <> ?");
    run(connection, followed.bind(own.to_string()))?;
    run(connection, of_own("UPDATE room SET wanted_seq = 9223372036854775807 WHERE hub = ?1 AND ", own))
}

fn of_own(before: &str, own: &DomainName) -> Statement {
    // Only constants of this file come together here.
    statement(format!("{before}{FOREIGN}")).bind(own.to_string())
}

fn count(connection: &mut SqliteConnection, own: &DomainName) -> sqlx::Result<Restored> {
    let mut number = |statement: Statement| {
        let found = row(connection, statement)?;
        Ok::<u64, sqlx::Error>(found.and_then(|row| Columns(&row).number(0).ok()).unwrap_or_default())
    };
    let rooms_ordered = number(of_own("SELECT count(*) FROM room WHERE hub = ?1 AND ", own))?;
    let own_rooms = number(statement("SELECT count(*) FROM room WHERE hub = ?").bind(own.to_string()))?;
    Ok(Restored {
        rooms_ordered,
        rooms_alone: own_rooms.saturating_sub(rooms_ordered),
        rooms_followed: number(statement("SELECT count(*) FROM room WHERE hub <> ?").bind(own.to_string()))?,
        codes_voided: number(statement("SELECT count(*) FROM account WHERE code_hash IS NOT NULL"))?,
        passwords_voided: number(statement(
            "SELECT count(*) FROM password JOIN account USING (account) WHERE keys IS NULL",
        ))?,
        peers: number(statement("SELECT count(*) FROM peer"))?,
    })
}
