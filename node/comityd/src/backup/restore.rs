//! Makes a data directory of a backup.

use std::{fs, io, path::Path};

use identity::KeyKind;
use net::now;
use sqlite::{Restored, Sqlite};
use wire::SecretKey;

use super::{
    files,
    progress::Progress,
    verify::{Verified, verify},
};
use crate::{
    command::storage,
    data::{DataDir, make_private_directory, write_private},
    failure::{Exit, Failure},
    keys::{self, ONLINE, Stored},
    passphrase::Source,
    system::groups,
};

/// Stands in a directory while a restore is under way: what is there then is nobody's.
const UNFINISHED: &str = "restore-unfinished";

/// What was restored.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) verified: Verified,
    pub(crate) restored: Restored,
}

/// [ADMIN-32] Verifies a backup and copies it into a directory that is empty or does not exist; then has the
/// database go on from there. The configuration comes last: without it nobody takes the directory for
/// a domain.
///
/// # Errors
/// Those of [`verify`] and of opening sealed keys; `WrongRootKey` if it is not the one of which the
/// fingerprint was given; `DirectoryNotEmpty`, and those of writing.
pub(crate) fn restore(
    backup: &Path,
    data: &DataDir,
    root: Option<[u8; 32]>,
    source: &Source,
) -> Result<Outcome, Failure> {
    let verified = verify(backup)?;
    if root.is_some_and(|root| root != verified.fingerprint) {
        let what = format!("the root key of the backup is {}", groups(&verified.fingerprint));
        let hint = "whoever made this backup is not that domain, or has given it another root key since";
        return Err(Failure::new(Exit::Unproved, "WrongRootKey", what, hint));
    }
    let opened = open_keys(backup, source)?;
    prepare(data.path())?;
    let progress = Progress::begin("restoring", verified.manifest.bytes(), || 0);
    let (config, others): (Vec<_>, Vec<_>) =
        verified.manifest.files.iter().partition(|file| file.path == "comity.toml");
    for file in others {
        let to = files::make_folders(data.path(), &file.path)?;
        let copied = files::copy(&backup.join(&file.path), &to, &progress)?;
        if copied != (file.bytes, file.sha256.clone()) {
            return Err(files::changed(file));
        }
    }
    drop(progress);
    for (kind, key) in &opened {
        write_private(&keys::path(data, *kind), keys::text(*kind, key, None)?.as_bytes())?;
    }
    let store = Sqlite::open(data.path()).map_err(|error| storage(&error, data))?;
    let restored = store.restored(&verified.manifest.domain, now().as_ms()).map_err(|error| {
        let hint = "check the disk, then again";
        Failure::new(Exit::Storage, "StoreUnusable", error.to_string(), hint)
    })?;
    drop(store);
    for file in config {
        let progress = Progress::begin("configuration", 0, || 0);
        write_private(&data.config(), &files::content(backup, file, &progress)?)?;
    }
    files::sync(data.path())?;
    let marker = data.path().join(UNFINISHED);
    fs::remove_file(&marker).map_err(|error| Failure::io(&marker, &error))?;
    Ok(Outcome { verified, restored })
}

/// The keys that a running node needs and that were sealed for the backup.
fn open_keys(backup: &Path, source: &Source) -> Result<Vec<(KeyKind, SecretKey)>, Failure> {
    let mut opened = Vec::new();
    for kind in ONLINE {
        let path = keys::path(&DataDir::new(backup), kind);
        match keys::stored(&path, kind)? {
            Stored::Open(_) => {}
            // Asked for once: the backup sealed all of them with one passphrase.
            stored @ Stored::Sealed(_) if opened.is_empty() => {
                let passphrase = source.known("the keys in the backup")?;
                opened.push((kind, stored.open_with(&path, &passphrase)?, passphrase));
            }
            stored @ Stored::Sealed(_) => {
                let passphrase = opened.first().map(|(_, _, word)| word.clone()).unwrap_or_default();
                opened.push((kind, stored.open_with(&path, &passphrase)?, passphrase));
            }
        }
    }
    Ok(opened.into_iter().map(|(kind, key, _)| (kind, key)).collect())
}

/// An empty directory with the mark. One that an interrupted restore has left is emptied.
fn prepare(directory: &Path) -> Result<(), Failure> {
    make_private_directory(directory)?;
    let entries = |path: &Path| -> io::Result<Vec<fs::DirEntry>> { fs::read_dir(path)?.collect() };
    let found = entries(directory).map_err(|error| Failure::io(directory, &error))?;
    let is_ours = found.iter().any(|entry| entry.file_name() == UNFINISHED);
    let is_domain = found.iter().any(|entry| entry.file_name() == "comity.toml");
    if !found.is_empty() && (!is_ours || is_domain) {
        let what = format!("{} is not empty", directory.display());
        let hint = "give a directory that does not exist; move what is there away first";
        return Err(Failure::new(Exit::Storage, "DirectoryNotEmpty", what, hint));
    }
    for entry in found.iter().filter(|entry| entry.file_name() != UNFINISHED) {
        let path = entry.path();
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(|error| Failure::io(&path, &error))?;
    }
    write_private(&directory.join(UNFINISHED), b"comityd restore was interrupted here\n")
}
