//! Opens the database: durable settings, and a schema that only moves forward.

use std::path::Path;

use engine::Table;
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    FILE, LOG,
    sealed::{Rows, SUM},
};
use crate::{ClientError, seal::SealedDir};

/// The schema that this program writes. The first one was not sealed.
const SCHEMA: i64 = 2;

/// The columns of every table but that of the messages.
const ROW: &str = "(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";
/// The tables whose rows are deleted because nobody may read them any more.
const SECRET: [Table; 4] = [Table::Mls, Table::KeyPackage, Table::Join, Table::Upload];

/// The database of one device. The process that holds the directory's lock is its only user.
#[derive(Debug)]
pub(crate) struct Store {
    pub(super) connection: SqliteConnection,
    pub(super) dir: SealedDir,
    pub(super) rows: Rows,
    path: std::path::PathBuf,
    /// Deleted secrets may stand in the files.
    pub(super) dirty: bool,
}

impl Store {
    /// Opens or makes the database.
    ///
    /// # Errors
    /// `Storage`, or `NewerSchema` if a newer program wrote it.
    pub(crate) async fn open(dir: &SealedDir) -> Result<Self, ClientError> {
        Self::open_or(dir, true).await
    }

    /// Opens the database of a device that has had one: if it is gone, or empty, none is made. A new one
    /// would know nobody, and take whatever it is shown for the first it sees.
    ///
    /// # Errors
    /// As [`Self::open`]; `Storage` if there is none.
    pub(crate) async fn reopen(dir: &SealedDir) -> Result<Self, ClientError> {
        let path = dir.path(FILE);
        // SQLite would take an empty file for a new database, and begin a log beside it.
        if std::fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
            return Err(gone(&path));
        }
        Self::open_or(dir, false).await
    }

    async fn open_or(dir: &SealedDir, may_create: bool) -> Result<Self, ClientError> {
        let path = dir.path(FILE);
        private(&path)?;
        // What the last process left if it did not end in good order.
        let dirty = std::fs::metadata(dir.path(LOG)).is_ok_and(|log| log.len() > 0);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // A message key that was used is gone only when its bytes are.
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY")
            .statement_cache_capacity(128);
        let connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(|error| ClientError::storage(&path, error))?;
        let mut store = Self { connection, dir: dir.clone(), rows: Rows::new(dir), path, dirty };
        let found = store.version().await?;
        match found {
            SCHEMA => store.add_tables().await?,
            0 if may_create => store.create().await?,
            0 => return Err(gone(&store.path)),
            1 => return Err(ClientError::storage(&store.path, "it is not sealed: log in anew")),
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
            sql.push_str(&format!("CREATE TABLE {} {ROW};", table.name()));
        }
        sql.push_str(&format!(
            "CREATE TABLE message (key BLOB PRIMARY KEY, value BLOB NOT NULL, target BLOB, \
             counts INTEGER NOT NULL) WITHOUT ROWID;\
             CREATE INDEX message_target ON message (target) WHERE target IS NOT NULL;\
             CREATE TABLE seal (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;\
             INSERT INTO seal VALUES ('{SUM}', x'{}');\
             PRAGMA user_version = {SCHEMA}; COMMIT;",
            self.rows
                .seal_nothing()
                .unwrap_or_default()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        ));
        let made = self.connection.execute(AssertSqlSafe(sql)).await;
        made.map(|_| ()).map_err(|error| self.error(&error))
    }

    /// Makes the tables that came later than this schema; programs that do not know them do not miss them.
    async fn add_tables(&mut self) -> Result<(), ClientError> {
        let sql = format!("CREATE TABLE IF NOT EXISTS {} {ROW};", Table::Upload.name());
        let made = self.connection.execute(AssertSqlSafe(sql)).await;
        made.map(|_| ()).map_err(|error| self.error(&error))
    }

    /// Makes an end of deleted secrets: when it returns, no byte of them is in a file of the store.
    ///
    /// `secure_delete` overwrites a row where it stands, but not the copies that stay behind in a
    /// page when rows move between pages. So the tables with secrets are written anew, which
    /// overwrites all their old pages, and the log is emptied.
    ///
    /// # Errors
    /// `Storage`: the rows are as they were.
    pub(crate) async fn purge(&mut self) -> Result<(), ClientError> {
        let mut sql = String::from("BEGIN IMMEDIATE;");
        for table in SECRET.map(Table::name) {
            sql.push_str(&format!(
                "CREATE TABLE fresh {ROW}; INSERT INTO fresh SELECT key, value FROM {table};\
                 DROP TABLE {table}; ALTER TABLE fresh RENAME TO {table};"
            ));
        }
        sql.push_str("COMMIT;");
        let written = self.connection.execute(AssertSqlSafe(sql)).await;
        if let Err(error) = written {
            // Fails if the transaction is over already.
            let _ = self.connection.execute("ROLLBACK").await;
            return Err(self.error(&error));
        }
        let emptied = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
        self.dirty = emptied.is_err();
        emptied.map(|_| ()).map_err(|error| self.error(&error))
    }

    /// Whether there is anything to purge.
    pub(crate) const fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Closes the database in good order.
    pub(crate) async fn close(mut self) {
        if self.dirty
            && let Err(error) = self.purge().await
        {
            tracing::warn!(%error, "deleted keys may still stand in the files of the device's store");
        }
        // What was committed is durable whether or not this succeeds.
        let _ = self.connection.close().await;
    }

    pub(super) fn damaged(&self, table: Table) -> ClientError {
        let reason = format!("a row of {} is damaged, or somebody else wrote it", table.name());
        ClientError::storage(&self.path, reason)
    }

    pub(super) fn rolled_back(&self) -> ClientError {
        ClientError::storage(&self.path, "rows are missing in it, or were put back to an older state")
    }

    pub(super) fn error(&self, error: &sqlx::Error) -> ClientError {
        ClientError::storage(&self.path, error)
    }
}

fn gone(path: &Path) -> ClientError {
    let reason = "what the device knows is missing: whom it has verified, blocked and pinned, and its \
                  messages; put it back if you moved it, else log out and in anew";
    ClientError::storage(path, reason)
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
