//! Keeps a second process out of a directory for as long as this one lives, however it ends.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

/// The held lock; the kernel frees it with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Why there is no lock.
pub(crate) enum LockError {
    /// Another process holds it: its id, if it could be read.
    Held(Option<u32>),
    /// The file cannot be made or locked.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock or says at once who has it.
    pub(crate) fn take(path: &Path) -> Result<Self, LockError> {
        let options = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).clone();
        let mut file = options.open(path).map_err(LockError::Io)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(LockError::Held(holder(&mut file))),
            Err(error) => return Err(LockError::Io(error.into())),
        }
        // The number is for people; on a full disk the lock must hold without it.
        let _ = note_holder(&mut file);
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn note_holder(file: &mut File) -> io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}
