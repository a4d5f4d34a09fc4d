//! The statements of peers, of what waits for them, and of the node's own values.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteRow;
use store::{
    StoreError, Write,
    row::{AnswerRow, AuditRow, DocumentRow, OutboxRow, PeerRow, QuarantineRow},
};
use wire::DomainName;

use crate::{
    rows::{Columns, kept, limit, ordered},
    statement::{Many, Script, Statement, statement},
};

/// The statement of a change to a table of this module.
pub(crate) fn change(write: &Write) -> Option<Statement> {
    Some(match write {
        Write::PutDocument(row) => statement("INSERT OR REPLACE INTO document VALUES (?, ?, ?)")
            .bind(row.domain.to_string())
            .bind(ordered(row.seq))
            .bind(row.signed.to_vec()),
        Write::DropDocuments(domain) => {
            statement("DELETE FROM document WHERE domain = ?").bind(domain.to_string())
        }
        Write::PutAnswer(row) => statement("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)")
            .bind(row.peer.to_string())
            .bind(ordered(row.number))
            .bind(row.error.to_vec()),
        Write::DropAnswers(peer, up_to) => {
            of_item(statement("DELETE FROM answer WHERE peer = ? AND number <= ?"), peer, *up_to)
        }
        Write::PutQuarantine(row) => {
            statement("INSERT INTO quarantine (peer, time_ms, error, kind, item) VALUES (?, ?, ?, ?, ?)")
                .bind(row.peer.to_string())
                .bind(kept(row.time_ms))
                .bind(i64::from(row.error))
                .bind(row.kind.clone())
                .bind(row.item.to_vec())
        }
        Write::TrimQuarantine(peer, keep) => {
            let text = "DELETE FROM quarantine WHERE peer = ? AND id <= (SELECT id FROM quarantine \
                        WHERE peer = ? ORDER BY id DESC LIMIT 1 OFFSET ?)";
            statement(text).bind(peer.to_string()).bind(peer.to_string()).bind(limit(*keep))
        }
        Write::PutAudit(row) => {
            statement("INSERT INTO audit VALUES (?, ?)").bind(ordered(row.seq)).bind(row.entry.to_vec())
        }
        Write::PruneAudit(before) => statement("DELETE FROM audit WHERE seq < ?").bind(ordered(*before)),
        Write::PutMeta(name, value) => {
            statement("INSERT OR REPLACE INTO meta VALUES (?, ?)").bind(*name).bind(value.to_vec())
        }
        _ => return None,
    })
}

fn of_item(statement: Statement, peer: &DomainName, number: u64) -> Statement {
    statement.bind(peer.to_string()).bind(ordered(number))
}

pub(crate) fn drop_outbox(
    script: &mut Script,
    up_to: &BTreeMap<&DomainName, u64>,
    items: &BTreeSet<(&DomainName, u64)>,
) {
    const DROP_UP_TO: &str = "DELETE FROM outbox WHERE peer = ? AND number <= ?";
    const DROP_ITEMS: Many =
        Many { before: "DELETE FROM outbox WHERE (peer, number) IN (VALUES ", row: "(?, ?)", after: ")" };
    script.extend(up_to.iter().map(|(peer, number)| of_item(statement(DROP_UP_TO), peer, *number)));
    let items: Vec<_> = items.iter().copied().collect();
    script
        .extend(DROP_ITEMS.statements(&items, |statement, (peer, number)| of_item(statement, peer, *number)));
}

pub(crate) fn put_outbox(script: &mut Script, outbox: &BTreeMap<(&DomainName, u64), &OutboxRow>) {
    const PUT: Many = Many { before: "INSERT INTO outbox VALUES ", row: "(?, ?, ?, ?, ?, ?, ?)", after: "" };
    let outbox: Vec<_> = outbox.values().collect();
    script.extend(PUT.statements(&outbox, |statement, row| {
        of_item(statement, &row.peer, row.number)
            .bind(row.room.as_bytes().to_vec())
            .bind(row.item.to_vec())
            .bind(ordered(row.from_seq))
            .bind(ordered(row.to_seq))
            .bind(ordered(row.queued_ms))
    }));
}

pub(crate) fn drop_peers(script: &mut Script, peers: &BTreeSet<&DomainName>) {
    let text = "DELETE FROM peer WHERE domain = ?";
    script.extend(peers.iter().map(|domain| statement(text).bind(domain.to_string())));
}

pub(crate) fn put_peers(script: &mut Script, peers: &BTreeMap<&DomainName, &PeerRow>) {
    let text = "INSERT OR REPLACE INTO peer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    script.extend(peers.values().map(|row| {
        statement(text)
            .bind(row.domain.to_string())
            .bind(row.fingerprint.to_vec())
            .bind(row.endpoints.join("\n"))
            .bind(row.held)
            .bind(row.outbox_id.to_vec())
            .bind(kept(row.next_number))
            .bind(kept(row.acked))
            .bind(kept(row.settled))
            .bind(row.their_outbox_id.to_vec())
            .bind(kept(row.received))
            .bind(i64::from(row.failures))
            .bind(kept(row.next_retry_ms))
            .bind(kept(row.absent_since_ms))
            .bind(i64::from(row.last_error))
            .bind(i32::from(row.mode))
    }));
}

