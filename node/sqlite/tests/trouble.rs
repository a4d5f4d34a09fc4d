//! What stands in the way of opening a store, damage, and a full disk, each by its name.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use sqlite::{OpenError, Sqlite};
use store::{
    Store as _, StoreError, Write,
    row::{AccountRow, PasswordRow},
    suite::sample,
};
use tempfile::TempDir;
use wire::proto::{AccountStanding, PeerMode};

fn query(directory: &Path, text: &str) {
    let path = directory.join("comity.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        use sqlx::{ConnectOptions as _, Connection as _};
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(text.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// Says that the running test is skipped, past what keeps the output of tests that pass.
fn skipped(reason: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Who has closed the output does not read it.
    let _ =
        writeln!(std::io::stdout(), "skipped: {test}: no small file system can be mounted here: {reason}");
}

#[test]
fn a_second_process_is_told_at_once_who_was_first() {
    let directory = TempDir::new().unwrap();
    let first = Sqlite::open(directory.path()).unwrap();
    let error = Sqlite::open(directory.path()).unwrap_err();
    let us = std::process::id();
    assert!(matches!(error, OpenError::Locked { pid: Some(pid), .. } if pid == us), "{error}");
    assert!(error.to_string().contains(&format!("(process {us})")), "{error}");
    drop(first);
    Sqlite::open(directory.path()).unwrap();
}

#[test]
fn a_closed_store_is_one_file_for_its_user_alone() {
    let outer = TempDir::new().unwrap();
    let directory = outer.path().join("made/by/us");
    let store = Sqlite::open(&directory).unwrap();
    store.commit(&sample::batch([Write::PutEvent(sample::event(1, 1, 1))])).unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory.clone()), 0o700);
    for name in ["comity.db", "comity.db-wal", "comity.db-shm", "lock"] {
        assert_eq!(mode(directory.join(name)), 0o600, "{name}");
    }
    drop(store);
    assert!(!directory.join("comity.db-wal").exists());
}

/// What joining a large room takes is told to each account of a domain and stands on disk once.
#[test]
fn what_many_accounts_are_told_alike_is_kept_once_and_goes_with_the_last() {
    const BYTES: usize = 1 << 20;
    let directory = TempDir::new().unwrap();
    let store = Sqlite::open(directory.path()).unwrap();
    let told =
        |position| store::row::EntryRow { entry: vec![7; BYTES].into(), ..sample::entry(position, position) };
    store.commit(&sample::batch((1..=50).map(told).map(Write::PutEntry))).unwrap();
    for of in [1, 50] {
        let read = store.account_entries(&sample::account(of), &sample::device(1), 0, 9).unwrap();
        assert_eq!(read, [told(of)]);
    }
    // The newest position stays, whoever fetched it.
    store.commit(&sample::batch([Write::PutEntry(sample::entry(99, 99))])).unwrap();
    store.commit(&sample::batch((2..=50).map(|of| Write::PruneEntries(sample::account(of), 50)))).unwrap();
    let left = store.account_entries(&sample::account(1), &sample::device(1), 0, 9).unwrap();
    assert_eq!(left, [told(1)], "somebody has not fetched it yet");
    store.commit(&sample::batch([Write::PruneEntries(sample::account(1), 50)])).unwrap();
    drop(store);
    let file = directory.path().join("comity.db");
    assert!(fs::metadata(&file).unwrap().len() < 2 * BYTES as u64, "it stood there once");
    query(directory.path(), "VACUUM");
    assert!(fs::metadata(&file).unwrap().len() < BYTES as u64, "it is gone");
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let directory = TempDir::new().unwrap();
    drop(Sqlite::open(directory.path()).unwrap());
    query(directory.path(), "PRAGMA user_version = 77");
    let refused = || match Sqlite::open(directory.path()).unwrap_err() {
        OpenError::NewerSchema { found: 77, known } => known,
        other => panic!("{other}"),
    };
    let known = refused();
    assert_eq!(refused(), known);
    query(directory.path(), &format!("PRAGMA user_version = {known}"));
    Sqlite::open(directory.path()).unwrap();
}

#[test]
fn accounts_and_peers_of_the_first_schema_are_active_and_open() {
    let directory = TempDir::new().unwrap();
    query(directory.path(), include_str!("../migrations/0001-first.sql"));
    query(
        directory.path(),
        "PRAGMA application_id = 0x436d7479; PRAGMA user_version = 1; \
         INSERT INTO account VALUES ('a1@d1.test', NULL, 0, NULL, 0); \
         INSERT INTO peer VALUES ('d2.test', zeroblob(32), '', 0, zeroblob(16), 1, 0, 0, zeroblob(16), \
         0, 0, 0, 0, 0)",
    );
    let store = Sqlite::open(directory.path()).unwrap();
    let account = store.account(&sample::account(1)).unwrap().unwrap();
    assert_eq!((account.standing, account.standing_since_ms), (AccountStanding::Active, 0));
    assert_eq!(store.peers().unwrap()[0].mode, PeerMode::Open);
    store.commit(&sample::batch([Write::PutAudit(sample::audited(1))])).unwrap();
}

// [ADMIN-32]
#[test]
fn a_restored_store_keeps_no_password_that_may_have_been_used_since() {
    let directory = TempDir::new().unwrap();
    let store = Sqlite::open(directory.path()).unwrap();
    let row = |number, keys| AccountRow { keys, ..sample::account_row(number) };
    let kept = |number| PasswordRow { account: sample::account(number), kept: "$argon2id$".to_owned() };
    let rows = [
        Write::PutAccount(row(1, None)),
        Write::PutAccount(row(2, Some(vec![1].into()))),
        Write::PutPassword(kept(1)),
        Write::PutPassword(kept(2)),
    ];
    store.commit(&sample::batch(rows)).unwrap();
    let own = sample::account(1).domain().clone();
    assert_eq!(store.restored(&own, 1).unwrap().passwords_voided, 1);
    assert_eq!(store.password(&sample::account(1)).unwrap(), None);
    assert_eq!(store.password(&sample::account(2)).unwrap(), Some(kept(2)), "it enrols nobody");
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("comity.db");
    let text = "This is a text of some length, and not at all a database.\n".repeat(100);
    fs::write(&path, &text).unwrap();
    let error = Sqlite::open(directory.path()).unwrap_err();
    assert!(matches!(&error, OpenError::NotADatabase(named) if *named == path), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn the_database_of_another_program_is_refused() {
    let directory = TempDir::new().unwrap();
    query(directory.path(), "CREATE TABLE theirs (value)");
    assert!(matches!(Sqlite::open(directory.path()), Err(OpenError::Foreign)));
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Sqlite::open(&file).unwrap_err();
    assert!(matches!(&error, OpenError::Io { path, .. } if *path == file), "{error}");
}

#[test]
fn damaged_rows_are_named_and_others_are_read() {
    let directory = TempDir::new().unwrap();
    let store = Sqlite::open(directory.path()).unwrap();
    let events = [1, 2].map(|number| Write::PutEvent(sample::event(number, number, 1)));
    let account = Write::PutAccount(sample::account_row(1));
    store.commit(&sample::batch(events.into_iter().chain([account]))).unwrap();
    drop(store);
    query(
        directory.path(),
        "UPDATE event SET head = x'07' WHERE position = 1; UPDATE account SET account = 'nobody'",
    );
    let store = Sqlite::open(directory.path()).unwrap();
    assert!(matches!(store.events(&sample::room(1), 0, 9), Err(StoreError::Damaged(_))));
    assert!(matches!(store.accounts(None, 9), Err(StoreError::Damaged(_))));
    assert_eq!(store.events(&sample::room(2), 0, 9).unwrap(), [sample::event(2, 2, 1)]);
}

#[test]
fn the_integrity_check_finds_a_damaged_page() {
    let directory = TempDir::new().unwrap();
    let store = Sqlite::open(directory.path()).unwrap();
    let events = (1..=200).map(|number| Write::PutEvent(sample::event(number, 1, number)));
    store.commit(&sample::batch(events)).unwrap();
    assert_eq!(store.integrity().unwrap(), Vec::<String>::new());
    drop(store);
    let path = directory.path().join("comity.db");
    let mut bytes = fs::read(&path).unwrap();
    let page = bytes.len() - 4096;
    bytes.get_mut(page..).unwrap().fill(0x55);
    fs::write(&path, bytes).unwrap();
    let store = Sqlite::open(directory.path());
    let found = store.map(|store| store.integrity());
    assert!(!matches!(found, Ok(Ok(ref lines)) if lines.is_empty()), "{found:?}");
}

/// A small file system of its own.
struct SmallDisk {
    outer: TempDir,
}

impl SmallDisk {
    const BYTES: u64 = 8 * 1024 * 1024;

    fn mount() -> Result<Self, String> {
        let outer = TempDir::new().map_err(|error| error.to_string())?;
        let image = outer.path().join("image");
        let disk = Self { outer };
        fs::create_dir(disk.path()).map_err(|error| error.to_string())?;
        let file = fs::File::create(&image).map_err(|error| error.to_string())?;
        file.set_len(Self::BYTES).map_err(|error| error.to_string())?;
        let run = |command: &mut Command| {
            let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            output.status.success().then_some(()).ok_or(format!("{command:?}: {said}"))
        };
        let ext4 = run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image))
            .and_then(|()| run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(disk.path())));
        let Err(no_loop) = ext4 else { return Ok(disk) };
        let size = format!("size={}", Self::BYTES);
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(disk.path()))
            .map_err(|no_tmpfs| format!("{no_loop}; {no_tmpfs}"))?;
        Ok(disk)
    }

    fn path(&self) -> PathBuf {
        self.outer.path().join("disk")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).output();
    }
}

