//! The data directory: where each thing stands, and who may read it.

use std::{
    fs::{self, DirBuilder},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::{
    failure::{Exit, Failure},
    owner,
};

/// How the names of files end that have not got their place.
const UNFINISHED: &str = ".new";

/// A data directory.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// The directory, which need not exist.
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// A directory that was made by `init` and that nobody else can read.
    ///
    /// # Errors
    /// `NoDomainHere`, `PermissionDenied`, `ReadableByOthers`, `FileUnusable`.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let data = Self::new(path);
        if !data.is_domain()? {
            let what = match path.is_dir() {
                true => format!("{} holds no domain: there is no comity.toml", path.display()),
                false => format!("there is no directory {}", path.display()),
            };
            return Err(Failure::new(
                Exit::Storage,
                "NoDomainHere",
                what,
                format!(
                    "is it the right --data? a new domain: `comityd init DOMAIN --data {}`",
                    path.display()
                ),
            ));
        }
        for directory in [path.to_owned(), data.keys()] {
            check_private(&directory, "700")?;
        }
        Ok(data)
    }

    /// Whether `init` has made it.
    ///
    /// # Errors
    /// `PermissionDenied` if this user may not know, `FileUnusable`.
    pub(crate) fn is_domain(&self) -> Result<bool, Failure> {
        let config = self.config();
        match fs::metadata(&config) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(false)
            }
            Err(error) => Err(Failure::io(&config, &error)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("comity.toml")
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    pub(crate) fn documents(&self) -> PathBuf {
        self.0.join("documents")
    }

    pub(crate) fn media(&self) -> PathBuf {
        self.0.join("media")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("comity.db")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("admin.sock")
    }

    /// When something here was last written, in milliseconds since 1970; 0 if nothing can be read.
    pub(crate) fn last_written_ms(&self) -> u64 {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let times = entries.filter_map(|entry| entry.metadata().ok()).map(|file| file.mtime());
        times.max().and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0).saturating_mul(1000)
    }
}

/// Makes a directory for this user only; one that exists must be so.
pub(crate) fn make_private_directory(path: &Path) -> Result<(), Failure> {
    match DirBuilder::new().mode(0o700).recursive(false).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_private(path, "700"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().ok_or_else(|| Failure::io(path, &error))?;
            fs::create_dir_all(parent).map_err(|error| Failure::io(parent, &error))?;
            DirBuilder::new().mode(0o700).create(path).map_err(|error| Failure::io(path, &error))
        }
        Err(error) => Err(Failure::io(path, &error)),
    }
}

/// Writes a file for this user only: beside its place, synced, then moved there, so that it is whole
/// or absent. The file beside has a name that nobody can have taken before.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let folder = folder_of(path);
    let written = (|| {
        // 0600 from the first moment, and gone if it does not get its place.
        let mut file = tempfile::Builder::new().prefix(".").suffix(UNFINISHED).tempfile_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        fs::File::open(folder)?.sync_all()
    })();
    written.map_err(|error| Failure::io(path, &error))
}

/// The directory that a path is in; a name alone is in the one of the process.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// As [`write_private`], and overwrites the secret that stood there before.
///
/// # Errors
/// `SecretIsLink`, `FileUnusable`.
pub(crate) fn replace_secret(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let old = secret(path)?;
    write_private(path, content)?;
    old.map_or(Ok(()), |old| overwrite(&old)).map_err(|error| Failure::io(path, &error))
}

/// Overwrites a secret and deletes it. Copies that the file system or the disk keeps are beyond us.
///
/// # Errors
/// `SecretIsLink`, `FileUnusable`.
pub(crate) fn erase_secret(path: &Path) -> Result<(), Failure> {
    let old = secret(path)?;
    let erase = || {
        old.map_or(Ok(()), |old| overwrite(&old))?;
        fs::remove_file(path)?;
        fs::File::open(folder_of(path))?.sync_all()
    };
    erase().map_err(|error: io::Error| Failure::io(path, &error))
}

/// That a secret can be overwritten, before anything is done of which that is the end.
///
/// # Errors
/// `SecretIsLink`, `FileUnusable`.
pub(crate) fn check_erasable(path: &Path) -> Result<(), Failure> {
    secret(path).map(drop)
}

/// Makes an end of what an interrupted [`write_private`] has left in a folder of secrets: keys lie open
/// in it, under names that nothing else looks at. Not while somebody may be writing there.
///
/// # Errors
/// `FileUnusable`.
pub(crate) fn sweep_secrets(folder: &Path) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).map_err(|error| Failure::io(folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Failure::io(folder, &error))?;
        let (name, path) = (entry.file_name(), entry.path());
        let is_left = name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(UNFINISHED));
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_left && is_file {
            erase_secret(&path)?;
        }
    }
    Ok(())
}

/// A secret that is to be overwritten; not if it has another name as well, under which it is kept. Its
/// owner may have it read-only.
fn secret(path: &Path) -> Result<Option<fs::File>, Failure> {
    let failed = |error: io::Error| match error.raw_os_error() {
        Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => Failure::new(
            Exit::Storage,
            "SecretIsLink",
            format!("{} is a link, and the secret would stay where it leads", path.display()),
            "put the file itself in its place, then again",
        ),
        _ => Failure::io(path, &error),
    };
    let open = |write: bool| {
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        fs::OpenOptions::new().read(true).write(write).custom_flags(flags).open(path)
    };
    let writable = || match open(true) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open(false)?.set_permissions(fs::Permissions::from_mode(0o600))?;
            open(true)
        }
        opened => opened,
    };
    let file = writable().map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    Ok((found.is_file() && found.nlink() == 1).then_some(file))
}

