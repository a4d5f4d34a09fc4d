//! Ends being a device: its keys and everything that it has go away.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use crate::{
    ClientError,
    device::{DeviceDir, is_device},
};

/// Deletes the device in a directory with its keys and messages. Nobody else is asked or told.
///
/// The account key goes as well if this is the account's only device, and then the account can
/// only be used again with new keys, as everybody who knows it will see.
///
/// # Errors
/// `NoDevice`; `Owner` while another program works with the directory; `Storage`, after which the
/// directory is no device any more, and may be deleted by hand.
pub fn logout(dir: &Path) -> Result<(), ClientError> {
    if !is_device(dir) {
        return Err(ClientError::NoDevice(dir.to_owned()));
    }
    let files = DeviceDir::new(dir);
    let Some(ownership) = files.own()? else {
        return Err(ClientError::Owner("is at work: end it first"));
    };
    // From here on it is no device, whatever happens to the rest.
    files.remove("profile")?;
    for key in secrets(dir)? {
        // Where the disk writes in place, not even the bytes stay; elsewhere this does nothing.
        overwrite(&key).map_err(|error| ClientError::storage(&key, error))?;
    }
    fs::remove_dir_all(dir).map_err(|error| ClientError::storage(dir, error))?;
    drop(ownership);
    Ok(())
}

/// The key files of a directory.
fn secrets(dir: &Path) -> Result<Vec<std::path::PathBuf>, ClientError> {
    let entries = fs::read_dir(dir).map_err(|error| ClientError::storage(dir, error))?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|kind| kind == "key")).collect())
}

fn overwrite(path: &Path) -> std::io::Result<()> {
    let length = usize::try_from(fs::metadata(path)?.len()).unwrap_or(0).min(65_536);
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_and_a_directory_that_is_in_use_stays_whole() {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = temp.path().join("alice@acme.test");
        let files = DeviceDir::new(&dir);
        assert!(matches!(logout(&dir), Err(ClientError::NoDevice(_))));
        files.create().expect("created");
        for (name, bytes) in [("profile", "x"), ("account.key", "secret"), ("device.db", "rows")] {
            files.write(name, bytes.as_bytes()).expect("written");
        }
        let owner = files.own().expect("readable").expect("free");
        assert!(matches!(logout(&dir), Err(ClientError::Owner(_))));
        assert_eq!(files.read("account.key").expect("readable").expect("there").as_slice(), b"secret");
        drop(owner);
        logout(&dir).expect("gone");
        assert!(!dir.exists());
    }
}
