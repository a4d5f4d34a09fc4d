//! Makes a directory sealed, unlocks it, and changes how it is protected.

use std::path::Path;

use zeroize::Zeroizing;

use super::{
    Key, Protect, Protection, SealedDir, Unlock,
    cost::Cost,
    keyring, plain,
    wrap::{How, ID_BYTES, Wrap},
};
use crate::{
    ClientError,
    device::{DeviceDir, is_device},
};

pub(super) const WRAP: &str = "seal";
pub(super) const KEY_FILE: &str = "seal.key";
/// Locked by who changes the other two.
const CHANGING: &str = "seal.lock";

/// How the device in a directory is protected. Needs no secret.
///
/// # Errors
/// `NoDevice`, `Storage`.
pub fn protection(dir: &Path) -> Result<Protection, ClientError> {
    if !is_device(dir) {
        return Err(ClientError::NoDevice(dir.to_owned()));
    }
    wrap(&DeviceDir::new(dir))?.map(|wrap| wrap.protection()).ok_or_else(|| unsealed(dir))
}

/// Whether this unlocks the device in a directory; changes nothing.
///
/// # Errors
/// `Locked` or `WrongPassphrase` if it does not, `NoDevice`, `Storage`, also if a passphrase is given
/// for a device that none protects.
pub async fn check_unlock(dir: &Path, unlock: &Unlock) -> Result<(), ClientError> {
    if !is_device(dir) {
        return Err(ClientError::NoDevice(dir.to_owned()));
    }
    let files = DeviceDir::new(dir);
    let wrap = wrap(&files)?.ok_or_else(|| unsealed(dir))?;
    master(&files, &wrap, unlock).await.map(drop)
}

/// Protects the device in a directory differently from now on, or with another passphrase. The data
/// stays as it is, only its master key is wrapped anew; what wrapped it before is overwritten and
/// deleted. Programs that have the directory open go on.
///
/// Whoever has an old `seal`, and what opened it, has the master key: it opens copies that were made
/// before, and also what is written later. Only a new login makes other keys.
///
/// # Errors
/// `Locked` or `WrongPassphrase` if `unlock` does not open it, `NoDevice`, `Keyring`, `Storage`.
pub async fn change_protection(dir: &Path, unlock: &Unlock, protect: &Protect) -> Result<(), ClientError> {
    if !is_device(dir) {
        return Err(ClientError::NoDevice(dir.to_owned()));
    }
    let files = DeviceDir::new(dir);
    let _alone = files.hold(CHANGING)?.ok_or(ClientError::Owner("is changing the protection already"))?;
    let old = wrap(&files)?.ok_or_else(|| unsealed(dir))?;
    let master = master(&files, &old, unlock).await?;
    if old.protection() == protect.protection() && old.protection() != Protection::Passphrase {
        return Ok(());
    }
    write(&files, protect, &master).await?;
    if old.protection() == Protection::Keyring
        && let Err(error) = keyring::delete(&old.id).await
    {
        // It opens nothing any more.
        tracing::warn!(%error, "a key that is of no use any more stays in the system's keyring");
    }
    Ok(())
}

/// Makes an end of what opens a directory, whose owner calls this: where the disk writes in place, not
/// even the bytes stay. A directory that was never sealed, or whose `seal` is damaged, has that of it
/// which is there overwritten.
///
/// # Errors
/// `Owner` while somebody changes the protection, `Storage`.
pub(crate) async fn forget(dir: &DeviceDir) -> Result<(), ClientError> {
    let _alone = dir.hold(CHANGING)?.ok_or(ClientError::Owner("is changing the protection"))?;
    let kept = wrap(dir).ok().flatten().filter(|wrap| wrap.protection() == Protection::Keyring);
    for name in [WRAP, KEY_FILE, "account.key", "device.key"] {
        dir.erase(name)?;
    }
    if let Some(wrap) = kept
        && let Err(error) = keyring::delete(&wrap.id).await
    {
        // What it opened is gone.
        tracing::warn!(%error, "a key that is of no use any more stays in the system's keyring");
    }
    Ok(())
}

