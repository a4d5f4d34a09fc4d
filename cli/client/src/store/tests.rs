//! Decides nothing: shows that what is deleted is gone from the disk.

use std::{collections::BTreeMap, path::Path};

use bytes::Bytes;
use engine::{Record, Table};
use machine::{Entropy as _, Seeded};

use super::Store;
use crate::device::DeviceDir;

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
    for file in std::fs::read_dir(dir).expect("a directory") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("readable");
        let hits = bytes.windows(8).filter(|window| parts.contains(*window)).count();
        if hits > 0 {
            found.push(format!("{} parts in {}", hits, path.display()));
        }
    }
    found
}

fn put(key: u64, value: Option<Vec<u8>>) -> Record {
    let key = Bytes::copy_from_slice(&key.to_be_bytes());
    Record { table: Table::Mls, key, value: value.map(Bytes::from) }
}

#[tokio::test]
async fn a_deleted_ratchet_row_stands_in_no_file_of_the_store() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = DeviceDir::new(temp.path());
    let mut entropy = Seeded::new(7);
    let mut store = Store::open(&dir).await.expect("opened");
    let (mut kept, mut gone) = (BTreeMap::new(), Vec::new());
    for _ in 0..250 {
        let mut records = Vec::new();
        for _ in 0..6 {
            let key = u64::from(u16::from_le_bytes(entropy.array()) % 300);
            let value = (entropy.array::<1>()[0] > 96).then(|| secret(&mut entropy));
            // What is replaced within a transaction is never written.
            if records.iter().all(|record: &Record| record.key != key.to_be_bytes().as_slice()) {
                records.push(put(key, value.clone()));
                gone.extend(match value {
                    Some(value) => kept.insert(key, value),
                    None => kept.remove(&key),
                });
            }
        }
        store.write(records).await.expect("written");
    }
    assert!(gone.len() > 500 && kept.len() > 50, "{} and {}", gone.len(), kept.len());
    assert!(!found(temp.path(), &gone).is_empty(), "the log still has them");
    store.purge().await.expect("purged");
    assert_eq!(found(temp.path(), &gone), Vec::<String>::new(), "while it is open");
    let last: Vec<Vec<u8>> = kept.values().take(20).cloned().collect();
    store.write(kept.keys().take(20).map(|key| put(*key, None)).collect()).await.expect("written");
    store.close().await;
    assert_eq!(found(temp.path(), &last), Vec::<String>::new(), "after it was closed");
    let rest: Vec<Vec<u8>> = kept.values().skip(20).cloned().collect();
    assert!(!found(temp.path(), &rest).is_empty(), "what was kept is there, and would be found");
}
