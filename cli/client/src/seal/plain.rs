//! Seals a directory that a version wrote which sealed nothing. Forward only, and whenever it is
//! interrupted it goes on: everything is made sealed in a directory beside, which takes its name in one
//! step; from then on it counts, and its files take the places of the plain ones, which are
//! overwritten before.

use std::{fs, io, path::Path};

use identity::{KeyKind, key_file};

use super::{
    Protect,
    open::{KEY_FILE, WRAP, fresh, half_moved, unsealed},
};
use crate::{ClientError, device::DeviceDir, store};

/// What is being made; without it, nothing is lost.
const BEGUN: &str = "sealing.new";
/// What was made; without it, the device is.
const MADE: &str = "sealing";
/// The file by which a directory that is not sealed is recognised.
const KEY: &str = "device.key";
/// The files that stood there in the clear, besides the database.
const FILES: [&str; 6] = ["account.key", "device.key", "domain", "endpoints", "enrolment", "profile"];
/// What belongs to the plain database: SQLite would play it into the sealed one.
const LOGS: [&str; 2] = [store::LOG, store::INDEX];

/// Seals the device in a directory that a version wrote which sealed nothing, by a key file.
/// [`crate::Client::open`] does so by itself; this says whether there was anything to do. If another
/// program owns the directory there is not: it does it, or is of that version.
///
/// # Errors
/// `Storage`: everything is as it was, or goes on from here the next time.
pub async fn seal_plain(dir: &Path) -> Result<bool, ClientError> {
    let files = DeviceDir::new(dir);
    if !is_plain(&files) {
        return Ok(false);
    }
    let Some(_ownership) = files.own()? else { return Ok(false) };
    if !is_plain(&files) {
        return Ok(false);
    }
    seal(&files).await.map(|()| true)
}

/// Whether a device lives there that is not sealed, or not to the end: `seal` comes last.
pub(super) fn is_plain(dir: &DeviceDir) -> bool {
    dir.path("profile").exists() && !dir.path(WRAP).exists()
}

/// Seals it by a key file; whoever owns it calls this.
///
/// # Errors
/// `Storage`: everything is as it was, or goes on from here.
pub(super) async fn seal(dir: &DeviceDir) -> Result<(), ClientError> {
    if !dir.path(MADE).exists() {
        make(dir).await?;
    }
    if !is_ours(dir) {
        return Err(unsealed(dir.dir()));
    }
    put_in_place(dir, usize::MAX)?;
    tracing::info!(dir = %dir.dir().display(), "sealed what an older version kept in the clear");
    Ok(())
}

/// Whether what is to take the places of the files was made of them. Anybody could have laid down a
/// directory of this name beside files that are sealed already, and they would be lost.
fn is_ours(dir: &DeviceDir) -> bool {
    let Ok(Some(key)) = dir.read(KEY) else { return false };
    // Overwritten already, and not yet superseded.
    let is_erased = key.iter().all(|byte| *byte == 0);
    if is_plain_key(&key) || is_erased {
        return true;
    }
    let opened = half_moved(&DeviceDir::new(&dir.path(MADE)), dir);
    opened.is_some_and(|opened| matches!(opened.read_key(KEY, KeyKind::Device), Ok(Some(_))))
}

/// Takes away the empty directory that is left when the last step was interrupted.
pub(super) fn tidy(dir: &DeviceDir) {
    // Most often there is none; one with something in it is not ours and does no harm.
    let _ = fs::remove_dir(dir.path(MADE));
}

async fn make(dir: &DeviceDir) -> Result<(), ClientError> {
    let failed = |error: io::Error| ClientError::storage(dir.path(BEGUN), error);
    match fs::remove_dir_all(dir.path(BEGUN)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    // A sealed directory that has lost its `seal` is none of those, and must stay as it is.
    if dir.read(KEY)?.is_none_or(|key| !is_plain_key(&key)) {
        return Err(unsealed(dir.dir()));
    }
    let beside = DeviceDir::new(&dir.path(BEGUN));
    beside.create()?;
    let sealed = fresh(&beside, &Protect::File).await?;
    for name in FILES {
        if let Some(bytes) = dir.read(name)? {
            sealed.write(name, &bytes)?;
        }
    }
    store::plain::seal_rows(dir, &sealed).await?;
    beside.sync()?;
    fs::rename(dir.path(BEGUN), dir.path(MADE)).map_err(failed)?;
    dir.sync()
}

fn is_plain_key(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| key_file::parse_as(KeyKind::Device, text).is_ok())
}