/// Unlocks a directory. One that is not sealed is sealed first, for which the caller owns it.
///
/// # Errors
/// `Locked` if it takes a passphrase and none was given, `WrongPassphrase`, `Keyring`, `Storage`.
pub(crate) async fn unlock(dir: &DeviceDir, unlock: &Unlock) -> Result<SealedDir, ClientError> {
    if plain::is_plain(dir) {
        plain::seal(dir).await?;
    }
    plain::tidy(dir);
    let wrap = wrap(dir)?.ok_or_else(|| unsealed(dir.dir()))?;
    let master = master(dir, &wrap, unlock).await?;
    tidy(dir)?;
    Ok(SealedDir::new(dir, wrap.protection(), master))
}

/// Erases a key file that a change of the protection left when it was interrupted. One that is going
/// on at this moment has the lock.
fn tidy(dir: &DeviceDir) -> Result<(), ClientError> {
    if dir.path(KEY_FILE).exists()
        && let Some(_alone) = dir.hold(CHANGING)?
        && wrap(dir)?.is_some_and(|wrap| wrap.protection() != Protection::File)
    {
        dir.erase(KEY_FILE)?;
    }
    Ok(())
}

/// Makes a directory sealed in which nothing is yet, or unlocks it if that was begun already, with the
/// same protection. Keys that another one kept are never taken over: whoever could lay them down would
/// have them too.
///
/// # Errors
/// `BegunOtherwise`; as [`unlock`] for a directory that is sealed already; `Keyring`, `Storage`.
pub(crate) async fn begin(dir: &DeviceDir, protect: &Protect) -> Result<SealedDir, ClientError> {
    let Some(wrap) = wrap(dir)? else { return fresh(dir, protect).await };
    if wrap.protection() != protect.protection() {
        return Err(ClientError::BegunOtherwise {
            dir: dir.dir().to_owned(),
            protection: wrap.protection().name(),
        });
    }
    unlock(dir, &protect.unlock()).await
}

/// Whether a login was begun in a directory, which the next one goes on with.
#[must_use]
pub fn is_begun(dir: &Path) -> bool {
    !is_device(dir) && dir.join(WRAP).exists()
}

/// Makes a directory sealed in which nothing is yet.
///
/// # Errors
/// `Keyring`, `Storage`.
pub(super) async fn fresh(dir: &DeviceDir, protect: &Protect) -> Result<SealedDir, ClientError> {
    let master = Key::random();
    write(dir, protect, &master).await?;
    Ok(SealedDir::new(dir, protect.protection(), master))
}

/// Wraps the master key and makes an end of what wrapped it before. Whenever it is interrupted, the
/// directory opens with the old or with the new.
async fn write(dir: &DeviceDir, protect: &Protect, master: &Key) -> Result<(), ClientError> {
    let id = array();
    let (how, key) = match protect {
        Protect::Passphrase(passphrase) => {
            let (passphrase, salt) = (passphrase.clone(), array());
            let made = blocking(move || {
                let cost = Cost::measured();
                cost.derive(&passphrase, &salt).map(|key| (cost, key))
            });
            let (cost, key) = made.await?.ok_or_else(|| no_memory(dir))?;
            (How::Passphrase { salt, cost }, key)
        }
        Protect::Keyring => {
            let key = Key::random();
            let account = dir.dir().file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            keyring::put(&id, &format!("Comity: {account}"), &key).await?;
            (How::Keyring, key)
        }
        Protect::File => {
            let key = Key::random();
            let bytes = Zeroizing::new([id.as_slice(), key.bytes().as_slice()].concat());
            dir.write(KEY_FILE, &bytes)?;
            (How::File, key)
        }
    };
    let wrap = Wrap::new(id, how, &key, master)
        .ok_or_else(|| ClientError::storage(dir.path(WRAP), "the key cannot be wrapped"))?;
    dir.replace(WRAP, &wrap.encode())?;
    if wrap.protection() == Protection::File { Ok(()) } else { dir.erase(KEY_FILE) }
}

