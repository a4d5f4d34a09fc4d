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
        let mut file = tempfile::Builder::new().prefix(".").suffix(".new").tempfile_in(folder)?;
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
pub(crate) fn replace_secret(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let old = secret(path).map_err(|error| Failure::io(path, &error))?;
    write_private(path, content)?;
    old.map_or(Ok(()), |old| overwrite(&old)).map_err(|error| Failure::io(path, &error))
}

/// Overwrites a secret and deletes it. Copies that the file system or the disk keeps are beyond us.
pub(crate) fn erase_secret(path: &Path) -> Result<(), Failure> {
    let erase = || {
        secret(path)?.map_or(Ok(()), |secret| overwrite(&secret))?;
        fs::remove_file(path)?;
        fs::File::open(folder_of(path))?.sync_all()
    };
    erase().map_err(|error: io::Error| Failure::io(path, &error))
}

/// A secret that is to be overwritten; not if it has another name as well, under which it is kept.
fn secret(path: &Path) -> io::Result<Option<fs::File>> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = fs::OpenOptions::new().write(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
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