/// Takes at most so many steps of those that are left. `seal` comes last: until it is there, nobody
/// takes the directory for sealed.
fn put_in_place(dir: &DeviceDir, steps: usize) -> Result<(), ClientError> {
    let made = dir.path(MADE);
    let left_over = FILES.map(|name| format!("{name}.new"));
    let erase = left_over.iter().map(String::as_str).chain(LOGS);
    let mut taken = 0;
    for name in erase.filter(|name| dir.path(name).exists()) {
        if taken == steps {
            return Ok(());
        }
        taken += 1;
        dir.erase(name)?;
    }
    for name in FILES.into_iter().chain([store::FILE, KEY_FILE, WRAP]) {
        let sealed = made.join(name);
        if !sealed.exists() {
            continue;
        }
        if taken == steps {
            return Ok(());
        }
        taken += 1;
        dir.supersede(name, &sealed)?;
    }
    if taken == steps {
        return Ok(());
    }
    fs::remove_dir_all(&made).map_err(|error| ClientError::storage(&made, error))?;
    dir.sync()
}

#[cfg(test)]
mod tests {
    use engine::device::Enrolment;
    use sqlx::{Connection as _, SqliteConnection};

    use super::*;
    use crate::{
        clock::{self, SystemEntropy},
        home::{Home, Introduction},
        profile::Profile,
        seal::{SealedDir, Unlock, change_protection, protection, unlock},
        store::plain::tests::{CANARY, fill, is_filled},
    };

    /// A device's directory as it was written before anything was sealed.
    async fn plain(dir: &Path) -> (Enrolment, SqliteConnection) {
        let files = DeviceDir::new(dir);
        files.create().expect("made");
        let account: wire::Account = "alice@acme.test".parse().expect("an account");
        let made = Enrolment::new(account, clock::now(), &mut SystemEntropy).expect("keys");
        // The bytes of the files are those that are sealed now.
        let aside = tempfile::tempdir().expect("a directory");
        let sealed = SealedDir::of_test(aside.path());
        let introduction = Introduction { fingerprint: [7; 32], endpoints: Vec::new() };
        let home = Home::introduced(&made.account, &introduction);
        Profile::save_enrolment(&sealed, &home, &made).expect("written");
        Profile::save(&sealed, &home, made.device, &made.keys).expect("written");
        sealed.write("endpoints", b"node.acme.test:4433").expect("written");
        for name in FILES {
            if let Some(bytes) = sealed.read(name).expect("readable") {
                files.write(name, &bytes).expect("written");
            }
        }
        files.write("endpoints.new", CANARY).expect("written");
        (made, fill(&files).await)
    }