/// The master key, by what was given.
async fn master(dir: &DeviceDir, wrap: &Wrap, unlock: &Unlock) -> Result<Key, ClientError> {
    match (wrap.how, unlock) {
        (How::Passphrase { .. }, Unlock::Stored) => Err(ClientError::Locked),
        (How::Passphrase { salt, cost }, Unlock::Passphrase(passphrase)) => {
            let passphrase = passphrase.clone();
            let key = blocking(move || cost.derive(&passphrase, &salt)).await?;
            let key = key.ok_or_else(|| no_memory(dir))?;
            wrap.open(&key).ok_or(ClientError::WrongPassphrase)
        }
        // Somebody may have exchanged `seal`, and what is said from here on would be theirs to read.
        (How::Keyring | How::File, Unlock::Passphrase(_)) => {
            let reason = "it says that no passphrase protects the device, and one was given; if one should, \
                          somebody has exchanged it";
            Err(ClientError::storage(dir.path(WRAP), reason))
        }
        (How::Keyring, Unlock::Stored) => {
            let key = keyring::get(&wrap.id).await?;
            wrap.open(&key).ok_or_else(|| ClientError::storage(dir.path(WRAP), "it is damaged"))
        }
        (How::File, Unlock::Stored) => {
            let key = key_file(dir, &wrap.id)?;
            wrap.open(&key).ok_or_else(|| ClientError::storage(dir.path(WRAP), "it is damaged"))
        }
    }
}

/// The directory that another one is to become, which a key file opens: it may stand in either of the
/// two.
pub(super) fn half_moved(made: &DeviceDir, to: &DeviceDir) -> Option<SealedDir> {
    let wrap = wrap(made).ok()??;
    let from = if made.path(KEY_FILE).exists() { made } else { to };
    let master = wrap.open(&key_file(from, &wrap.id).ok()?)?;
    (wrap.how == How::File).then(|| SealedDir::new(to, Protection::File, master))
}

/// The key in the key file. A file that others may read is refused: the key may be known already.
fn key_file(dir: &DeviceDir, id: &[u8; ID_BYTES]) -> Result<Key, ClientError> {
    let wrong = |reason| ClientError::storage(dir.path(KEY_FILE), reason);
    let bytes = dir.read_private(KEY_FILE)?.ok_or_else(|| wrong("it is missing"))?;
    let (of, key) = bytes.split_at_checked(ID_BYTES).ok_or_else(|| wrong("it is damaged"))?;
    if of != id {
        return Err(wrong("it belongs to another directory, or is damaged"));
    }
    Key::from_bytes(key).ok_or_else(|| wrong("it is damaged"))
}

fn wrap(dir: &DeviceDir) -> Result<Option<Wrap>, ClientError> {
    let Some(bytes) = dir.read(WRAP)? else { return Ok(None) };
    Wrap::parse(&bytes).map(Some).map_err(|reason| ClientError::storage(dir.path(WRAP), reason))
}

pub(super) fn unsealed(dir: &Path) -> ClientError {
    let reason = "it is missing: nothing in the directory opens without it, unless a version that sealed \
                  nothing wrote it, which `comity status` seals";
    ClientError::storage(dir.join(WRAP), reason)
}

fn no_memory(dir: &DeviceDir) -> ClientError {
    ClientError::storage(dir.path(WRAP), "there is not enough free memory to try the passphrase")
}

fn array() -> [u8; ID_BYTES] {
    use machine::Entropy as _;
    crate::clock::SystemEntropy.array()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ClientError::Closed)
}
