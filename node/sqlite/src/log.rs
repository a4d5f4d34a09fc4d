//! The statements of events, of submissions that wait for their hub, and of progress.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use store::{
    StoreError,
    row::{EventRow, PendingRow, ProgressRow},
};
use wire::{Account, DomainName, MessageId, RoomId};

use crate::{
    connection::{row, rows},
    head::{self, Beside},
    rows::{Columns, kept, limit, ordered},
    statement::{Many, Script, Statement, statement},
    writer::Log,
};

/// What is read of an event, for [`read_event`].
macro_rules! event_columns {
    () => {
        "log.room, log.hub, event.position, event.seq, event.kind, event.message, event.head, \
         event.signature, event.body"
    };
}

/// The logs of events that are not known yet, looked up or made.
pub(crate) fn find_logs(
    connection: &mut SqliteConnection,
    known: &BTreeMap<RoomId, Log>,
    events: &[&EventRow],
) -> sqlx::Result<BTreeMap<RoomId, Log>> {
    let mut new = BTreeMap::new();
    for event in events {
        if !known.contains_key(&event.room) && !new.contains_key(&event.room) {
            new.insert(event.room, find_log(connection, event)?);
        }
    }
    Ok(new)
}

pub(crate) fn put_events<'a>(
    script: &mut Script,
    log_of: impl Fn(&RoomId) -> Option<&'a Log>,
    events: &[&EventRow],
) {
    const EVENTS: Many =
        Many { before: "INSERT INTO event VALUES ", row: "(?, ?, ?, ?, ?, ?, ?, ?)", after: "" };
    script.extend(EVENTS.statements(events, |statement, event| {
        let log = log_of(&event.room);
        statement
            .bind(ordered(event.position))
            // NULL, which the column refuses, if a log had not been found.
            .bind(log.map(|log| log.id))
            .bind(ordered(event.seq))
            .bind(i32::from(event.kind))
            .bind(event.message.as_bytes().to_vec())
            .bind(head::pack(event, log.map_or("", |log| &log.hub)))
            .bind(event.signature.to_vec())
            .bind(event.body.to_vec())
    }));
}

fn find_log(connection: &mut SqliteConnection, event: &EventRow) -> sqlx::Result<Log> {
    let room = event.room.as_bytes().to_vec();
    let find = statement("SELECT id, hub FROM log WHERE room = ?").bind(room.clone());
    if let Some(found) = row(connection, find)? {
        return Ok(Log { id: found.try_get(0)?, hub: found.try_get(1)? });
    }
    let hub = head::hub_of(event);
    let make = statement("INSERT INTO log (room, hub) VALUES (?, ?) RETURNING id");
    let made = rows(connection, make.bind(room).bind(hub.clone()))?;
    let made = made.first().ok_or(sqlx::Error::RowNotFound)?;
    Ok(Log { id: made.try_get(0)?, hub })
}

pub(crate) fn events(room: &RoomId, from_seq: u64, rows: usize) -> Statement {
    statement(concat!(
        "SELECT ",
        event_columns!(),
        " FROM log CROSS JOIN event ON event.log = log.id WHERE log.room = ? AND event.seq >= ? \
         ORDER BY event.seq LIMIT ?"
    ))
    .bind(room.as_bytes().to_vec())
    .bind(ordered(from_seq))
    .bind(limit(rows))
}

/// Each period of membership gives at most as many events as are wanted in all, found from the
/// cursor on by `event_position`; a busy room that the account has left is not walked through.
pub(crate) fn account_events(account: &Account, after: u64, rows: usize) -> Statement {
    statement(concat!(
        "SELECT DISTINCT ",
        event_columns!(),
        " FROM member CROSS JOIN log ON log.room = member.room \
         CROSS JOIN event ON event.position IN ( \
           SELECT newer.position FROM event AS newer WHERE newer.log = log.id \
           AND newer.position > max(?2, coalesce((SELECT position FROM event AS first \
             WHERE first.log = log.id AND first.seq = member.from_seq), 0)) \
           AND newer.position <= coalesce((SELECT position FROM event AS last \
             WHERE last.log = log.id AND last.seq = member.to_seq), 9223372036854775807) \
           AND newer.seq > member.from_seq \
           AND newer.seq <= coalesce(member.to_seq, 9223372036854775807) \
           ORDER BY newer.position LIMIT ?3) \
         WHERE member.account = ?1 ORDER BY event.position LIMIT ?3"
    ))
    .bind(account.to_string())
    .bind(ordered(after))
    .bind(limit(rows))
}