    /// Everything is there, sealed, and nothing stands there in the clear.
    async fn is_whole(dir: &Path, made: &Enrolment) {
        let files = DeviceDir::new(dir);
        let opened = unlock(&files, &Unlock::Stored).await.expect("it opens");
        let found = Profile::load(&opened).expect("a profile");
        assert_eq!(found.keys.account, made.account);
        assert_eq!(found.keys.secret.public(), made.device_key.public());
        let account_key = opened.read_key("account.key", identity::KeyKind::Account).expect("readable");
        assert_eq!(account_key.expect("there").public(), made.account_key.public());
        is_filled(&opened).await;
        let seed = identity::key_file::encode(identity::KeyKind::Device, &made.device_key);
        for entry in fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            assert!(path.is_file(), "{} is left", path.display());
            let bytes = fs::read(&path).expect("readable");
            for secret in [CANARY, seed.lines().last().expect("the seed").as_bytes(), b"alice@acme.test"] {
                let hit = bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!hit, "{} is as it was", path.display());
            }
        }
    }

    fn copy(from: &Path, to: &Path) {
        DeviceDir::new(to).create().expect("made");
        for entry in fs::read_dir(from).expect("a directory") {
            let entry = entry.expect("an entry");
            fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }

    #[tokio::test]
    async fn wherever_it_is_interrupted_it_goes_on_and_nothing_is_lost() {
        let temp = tempfile::tempdir().expect("a directory");
        let old = temp.path().join("old");
        let (made, _killed) = plain(&old).await;
        assert!(protection(&old).is_err(), "it is not sealed yet");
        for steps in 0.. {
            let dir = temp.path().join(format!("after{steps}"));
            copy(&old, &dir);
            let files = DeviceDir::new(&dir);
            // An attempt that ended before everything was made.
            fs::create_dir(files.path(BEGUN)).expect("made");
            fs::write(files.path(BEGUN).join("device.db"), b"half").expect("written");
            make(&files).await.expect("made");
            put_in_place(&files, steps).expect("some steps");
            assert!(crate::is_device(&dir), "after {steps} steps nobody lives there");
            let is_done = !is_plain(&files);
            is_whole(&dir, &made).await;
            if is_done {
                assert!(steps > FILES.len(), "only {steps} steps");
                change_protection(&dir, &Unlock::Stored, &Protect::File).await.expect("as any other");
                return;
            }
        }
    }

    #[tokio::test]
    async fn what_stood_there_is_overwritten() {
        let temp = tempfile::tempdir().expect("a directory");
        let old = temp.path().join("old");
        let (made, store) = plain(&old).await;
        store.close().await.expect("closed");
        // Show what stands where the files stood.
        let names = ["device.key", "account.key", "profile", store::FILE];
        let kept = names.map(|name| fs::File::open(old.join(name)).expect("opened"));
        is_whole(&old, &made).await;
        for (mut file, name) in kept.into_iter().zip(names) {
            let mut left = Vec::new();
            io::Read::read_to_end(&mut file, &mut left).expect("readable");
            assert!(!left.is_empty() && left.iter().all(|byte| *byte == 0), "{name}");
        }
    }

    #[tokio::test]
    async fn a_sealed_directory_without_its_seal_is_left_alone() {
        let temp = tempfile::tempdir().expect("a directory");
        let (made, store) = plain(temp.path()).await;
        store.close().await.expect("closed");
        is_whole(temp.path(), &made).await;
        let files = DeviceDir::new(temp.path());
        let seal = fs::read(files.path(WRAP)).expect("readable");
        fs::remove_file(files.path(WRAP)).expect("lost");
        assert!(unlock(&files, &Unlock::Stored).await.is_err());
        fs::write(files.path(WRAP), seal).expect("found again");
        is_whole(temp.path(), &made).await;
    }

    #[tokio::test]
    async fn what_somebody_laid_beside_takes_no_place() {
        let temp = tempfile::tempdir().expect("a directory");
        let (own, theirs) = (temp.path().join("own"), temp.path().join("theirs"));
        let (made, store) = plain(&own).await;
        store.close().await.expect("closed");
        is_whole(&own, &made).await;
        let (_, store) = plain(&theirs).await;
        store.close().await.expect("closed");
        make(&DeviceDir::new(&theirs)).await.expect("made");
        let files = DeviceDir::new(&own);
        copy(&theirs.join(MADE), &files.path(MADE));
        // Beside what is sealed it is nothing.
        let opened = unlock(&files, &Unlock::Stored).await.expect("it opens");
        assert_eq!(Profile::load(&opened).expect("a profile").keys.secret.public(), made.device_key.public());
        // Nor is it what `seal` was.
        let before = fs::read(files.path(KEY)).expect("readable");
        let seal = fs::read(files.path(WRAP)).expect("readable");
        fs::remove_file(files.path(WRAP)).expect("lost");
        assert!(unlock(&files, &Unlock::Stored).await.is_err());
        assert_eq!(fs::read(files.path(KEY)).expect("readable"), before);
        fs::write(files.path(WRAP), seal).expect("found again");
        fs::remove_dir_all(files.path(MADE)).expect("removed");
        is_whole(&own, &made).await;
    }

    #[tokio::test]
    async fn what_cannot_be_read_stays_as_it_is() {
        let temp = tempfile::tempdir().expect("a directory");
        let (_, store) = plain(temp.path()).await;
        store.close().await.expect("closed");
        let before = fs::read(temp.path().join("profile")).expect("readable");
        fs::write(temp.path().join(store::FILE), b"no database").expect("written");
        let files = DeviceDir::new(temp.path());
        assert!(unlock(&files, &Unlock::Stored).await.is_err());
        assert_eq!(fs::read(temp.path().join("profile")).expect("readable"), before);
        assert!(is_plain(&files));
    }
}
