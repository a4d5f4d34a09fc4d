//! Files of the user's own: 0600, written beside and moved into place, so that there is never half
//! of one.

use std::{
    fs::{DirBuilder, File},
    io::{self, BufWriter, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::error::CliError;

/// Makes a directory for the user alone; one that is there stays as it is.
///
/// # Errors
/// Storage.
pub(crate) fn create_dir(dir: &Path) -> Result<(), CliError> {
    if dir.as_os_str().is_empty() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| failed(dir, &error))
}

/// Writes a file whole, readable by the user alone.
///
/// # Errors
/// Storage: the file is as it was.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let write = || -> io::Result<()> {
        let mut file = beside(path)?;
        file.write_all(bytes)?;
        place(file, path)
    };
    write().map_err(|error| failed(path, &error))
}

/// That there is a place for a new file.
///
/// # Errors
/// `Exists` if something is there already, storage if there can be none.
pub(crate) fn check_new(path: &Path) -> Result<(), CliError> {
    if path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    // It goes away at once.
    beside(path).map(drop).map_err(|error| failed(path, &error))
}

/// Writes a file whole that was not there, readable by the user alone.
///
/// # Errors
/// `Exists`, storage.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let write = || -> io::Result<()> {
        let mut file = beside(path)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        File::open(folder(path))?.sync_all()
    };
    write().map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => failed(path, &error),
    })
}

fn exists(path: &Path) -> CliError {
    CliError::exists(format!("{} is there already, and stays as it is", path.display()))
        .hint("name another file, or remove it first")
}

/// A file in the making: it is in its place when it is finished, and not before.
#[derive(Debug)]
pub(crate) struct Growing {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl Growing {
    /// Begins a file, readable by the user alone.
    ///
    /// # Errors
    /// Storage.
    pub(crate) fn begin(path: &Path) -> Result<Self, CliError> {
        let file = beside(path).map_err(|error| failed(path, &error))?;
        Ok(Self { file: BufWriter::new(file), path: path.to_owned() })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// Storage.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), CliError> {
        writeln!(self.file, "{line}").map_err(|error| failed(&self.path, &error))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// Storage: there is no such file.
    pub(crate) fn finish(self) -> Result<(), CliError> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        file.and_then(|file| place(file, &self.path)).map_err(|error| failed(&self.path, &error))
    }
}

/// A new file in the folder of a path, 0600 from the first moment, under a name that nobody can have
/// taken before. It goes away if it does not get its place.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".").suffix(".new").tempfile_in(folder(path))
}

fn place(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn failed(path: &Path, error: &io::Error) -> CliError {
    let folder = folder(path).display();
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => format!("who may write there: ls -ld {folder}"),
        io::ErrorKind::NotFound => format!("is there a directory {folder}?"),
        _ => format!("is there space, and may it be written? df {folder}"),
    };
    CliError::storage(format!("cannot write {}", path.display())).cause(error.to_string()).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt as _};

    #[test]
    fn a_new_file_takes_the_place_of_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("invite.txt");
        check_new(&path).expect("a place");
        create(&path, b"one").expect("written");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        for refused in [check_new(&path), create(&path, b"two")] {
            assert_eq!(refused.expect_err("it is there").exit(), 6);
        }
        assert_eq!(fs::read_to_string(&path).expect("read"), "one");
        let nowhere = dir.path().join("nowhere/invite.txt");
        assert_eq!(check_new(&nowhere).expect_err("no place").exit(), 10);
        assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 1, "nothing is left");
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all_and_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("export");
        // Somebody else's, of which nothing is changed.
        let neighbour = dir.path().join("export.new");
        fs::write(&neighbour, "mine").expect("written");
        let mut half = Growing::begin(&path).expect("begun");
        half.line("one").expect("written");
        drop(half);
        assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 1);
        let mut whole = Growing::begin(&path).expect("begun");
        whole.line("one").expect("written");
        whole.finish().expect("finished");
        assert_eq!(fs::read_to_string(&path).expect("read"), "one\n");
        write(&path, b"two").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "two");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 2);
        assert_eq!(fs::read_to_string(neighbour).expect("read"), "mine");
    }
}
