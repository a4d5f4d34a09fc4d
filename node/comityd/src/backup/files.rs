//! Copies and hashes files, and lists those of a folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use super::{manifest::Listed, progress::Progress};
use crate::failure::{Exit, Failure};

const PIECE: usize = 1024 * 1024;

/// Copies a file durably into a new one of this user only; its length and digest.
pub(super) fn copy(from: &Path, to: &Path, progress: &Progress) -> Result<(u64, String), Failure> {
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(|error| Failure::io(to, &error))?;
    let found =
        read(from, progress, |piece| target.write_all(piece).map_err(|error| Failure::io(to, &error)))?;
    target.sync_all().map_err(|error| Failure::io(to, &error))?;
    Ok(found)
}

/// The length and digest of a file.
pub(super) fn hash(path: &Path, progress: &Progress) -> Result<(u64, String), Failure> {
    read(path, progress, |_| Ok(()))
}

/// The content of a file that was listed with this length and digest, and is that still.
///
/// # Errors
/// `FileChanged`, those of reading.
pub(super) fn content(root: &Path, listed: &Listed, progress: &Progress) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let found = read(&root.join(&listed.path), progress, |piece| {
        content.extend_from_slice(piece);
        if content.len() as u64 > listed.bytes { Err(changed(listed)) } else { Ok(()) }
    })?;
    if found == (listed.bytes, listed.sha256.clone()) { Ok(content) } else { Err(changed(listed)) }
}

/// A file is not any more what was verified.
pub(super) fn changed(listed: &Listed) -> Failure {
    let what = format!("{} has changed while it was read", listed.path);
    Failure::new(Exit::Unproved, "FileChanged", what, "check the disk of the backup")
}

fn read(
    path: &Path,
    progress: &Progress,
    mut each: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(u64, String), Failure> {
    let failed = |error: io::Error| Failure::io(path, &error);
    // A link would lead out of the directory.
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(irregular(path));
    }
    let (mut bytes, mut hasher, mut buffer) = (0, Sha256::new(), vec![0; PIECE]);
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        let piece = buffer.get(..read).unwrap_or_default();
        if piece.is_empty() {
            return Ok((bytes, HEXLOWER.encode(&hasher.finalize())));
        }
        each(piece)?;
        hasher.update(piece);
        bytes += piece.len() as u64;
        progress.add(piece.len() as u64);
    }
}

/// The files of a folder and the folders in it, by their paths from `root`, in order. None if there is no
/// such folder.
pub(super) fn below(root: &Path, folder: &str) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(directory) = open.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Failure::io(&directory, &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| Failure::io(&directory, &error))?;
            let kind = entry.file_type().map_err(|error| Failure::io(&entry.path(), &error))?;
            match (kind.is_dir(), kind.is_file()) {
                (true, _) => open.push(entry.path()),
                (_, true) => found.push(name(root, &entry.path())?),
                _ => return Err(irregular(&entry.path())),
            }
        }
    }
    found.sort();
    Ok(found)
}

fn name(root: &Path, path: &Path) -> Result<String, Failure> {
    let name = path.strip_prefix(root).ok().and_then(Path::to_str);
    name.map(str::to_owned).ok_or_else(|| irregular(path))
}

fn irregular(path: &Path) -> Failure {
    let what = format!("{} is no regular file", path.display());
    Failure::new(Exit::Unproved, "FileIrregular", what, "move it away; nothing but files belongs there")
}

/// A file with its length and digest.
pub(super) fn listed(path: &str, (bytes, sha256): (u64, String)) -> Listed {
    Listed { path: path.to_owned(), bytes, sha256 }
}

/// Makes the folders of a file.
pub(super) fn make_folders(root: &Path, path: &str) -> Result<PathBuf, Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    let path = root.join(path);
    if let Some(parent) = path.parent() {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(parent);
        made.map_err(|error| Failure::io(parent, &error))?;
    }
    Ok(path)
}

/// Makes the names in a directory and in all below it durable.
pub(super) fn sync(directory: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::io(directory, &error);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            sync(&entry.path())?;
        }
    }
    sync_names(directory)
}

/// Makes the names in a directory durable.
pub(super) fn sync_names(directory: &Path) -> Result<(), Failure> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    File::open(directory).and_then(|file| file.sync_all()).map_err(|error| Failure::io(directory, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_since_it_was_verified_is_not_taken() {
        let temp = tempfile::tempdir().expect("a directory");
        let (path, progress) = (temp.path().join("comity.toml"), Progress::begin("reading", 0, || 0));
        fs::write(&path, "domain = 1").expect("written");
        let listed = listed("comity.toml", hash(&path, &progress).expect("readable"));
        assert_eq!(content(temp.path(), &listed, &progress).expect("as listed"), b"domain = 1");
        for changed in ["domain = 2", "domain", "domain = 1 and more", ""] {
            fs::write(&path, changed).expect("written");
            let failure = content(temp.path(), &listed, &progress).expect_err(changed);
            assert_eq!(failure.name, "FileChanged", "{changed}");
        }
        fs::write(temp.path().join("elsewhere"), "domain = 1").expect("written");
        fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink("elsewhere", &path).expect("linked");
        assert!(content(temp.path(), &listed, &progress).is_err(), "a link leads out of the backup");
    }
}
