//! Decides nothing: shows that what is deleted is gone from the disk, that nothing stands there as it
//! was said, and that a row which somebody else changed is named.

use std::{collections::BTreeMap, fs, path::Path};

use bytes::Bytes;
use engine::{
    Record, Table,
    record::{ContactRow, ItemKind, MessageRow, RosterRow, Row as _},
};
use machine::{Entropy as _, Seeded};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use wire::RoomId;

use super::{Part, Store};
use crate::{ClientError, seal::SealedDir};

/// What stands in a table: values by key.
type Stands = BTreeMap<Vec<u8>, Vec<u8>>;

async fn stands(store: &mut Store, table: &str) -> Stands {
    let rows = store.connection.fetch_all(AssertSqlSafe(format!("SELECT key, value FROM {table}"))).await;
    rows.expect("readable").iter().map(|row| (row.get::<Vec<u8>, _>(0), row.get::<Vec<u8>, _>(1))).collect()
}

/// Every 8 bytes of a secret are unlike all others.
fn secret(entropy: &mut Seeded) -> Vec<u8> {
    let length = 32 + usize::from(u16::from_le_bytes(entropy.array()) % 6_000);
    let mut bytes = vec![0; length];
    entropy.fill(&mut bytes);
    bytes
}

/// Which of these stand in a file of the directory, in any place: by their first, middle and last
/// bytes.
fn found(dir: &Path, secrets: &[Vec<u8>]) -> Vec<String> {
    let mut parts = std::collections::BTreeSet::new();
    for secret in secrets {
        parts.extend([0, secret.len() / 2, secret.len() - 8].map(|at| secret[at..at + 8].to_vec()));
    }
    let mut found = Vec::new();
    for file in fs::read_dir(dir).expect("a directory") {
        let path = file.expect("a file").path();
        let bytes = fs::read(&path).expect("readable");
        let hits = bytes.windows(8).filter(|window| parts.contains(*window)).count();
        if hits > 0 {
            found.push(format!("{} parts in {}", hits, path.display()));
        }
    }
    found
}

fn put(key: u64, value: Option<Vec<u8>>) -> Record {
    let key = Bytes::copy_from_slice(&[&[1; 32][..], &key.to_be_bytes()].concat());
    Record { table: Table::Mls, key, value: value.map(Bytes::from) }
}

#[tokio::test]
async fn a_deleted_ratchet_row_stands_in_no_file_of_the_store() {
    let temp = tempfile::tempdir().expect("a directory");
    let mut entropy = Seeded::new(7);
    let mut store = Store::open(&SealedDir::of_test(temp.path())).await.expect("opened");
    let (mut kept, mut gone, mut said) = (Stands::new(), Vec::new(), Vec::new());
    for _ in 0..250 {
        let mut records = BTreeMap::new();
        for _ in 0..6 {
            let key = u64::from(u16::from_le_bytes(entropy.array()) % 300);
            let value = (entropy.array::<1>()[0] > 96).then(|| secret(&mut entropy));
            said.extend(value.clone());
            records.insert(key, put(key, value));
        }
        store.write(records.into_values().collect()).await.expect("written");
        let now = stands(&mut store, "mls").await;
        gone.extend(
            kept.iter().filter(|(key, value)| now.get(*key) != Some(value)).map(|(_, value)| value.clone()),
        );
        kept = now;
    }
    assert!(gone.len() > 500 && kept.len() > 50, "{} and {}", gone.len(), kept.len());
    assert_eq!(found(temp.path(), &said), Vec::<String>::new(), "as it was said");
    assert!(!found(temp.path(), &gone).is_empty(), "the log still has them, sealed");
    store.purge().await.expect("purged");
    assert_eq!(found(temp.path(), &gone), Vec::<String>::new(), "while it is open");
    let (last, rest): (Vec<_>, Vec<_>) = kept.into_iter().partition(|(key, _)| key[0] < 64);
    let all: Vec<Record> = (0..300).map(|key| put(key, None)).collect();
    let dropped: Vec<Record> = all.into_iter().filter(|record| hashed(&store, record)[0] < 64).collect();
    store.write(dropped).await.expect("written");
    store.close().await;
    let values = |rows: Vec<(Vec<u8>, Vec<u8>)>| rows.into_iter().map(|(_, value)| value).collect::<Vec<_>>();
    assert!(last.len() > 5);
    assert_eq!(found(temp.path(), &values(last)), Vec::<String>::new(), "after it was closed");
    assert!(!found(temp.path(), &values(rest)).is_empty(), "what was kept is there, and would be found");
}

fn hashed(store: &Store, record: &Record) -> Vec<u8> {
    store.rows.seal(vec![record.clone()]).expect("small").rows.remove(0).key
}

const ROOM: [u8; 32] = [0x21; 32];

