//! Who may read what in the data directory, and whose it is.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::{Findings, Severity};
use crate::data::DataDir;

/// Looks at the directory and every file in it that has to be this user's alone.
pub(super) fn modes(data: &DataDir, findings: &mut Findings) {
    let before = findings.0.len();
    let user = rustix::process::geteuid().as_raw();
    for path in places(data) {
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let mode = metadata.permissions().mode() & 0o777;
        let is_key = path.starts_with(data.keys());
        if mode & 0o077 != 0 && path != data.path() && path != data.keys() {
            let what = format!("{} is open to other users (mode {mode:03o})", path.display());
            let right = if metadata.is_dir() { "700" } else { "600" };
            let mut next = format!("chmod {right} {}", path.display());
            if is_key {
                next.push_str("; if others could read it, make a new one");
            }
            let severity = if is_key { Severity::Error } else { Severity::Warning };
            findings.add("files", severity, "ReadableByOthers", what, next);
        }
        if user != 0 && metadata.uid() != user {
            let what = format!("{} belongs to another user", path.display());
            let next =
                format!("chown it to the user that runs comityd: chown -R USER {}", data.path().display());
            findings.add("files", Severity::Warning, "FileOwner", what, next);
        }
    }
    if findings.0.len() == before {
        findings.ok("files", "for this user only");
    }
}

fn places(data: &DataDir) -> Vec<PathBuf> {
    let mut places = vec![data.path().to_owned(), data.keys(), data.documents(), data.config()];
    for folder in [data.keys(), data.documents(), data.path().join("snapshots")] {
        places.extend(entries(&folder));
    }
    for name in ["comity.db", "comity.db-wal", "comity.db-shm", "lock"] {
        places.push(data.path().join(name));
    }
    places
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}
