//! Writes the engine's records and reads them back.

use engine::{
    Record, Snapshot, Table,
    record::{DomainRow, ItemKind, MessageRow},
};
use prost::Message as _;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, Sqlite, Transaction};

use wire::ErrorCode;

use super::Store;
use crate::ClientError;

/// Rows in one statement: few enough kinds of statement to be kept prepared.
const CHUNKS: [usize; 3] = [32, 8, 1];

impl Store {
    /// Everything that an engine is opened with.
    ///
    /// # Errors
    /// `Storage`; `Refused(Malformed)` if a row is not what was written.
    pub(crate) async fn snapshot(&mut self) -> Result<Snapshot, ClientError> {
        let mut snapshot = Snapshot::default();
        for table in Table::ALL.into_iter().filter(|table| *table != Table::Message) {
            let sql = AssertSqlSafe(format!("SELECT key, value FROM {}", table.name()));
            let rows = sqlx::query(sql).fetch_all(&mut self.connection).await;
            for row in rows.map_err(|error| self.error(&error))? {
                let pair = || Ok((row.try_get::<&[u8], _>(0)?, row.try_get::<&[u8], _>(1)?));
                let (key, value) = pair().map_err(|error: sqlx::Error| self.error(&error))?;
                snapshot.add(table, key, value)?;
            }
        }
        Ok(snapshot)
    }

    /// The documents of every domain that was seen.
    ///
    /// # Errors
    /// `Storage`; `Refused(Malformed)` if a row is not what was written.
    pub(crate) async fn domains(&mut self) -> Result<Vec<DomainRow>, ClientError> {
        let sql = AssertSqlSafe(format!("SELECT value FROM {}", Table::Domain.name()));
        let rows =
            sqlx::query(sql).fetch_all(&mut self.connection).await.map_err(|error| self.error(&error))?;
        rows.iter()
            .map(|row| {
                let value = row.try_get::<&[u8], _>(0).map_err(|error| self.error(&error))?;
                DomainRow::decode(value).map_err(|_| ErrorCode::Malformed.into())
            })
            .collect()
    }

    /// Writes records in one transaction; when it returns they are on disk.
    ///
    /// # Errors
    /// `Storage`: none of them is written.
    pub(crate) async fn write(&mut self, records: Vec<Record>) -> Result<(), ClientError> {
        self.dirty = true;
        let outcome = write(&mut self.connection, newest(records)).await;
        outcome.map_err(|error| self.error(&error))
    }
}

/// Only the last change to a row matters; by table, in the order of the keys.
fn newest(records: Vec<Record>) -> Vec<Record> {
    let mut rows = std::collections::BTreeMap::new();
    for Record { table, key, value } in records {
        rows.insert((table, key), value);
    }
    rows.into_iter().map(|((table, key), value)| Record { table, key, value }).collect()
}

async fn write(connection: &mut sqlx::SqliteConnection, records: Vec<Record>) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    for group in records.chunk_by(|a, b| a.table == b.table) {
        let Some(table) = group.first().map(|record| record.table) else { continue };
        let (puts, gone): (Vec<&Record>, Vec<&Record>) =
            group.iter().partition(|record| record.value.is_some());
        for rows in chunks(&puts) {
            put(&mut transaction, table, rows).await?;
        }
        for rows in chunks(&gone) {
            delete(&mut transaction, table, rows).await?;
        }
    }
    transaction.commit().await
}

/// The rows in pieces of the sizes of [`CHUNKS`].
fn chunks<'a>(mut rows: &'a [&'a Record]) -> impl Iterator<Item = &'a [&'a Record]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= rows.len())?;
        let (chunk, rest) = rows.split_at_checked(size)?;
        rows = rest;
        Some(chunk)
    })
}

async fn put(
    transaction: &mut Transaction<'_, Sqlite>,
    table: Table,
    rows: &[&Record],
) -> Result<(), sqlx::Error> {
    let (columns, marks, also) = match table {
        Table::Message => (
            "key, value, target, counts",
            "(?, ?, ?, ?)",
            ", target = excluded.target, counts = excluded.counts",
        ),
        _ => ("key, value", "(?, ?)", ""),
    };
    let marks = vec![marks; rows.len()].join(", ");
    let sql = format!(
        "INSERT INTO {} ({columns}) VALUES {marks} ON CONFLICT (key) DO UPDATE SET value = excluded.value{also}",
        table.name()
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for record in rows {
        let value = record.value.as_deref().unwrap_or_default();
        query = query.bind(record.key.to_vec()).bind(value.to_vec());
        if table == Table::Message {
            let (target, counts) = message_columns(value);
            query = query.bind(target).bind(counts);
        }
    }
    query.execute(&mut **transaction).await.map(|_| ())
}

/// The message that an edit, a deletion or a reaction concerns, and whether the row counts as
/// unread.
fn message_columns(value: &[u8]) -> (Option<Vec<u8>>, bool) {
    let Ok(row) = MessageRow::parse(value) else { return (None, false) };
    let concerns = matches!(row.kind(), ItemKind::Edit | ItemKind::Delete | ItemKind::Reaction);
    (concerns.then(|| row.target.to_vec()), row.counts())
}

async fn delete(
    transaction: &mut Transaction<'_, Sqlite>,
    table: Table,
    rows: &[&Record],
) -> Result<(), sqlx::Error> {
    let marks = vec!["?"; rows.len()].join(", ");
    let sql = format!("DELETE FROM {} WHERE key IN ({marks})", table.name());
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for record in rows {
        query = query.bind(record.key.to_vec());
    }
    query.execute(&mut **transaction).await.map(|_| ())
}
