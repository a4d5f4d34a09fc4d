//! Ends being a device: its keys and everything that it has go away.

use std::{fs, path::Path};

use crate::{
    ClientError,
    device::{DeviceDir, is_device},
    seal,
};

/// Deletes the device in a directory with its keys and messages. Nobody else is asked or told.
///
/// The account key goes as well if this is the account's only device, and then the account can
/// only be used again with new keys, as everybody who knows it will see.
///
/// # Errors
/// `NoDevice`; `Owner` while another program works with the directory; `Storage`, after which
/// nothing that is left of it opens, and the directory may be deleted by hand.
pub async fn logout(dir: &Path) -> Result<(), ClientError> {
    if !is_device(dir) {
        return Err(ClientError::NoDevice(dir.to_owned()));
    }
    let files = DeviceDir::new(dir);
    let Some(ownership) = files.own()? else {
        return Err(ClientError::Owner("is at work: end it first"));
    };
    // From here on nothing in the directory opens, whatever happens to the rest.
    seal::forget(&files).await?;
    files.remove("profile")?;
    fs::remove_dir_all(dir).map_err(|error| ClientError::storage(dir, error))?;
    drop(ownership);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_stays_and_a_directory_that_is_in_use_stays_whole() {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = temp.path().join("alice@acme.test");
        let files = DeviceDir::new(&dir);
        assert!(matches!(logout(&dir).await, Err(ClientError::NoDevice(_))));
        files.create().expect("created");
        let names = ["profile", "account.key", "device.db", "seal", "seal.key"];
        for name in names {
            files.write(name, b"secret").expect("written");
        }
        let owner = files.own().expect("readable").expect("free");
        assert!(matches!(logout(&dir).await, Err(ClientError::Owner(_))));
        assert_eq!(files.read("account.key").expect("readable").expect("there").as_slice(), b"secret");
        drop(owner);
        // Show what stands where the files stood.
        let kept = ["account.key", "seal", "seal.key"].map(|name| (name, fs::File::open(files.path(name))));
        logout(&dir).await.expect("gone");
        assert!(!dir.exists());
        for (name, file) in kept {
            let mut left = Vec::new();
            std::io::Read::read_to_end(&mut file.expect("opened"), &mut left).expect("readable");
            assert_eq!(left, [0; 6], "{name} was not overwritten");
        }
    }
}
