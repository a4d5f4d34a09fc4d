//! Writes the engine's records and reads them back.

use engine::{
    Record, Snapshot, Table,
    record::{DomainRow, UploadRow},
};
use prost::Message as _;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, Sqlite, query::Query, sqlite::SqliteArguments};

use wire::ErrorCode;

use super::{
    Store,
    sealed::{Change, SUM, SealedRow},
};
use crate::ClientError;

/// Rows in one statement: few enough kinds of statement to be kept prepared.
const CHUNKS: [usize; 3] = [32, 8, 1];

/// Rows of a change that is written by one request to the connection, at most.
const JOINED_ROWS_MAX: usize = 16;

impl Store {
    /// Everything that an engine is opened with.
    ///
    /// # Errors
    /// `Storage`, also if a row is not what was written, was written by somebody else, or is missing.
    pub(crate) async fn snapshot(&mut self) -> Result<Snapshot, ClientError> {
        self.rows = super::sealed::Rows::new(&self.dir);
        let mut snapshot = Snapshot::default();
        for table in Table::ALL.into_iter().filter(|table| *table != Table::Message) {
            let sql = AssertSqlSafe(format!("SELECT key, value FROM {}", table.name()));
            let rows = sqlx::query(sql).fetch_all(&mut self.connection).await;
            for row in rows.map_err(|error| self.error(&error))? {
                let pair = || Ok((row.try_get::<&[u8], _>(0)?, row.try_get::<&[u8], _>(1)?));
                let (hashed, sealed) = pair().map_err(|error: sqlx::Error| self.error(&error))?;
                let opened = self.rows.learn(table, hashed, sealed);
                let (text, at) = opened.ok_or_else(|| self.damaged(table))?;
                let (key, value) = text.split_at_checked(at).ok_or_else(|| self.damaged(table))?;
                snapshot.add(table, key.get(2..).unwrap_or_default(), value)?;
            }
        }
        let sum = sqlx::query("SELECT value FROM seal WHERE key = ?").bind(SUM);
        let sum = sum.fetch_optional(&mut self.connection).await.map_err(|error| self.error(&error))?;
        let sum = sum.as_ref().map(|row| row.try_get::<&[u8], _>(0)).transpose();
        if !self.rows.are_all(sum.map_err(|error| self.error(&error))?.unwrap_or_default()) {
            return Err(self.rolled_back());
        }
        Ok(snapshot)
    }

    /// The documents of every domain that was seen.
    ///
    /// # Errors
    /// `Storage`, also if a row is not what was written.
    pub(crate) async fn domains(&mut self) -> Result<Vec<DomainRow>, ClientError> {
        let sql = AssertSqlSafe(format!("SELECT key, value FROM {}", Table::Domain.name()));
        let rows =
            sqlx::query(sql).fetch_all(&mut self.connection).await.map_err(|error| self.error(&error))?;
        rows.iter()
            .map(|row| {
                let pair = || Ok((row.try_get::<&[u8], _>(0)?, row.try_get::<&[u8], _>(1)?));
                let (hashed, sealed) = pair().map_err(|error: sqlx::Error| self.error(&error))?;
                let opened = self.rows.reopen(Table::Domain, hashed, sealed);
                let (text, at) = opened.ok_or_else(|| self.damaged(Table::Domain))?;
                DomainRow::decode(text.get(at..).unwrap_or_default()).map_err(|_| ErrorCode::Malformed.into())
            })
            .collect()
    }

    /// The files that are on their way to the home node.
    ///
    /// # Errors
    /// `Storage`, also if a row is not what was written.
    pub(crate) async fn uploads(&mut self) -> Result<Vec<UploadRow>, ClientError> {
        let sql = AssertSqlSafe(format!("SELECT key, value FROM {}", Table::Upload.name()));
        let rows =
            sqlx::query(sql).fetch_all(&mut self.connection).await.map_err(|error| self.error(&error))?;
        rows.iter()
            .map(|row| {
                let pair = || Ok((row.try_get::<&[u8], _>(0)?, row.try_get::<&[u8], _>(1)?));
                let (hashed, sealed) = pair().map_err(|error: sqlx::Error| self.error(&error))?;
                let opened = self.rows.reopen(Table::Upload, hashed, sealed);
                let (text, at) = opened.ok_or_else(|| self.damaged(Table::Upload))?;
                UploadRow::decode(text.get(at..).unwrap_or_default()).map_err(|_| ErrorCode::Malformed.into())
            })
            .collect()
    }

