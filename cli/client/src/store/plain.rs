//! Reads a database of the first schema, which was not sealed.

use bytes::Bytes;
use engine::{Record, Table};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{FILE, LOG, Store};
use crate::{ClientError, device::DeviceDir, seal::SealedDir};

/// The schema that was not sealed.
const SCHEMA: i64 = 1;
/// Rows that are read and written at once.
const PAGE: i64 = 500;

/// Writes all rows of the plain database of a directory into the database of a sealed one, in which
/// there is none yet. Does nothing if there is none to read.
///
/// # Errors
/// `Storage`: what was written is not all.
pub(crate) async fn seal_rows(from: &DeviceDir, to: &SealedDir) -> Result<(), ClientError> {
    let path = from.path(FILE);
    if !path.exists() {
        return Ok(());
    }
    let failed = |error: sqlx::Error| ClientError::storage(&path, error);
    let options = SqliteConnectOptions::new().filename(&path);
    let mut plain = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    let found: i64 = one(&mut plain, "PRAGMA user_version").await.map_err(failed)?;
    match found {
        0 => return plain.close().await.map_err(failed),
        SCHEMA => {}
        _ => return Err(ClientError::storage(&path, "it is of another version than the files beside it")),
    }
    let mut store = Store::open(to).await?;
    for table in Table::ALL {
        let sql = format!("SELECT COUNT(*) FROM sqlite_schema WHERE name = '{}'", table.name());
        if one(&mut plain, &sql).await.map_err(failed)? == 0 {
            continue;
        }
        let mut after = None;
        loop {
            let page = page(&mut plain, table, after.as_deref()).await.map_err(failed)?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.to_vec());
            store.write(page).await?;
        }
    }
    store.close().await;
    // Closing writes the log into the database, if it can.
    if std::fs::metadata(to.path(LOG)).is_ok_and(|log| log.len() > 0) {
        return Err(ClientError::storage(to.path(LOG), "it cannot be written into the database"));
    }
    // Closing writes its log into it, and so leaves only this file.
    plain.close().await.map_err(failed)
}

async fn one(connection: &mut SqliteConnection, sql: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(connection).await
}

async fn page(
    connection: &mut SqliteConnection,
    table: Table,
    after: Option<&[u8]>,
) -> Result<Vec<Record>, sqlx::Error> {
    let name = table.name();
    let sql = format!("SELECT key, value FROM {name} WHERE ?1 IS NULL OR key > ?1 ORDER BY key LIMIT {PAGE}");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(after).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let key = Bytes::copy_from_slice(row.try_get(0)?);
            Ok(Record { table, key, value: Some(Bytes::copy_from_slice(row.try_get(1)?)) })
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use engine::record::{ItemKind, MessageRow, Row as _};
    use sqlx::{Executor as _, sqlite::SqliteJournalMode};
    use wire::RoomId;

    use super::*;
    use crate::store::Part;

    /// What stands in every row.
    pub(crate) const CANARY: &[u8] = b"a canary sang here";
    /// Rows of the two tables that are filled: more than two pages.
    const ROWS: u32 = 1_203;
    const ROOM: [u8; 32] = [0x21; 32];

    /// A database of the first schema, with rows, left as a program leaves it that is killed: the
    /// last of them are in its log, as long as the connection is there.
    pub(crate) async fn fill(dir: &DeviceDir) -> SqliteConnection {
        let options = SqliteConnectOptions::new()
            .filename(dir.path(FILE))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let mut connection = SqliteConnection::connect_with(&options).await.expect("opened");
        let mut sql = String::new();
        for table in Table::ALL.into_iter().filter(|table| !matches!(table, Table::Message | Table::Upload)) {
            let name = table.name();
            sql.push_str(&format!(
                "CREATE TABLE {name} (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
            ));
        }
        sql.push_str(
            "CREATE TABLE message (key BLOB PRIMARY KEY, value BLOB NOT NULL, target BLOB, \
             counts INTEGER NOT NULL) WITHOUT ROWID;\
             CREATE INDEX message_target ON message (target) WHERE target IS NOT NULL;\
             PRAGMA user_version = 1; PRAGMA wal_autocheckpoint = 0;",
        );
        connection.execute(AssertSqlSafe(sql)).await.expect("made");
        connection.execute("BEGIN").await.expect("begun");
        for number in 1..=ROWS {
            let row = MessageRow {
                room: Bytes::copy_from_slice(&ROOM),
                seq: number.into(),
                message: Bytes::copy_from_slice(&u128::from(number).to_be_bytes()),
                kind: ItemKind::Text.into(),
                sender: "bob@acme.test".to_owned(),
                body: text(number),
                ..MessageRow::default()
            };
            let row = row.put();
            sqlx::query("INSERT INTO message VALUES (?, ?, NULL, 1)")
                .bind(row.key.to_vec())
                .bind(row.value.expect("a row").to_vec())
                .execute(&mut connection)
                .await
                .expect("written");
            sqlx::query("INSERT INTO mls VALUES (?, ?)")
                .bind([&ROOM[..], &number.to_be_bytes()].concat())
                .bind(text(number).into_bytes())
                .execute(&mut connection)
                .await
                .expect("written");
        }
        connection.execute("COMMIT").await.expect("written");
        connection
    }

    fn text(number: u32) -> String {
        format!("{} for the {number}th time", String::from_utf8_lossy(CANARY))
    }

    /// Every row is there, and says what it said.
    pub(crate) async fn is_filled(dir: &SealedDir) {
        let mut store = Store::open(dir).await.expect("opened");
        store.snapshot().await.expect("whole");
        let rows = sqlx::query("SELECT key, value FROM mls").fetch_all(&mut store.connection).await;
        let mut texts = Vec::new();
        for row in rows.expect("readable") {
            let opened = store.rows.reopen(Table::Mls, row.get(0), row.get(1));
            let (text, at) = opened.expect("what was written");
            texts.push((text[at - 4..at].to_vec(), text[at..].to_vec()));
        }
        texts.sort();
        let all = (1..=ROWS).map(|number| (number.to_be_bytes().to_vec(), text(number).into_bytes()));
        assert!(texts.into_iter().eq(all), "the rows of the ratchets");
        let part = Part { after: 0, before: u64::MAX, limit: ROWS, oldest_first: true };
        let items = store.items(&RoomId::new(ROOM), part).await.expect("readable");
        let bodies = items.into_iter().map(|item| (item.seq, item.body));
        assert!(bodies.eq((1..=ROWS).map(|number| (number.into(), text(number)))), "the messages");
        assert_eq!(store.unread(&RoomId::new(ROOM), 3).await.expect("counted"), u64::from(ROWS) - 3);
        store.close().await;
    }
}
