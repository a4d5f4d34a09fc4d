//! Opens the database: durable settings, and a schema that only moves forward.

use std::path::Path;

use engine::Table;
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{ClientError, device::DeviceDir};

/// The schema that this program writes.
const SCHEMA: i64 = 1;

/// The database of one device. The process that holds the directory's lock is its only user.
#[derive(Debug)]
pub(crate) struct Store {
    pub(super) connection: SqliteConnection,
    path: std::path::PathBuf,
}

impl Store {
    /// Opens or makes the database.
    ///
    /// # Errors
    /// `Storage`, or `NewerSchema` if a newer program wrote it.
    pub(crate) async fn open(dir: &DeviceDir) -> Result<Self, ClientError> {
        let path = dir.path("device.db");
        private(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .statement_cache_capacity(128);
        let connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(|error| ClientError::storage(&path, error))?;
        let mut store = Self { connection, path };
        let found = store.version().await?;
        match found {
            SCHEMA => {}
            0 => store.create().await?,
            _ => return Err(ClientError::NewerSchema { found, known: SCHEMA }),
        }
        Ok(store)
    }

    async fn version(&mut self) -> Result<i64, ClientError> {
        let row = self.connection.fetch_one("PRAGMA user_version").await;
        row.and_then(|row| row.try_get(0)).map_err(|error| self.error(&error))
    }

    async fn create(&mut self) -> Result<(), ClientError> {
        let mut sql = String::from("BEGIN IMMEDIATE;");
        for table in Table::ALL.iter().filter(|table| **table != Table::Message) {
            sql.push_str(&format!(
                "CREATE TABLE {} (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;",
                table.name()
            ));
        }
        sql.push_str(&format!(
            "CREATE TABLE message (key BLOB PRIMARY KEY, value BLOB NOT NULL, target BLOB, \
             counts INTEGER NOT NULL) WITHOUT ROWID;\
             CREATE INDEX message_target ON message (target) WHERE target IS NOT NULL;\
             PRAGMA user_version = {SCHEMA}; COMMIT;"
        ));
        let made = self.connection.execute(AssertSqlSafe(sql)).await;
        made.map(|_| ()).map_err(|error| self.error(&error))
    }

    /// Closes the database in good order.
    pub(crate) async fn close(self) {
        // What was committed is durable whether or not the last checkpoint succeeds.
        let _ = self.connection.close().await;
    }

    pub(super) fn error(&self, error: &sqlx::Error) -> ClientError {
        ClientError::storage(&self.path, error)
    }
}

/// Makes the file before SQLite does, so that it is 0600 from the first moment; SQLite gives the
/// same mode to the files beside it.
fn private(path: &Path) -> Result<(), ClientError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map(|_| ())
        .map_err(|error| ClientError::storage(path, error))
}
