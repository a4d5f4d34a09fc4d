//! A device's directory: who lives there, its keys, and the lock that makes one process its owner.
//!
//! `profile` says who the device is and how its node is recognised; `account.key` and
//! `device.key` are the secrets; `domain` is the newest document of the home domain, and
//! `endpoints` where it was said to be; `device.db` is what the engine keeps. All of these are sealed
//! (`crate::seal`), by what `seal` and `seal.key` say. `lock` and `socket` belong to the process that
//! owns the directory. The directory itself is 0700, every file in it 0600.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

use crate::ClientError;

/// No file of a directory but the database is larger.
const FILE_BYTES_MAX: u64 = 65_536;

/// Whether a device lives in this directory: one that has finished its enrolment.
#[must_use]
pub fn is_device(dir: &Path) -> bool {
    dir.join("profile").is_file()
}

/// The files of one device.
#[derive(Clone, Debug)]
pub(crate) struct DeviceDir(PathBuf);

/// While it lives, no other process holds the same lock.
#[derive(Debug)]
pub(crate) struct Ownership {
    _lock: File,
}

impl DeviceDir {
    /// The directory, which need not exist.
    pub(crate) fn new(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    /// Makes the directory, readable by its owner only. One that is there is made so.
    pub(crate) fn create(&self) -> Result<(), ClientError> {
        let make = || -> io::Result<()> {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            if fs::metadata(&self.0)?.mode() & 0o077 != 0 {
                fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700))?;
            }
            Ok(())
        };
        make().map_err(|error| self.error("", &error))?;
        self.check()
    }

    /// That nobody but this user can look into the directory, on which its socket relies too.
    fn check(&self) -> Result<(), ClientError> {
        let found = fs::metadata(&self.0).map_err(|error| self.error("", &error))?;
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(ClientError::storage(&self.0, "it belongs to another user"));
        }
        if found.mode() & 0o077 != 0 {
            return Err(ClientError::storage(&self.0, "others may look into it; it must be 0700"));
        }
        Ok(())
    }

    /// Becomes the owner, if no process is.
    pub(crate) fn own(&self) -> Result<Option<Ownership>, ClientError> {
        self.check()?;
        self.hold("lock")
    }

    /// Takes the lock of this name; `None` while somebody else has it.
    pub(crate) fn hold(&self, name: &str) -> Result<Option<Ownership>, ClientError> {
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(self.path(name))
            .map_err(|error| self.error(name, &error))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Ownership { _lock: lock })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(self.error(name, &error.into())),
        }
    }

    /// A file of the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.0
    }

    /// Reads a small file; `None` if there is none.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, ClientError> {
        let file = match File::open(self.path(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.error(name, &error)),
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(4_096));
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| self.error(name, &error))?;
        Ok(Some(bytes))
    }

    /// Writes a small file whole: beside, synced, then moved into place.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ClientError> {
        let write = || -> io::Result<()> {
            let beside = self.path(&format!("{name}.new"));
            let mut file =
                OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, self.path(name))?;
            File::open(&self.0)?.sync_all()
        };
        write().map_err(|error| self.error(name, &error))
    }

    /// Deletes a file if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), ClientError> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.error(name, &error)),
            _ => Ok(()),
        }
    }

    /// Reads a file that holds a secret. One that others may read is refused: they may know it.
    pub(crate) fn read_private(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, ClientError> {
        let Some(bytes) = self.read(name)? else { return Ok(None) };
        let mode = fs::metadata(self.path(name)).map_err(|error| self.error(name, &error))?.mode();
        if mode & 0o077 != 0 {
            return Err(ClientError::storage(self.path(name), "others may read it; it must be 0600"));
        }
        Ok(Some(bytes))
    }

    /// As [`Self::write`], and overwrites what stood there before.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), ClientError> {
        let old = OpenOptions::new().write(true).open(self.path(name)).ok();
        self.write(name, bytes)?;
        old.map_or(Ok(()), |old| overwrite(&old)).map_err(|error| self.error(name, &error))
    }

    /// Overwrites a file if it is there, and deletes it. Copies that the file system or the disk keeps
    /// are beyond us.
    pub(crate) fn erase(&self, name: &str) -> Result<(), ClientError> {
        match OpenOptions::new().write(true).open(self.path(name)) {
            Ok(file) => overwrite(&file).map_err(|error| self.error(name, &error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.error(name, &error)),
        }
        self.remove(name)?;
        self.sync()
    }

    /// Overwrites a file if it is there, and moves another one to its place.
    pub(crate) fn supersede(&self, name: &str, by: &Path) -> Result<(), ClientError> {
        match OpenOptions::new().write(true).open(self.path(name)) {
            Ok(file) => overwrite(&file).map_err(|error| self.error(name, &error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(self.error(name, &error)),
        }
        fs::rename(by, self.path(name)).map_err(|error| self.error(name, &error))?;
        self.sync()
    }

    /// Returns when the names in the directory are on the disk.
    pub(crate) fn sync(&self) -> Result<(), ClientError> {
        let sync = || File::open(&self.0)?.sync_all();
        sync().map_err(|error| self.error("", &error))
    }

    fn error(&self, name: &str, error: &io::Error) -> ClientError {
        ClientError::storage(self.path(name), error)
    }
}

/// Zeros in place of all that stands in a file, on the disk when it returns.
fn overwrite(mut file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir() -> (tempfile::TempDir, DeviceDir) {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = DeviceDir::new(&temp.path().join("alice@acme.test"));
        dir.create().expect("created");
        (temp, dir)
    }

    #[test]
    fn one_owner_at_a_time() {
        let (_temp, dir) = dir();
        let first = dir.own().expect("readable").expect("free");
        assert!(dir.own().expect("readable").is_none());
        drop(first);
        assert!(dir.own().expect("readable").is_some());
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused() {
        let (_temp, dir) = dir();
        dir.write("seal.key", b"secret").expect("written");
        assert_eq!(*dir.read_private("seal.key").expect("readable").expect("there"), b"secret");
        fs::set_permissions(dir.path("seal.key"), fs::Permissions::from_mode(0o644)).expect("changed");
        assert!(dir.read_private("seal.key").is_err());
    }

    #[test]
    fn what_is_replaced_or_erased_is_overwritten() {
        let (_temp, dir) = dir();
        for replace in [true, false] {
            dir.write("seal", b"the old secret").expect("written");
            // Shows what stands where the file stood.
            let kept = File::open(dir.path("seal")).expect("opened");
            if replace { dir.replace("seal", b"new") } else { dir.erase("seal") }.expect("done");
            let mut left = Vec::new();
            (&kept).read_to_end(&mut left).expect("readable");
            assert_eq!(left, [0; 14]);
            let now = dir.read("seal").expect("readable");
            assert_eq!(now.map(|now| now.to_vec()), replace.then(|| b"new".to_vec()));
        }
        dir.erase("seal").expect("not there");
    }

    #[test]
    fn a_directory_that_others_may_look_into_is_closed_to_them_or_refused() {
        let (_temp, dir) = dir();
        fs::set_permissions(dir.dir(), fs::Permissions::from_mode(0o755)).expect("changed");
        assert!(dir.own().expect_err("open to others").to_string().contains("0700"));
        dir.create().expect("it is there");
        assert_eq!(fs::metadata(dir.dir()).expect("there").mode() & 0o777, 0o700);
        assert!(dir.own().expect("closed").is_some());
    }

    #[test]
    fn the_directory_and_its_files_are_private() {
        let (_temp, dir) = dir();
        dir.write("profile", b"x").expect("written");
        assert_eq!(fs::metadata(dir.dir()).expect("there").mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(dir.path("profile")).expect("there").mode() & 0o777, 0o600);
    }
}
