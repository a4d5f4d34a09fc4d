//! Says whether a backup is whole, unchanged and of its domain.

use std::{collections::BTreeSet, fs, path::Path};

use identity::fingerprint;

use super::{
    files,
    manifest::{MANIFEST, Manifest, SIGNATURE},
    progress::Progress,
};
use crate::{
    command::storage,
    data::DataDir,
    documents,
    failure::{Exit, Failure},
};

/// A backup that holds.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) manifest: Manifest,
    /// Of the root key of its newest document.
    pub(crate) fingerprint: [u8; 32],
}

/// [ADMIN-31] Reads all of a backup and compares it with its manifest, the manifest with the domain's key, and has
/// SQLite check the database.
///
/// # Errors
/// By name: 7 if the backup is not good, 9 if that cannot be told.
pub(crate) fn verify(backup: &Path) -> Result<Verified, Failure> {
    if !backup.is_dir() {
        let what = format!("there is no backup at {}", backup.display());
        return Err(Failure::new(Exit::Unknown, "BackupMissing", what, "check the path"));
    }
    let (manifest, text) = Manifest::read(backup)?;
    check_files(backup, &manifest)?;
    let documents = documents::read(&DataDir::new(backup), &manifest.domain).map_err(bad)?;
    manifest.prove(backup, &text, &documents.newest)?;
    check_database(backup, &manifest)?;
    Ok(Verified { fingerprint: fingerprint(documents.newest.root_key()), manifest })
}

fn check_files(backup: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let progress = Progress::begin("verifying", manifest.bytes(), || 0);
    for file in &manifest.files {
        let path = backup.join(&file.path);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => {}
            Ok(_) => return Err(wrong("FileIrregular", format!("{} is no regular file", file.path))),
            Err(_) => return Err(wrong("FileMissing", format!("{} is missing", file.path))),
        }
        let found = files::hash(&path, &progress).map_err(|failure| match failure.name {
            "FileUnusable" => Failure { exit: Exit::Unknown, ..failure },
            _ => failure,
        })?;
        if found != (file.bytes, file.sha256.clone()) {
            return Err(wrong("FileChanged", format!("{} is not what was backed up", file.path)));
        }
    }
    let listed = manifest.files.iter().map(|file| file.path.as_str()).chain([MANIFEST, SIGNATURE]);
    let listed: BTreeSet<&str> = listed.collect();
    for found in files::below(backup, "")? {
        if !listed.contains(found.as_str()) {
            let shown: String = found.chars().take(64).flat_map(char::escape_debug).collect();
            return Err(wrong("FileUnlisted", format!("{shown} is not in the manifest")));
        }
    }
    Ok(())
}

fn check_database(backup: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let file = backup.join("comity.db");
    let (contents, findings) = sqlite::inspect(&file, true).map_err(|error| match &error {
        sqlite::OpenError::NewerSchema { .. } => {
            let hint = "verify and restore it with the newer comityd";
            Failure::new(Exit::Unknown, "NewerSchema", error.to_string(), hint)
        }
        _ => bad(storage(&error, &DataDir::new(backup))),
    })?;
    if let Some(finding) = findings.first() {
        let what = format!("the database has {} faults, the first: {finding}", findings.len());
        return Err(wrong("DatabaseDamaged", what));
    }
    let told = (manifest.schema, manifest.accounts, manifest.rooms, manifest.head);
    if told != (contents.schema, contents.accounts, contents.rooms, contents.head) {
        return Err(wrong("DatabaseDiffers", "the database does not hold what the manifest says".to_owned()));
    }
    Ok(())
}

fn wrong(name: &'static str, what: String) -> Failure {
    Failure::new(Exit::Unproved, name, what, "do not restore it; take another backup")
}

/// What would be a fault of a data directory is a fault of the backup.
fn bad(failure: Failure) -> Failure {
    Failure { exit: Exit::Unproved, hint: "do not restore it; take another backup".to_owned(), ..failure }
}
