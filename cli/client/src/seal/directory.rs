//! A directory that was unlocked: its files are read and written through its keys.

use std::{path::PathBuf, sync::Arc};

use identity::{KeyKind, SecretKey, key_file};
use zeroize::Zeroizing;

use super::{
    Key, Protection,
    keys::{self, Sealer},
};
use crate::{ClientError, device::DeviceDir};

/// The files of a device whose keys are at hand.
#[derive(Clone)]
pub(crate) struct SealedDir {
    dir: DeviceDir,
    protection: Protection,
    keys: Arc<Keys>,
}

struct Keys {
    master: Key,
    files: Sealer,
}

impl std::fmt::Debug for SealedDir {
    /// Never shows a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedDir({:?})", self.dir)
    }
}

impl SealedDir {
    pub(super) fn new(dir: &DeviceDir, protection: Protection, master: Key) -> Self {
        let files = master.derive("file").sealer();
        Self { dir: dir.clone(), protection, keys: Arc::new(Keys { master, files }) }
    }

    /// The directory.
    pub(crate) const fn dir(&self) -> &DeviceDir {
        &self.dir
    }

    /// How it was protected when it was unlocked.
    pub(crate) const fn protection(&self) -> Protection {
        self.protection
    }

    /// The key from which all others come.
    #[cfg(test)]
    pub(super) fn master(&self) -> &Key {
        &self.keys.master
    }

    /// The key for one use.
    pub(crate) fn key(&self, what: &str) -> Key {
        self.keys.master.derive(what)
    }

    /// A file of the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path(name)
    }

    /// Reads a small file; `None` if there is none.
    ///
    /// # Errors
    /// `Storage`, also if it is not what was written under this name.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, ClientError> {
        let Some(sealed) = self.dir.read(name)? else { return Ok(None) };
        let opened = self.keys.files.open(name.as_bytes(), &sealed);
        opened
            .map(Some)
            .ok_or_else(|| ClientError::storage(self.path(name), "it is damaged, or somebody else wrote it"))
    }

    /// Writes a small file whole.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ClientError> {
        let sealed = self.keys.files.seal(keys::nonce(), name.as_bytes(), &[bytes]);
        let sealed = sealed.ok_or_else(|| ClientError::storage(self.path(name), "it is too large"))?;
        self.dir.write(name, &sealed)
    }

    /// Deletes a file if it is there.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn remove(&self, name: &str) -> Result<(), ClientError> {
        self.dir.remove(name)
    }

    /// Reads a secret key.
    ///
    /// # Errors
    /// As [`Self::read`]; `Storage` if it is no key of this kind.
    pub(crate) fn read_key(&self, name: &str, kind: KeyKind) -> Result<Option<SecretKey>, ClientError> {
        let Some(bytes) = self.read(name)? else { return Ok(None) };
        let text = str::from_utf8(&bytes)
            .map_err(|_| ClientError::storage(self.path(name), key_file::KeyFileError::NotAKeyFile))?;
        key_file::parse_as(kind, text).map(Some).map_err(|error| ClientError::storage(self.path(name), error))
    }

    /// Writes a secret key.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn write_key(&self, name: &str, kind: KeyKind, key: &SecretKey) -> Result<(), ClientError> {
        self.write(name, key_file::encode(kind, key).as_bytes())
    }
}

#[cfg(test)]
impl SealedDir {
    /// A directory of a test, with a key that everybody knows.
    pub(crate) fn of_test(dir: &std::path::Path) -> Self {
        Self::of_test_with(dir, 7)
    }

    /// The same with another key.
    pub(crate) fn of_test_with(dir: &std::path::Path, key: u8) -> Self {
        let key = Key::from_bytes(&[key; 32]).expect("32 bytes");
        Self::new(&DeviceDir::new(dir), Protection::File, key)
    }
}