fn message(seq: u64, kind: ItemKind, body: &str) -> Record {
    MessageRow {
        room: Bytes::copy_from_slice(&ROOM),
        seq,
        message: Bytes::copy_from_slice(&[u8::try_from(seq).expect("small"); 16]),
        kind: kind.into(),
        sender: "bob@canary.test".to_owned(),
        body: body.to_owned(),
        target: if kind == ItemKind::Reaction { Bytes::from_static(&[1; 16]) } else { Bytes::new() },
        ..MessageRow::default()
    }
    .put()
}

fn roster(name: &str) -> Record {
    RosterRow { room: Bytes::copy_from_slice(&ROOM), name: name.to_owned(), ..RosterRow::default() }.put()
}

/// A store that was written twice, closed; what stood in it after the first time, and after the second.
async fn written() -> (tempfile::TempDir, SealedDir, [BTreeMap<&'static str, Stands>; 2]) {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = SealedDir::of_test(temp.path());
    let mut store = Store::open(&dir).await.expect("opened");
    let contact = ContactRow { account: "bob@canary.test".to_owned(), ..ContactRow::default() }.put();
    let first = vec![
        put(1, Some(b"canary ratchet one".to_vec())),
        put(2, Some(b"canary ratchet two".to_vec())),
        put(3, Some(b"canary ratchet three".to_vec())),
        roster("canary room"),
        contact,
        message(1, ItemKind::Text, "canary message"),
        message(2, ItemKind::Text, "canary answer"),
        message(3, ItemKind::Reaction, "+"),
        message(4, ItemKind::Founded, ""),
    ];
    store.write(first).await.expect("written");
    let before = all(&mut store).await;
    store
        .write(vec![put(1, Some(b"canary ratchet four".to_vec())), put(3, None), roster("canary renamed")])
        .await
        .expect("written");
    let after = all(&mut store).await;
    store.close().await;
    (temp, dir, [before, after])
}

async fn all(store: &mut Store) -> BTreeMap<&'static str, Stands> {
    let mut all = BTreeMap::new();
    for table in ["mls", "roster", "contact", "message", "seal"] {
        all.insert(table, stands(store, table).await);
    }
    all
}