/// Zeros in place of all that stands in a file, on the disk when it returns.
fn overwrite(mut file: &fs::File) -> io::Result<()> {
    let length = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.sync_all()
}

/// What others can read is not a secret, and what another user owns, that user can read. The system's
/// administrator can anyway, and may look after the directory of the user whom the node runs as.
///
/// # Errors
/// `ReadableByOthers`, `FileUnusable`.
pub(crate) fn check_private(path: &Path, mode: &str) -> Result<(), Failure> {
    let metadata = fs::metadata(path).map_err(|error| Failure::io(path, &error))?;
    let (user, owner_uid) = (rustix::process::geteuid().as_raw(), metadata.uid());
    if user != 0 && owner_uid != 0 && owner_uid != user {
        return Err(Failure::new(
            Exit::Storage,
            "ReadableByOthers",
            format!("{} belongs to another user (uid {owner_uid})", path.display()),
            format!("{}; if somebody else could read keys here, make new ones", owner::run_as(owner_uid)),
        ));
    }
    let found = metadata.permissions().mode() & 0o777;
    if found & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Storage,
        "ReadableByOthers",
        format!("{} is open to other users (mode {found:03o})", path.display()),
        format!("chmod {mode} {}; if others could read keys here, make new ones", path.display()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_leaves_all_others_alone() {
        let temp = tempfile::tempdir().expect("a directory");
        let (path, neighbour) = (temp.path().join("a.tar"), temp.path().join("a.new"));
        fs::write(&neighbour, b"mine").expect("written");
        write_private(&path, b"bundle").expect("written");
        write_private(&path, b"again").expect("written");
        assert_eq!(fs::read(&path).expect("readable"), b"again");
        assert_eq!(fs::read(&neighbour).expect("readable"), b"mine");
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(temp.path()).expect("readable").count(), 2, "nothing is left");
        // Nothing is written where there is no place for it.
        fs::create_dir(temp.path().join("folder")).expect("made");
        assert!(write_private(&temp.path().join("folder"), b"x").is_err());
        assert_eq!(fs::read_dir(temp.path()).expect("readable").count(), 3);
    }

    #[test]
    fn a_secret_that_is_replaced_or_erased_is_overwritten_where_it_stood() {
        let temp = tempfile::tempdir().expect("a directory");
        let path = temp.path().join("root.key");
        for replaced in [true, false] {
            write_private(&path, b"the secret").expect("written");
            // Shows what stands where the file stood.
            let mut kept = fs::File::open(&path).expect("opened");
            if replaced { replace_secret(&path, b"sealed") } else { erase_secret(&path) }.expect("done");
            let mut left = Vec::new();
            kept.read_to_end(&mut left).expect("readable");
            // The file that was replaced has no name any more.
            assert_eq!(left, [0; 10]);
            assert_eq!(fs::read(&path).ok(), replaced.then(|| b"sealed".to_vec()));
        }
    }

    #[test]
    fn a_secret_that_is_read_only_is_overwritten_and_one_behind_a_link_is_refused() {
        let temp = tempfile::tempdir().expect("a directory");
        let path = temp.path().join("root.key");
        for replaced in [true, false] {
            write_private(&path, b"the secret").expect("written");
            // Whoever runs this as the system's administrator may write all the same.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("changed");
            let mut kept = fs::File::open(&path).expect("opened");
            check_erasable(&path).expect("it can be overwritten");
            if replaced { replace_secret(&path, b"sealed") } else { erase_secret(&path) }.expect("done");
            let mut left = Vec::new();
            kept.read_to_end(&mut left).expect("readable");
            assert_eq!(left, [0; 10]);
        }
        let elsewhere = temp.path().join("elsewhere.key");
        write_private(&elsewhere, b"the secret").expect("written");
        std::os::unix::fs::symlink(&elsewhere, &path).expect("linked");
        for refused in [check_erasable(&path), replace_secret(&path, b"sealed"), erase_secret(&path)] {
            assert_eq!(refused.expect_err("a link").name, "SecretIsLink");
        }
        assert_eq!(fs::read(&path).expect("readable"), b"the secret", "nothing was done");
    }

    #[test]
    fn what_an_interrupted_writer_has_left_is_overwritten_and_gone() {
        let temp = tempfile::tempdir().expect("a directory");
        let path = |name: &str| temp.path().join(name);
        let all = [".Xa3_9b.new", "root.key.new", "root.key", ".hidden"];
        for name in all {
            write_private(&path(name), b"the secret").expect("written");
        }
        let mut kept = fs::File::open(path(all[0])).expect("opened");
        sweep_secrets(temp.path()).expect("swept");
        let mut left = Vec::new();
        kept.read_to_end(&mut left).expect("readable");
        assert_eq!(left, [0; 10]);
        assert_eq!(all.map(|name| path(name).exists()), [false, true, true, true]);
    }

    #[test]
    fn a_name_without_a_folder_is_one_in_this_folder() {
        let name = format!("comityd-test-{}.tgz", std::process::id());
        let written = write_private(Path::new(&name), b"bundle");
        let found = fs::read(&name);
        // Of no use to anybody.
        let _ = fs::remove_file(&name);
        written.expect("written");
        assert_eq!(found.expect("readable"), b"bundle");
    }
}
