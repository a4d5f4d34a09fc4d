//! Blobs as files of one directory: `<id>.part` while one grows, `<id>` once it is whole. A file begins
//! with its record; renaming it makes it complete, so that there is no moment at which a crash leaves
//! half of a blob that counts.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use machine::Timestamp;
use sha2::{Digest as _, Sha256};
use wire::BlobId;

use crate::{Found, Loaded, Record, Store};

/// Where the blob's own bytes begin: the record stands before them, its length in two bytes first.
const HEAD_BYTES: u64 = 1_024;
const UNFINISHED: &str = "part";
/// Files that are named in the log when they cannot be read; more are only counted.
const TOLD_MAX: u64 = 16;
/// One read while a blob is hashed.
const READ_BYTES: usize = 256 * 1_024;

/// Blobs in a directory of their own.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// The blobs in this directory, which is made if need be, readable by its owner only.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(path.to_owned()))
    }

    fn complete(&self, blob: &BlobId) -> PathBuf {
        self.0.join(blob.to_string())
    }

    fn unfinished(&self, blob: &BlobId) -> PathBuf {
        self.0.join(format!("{blob}.{UNFINISHED}"))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    /// What a file of the directory is; `None` if it was read, and is none of ours or damaged.
    ///
    /// # Errors
    /// Those of the device: nothing is known of the file then.
    fn found(&self, path: &Path) -> io::Result<Option<Found>> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        let mut length = [0; 2];
        let mut head = Vec::new();
        let read = file.read_exact(&mut length).and_then(|()| {
            head.resize(usize::from(u16::from_be_bytes(length)), 0);
            file.read_exact(&mut head)
        });
        match read {
            // It ends before its record does.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let touched = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let touched = Timestamp::from_ms(u64::try_from(touched).unwrap_or_default());
        let understood = || {
            let record = Record::decode(&head).ok()?;
            let received = meta.len().checked_sub(HEAD_BYTES)?;
            let complete = path == self.complete(&record.blob);
            let ours = complete || path == self.unfinished(&record.blob);
            let whole = if complete { received == record.bytes } else { received <= record.bytes };
            (ours && whole).then_some(Found { record, received, complete, touched })
        };
        Ok(understood())
    }

    /// Takes one entry into what is here, or removes it.
    fn take(&self, path: &Path, loaded: &mut Loaded) -> io::Result<()> {
        match self.found(path)? {
            Some(found) => loaded.found.push(found),
            None if is_ours(path) => {
                fs::remove_file(path)?;
                tracing::warn!(path = %path.display(), "a damaged blob was removed");
            }
            None => tracing::warn!(path = %path.display(), "what this is nobody knows; it is left alone"),
        }
        Ok(())
    }
}

/// Whether a file has a name that this program gives.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let id = name.strip_suffix(UNFINISHED).and_then(|id| id.strip_suffix('.')).unwrap_or(name);
    id.parse::<BlobId>().is_ok()
}

impl Store for Directory {
    fn load(&self) -> io::Result<Loaded> {
        let mut loaded = Loaded::default();
        for entry in fs::read_dir(&self.0)? {
            // A listing that fails is not gone on with: it might never end.
            let path = entry?.path();
            if let Err(error) = self.take(&path, &mut loaded) {
                // One cause may concern every file.
                if loaded.unreadable < TOLD_MAX {
                    tracing::error!(path = %path.display(), %error, "a file cannot be read; it is left as it is");
                }
                loaded.unreadable += 1;
            }
        }
        Ok(loaded)
    }

    fn create(&self, record: &Record) -> io::Result<()> {
        let head = record.encode();
        let length = u16::try_from(head.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let path = self.unfinished(&record.blob);
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
        let write = |file: &mut File| {
            file.write_all(&length.to_be_bytes())?;
            file.write_all(&head)?;
            file.set_len(HEAD_BYTES)?;
            file.sync_all()?;
            self.sync()
        };
        let written = write(&mut file);
        if written.is_err() {
            // What cannot be removed now is not understood at the next start, and removed then.
            let _ = fs::remove_file(&path);
        }
        written
    }

    fn append(&self, blob: &BlobId, received: u64, bytes: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.unfinished(blob))?;
        // [MEDIA-14]
        let written = file.write_all_at(bytes, HEAD_BYTES + received).and_then(|()| file.sync_data());
        if written.is_err() {
            // After a restart the length says how much is there: it must not count what was not acknowledged.
            let _ = file.set_len(HEAD_BYTES + received);
        }
        written
    }

    fn digest(&self, blob: &BlobId) -> io::Result<[u8; 32]> {
        let mut file = File::open(self.unfinished(blob))?;
        file.seek(SeekFrom::Start(HEAD_BYTES))?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.finalize().into()),
                count => hasher.update(buffer.get(..count).unwrap_or_default()),
            }
        }
    }

    fn finish(&self, blob: &BlobId) -> io::Result<()> {
        File::open(self.unfinished(blob))?.sync_all()?;
        fs::rename(self.unfinished(blob), self.complete(blob))?;
        self.sync()
    }

    fn read(&self, blob: &BlobId, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = File::open(self.complete(blob))?;
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, HEAD_BYTES + offset + filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn remove(&self, blob: &BlobId) -> io::Result<()> {
        for path in [self.unfinished(blob), self.complete(blob)] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
