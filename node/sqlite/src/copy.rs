//! Copies a database as it is at one moment, whoever writes to it meanwhile, and looks at a copy.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::Duration,
};

use sqlx::{ConnectOptions as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    connection::{Closing, block_on, row, rows, run},
    migrate,
    open::{DATABASE, OpenError, name_error},
    outage,
    statement::statement,
};

/// How long a copy waits for a lock that another process holds for a moment.
const BUSY: Duration = Duration::from_secs(30);

/// What a database holds, for whoever compares a copy with what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The version of its schema.
    pub schema: i64,
    /// Accounts.
    pub accounts: u64,
    /// Rooms.
    pub rooms: u64,
    /// The largest position.
    pub head: u64,
}

/// The newest schema that this program knows.
#[must_use]
pub fn schema() -> i64 {
    migrate::known()
}

/// The schema of the database of a directory, which another process may be using.
///
/// # Errors
/// `NewerSchema`, `NotADatabase`, `Foreign`, `Io`, `Database`.
pub fn found_schema(directory: &Path) -> Result<i64, OpenError> {
    let database = directory.join(DATABASE);
    let named = |error| name_error(error, directory, &database);
    let options = SqliteConnectOptions::new().filename(&database).busy_timeout(BUSY);
    let mut connection = connect(options).map_err(named)?;
    migrate::check(&mut connection).map_err(named)
}

/// Copies the database of a directory into a file that must not exist, and returns when the copy is
/// durable. The process that works in the directory is not disturbed: one read transaction sees one
/// moment, and what is written meanwhile waits in the write-ahead log.
///
/// # Errors
/// `NewerSchema`, `NotADatabase`, `Foreign`, `Full` (of the place of the copy), `Io`, `Database`. A
/// copy that was begun is removed.
pub fn copy(directory: &Path, to: &Path) -> Result<Contents, OpenError> {
    let database = directory.join(DATABASE);
    if !database.exists() {
        return Err(OpenError::Io { path: database, source: io::ErrorKind::NotFound.into() });
    }
    let target = to.parent().unwrap_or(Path::new("."));
    let options = SqliteConnectOptions::new().filename(&database).busy_timeout(BUSY);
    let mut connection = connect(options).map_err(|error| name_error(error, directory, &database))?;
    migrate::check(&mut connection).map_err(|error| name_error(error, directory, &database))?;
    vacuum_into(&mut connection, to).map_err(|error| name_error(error, target, &database))?;
    drop(connection);
    let (contents, _) = inspect(to, false)?;
    Ok(contents)
}

/// Writes a durable copy of what a connection sees. The file is for this user only.
pub(crate) fn vacuum_into(connection: &mut SqliteConnection, to: &Path) -> Result<(), OpenError> {
    let io = |source: io::Error| match outage::says_full(&source) {
        true => OpenError::Full(to.parent().unwrap_or(Path::new(".")).to_owned()),
        false => OpenError::Io { path: to.to_owned(), source },
    };
    // SQLite writes into an empty file, and would make one that others can read.
    fs::File::options().write(true).create_new(true).mode(0o600).open(to).map_err(io)?;
    let name = to.to_string_lossy().into_owned();
    let copied = run(connection, statement("VACUUM INTO ?").bind(name))
        .map_err(OpenError::Database)
        .and_then(|()| File::open(to).and_then(|file| file.sync_all()).map_err(io));
    if copied.is_err() {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(to);
    }
    copied
}

/// What a copy holds and, if `thorough`, what SQLite's own check finds wrong in it, at most 100
/// findings. The file is not changed, and nobody may be writing to it.
///
/// # Errors
/// As [`copy`].
pub fn inspect(file: &Path, thorough: bool) -> Result<(Contents, Vec<String>), OpenError> {
    let named = |error| name_error(error, file.parent().unwrap_or(Path::new(".")), file);
    if !file.exists() {
        return Err(OpenError::Io { path: file.to_owned(), source: io::ErrorKind::NotFound.into() });
    }
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
    let mut connection = connect(options).map_err(named)?;
    let schema = migrate::check(&mut connection).map_err(named)?;
    let findings = match thorough {
        true => findings(&mut connection).map_err(|error| named(OpenError::Database(error)))?,
        false => Vec::new(),
    };
    let mut number = |text: &'static str| {
        let found = row(&mut connection, statement(text)).map_err(OpenError::Database)?;
        let value: i64 = found.map_or(Ok(0), |row| row.try_get(0)).map_err(OpenError::Database)?;
        Ok(value.cast_unsigned())
    };
    let contents = Contents {
        schema,
        accounts: number("SELECT count(*) FROM account").map_err(named)?,
        rooms: number("SELECT count(*) FROM room").map_err(named)?,
        head: number(
            "SELECT max(coalesce((SELECT max(position) FROM event), 0), \
             coalesce((SELECT max(position) FROM entry), 0))",
        )
        .map_err(named)?,
    };
    Ok((contents, findings))
}

/// What SQLite's own check finds wrong.
pub(crate) fn findings(connection: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let check = statement("PRAGMA integrity_check(100)");
    let found = rows(connection, check)?;
    let lines: Vec<String> = found.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

fn connect(options: SqliteConnectOptions) -> Result<Closing, OpenError> {
    let options = options.thread_name(|_| "store-copy".into()).disable_statement_logging();
    block_on(options.connect()).map(Closing::new).map_err(OpenError::Database)
}
