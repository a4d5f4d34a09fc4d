//! Files of the user's own: 0600, written beside and moved into place, so that there is never half
//! of one.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

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
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(beside, path)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
    };
    write().map_err(|error| failed(path, &error))
}

/// A file in the making: it is in its place when it is finished, and not before.
#[derive(Debug)]
pub(crate) struct Growing {
    file: BufWriter<File>,
    path: PathBuf,
    beside: PathBuf,
}

impl Growing {
    /// Begins a file, readable by the user alone.
    ///
    /// # Errors
    /// Storage.
    pub(crate) fn begin(path: &Path) -> Result<Self, CliError> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(true).write(true).mode(0o600).open(&beside);
        let file = BufWriter::new(file.map_err(|error| failed(path, &error))?);
        Ok(Self { file, path: path.to_owned(), beside })
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
    pub(crate) fn finish(mut self) -> Result<(), CliError> {
        let mut finish = || -> io::Result<()> {
            self.file.flush()?;
            self.file.get_ref().sync_all()?;
            fs::rename(&self.beside, &self.path)
        };
        finish().map_err(|error| failed(&self.path, &error))
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        // Gone already if it was finished.
        let _ = fs::remove_file(&self.beside);
    }
}

fn failed(path: &Path, error: &io::Error) -> CliError {
    CliError::storage(format!("cannot write {}", path.display())).cause(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_there_whole_or_not_at_all_and_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("export");
        let mut half = Growing::begin(&path).expect("begun");
        half.line("one").expect("written");
        drop(half);
        assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 0);
        let mut whole = Growing::begin(&path).expect("begun");
        whole.line("one").expect("written");
        whole.finish().expect("finished");
        assert_eq!(fs::read_to_string(&path).expect("read"), "one\n");
        write(&path, b"two").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "two");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 1);
    }
}
