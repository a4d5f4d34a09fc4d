//! Brings a database to the schema that this program knows; forward only, and not before a copy of it
//! as it was is on the disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sqlx::{Row as _, SqliteConnection};

use crate::{
    connection::{block_on, row, run},
    copy::vacuum_into,
    open::OpenError,
    statement::statement,
};

/// Marks the file as ours: "Cmty".
const APPLICATION: i64 = 0x436d_7479;

/// The steps; the version of a database is the number of steps it has seen.
const STEPS: &[&str] = &[
    include_str!("../migrations/0001-first.sql"),
    include_str!("../migrations/0002-shared-entries.sql"),
    include_str!("../migrations/0003-passwords.sql"),
    include_str!("../migrations/0004-administration.sql"),
];

/// Where copies from before a step stand, beside the database.
const SNAPSHOTS: &str = "snapshots";
/// So many copies are kept, the newest.
const SNAPSHOTS_KEPT: usize = 3;

/// The newest schema that this program knows.
pub(crate) fn known() -> i64 {
    version_of(STEPS)
}

fn version_of(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

/// The schema of a database that is ours and that this program can read; 0 if it is empty.
///
/// # Errors
/// `Foreign`, `NewerSchema`, `Database`.
pub(crate) fn check(connection: &mut SqliteConnection) -> Result<i64, OpenError> {
    check_for(connection, STEPS)
}

fn check_for(connection: &mut SqliteConnection, steps: &[&str]) -> Result<i64, OpenError> {
    let found = pragma(connection, "PRAGMA user_version")?;
    let application = pragma(connection, "PRAGMA application_id")?;
    let tables = pragma(connection, "SELECT count(*) FROM sqlite_schema")?;
    if application != APPLICATION && (application, found, tables) != (0, 0, 0) {
        return Err(OpenError::Foreign);
    }
    let known = version_of(steps);
    if found > known { Err(OpenError::NewerSchema { found, known }) } else { Ok(found) }
}

/// Runs the missing steps, each in a transaction of its own, so that a process killed on the way
/// leaves a version that the next one continues from. A database that holds something is copied
/// first: a step does not go back, the copy does.
pub(crate) fn migrate(connection: &mut SqliteConnection, directory: &Path) -> Result<(), OpenError> {
    apply(connection, directory, STEPS)
}

fn apply(connection: &mut SqliteConnection, directory: &Path, steps: &[&str]) -> Result<(), OpenError> {
    let found = check_for(connection, steps)?;
    if (1..version_of(steps)).contains(&found) {
        let copy = snapshot(connection, directory, found)?;
        tracing::info!(copy = %copy.display(), from = found, to = steps.len(), "the schema is brought up to date");
    }
    for (step, version) in steps.iter().zip(1..).skip(usize::try_from(found).unwrap_or(0)) {
        let text = format!(
            "BEGIN IMMEDIATE;\n{step};\nPRAGMA application_id = {APPLICATION};\nPRAGMA user_version = {version};\nCOMMIT;"
        );
        block_on(sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut *connection)).map_err(|error| {
            let _ = run(connection, statement("ROLLBACK"));
            OpenError::Database(error)
        })?;
    }
    Ok(())
}

/// Copies the database as it is. A copy of the same version that stands there already is older or was
/// made by a process that was killed before it took a step: it is replaced once the new one is whole.
fn snapshot(connection: &mut SqliteConnection, directory: &Path, found: i64) -> Result<PathBuf, OpenError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let folder = directory.join(SNAPSHOTS);
    let io = |source| OpenError::Io { path: folder.clone(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(io)?;
    let copy = folder.join(format!("schema-{found:04}.db"));
    let beside = folder.join("new");
    // What a killed process has left.
    let _ = fs::remove_file(&beside);
    vacuum_into(connection, &beside)?;
    fs::rename(&beside, &copy).and_then(|()| fs::File::open(&folder)?.sync_all()).map_err(io)?;
    // One too many is no reason not to start.
    let _ = trim(&folder);
    Ok(copy)
}

fn trim(folder: &Path) -> std::io::Result<()> {
    let mut copies: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "db"))
        .collect();
    copies.sort();
    copies.truncate(copies.len().saturating_sub(SNAPSHOTS_KEPT));
    copies.iter().try_for_each(fs::remove_file)
}

fn pragma(connection: &mut SqliteConnection, text: &'static str) -> Result<i64, OpenError> {
    let row = row(connection, statement(text)).map_err(OpenError::Database)?;
    row.map_or(Ok(0), |row| row.try_get(0)).map_err(OpenError::Database)
}

#[cfg(test)]
mod tests;
