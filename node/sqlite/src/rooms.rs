//! The statements of rooms and their members.

use std::collections::BTreeMap;

use bytes::Bytes;
use sqlx::sqlite::SqliteRow;
use store::{
    StoreError, Write,
    row::{MemberRow, RoomRow},
};
use wire::{Account, DomainName, RoomId};

use crate::{
    rows::{Columns, kept, limit, ordered},
    statement::{Many, Script, Statement, statement},
};

/// The statement of a change to a table of this module.
pub(crate) fn change(write: &Write) -> Option<Statement> {
    match write {
        Write::PutMember(row) => Some(
            statement("INSERT OR REPLACE INTO member VALUES (?, ?, ?, ?)")
                .bind(row.room.as_bytes().to_vec())
                .bind(row.account.to_string())
                .bind(ordered(row.from_seq))
                .bind(row.to_seq.map(ordered)),
        ),
        Write::DropMemberships(account) => {
            Some(statement("DELETE FROM member WHERE account = ?").bind(account.to_string()))
        }
        _ => None,
    }
}

pub(crate) fn put_rooms(script: &mut Script, rooms: &BTreeMap<RoomId, &RoomRow>) {
    const ROOMS: Many =
        Many { before: "INSERT OR REPLACE INTO room VALUES ", row: "(?, ?, ?, ?, ?, ?, ?, ?)", after: "" };
    let rooms: Vec<_> = rooms.values().collect();
    script.extend(ROOMS.statements(&rooms, |statement, row| {
        statement
            .bind(row.room.as_bytes().to_vec())
            .bind(row.hub.to_string())
            .bind(i32::from(row.kind))
            .bind(ordered(row.head_seq))
            .bind(row.head_hash.to_vec())
            .bind(kept(row.epoch))
            .bind(ordered(row.base_seq))
            .bind(ordered(row.wanted_seq))
    }));
}

pub(crate) fn put_values(
    script: &mut Script,
    groups: &BTreeMap<RoomId, &Bytes>,
    rosters: &BTreeMap<RoomId, &Bytes>,
) {
    let row = |text, room: &RoomId, value: &Bytes| {
        statement(text).bind(room.as_bytes().to_vec()).bind(value.to_vec())
    };
    script.extend(
        groups
            .iter()
            .map(|(room, value)| row("INSERT OR REPLACE INTO room_group VALUES (?, ?)", room, value)),
    );
    script.extend(
        rosters.iter().map(|(room, value)| row("INSERT OR REPLACE INTO roster VALUES (?, ?)", room, value)),
    );
}

pub(crate) fn room(room: &RoomId) -> Statement {
    statement("SELECT * FROM room WHERE room = ?").bind(room.as_bytes().to_vec())
}

pub(crate) fn read_room(row: &SqliteRow) -> Result<RoomRow, StoreError> {
    let columns = Columns(row);
    Ok(RoomRow {
        room: columns.id(0)?,
        hub: columns.name(1)?,
        kind: columns.of_list(2)?,
        head_seq: columns.number(3)?,
        head_hash: columns.array(4)?,
        epoch: columns.number(5)?,
        base_seq: columns.number(6)?,
        wanted_seq: columns.number(7)?,
    })
}

pub(crate) fn rooms_wanting(hub: &DomainName, rows: usize) -> Statement {
    statement("SELECT * FROM room WHERE hub = ? AND wanted_seq > head_seq ORDER BY room LIMIT ?")
        .bind(hub.to_string())
        .bind(limit(rows))
}

pub(crate) fn room_count() -> Statement {
    statement("SELECT count(*) FROM room")
}

pub(crate) fn group(room: &RoomId) -> Statement {
    statement("SELECT value FROM room_group WHERE room = ?").bind(room.as_bytes().to_vec())
}

pub(crate) fn roster(room: &RoomId) -> Statement {
    statement("SELECT value FROM roster WHERE room = ?").bind(room.as_bytes().to_vec())
}

pub(crate) fn members(room: &RoomId) -> Statement {
    statement("SELECT * FROM member WHERE room = ? ORDER BY account, from_seq").bind(room.as_bytes().to_vec())
}

pub(crate) fn memberships(account: &Account) -> Statement {
    statement("SELECT room, account, from_seq, to_seq FROM member WHERE account = ? ORDER BY room, from_seq")
        .bind(account.to_string())
}

pub(crate) fn read_member(row: &SqliteRow) -> Result<MemberRow, StoreError> {
    let columns = Columns(row);
    Ok(MemberRow {
        room: columns.id(0)?,
        account: columns.name(1)?,
        from_seq: columns.number(2)?,
        to_seq: columns.get::<Option<i64>>(3)?.map(i64::cast_unsigned),
    })
}
