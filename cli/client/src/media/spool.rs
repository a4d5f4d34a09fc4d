//! The encrypted files that are on their way: a file is encrypted once, into the device's directory, and
//! sent from there. So no key is used for two texts whatever becomes of the original, and what was begun
//! goes on without it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use machine::Entropy as _;
use media::{Cipher, FileKey, Plan};
use sha2::{Digest as _, Sha256};
use wire::{BlobId, ErrorCode, RoomId, limits, proto};

use crate::{ClientError, clock::SystemEntropy, device::DeviceDir};

/// The spool of one device.
#[derive(Clone, Debug)]
pub(crate) struct Spool(PathBuf);

impl Spool {
    /// The spool in this directory, which is made when it is needed.
    pub(crate) fn of(dir: &DeviceDir) -> Self {
        Self(dir.path("files"))
    }

    fn path(&self, blob: &BlobId) -> PathBuf {
        self.0.join(blob.to_string())
    }

    /// Encrypts a local file, and says what the others need to read it. Blocks.
    ///
    /// # Errors
    /// `Refused(TooLarge)`; `Refused(Malformed)` if it is no file, or changes while it is read;
    /// `Storage`.
    pub(crate) fn seal(
        &self,
        room: RoomId,
        path: &Path,
        name: Option<String>,
        caption: String,
    ) -> Result<proto::File, ClientError> {
        let failed = |error: io::Error| ClientError::storage(path, error);
        let mut source = File::open(path).map_err(failed)?;
        let meta = source.metadata().map_err(failed)?;
        if !meta.is_file() {
            return Err(ErrorCode::Malformed.into());
        }
        if meta.len() > limits::FILE_BYTES_MAX as u64 || caption.len() > limits::CONTENT_BODY_BYTES_MAX {
            return Err(ErrorCode::TooLarge.into());
        }
        let name = name.unwrap_or_else(|| {
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        });
        let mut entropy = SystemEntropy;
        let (blob, key) = (BlobId::new(entropy.array()), FileKey::random(&mut entropy));
        let spooled = self.write(&mut source, (&room, &blob), &key, meta.len());
        let hash = spooled.inspect_err(|_| self.remove(&blob))?;
        Ok(proto::File {
            blob: blob.to_bytes(),
            key: Bytes::copy_from_slice(key.as_bytes()),
            size: meta.len(),
            hash: Bytes::copy_from_slice(&hash),
            name: media::to_send(&name),
            caption,
            thumbnail: Bytes::new(),
        })
    }

    // [MEDIA-1] A key is made here, used for this one pass over the file, and never again.
    fn write(
        &self,
        source: &mut File,
        place: (&RoomId, &BlobId),
        key: &FileKey,
        size: u64,
    ) -> Result<[u8; 32], ClientError> {
        let path = self.path(place.1);
        let failed = |error: io::Error| ClientError::storage(&path, error);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(failed)?;
        let mut spooled =
            OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path).map_err(failed)?;
        let (cipher, header) = Cipher::to_seal(key, place, size, &mut SystemEntropy)?;
        let mut hasher = Sha256::new();
        let mut put = |bytes: &[u8]| {
            hasher.update(bytes);
            spooled.write_all(bytes).map_err(failed)
        };
        put(&header)?;
        let mut chunk = vec![0; limits::MEDIA_CHUNK_BYTES];
        for index in 0..cipher.plan().chunks() {
            let wanted = cipher.plan().file_bytes(index);
            let part = chunk.get_mut(..wanted).ok_or(ErrorCode::Internal)?;
            source.read_exact(part).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => ErrorCode::Malformed.into(),
                _ => failed(error),
            })?;
            put(&cipher.seal(index, part)?)?;
        }
        spooled.sync_all().map_err(failed)?;
        Ok(hasher.finalize().into())
    }

    /// Bytes of a blob that is to be sent, fewer at its end.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn read(&self, blob: &BlobId, offset: u64, length: usize) -> Result<Vec<u8>, ClientError> {
        let path = self.path(blob);
        let read = || -> io::Result<Vec<u8>> {
            let file = File::open(&path)?;
            let mut bytes = vec![0; length];
            let mut filled = 0;
            while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match file.read_at(rest, offset + filled as u64)? {
                    0 => break,
                    count => filled += count,
                }
            }
            bytes.truncate(filled);
            Ok(bytes)
        };
        read().map_err(|error| ClientError::storage(&path, error))
    }

    /// Removes what needs not be sent any more.
    pub(crate) fn remove(&self, blob: &BlobId) {
        match fs::remove_file(self.path(blob)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "an encrypted file that was sent could not be removed");
            }
            _ => {}
        }
    }

    /// Removes everything but these: what was being encrypted when the process ended.
    pub(crate) fn keep_only(&self, blobs: &[BlobId]) {
        let Ok(entries) = fs::read_dir(&self.0) else { return };
        for entry in entries.flatten() {
            let id = entry.file_name().to_str().and_then(|name| name.parse::<BlobId>().ok());
            if let Some(id) = id.filter(|id| !blobs.contains(id)) {
                self.remove(&id);
            }
        }
    }
}

/// The lengths of the blob of a file that a message tells of.
///
/// # Errors
/// `TooLarge`.
pub(super) fn plan(file: &proto::File) -> Result<Plan, ErrorCode> {
    Plan::of(file.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    // [MEDIA-1]
    #[test]
    fn each_time_a_file_is_sent_it_has_another_key_and_nothing_in_common_with_the_last() {
        let dir = tempfile::tempdir().expect("a directory");
        let spool = Spool::of(&DeviceDir::new(dir.path()));
        let path = dir.path().join("plan.txt");
        fs::write(&path, "canary ".repeat(20_000)).expect("written");
        let seal = || spool.seal(RoomId::new([7; 32]), &path, None, String::new()).expect("sealed");
        let (one, other) = (seal(), seal());
        assert_eq!((one.name.as_str(), one.size), ("plan.txt", 140_000));
        assert!(one.key != other.key && one.blob != other.blob && one.hash != other.hash);
        let blob = |file: &proto::File| {
            let id = BlobId::try_from(file.blob.as_ref()).expect("an id");
            spool.read(&id, 0, 1 << 20).expect("readable")
        };
        let (first, second) = (blob(&one), blob(&other));
        assert_eq!(Sha256::digest(&first).as_slice(), one.hash.as_ref());
        assert_eq!(first.len() as u64, Plan::of(one.size).expect("small").blob_bytes());
        assert!(!first.windows(6).any(|bytes| bytes == b"canary"));
        let alike = first.iter().zip(&second).filter(|(a, b)| a == b).count();
        assert!(alike < first.len() / 100, "{alike} bytes are the same");
        spool.keep_only(&[BlobId::try_from(one.blob.as_ref()).expect("an id")]);
        assert_eq!(fs::read_dir(dir.path().join("files")).expect("there").count(), 1);
    }

    #[test]
    fn what_is_no_file_is_refused_and_leaves_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let spool = Spool::of(&DeviceDir::new(dir.path()));
        let room = RoomId::new([7; 32]);
        let seal = |path: &Path| spool.seal(room, path, None, String::new()).expect_err("refused").code();
        assert_eq!(seal(dir.path()), Some(ErrorCode::Malformed));
        assert_eq!(seal(&dir.path().join("nothing")), None, "the system's own words");
        let large = dir.path().join("large");
        let file = File::create(&large).expect("made");
        file.set_len(limits::FILE_BYTES_MAX as u64 + 1).expect("sparse");
        assert_eq!(seal(&large), Some(ErrorCode::TooLarge));
        assert!(!dir.path().join("files").exists());
    }
}
