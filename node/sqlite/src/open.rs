//! Opens the store of a directory, or says what stands in the way.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Row as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use store::StoreError;

use crate::{
    connection::{Closing, block_on, row},
    copy::findings,
    lock::{Lock, LockError},
    migrate::migrate,
    outage,
    statement::statement,
    writer::Writer,
};

pub(crate) const DATABASE: &str = "comity.db";
const LOCK: &str = "lock";

/// The first version without the fault of 3.7.0 to 3.51.2 that could corrupt a database when its
/// write-ahead log was reset.
const SQLITE_LEAST: [u32; 3] = [3, 51, 3];

/// A domain's store in a directory. Calls block; it may be shared by threads, which then take
/// turns.
#[derive(Debug)]
pub struct Sqlite {
    pub(crate) directory: PathBuf,
    pub(crate) writer: Mutex<Writer>,
    pub(crate) reader: Mutex<Closing>,
    /// Given back last, when the connections are closed.
    _lock: Lock,
}

/// Why a store could not be opened. Every message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works in the directory.
    #[error("{} is in use by another process{}; stop that one first", .directory.display(), pid_text(.pid))]
    Locked {
        /// The directory.
        directory: PathBuf,
        /// The process, if it left its number.
        pid: Option<u32>,
    },
    /// The database was written by a newer program.
    #[error("the database has schema {found}, this program knows {known}; use the newer program")]
    NewerSchema {
        /// The version in the file.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The file is not a SQLite database.
    #[error("{} is not a database; move it away or restore it from a backup", .0.display())]
    NotADatabase(PathBuf),
    /// The file is the SQLite database of something else.
    #[error("comity.db is the database of another program; choose another directory")]
    Foreign,
    /// The linked SQLite is too old.
    #[error("SQLite {0} has a fault that may corrupt data; build with 3.51.3 or later")]
    OldSqlite(String),
    /// The disk is full.
    #[error("the disk of {} is full; free some space first", .0.display())]
    Full(PathBuf),
    /// A file cannot be made or read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else that SQLite says.
    #[error("the database cannot be opened: {0}; check the disk, or restore from a backup")]
    Database(#[source] sqlx::Error),
}

impl Sqlite {
    /// Opens the store, making directory and database if there are none (readable for this user
    /// only). Takes the directory's lock, checks the library, and brings the schema up to date.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed, except that schema steps already made stay.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let database = directory.join(DATABASE);
        prepare_files(directory, &database)?;
        let lock = take_lock(directory)?;
        let named = |error| name_error(error, directory, &database);
        let mut writer = connect(&database, false).map_err(named)?;
        check_library(&mut writer).map_err(named)?;
        migrate(&mut writer, directory).map_err(named)?;
        let reader = connect(&database, true).map_err(named)?;
        let writer = Writer { connection: writer, logs: BTreeMap::new() };
        Ok(Self {
            directory: directory.to_owned(),
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            _lock: lock,
        })
    }

    /// What SQLite's own check finds wrong, at most 100 findings; empty if all is well. Reads the
    /// whole database.
    ///
    /// # Errors
    /// `Failed` or `Damaged` if it cannot even be read.
    pub fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.read(findings)
    }
}

fn prepare_files(directory: &Path, database: &Path) -> Result<(), OpenError> {
    let io = |path: &Path, source| {
        if outage::says_full(&source) {
            OpenError::Full(directory.to_owned())
        } else {
            OpenError::Io { path: path.to_owned(), source }
        }
    };
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|source| io(directory, source))?;
    let options = fs::File::options().append(true).create(true).mode(0o600).clone();
    options.open(database).map(drop).map_err(|source| io(database, source))
}

fn take_lock(directory: &Path) -> Result<Lock, OpenError> {
    let path = directory.join(LOCK);
    Lock::take(&path).map_err(|error| match error {
        LockError::Held(pid) => OpenError::Locked { directory: directory.to_owned(), pid },
        LockError::Io(source) if outage::says_full(&source) => OpenError::Full(directory.to_owned()),
        LockError::Io(source) => OpenError::Io { path, source },
    })
}

fn connect(database: &Path, only_reads: bool) -> Result<Closing, OpenError> {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .page_size(4096)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(false)
        .busy_timeout(Duration::from_secs(5))
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "33554432")
        .pragma("secure_delete", "FAST")
        .pragma("cache_size", "-16384")
        .pragma("temp_store", "MEMORY")
        .pragma("query_only", if only_reads { "ON" } else { "OFF" })
        .statement_cache_capacity(256)
        .thread_name(move |_| if only_reads { "store-read".into() } else { "store-write".into() })
        .disable_statement_logging();
    block_on(options.connect()).map(Closing::new).map_err(OpenError::Database)
}

fn check_library(connection: &mut Closing) -> Result<(), OpenError> {
    let found = row(connection, statement("SELECT sqlite_version()")).map_err(OpenError::Database)?;
    let text: String = found.map_or(Ok(String::new()), |row| row.try_get(0)).map_err(OpenError::Database)?;
    let version: Vec<u32> = text.split('.').map_while(|part| part.parse().ok()).collect();
    if version.as_slice() < SQLITE_LEAST.as_slice() { Err(OpenError::OldSqlite(text)) } else { Ok(()) }
}

/// Gives the errors that have a name of their own that name.
pub(crate) fn name_error(error: OpenError, directory: &Path, database: &Path) -> OpenError {
    match error {
        OpenError::Database(error) if outage::is_no_database(&error) => {
            OpenError::NotADatabase(database.to_owned())
        }
        OpenError::Database(error) => match outage::store_error(&error, directory) {
            StoreError::Full => OpenError::Full(directory.to_owned()),
            _ => OpenError::Database(error),
        },
        other => other,
    }
}

fn pid_text(pid: &Option<u32>) -> String {
    pid.map_or(String::new(), |pid| format!(" (process {pid})"))
}