pub(crate) fn meta(name: &'static str) -> Statement {
    statement("SELECT value FROM meta WHERE name = ?").bind(name)
}

pub(crate) fn peers() -> Statement {
    statement("SELECT * FROM peer ORDER BY domain")
}

pub(crate) fn read_peer(row: &SqliteRow) -> Result<PeerRow, StoreError> {
    let columns = Columns(row);
    let endpoints: &str = columns.get(2)?;
    Ok(PeerRow {
        domain: columns.name(0)?,
        fingerprint: columns.array(1)?,
        endpoints: endpoints.lines().map(str::to_owned).collect(),
        held: columns.flag(3)?,
        outbox_id: columns.array(4)?,
        next_number: columns.number(5)?,
        acked: columns.number(6)?,
        settled: columns.number(7)?,
        their_outbox_id: columns.array(8)?,
        received: columns.number(9)?,
        failures: columns.small(10)?,
        next_retry_ms: columns.number(11)?,
        absent_since_ms: columns.number(12)?,
        last_error: columns.small(13)?,
        mode: columns.of_list(14)?,
    })
}

pub(crate) fn documents(domain: &DomainName, after_seq: u64) -> Statement {
    of_item(statement("SELECT * FROM document WHERE domain = ? AND seq > ? ORDER BY seq"), domain, after_seq)
}

pub(crate) fn read_document(row: &SqliteRow) -> Result<DocumentRow, StoreError> {
    let columns = Columns(row);
    Ok(DocumentRow { domain: columns.name(0)?, seq: columns.number(1)?, signed: columns.bytes(2)? })
}

pub(crate) fn outbox(peer: &DomainName, from: u64, rows: usize) -> Statement {
    let text = "SELECT * FROM outbox WHERE peer = ? AND number >= ? ORDER BY number LIMIT ?";
    of_item(statement(text), peer, from).bind(limit(rows))
}

pub(crate) fn read_outbox(row: &SqliteRow) -> Result<OutboxRow, StoreError> {
    let columns = Columns(row);
    Ok(OutboxRow {
        peer: columns.name(0)?,
        number: columns.number(1)?,
        room: columns.id(2)?,
        item: columns.bytes(3)?,
        from_seq: columns.number(4)?,
        to_seq: columns.number(5)?,
        queued_ms: columns.number(6)?,
    })
}

pub(crate) fn outbox_size(peer: &DomainName) -> Statement {
    let text = "SELECT count(*), coalesce(sum(length(item)), 0), coalesce(min(queued_ms), 0) \
                FROM outbox WHERE peer = ?";
    statement(text).bind(peer.to_string())
}

pub(crate) fn read_outbox_size(row: &SqliteRow) -> Result<(u64, u64, u64), StoreError> {
    let columns = Columns(row);
    Ok((columns.number(0)?, columns.number(1)?, columns.number(2)?))
}

pub(crate) fn answers(peer: &DomainName) -> Statement {
    statement("SELECT * FROM answer WHERE peer = ? ORDER BY number").bind(peer.to_string())
}

pub(crate) fn read_answer(row: &SqliteRow) -> Result<AnswerRow, StoreError> {
    let columns = Columns(row);
    Ok(AnswerRow { peer: columns.name(0)?, number: columns.number(1)?, error: columns.bytes(2)? })
}

pub(crate) fn quarantine(rows: usize) -> Statement {
    statement("SELECT peer, time_ms, error, kind, item FROM quarantine ORDER BY id DESC LIMIT ?")
        .bind(limit(rows))
}

pub(crate) fn read_quarantine(row: &SqliteRow) -> Result<QuarantineRow, StoreError> {
    let columns = Columns(row);
    Ok(QuarantineRow {
        peer: columns.name(0)?,
        time_ms: columns.number(1)?,
        error: columns.small(2)?,
        kind: columns.get(3)?,
        item: columns.bytes(4)?,
    })
}

pub(crate) fn quarantine_count() -> Statement {
    statement("SELECT count(*) FROM quarantine")
}

pub(crate) fn audit(before: u64, rows: usize) -> Statement {
    statement("SELECT * FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?")
        .bind(ordered(before))
        .bind(limit(rows))
}

pub(crate) fn read_audit(row: &SqliteRow) -> Result<AuditRow, StoreError> {
    let columns = Columns(row);
    Ok(AuditRow { seq: columns.number(0)?, entry: columns.bytes(1)? })
}

/// Pages in use, times their size.
pub(crate) fn size() -> Statement {
    statement(
        "SELECT (pages.page_count - free.freelist_count) * size.page_size \
         FROM pragma_page_count AS pages, pragma_freelist_count AS free, pragma_page_size AS size",
    )
}