    /// Writes records in one transaction; when it returns they are on disk.
    ///
    /// # Errors
    /// `Storage`: none of them is written.
    pub(crate) async fn write(&mut self, records: Vec<Record>) -> Result<(), ClientError> {
        let change = self.rows.seal(newest(records)).ok_or(ErrorCode::TooLarge)?;
        self.dirty = true;
        let outcome = write(&mut self.connection, &change).await;
        outcome.map_err(|error| self.error(&error))?;
        self.rows.apply(change);
        Ok(())
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

async fn write(connection: &mut sqlx::SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
    let (puts, gone): (Vec<&SealedRow>, Vec<&SealedRow>) =
        change.rows.iter().partition(|row| row.value.is_some());
    let mut steps: Vec<Step<'_>> = Vec::new();
    for (rows, of) in [(&puts, Step::Put as fn(_, _) -> _), (&gone, Step::Delete)] {
        for group in rows.chunk_by(|a, b| a.table == b.table) {
            let Some(table) = group.first().map(|row| row.table) else { continue };
            steps.extend(chunks(group).map(|rows| of(table, rows)));
        }
    }
    steps.push(Step::Sum(&change.sum));
    // To ask the connection's thread costs more than most statements: a few rows are asked as one.
    let at_once = if change.rows.len() <= JOINED_ROWS_MAX { steps.len() } else { 1 };
    let mut transaction = connection.begin().await?;
    for steps in steps.chunks(at_once) {
        let sql: String = steps.iter().map(Step::sql).collect();
        let query = steps.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, step| step.bind(query));
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// The rows in pieces of the sizes of [`CHUNKS`].
fn chunks<'a>(mut rows: &'a [&'a SealedRow]) -> impl Iterator<Item = &'a [&'a SealedRow]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= rows.len())?;
        let (chunk, rest) = rows.split_at_checked(size)?;
        rows = rest;
        Some(chunk)
    })
}

/// One statement of a change.
enum Step<'a> {
    Put(Table, &'a [&'a SealedRow]),
    Delete(Table, &'a [&'a SealedRow]),
    /// Over all rows, [`SUM`].
    Sum(&'a [u8]),
}

impl<'a> Step<'a> {
    fn sql(&self) -> String {
        match self {
            Self::Put(table, rows) => {
                let (columns, marks, also) = match table {
                    Table::Message => (
                        "key, value, target, counts",
                        "(?, ?, ?, ?)",
                        ", target = excluded.target, counts = excluded.counts",
                    ),
                    _ => ("key, value", "(?, ?)", ""),
                };
                let (table, marks) = (table.name(), vec![marks; rows.len()].join(", "));
                format!(
                    "INSERT INTO {table} ({columns}) VALUES {marks} \
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value{also};"
                )
            }
            Self::Delete(table, rows) => {
                let marks = vec!["?"; rows.len()].join(", ");
                format!("DELETE FROM {} WHERE key IN ({marks});", table.name())
            }
            Self::Sum(_) => "UPDATE seal SET value = ? WHERE key = ?;".to_owned(),
        }
    }

    fn bind(&self, mut query: Query<'a, Sqlite, SqliteArguments>) -> Query<'a, Sqlite, SqliteArguments> {
        match self {
            Self::Put(table, rows) => {
                for row in *rows {
                    query = query.bind(row.key.as_slice()).bind(row.value.as_deref().unwrap_or_default());
                    if *table == Table::Message {
                        query = query.bind(row.target.as_deref()).bind(row.counts);
                    }
                }
                query
            }
            Self::Delete(_, rows) => rows.iter().fold(query, |query, row| query.bind(row.key.as_slice())),
            Self::Sum(sum) => query.bind(*sum).bind(SUM),
        }
    }
}
