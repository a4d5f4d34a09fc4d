//! Brings a database to the schema that this program knows; forward only.

use sqlx::{Row as _, SqliteConnection};

use crate::{
    connection::{block_on, row, run},
    open::OpenError,
};

/// Marks the file as ours: "Cmty".
const APPLICATION: i64 = 0x436d_7479;

/// The steps; the version of a database is the number of steps it has seen.
const STEPS: &[&str] = &[
    include_str!("../migrations/0001-first.sql"),
    include_str!("../migrations/0002-shared-entries.sql"),
    include_str!("../migrations/0003-passwords.sql"),
];

/// Runs the missing steps, each in a transaction of its own, so that a process killed on the way
/// leaves a version that the next one continues from.
pub(crate) fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let found = pragma(connection, "PRAGMA user_version")?;
    let application = pragma(connection, "PRAGMA application_id")?;
    let tables = pragma(connection, "SELECT count(*) FROM sqlite_schema")?;
    if application != APPLICATION && (application, found, tables) != (0, 0, 0) {
        return Err(OpenError::Foreign);
    }
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(OpenError::NewerSchema { found, known });
    }
    for (step, version) in STEPS.iter().zip(1..).skip(usize::try_from(found).unwrap_or(0)) {
        let text = format!(
            "BEGIN IMMEDIATE;\n{step};\nPRAGMA application_id = {APPLICATION};\nPRAGMA user_version = {version};\nCOMMIT;"
        );
        block_on(sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut *connection)).map_err(|error| {
            let _ = run(connection, sqlx::query("ROLLBACK"));
            OpenError::Database(error)
        })?;
    }
    Ok(())
}

fn pragma(connection: &mut SqliteConnection, text: &'static str) -> Result<i64, OpenError> {
    let row = row(connection, sqlx::query(text)).map_err(OpenError::Database)?;
    row.map_or(Ok(0), |row| row.try_get(0)).map_err(OpenError::Database)
}