pub(crate) const EVENTS_BY_MESSAGE: Many = Many {
    before: "WITH wanted (room, message) AS (VALUES ",
    row: "(?, ?)",
    after: concat!(
        ") SELECT ",
        event_columns!(),
        " FROM wanted CROSS JOIN log ON log.room = wanted.room \
         CROSS JOIN event ON event.log = log.id AND event.message = wanted.message"
    ),
};

pub(crate) const PENDING: Many = Many {
    before: "WITH wanted (room, message) AS (VALUES ",
    row: "(?, ?)",
    after: ") SELECT pending.* FROM wanted CROSS JOIN pending \
            ON pending.room = wanted.room AND pending.message = wanted.message",
};

pub(crate) fn of_message(statement: Statement, (room, message): &(RoomId, MessageId)) -> Statement {
    statement.bind(room.as_bytes().to_vec()).bind(message.as_bytes().to_vec())
}

pub(crate) fn read_event(row: &SqliteRow) -> Result<EventRow, StoreError> {
    let columns = Columns(row);
    let (room, seq, kind, message) =
        (columns.id(0)?, columns.number(3)?, columns.of_list(4)?, columns.id(5)?);
    let body = columns.bytes(8)?;
    let beside = Beside { room, hub: columns.get(1)?, seq, kind, message, body: &body };
    let head = head::unpack(columns.get(6)?, &beside)?;
    let (position, signature) = (columns.number(2)?, columns.bytes(7)?);
    Ok(EventRow { position, room, seq, message, kind, head, signature, body })
}

/// The largest position of an event or an entry.
pub(crate) fn largest_position() -> Statement {
    statement(
        "SELECT max(coalesce((SELECT max(position) FROM event), 0), \
         coalesce((SELECT max(position) FROM entry), 0))",
    )
}

pub(crate) fn drop_pending(script: &mut Script, ids: &BTreeSet<(RoomId, MessageId)>) {
    const DROP: Many =
        Many { before: "DELETE FROM pending WHERE (room, message) IN (VALUES ", row: "(?, ?)", after: ")" };
    let ids: Vec<_> = ids.iter().copied().collect();
    script.extend(DROP.statements(&ids, of_message));
}

pub(crate) fn put_pending(script: &mut Script, pending: &BTreeMap<(RoomId, MessageId), &PendingRow>) {
    const PUT: Many =
        Many { before: "INSERT INTO pending VALUES ", row: "(?, ?, ?, ?, ?, ?, ?, ?)", after: "" };
    let pending: Vec<_> = pending.values().collect();
    script.extend(PUT.statements(&pending, |statement, row| {
        of_message(statement, &(row.room, row.message))
            .bind(row.hash.to_vec())
            .bind(row.account.to_string())
            .bind(row.device.as_bytes().to_vec())
            .bind(row.peer.to_string())
            .bind(ordered(row.number))
            .bind(kept(row.time_ms))
    }));
}

pub(crate) fn pending_of_peer(peer: &DomainName, up_to: u64, rows: usize) -> Statement {
    statement("SELECT * FROM pending WHERE peer = ? AND number <= ? ORDER BY number LIMIT ?")
        .bind(peer.to_string())
        .bind(ordered(up_to))
        .bind(limit(rows))
}

pub(crate) fn read_pending(row: &SqliteRow) -> Result<PendingRow, StoreError> {
    let columns = Columns(row);
    Ok(PendingRow {
        room: columns.id(0)?,
        message: columns.id(1)?,
        hash: columns.array(2)?,
        account: columns.name(3)?,
        device: columns.id(4)?,
        peer: columns.name(5)?,
        number: columns.number(6)?,
        time_ms: columns.number(7)?,
    })
}

pub(crate) fn put_progress(script: &mut Script, progress: &BTreeMap<(RoomId, i32, &str), u64>) {
    const PUT: Many = Many {
        before: "INSERT INTO progress VALUES ",
        row: "(?, ?, ?, ?)",
        after: " ON CONFLICT (room, kind, who) DO UPDATE SET seq = excluded.seq \
                WHERE excluded.seq > progress.seq",
    };
    let progress: Vec<_> = progress.iter().collect();
    script.extend(PUT.statements(&progress, |statement, ((room, kind, who), seq)| {
        statement.bind(room.as_bytes().to_vec()).bind(*kind).bind((*who).to_owned()).bind(ordered(**seq))
    }));
}

pub(crate) fn progress(room: &RoomId) -> Statement {
    statement("SELECT * FROM progress WHERE room = ? ORDER BY kind, who").bind(room.as_bytes().to_vec())
}

pub(crate) fn read_progress(row: &SqliteRow) -> Result<ProgressRow, StoreError> {
    let columns = Columns(row);
    Ok(ProgressRow {
        room: columns.id(0)?,
        kind: columns.of_list(1)?,
        who: columns.get(2)?,
        seq: columns.number(3)?,
    })
}
