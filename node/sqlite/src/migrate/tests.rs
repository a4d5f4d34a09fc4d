//! Older databases become newer ones, and a copy of each stays.

use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::*;
use crate::connection::Closing;

const FIRST: &str = "CREATE TABLE note (text TEXT NOT NULL) STRICT";
const SECOND: &str = "ALTER TABLE note ADD COLUMN author TEXT NOT NULL DEFAULT 'nobody'";
const THIRD: &str = "CREATE INDEX note_author ON note (author)";
const BROKEN: &str = "ALTER TABLE nothing ADD COLUMN more TEXT";

fn open(path: &Path) -> Closing {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    Closing::new(block_on(options.connect()).expect("a database"))
}

fn at_version(directory: &Path, steps: &[&str]) -> Closing {
    let mut connection = open(&directory.join("comity.db"));
    apply(&mut connection, directory, steps).expect("the steps run");
    connection
}

fn copies(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory.join(SNAPSHOTS)) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn count(connection: &mut SqliteConnection, text: &'static str) -> i64 {
    pragma(connection, text).expect("a number")
}

#[test]
fn an_older_database_is_copied_as_it_was_before_a_step_is_taken() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    let mut connection = at_version(path, &[FIRST]);
    assert_eq!(copies(path), Vec::<String>::new(), "a new database has nothing to lose");
    run(&mut connection, statement("INSERT INTO note VALUES ('kept')")).expect("a row");
    apply(&mut connection, path, &[FIRST, SECOND, THIRD]).expect("the steps run");
    assert_eq!(count(&mut connection, "PRAGMA user_version"), 3);
    assert_eq!(count(&mut connection, "SELECT count(*) FROM note WHERE author = 'nobody'"), 1);
    assert_eq!(copies(path), ["schema-0001.db"]);
    apply(&mut connection, path, &[FIRST, SECOND, THIRD]).expect("nothing is left to do");
    assert_eq!(copies(path), ["schema-0001.db"], "no step, no copy");
    let mut copy = open(&path.join(SNAPSHOTS).join("schema-0001.db"));
    assert_eq!(count(&mut copy, "PRAGMA user_version"), 1);
    assert_eq!(count(&mut copy, "PRAGMA application_id"), APPLICATION);
    assert_eq!(count(&mut copy, "SELECT count(*) FROM note WHERE text = 'kept'"), 1);
}

#[test]
fn a_step_that_fails_leaves_the_version_and_the_copy() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    let mut connection = at_version(path, &[FIRST]);
    for _ in 0..2 {
        let error = apply(&mut connection, path, &[FIRST, BROKEN]).expect_err("it cannot run");
        assert!(matches!(error, OpenError::Database(_)), "{error}");
        assert_eq!(count(&mut connection, "PRAGMA user_version"), 1);
        assert_eq!(copies(path), ["schema-0001.db"]);
    }
    apply(&mut connection, path, &[FIRST, SECOND]).expect("the step that can run runs");
}

#[test]
fn a_place_without_room_for_the_copy_stops_the_step() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    let mut connection = at_version(path, &[FIRST]);
    fs::write(path.join(SNAPSHOTS), "no directory").expect("a file in the way");
    let error = apply(&mut connection, path, &[FIRST, SECOND]).expect_err("there is no copy");
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
    assert_eq!(count(&mut connection, "PRAGMA user_version"), 1, "no step without a copy");
}

#[test]
fn only_the_newest_copies_are_kept() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    let steps: Vec<String> = (0..6).map(|n| format!("CREATE TABLE t{n} (x) ")).collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    for most in 1..=steps.len() {
        at_version(path, &steps[..most]);
    }
    assert_eq!(copies(path), ["schema-0003.db", "schema-0004.db", "schema-0005.db"]);
}

#[test]
fn every_schema_that_ever_was_is_brought_up_to_date() {
    for version in 1..=STEPS.len() {
        let directory = TempDir::new().expect("a directory");
        drop(at_version(directory.path(), &STEPS[..version]));
        let store = crate::Sqlite::open(directory.path()).expect("it opens");
        drop(store);
        let mut connection = open(&directory.path().join("comity.db"));
        assert_eq!(count(&mut connection, "PRAGMA user_version"), known(), "from {version}");
        let expected = if version == STEPS.len() { 0 } else { 1 };
        assert_eq!(copies(directory.path()).len(), expected, "from {version}");
    }
}
