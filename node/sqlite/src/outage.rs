//! Which trouble a SQLite error stands for: no space (which heals), a lost race, damage, or a
//! device that failed.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path};

use rustix::io::Errno;
use store::StoreError;

/// The code of an error, reduced to SQLite's primary ones, and the whole.
fn codes(error: &sqlx::Error) -> Option<(i32, i32)> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some((code & 0xff, code))
}

const BUSY: i32 = 5;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const MISMATCH: i32 = 20;
const NOTADB: i32 = 26;
const IOERR_FSYNC: i32 = 1034;
const IOERR_DIR_FSYNC: i32 = 1290;

/// Whether the file is no database at all.
pub(crate) fn is_no_database(error: &sqlx::Error) -> bool {
    codes(error).is_some_and(|(code, _)| code == NOTADB)
}

/// What an error means for the caller. `directory` is asked whether it has room, because SQLite
/// reports a quota or a size limit as any other I/O error.
pub(crate) fn store_error(error: &sqlx::Error, directory: &Path) -> StoreError {
    if error.as_database_error().is_some_and(|error| error.is_unique_violation()) {
        return StoreError::Conflict;
    }
    match codes(error) {
        Some((FULL, _)) => StoreError::Full,
        Some((BUSY, _)) => StoreError::Conflict,
        Some((CORRUPT | NOTADB | MISMATCH, _)) => StoreError::Damaged(error.to_string()),
        // What an fsync that failed left on the disk is unknown, whatever the reason was.
        Some((IOERR, IOERR_FSYNC | IOERR_DIR_FSYNC)) => StoreError::Failed(error.to_string()),
        Some((IOERR, _)) if has_no_room(directory) => StoreError::Full,
        _ => StoreError::Failed(error.to_string()),
    }
}

/// Whether an error of the file system says that nothing more fits.
pub(crate) fn says_full(error: &io::Error) -> bool {
    let full = [Errno::NOSPC, Errno::DQUOT, Errno::FBIG];
    full.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Tries to write what a commit might: a piece behind the end of the longest file.
fn has_no_room(directory: &Path) -> bool {
    static PIECE: [u8; 65_536] = [1; 65_536];
    let path = directory.join("probe");
    let length = |name| directory.join(name).metadata().map_or(0, |file| file.len());
    let end = length(crate::open::DATABASE).max(length("comity.db-wal"));
    let probe = || {
        let file = File::create(&path)?;
        file.write_all_at(&PIECE, end)?;
        file.sync_data()
    };
    let result = probe();
    // A probe that stays is overwritten by the next one.
    let _ = std::fs::remove_file(&path);
    result.is_err_and(|error| says_full(&error))
}