/// Takes what is left, to the last byte.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    for piece in [65_536, 4096, 1] {
        while file.write_all(&vec![1; piece]).is_ok() {}
    }
    let _ = file.sync_all();
}

#[test]
fn a_full_disk_refuses_keeps_reading_and_heals() {
    let disk = match SmallDisk::mount() {
        Ok(disk) => disk,
        Err(reason) => return skipped(&reason),
    };
    let directory = disk.path().join("data");
    let store = Sqlite::open(&directory).unwrap();
    let ballast = disk.path().join("ballast");
    let mut committed = 0;
    for round in 0..3 {
        fill(&ballast);
        let before = committed;
        let error = loop {
            let first = committed + 1;
            let events = (first..first + 64).map(|number| Write::PutEvent(sample::event(number, 1, number)));
            match store.commit(&sample::batch(events)) {
                Ok(()) => committed += 64,
                Err(error) => break error,
            }
            assert!(committed - before < 100_000, "the disk never gets full");
        };
        assert!(matches!(error, StoreError::Full), "round {round}: {error}");
        assert_eq!(store.head().unwrap(), committed, "round {round}");
        assert_eq!(store.events(&sample::room(1), 1, usize::MAX).unwrap().len() as u64, committed);
        fs::remove_file(&ballast).unwrap();
    }
    let next = sample::event(committed + 1, 1, committed + 1);
    store.commit(&sample::batch([Write::PutEvent(next)])).unwrap();
    drop(store);
    let store = Sqlite::open(&directory).unwrap();
    assert_eq!(store.events(&sample::room(1), 1, usize::MAX).unwrap().len() as u64, committed + 1);
    assert_eq!(store.integrity().unwrap(), Vec::<String>::new());
}

#[test]
fn opening_on_a_full_disk_says_so() {
    let disk = match SmallDisk::mount() {
        Ok(disk) => disk,
        Err(reason) => return skipped(&reason),
    };
    let directory = disk.path().join("data");
    fs::create_dir(&directory).unwrap();
    fill(&disk.path().join("ballast"));
    let error = Sqlite::open(&directory).unwrap_err();
    assert!(matches!(&error, OpenError::Full(named) if *named == directory), "{error}");
    fs::remove_file(disk.path().join("ballast")).unwrap();
    Sqlite::open(&directory).unwrap();
}
