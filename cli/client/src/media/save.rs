//! Where a fetched file goes: into a file beside its place, private until it is whole, then moved there.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use wire::{BlobId, ErrorCode};

use crate::ClientError;

/// A file that is being fetched.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    beside: PathBuf,
    place: PathBuf,
    replace: bool,
}

impl Part {
    /// [MEDIA-9] Opens what was fetched of a blob before, or a new file, beside its place: `to` itself, or
    /// a file in it, with the sender's name made harmless, if it is a directory.
    ///
    /// # Errors
    /// `Refused(Conflict)` if the place is taken and may not be; `Storage`.
    pub(super) fn open(to: &Path, name: &str, blob: &BlobId, replace: bool) -> Result<Self, ClientError> {
        let place = if to.is_dir() { to.join(media::to_save(name)) } else { to.to_owned() };
        let failed = |error: io::Error| ClientError::storage(&place, error);
        if place.is_dir() || (!replace && fs::symlink_metadata(&place).is_ok()) {
            return Err(ErrorCode::Conflict.into());
        }
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty());
        let beside = folder.unwrap_or(Path::new(".")).join(OsString::from(format!(".{blob}.part")));
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let open = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .custom_flags(flags)
            .open(&beside);
        let file = open.map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        if !meta.is_file() || meta.uid() != rustix::process::geteuid().as_raw() || meta.nlink() != 1 {
            return Err(ClientError::storage(&beside, "somebody else has put a file here"));
        }
        // What others could have read or written is not private any more.
        file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { file, beside, place, replace })
    }

    /// How many bytes are there.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) fn length(&self) -> Result<u64, ClientError> {
        self.file.metadata().map(|meta| meta.len()).map_err(|error| self.error(&error))
    }

    /// The next `length` bytes; the first call begins at the first byte.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) fn read(&mut self, length: usize) -> Result<Vec<u8>, ClientError> {
        let mut bytes = vec![0; length];
        self.file.read_exact(&mut bytes).map_err(|error| self.error(&error))?;
        Ok(bytes)
    }

    /// Forgets everything behind the first `length` bytes; what is written next comes there.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) fn cut(&mut self, length: u64) -> Result<(), ClientError> {
        let cut = self.file.set_len(length).and_then(|()| self.file.seek(SeekFrom::Start(length)));
        cut.map(drop).map_err(|error| self.error(&error))
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.file.write_all(bytes).map_err(|error| self.error(&error))
    }

    /// Moves the whole file to its place, readable as the user's files are.
    ///
    /// # Errors
    /// `Refused(Conflict)` if the place was taken meanwhile; `Storage`.
    pub(super) fn finish(self) -> Result<PathBuf, ClientError> {
        let failed = |error: io::Error| ClientError::storage(&self.place, error);
        self.file.set_permissions(Permissions::from_mode(0o666 & !umask())).map_err(failed)?;
        self.file.sync_all().map_err(failed)?;
        if self.replace {
            fs::rename(&self.beside, &self.place).map_err(failed)?;
        } else {
            match renameat_with(CWD, &self.beside, CWD, &self.place, RenameFlags::NOREPLACE) {
                Ok(()) => {}
                Err(rustix::io::Errno::EXIST) => return Err(ErrorCode::Conflict.into()),
                // A file system that cannot do it: a second name does the same.
                Err(_) => {
                    fs::hard_link(&self.beside, &self.place).map_err(|error| match error.kind() {
                        io::ErrorKind::AlreadyExists => ErrorCode::Conflict.into(),
                        _ => failed(error),
                    })?;
                    fs::remove_file(&self.beside).map_err(failed)?;
                }
            }
        }
        if let Some(folder) = self.place.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(self.place)
    }

    /// Removes what is of no use: the next try begins anew.
    pub(super) fn discard(self) {
        // What stays is overwritten or found wrong then.
        let _ = fs::remove_file(&self.beside);
    }

    fn error(&self, error: &io::Error) -> ClientError {
        ClientError::storage(&self.beside, error)
    }
}

/// What this process takes away from the modes of new files; everything from others, if it cannot be
/// known.
fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o077)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB: BlobId = BlobId::new([8; 16]);

    fn refused(result: Result<Part, ClientError>) -> Option<ErrorCode> {
        result.expect_err("refused").code()
    }

    // [MEDIA-9]
    #[test]
    fn a_file_is_private_until_it_is_whole_and_then_in_its_place() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut part = Part::open(dir.path(), "../../evil", &BLOB, false).expect("opened");
        let beside = dir.path().join(format!(".{BLOB}.part"));
        assert_eq!(fs::metadata(&beside).expect("there").mode() & 0o777, 0o600);
        part.write(b"hello").expect("written");
        let place = part.finish().expect("moved");
        assert_eq!(place, dir.path().join("_._.._evil"));
        assert_eq!(fs::read(&place).expect("there"), b"hello");
        assert_eq!(fs::metadata(&place).expect("there").mode() & 0o777, 0o666 & !umask());
        assert!(!beside.exists());
    }

    #[test]
    fn nothing_that_is_there_is_replaced_unless_it_is_said() {
        let dir = tempfile::tempdir().expect("a directory");
        let place = dir.path().join("plan");
        fs::write(&place, "old").expect("written");
        assert_eq!(refused(Part::open(dir.path(), "plan", &BLOB, false)), Some(ErrorCode::Conflict));
        assert_eq!(refused(Part::open(&place, "x", &BLOB, false)), Some(ErrorCode::Conflict));
        // A link that leads nowhere is something too.
        std::os::unix::fs::symlink("/nowhere", dir.path().join("link")).expect("linked");
        assert_eq!(refused(Part::open(dir.path(), "link", &BLOB, false)), Some(ErrorCode::Conflict));
        // It came while the file was fetched.
        let part = Part::open(dir.path(), "late", &BLOB, false).expect("opened");
        fs::write(dir.path().join("late"), "first").expect("written");
        assert_eq!(part.finish().expect_err("refused").code(), Some(ErrorCode::Conflict));
        assert_eq!(fs::read(dir.path().join("late")).expect("there"), b"first");
        let mut part = Part::open(&place, "x", &BLOB, true).expect("opened");
        part.cut(0).expect("empty");
        part.write(b"new").expect("written");
        assert_eq!(part.finish().expect("moved"), place);
        assert_eq!(fs::read(&place).expect("there"), b"new");
    }

    #[test]
    fn a_link_where_the_part_would_be_is_not_followed() {
        let dir = tempfile::tempdir().expect("a directory");
        let victim = dir.path().join("victim");
        fs::write(&victim, "precious").expect("written");
        std::os::unix::fs::symlink(&victim, dir.path().join(format!(".{BLOB}.part"))).expect("linked");
        assert!(Part::open(dir.path(), "x", &BLOB, false).is_err());
        fs::remove_file(dir.path().join(format!(".{BLOB}.part"))).expect("removed");
        fs::hard_link(&victim, dir.path().join(format!(".{BLOB}.part"))).expect("linked");
        assert!(Part::open(dir.path(), "x", &BLOB, false).is_err());
        assert_eq!(fs::read(&victim).expect("there"), b"precious");
    }
}