/// Opens a store and reads all that is in it.
async fn read(dir: &SealedDir) -> Result<Vec<MessageRow>, ClientError> {
    let mut store = Store::open(dir).await?;
    let part = Part { after: 0, before: u64::MAX, limit: 100, oldest_first: true };
    let read = async {
        store.snapshot().await?;
        store.domains().await?;
        let mut items = store.items(&RoomId::new(ROOM), part).await?;
        let changes = store.changes(&items).await?;
        items.extend(changes);
        Ok(items)
    };
    let read = read.await;
    store.close().await;
    read
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn set(table: &str, key: &[u8], value: &[u8]) -> String {
    format!("UPDATE {table} SET value = x'{}' WHERE key = x'{}';", hex(value), hex(key))
}

fn flipped(value: &[u8], at: usize) -> Vec<u8> {
    let mut value = value.to_vec();
    value[at] ^= 1;
    value
}

/// What somebody who has the disk may do with the rows, each as statements.
fn tamperings([before, after]: &[BTreeMap<&'static str, Stands>; 2]) -> Vec<(String, String)> {
    let (mls, old) = (&after["mls"], &before["mls"]);
    let rows: Vec<(&Vec<u8>, &Vec<u8>)> = mls.iter().collect();
    let ((one, first), (two, second)) = (rows[0], rows[1]);
    let changed = mls.iter().find(|(key, value)| old[*key] != **value).expect("one was changed").0;
    let (gone, ghost) = old.iter().find(|(key, _)| !mls.contains_key(*key)).expect("one is gone");
    let sum = |value: &[u8]| format!("UPDATE seal SET value = x'{}'", hex(value));
    let sum_of = |all: &BTreeMap<&str, Stands>| all["seal"].values().next().expect("a sum").clone();
    let (room, roster) = after["roster"].iter().next().expect("a room");
    let mut list: Vec<(String, String)> = [
        ("two rows swapped", format!("{}{}", set("mls", one, second), set("mls", two, first))),
        ("one row twice", set("mls", one, second)),
        ("a row put back", set("mls", changed, &old[changed])),
        ("a room put back", set("roster", room, &before["roster"][room])),
        ("a row deleted", format!("DELETE FROM mls WHERE key = x'{}'", hex(one))),
        ("a contact forgotten", "DELETE FROM contact".to_owned()),
        ("a deleted row put back", format!("INSERT INTO mls VALUES (x'{}', x'{}')", hex(gone), hex(ghost))),
        ("another table's row", format!("INSERT INTO contact VALUES (x'{}', x'{}')", hex(room), hex(roster))),
        ("a row of nobody", format!("INSERT INTO mls VALUES (x'00', x'{}')", "00".repeat(64))),
        ("an empty row", set("mls", one, &[])),
        ("half a row", set("mls", one, &first[..20])),
        ("a plain row", set("mls", one, b"canary ratchet one")),
        ("no sum", "DELETE FROM seal".to_owned()),
        ("the old sum", sum(&sum_of(before))),
        ("a sum of nothing", sum(&[])),
        ("all tables emptied", "DELETE FROM mls; DELETE FROM roster; DELETE FROM contact".to_owned()),
        ("a table gone", "DROP TABLE welcome".to_owned()),
        ("a timeline's row moved", "UPDATE message SET key = x'ffffffffffffffffffffffffffffffff0000000000000009' WHERE target IS NOT NULL".to_owned()),
        ("a message read", "UPDATE message SET counts = 0".to_owned()),
        ("a message unread", "UPDATE message SET counts = 1".to_owned()),
        ("a message hidden", "UPDATE message SET target = x'00' WHERE target IS NULL".to_owned()),
        ("a reaction shown", "UPDATE message SET target = NULL".to_owned()),
        ("a message without text", "UPDATE message SET value = x''".to_owned()),
    ]
    .map(|(name, sql)| (name.to_owned(), sql))
    .into();
    for at in 0..first.len() {
        list.push((format!("byte {at} of a row"), set("mls", one, &flipped(first, at))));
    }
    for (key, value) in &after["message"] {
        list.push((format!("a byte of {}", hex(key)), set("message", key, &flipped(value, value.len() - 1))));
    }
    let sealed = sum_of(after);
    list.extend(
        [0, 30, sealed.len() - 1].map(|at| (format!("byte {at} of the sum"), sum(&flipped(&sealed, at)))),
    );
    list
}

#[tokio::test]
async fn a_row_that_somebody_else_changed_is_named() {
    let (_temp, dir, seen) = written().await;
    assert_eq!(read(&dir).await.expect("untouched").len(), 4);
    let good = fs::read(dir.path("device.db")).expect("readable");
    for (name, sql) in tamperings(&seen) {
        let mut store = Store::open(&dir).await.expect("opened");
        let sql = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut store.connection).await;
        assert!(sql.expect("done").rows_affected() > 0 || name.contains("table"), "{name} does nothing");
        store.connection.close().await.expect("closed");
        match read(&dir).await {
            // Taken out of its timeline it is as good as deleted, which cannot be noticed.
            Ok(rows) => assert!(
                (name.contains("moved") || name.contains("hidden")) && rows.len() < 4,
                "{name}: {rows:?}"
            ),
            Err(error) => assert!(matches!(error, ClientError::Storage { .. }), "{name}: {error}"),
        }
        fs::write(dir.path("device.db"), &good).expect("restored");
    }
    assert_eq!(read(&dir).await.expect("as before").len(), 4);
}

#[tokio::test]
async fn another_directorys_key_opens_nothing() {
    let (_temp, dir, _) = written().await;
    let other = SealedDir::of_test_with(dir.dir().dir(), 8);
    assert!(matches!(read(&other).await.expect_err("not its key"), ClientError::Storage { .. }));
    let mut store = Store::open(&other).await.expect("opened");
    let part = Part { after: 0, before: u64::MAX, limit: 100, oldest_first: true };
    assert!(store.items(&RoomId::new(ROOM), part).await.expect("hashed otherwise").is_empty());
}

#[tokio::test]
async fn what_is_not_sealed_or_newer_is_refused() {
    let (_temp, dir, _) = written().await;
    for (version, newer) in [(1, false), (3, true)] {
        let mut store = Store::open(&dir).await.expect("opened");
        let sql = AssertSqlSafe(format!("PRAGMA user_version = {version}"));
        store.connection.execute(sql).await.expect("set");
        store.close().await;
        let error = Store::open(&dir).await.expect_err("refused");
        assert_eq!(matches!(error, ClientError::NewerSchema { .. }), newer, "{error}");
        assert_eq!(matches!(error, ClientError::Storage { .. }), !newer, "{error}");
        let mut raw = sqlx::SqliteConnection::connect_with(
            &sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path("device.db")),
        )
        .await
        .expect("opened");
        raw.execute("PRAGMA user_version = 2").await.expect("set");
        raw.close().await.expect("closed");
    }
}

#[tokio::test]
async fn no_canary_stands_in_the_files_while_it_is_open_or_after() {
    let (temp, dir, _) = written().await;
    let room: Vec<u8> = ROOM.to_vec();
    let canaries = |when: &str| {
        for file in fs::read_dir(temp.path()).expect("a directory") {
            let path = file.expect("a file").path();
            // A connection that was dropped closes in its own time, and takes its log away then.
            let bytes = match fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                read => read.expect("readable"),
            };
            for canary in [b"canary".as_slice(), b"bob@", &room, &[2; 16]] {
                let stands = bytes.windows(canary.len()).any(|window| window == canary);
                assert!(!stands, "{when}: {canary:?} in {}", path.display());
            }
        }
    };
    canaries("closed");
    let mut store = Store::open(&dir).await.expect("opened");
    store.snapshot().await.expect("readable");
    store.write(vec![roster("canary again"), message(5, ItemKind::Text, "canary")]).await.expect("written");
    canaries("open");
    store.purge().await.expect("purged");
    canaries("purged");
    drop(store);
    canaries("left as it was");
    assert_eq!(read(&dir).await.expect("readable").len(), 5);
}
