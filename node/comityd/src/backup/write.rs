//! Makes a backup, of a node that runs or of one that does not.

use std::{
    fs,
    path::{Path, PathBuf},
};

use identity::KeyKind;
use net::now;
use zeroize::Zeroizing;

use super::{
    files,
    manifest::{Listed, Manifest, is_place},
    progress::Progress,
};
use crate::{
    command::storage,
    config::Config,
    data::{DataDir, folder_of, make_private_directory, write_private},
    documents,
    failure::{Exit, Failure},
    keys::{self, Stored},
};

/// A backup that was made.
pub(crate) struct Written {
    /// What it says of itself.
    pub(crate) manifest: Manifest,
    /// Files beside documents and attachments that nothing of this program has made, by their paths in
    /// the data directory. A backup has no place for them.
    pub(crate) left_out: Vec<String>,
}

/// Writes a backup beside its place and moves it there when it is whole and durable. With a passphrase
/// every key that lies open in the directory is sealed in the backup.
///
/// # Errors
/// `BackupExists`, `BackupUnfinished`, `KeyUnknown`, `FileTooLarge`, `ManifestMalformed` for what could not be
/// restored, those of reading the data directory and of writing.
pub(crate) fn write(data: &DataDir, destination: &Path, seal: Option<&str>) -> Result<Written, Failure> {
    if fs::symlink_metadata(destination).is_ok() {
        let what = format!("{} exists already", destination.display());
        return Err(Failure::new(
            Exit::Storage,
            "BackupExists",
            what,
            "choose another name, with the date in it",
        ));
    }
    let config = Config::read(&data.config(), &Vec::new())?;
    if !data.database().exists() {
        let what = "there is no database: the node has never run";
        return Err(Failure::new(Exit::Storage, "NothingToBackUp", what, "`comityd run` once, then again"));
    }
    let partial = beside(destination)?;
    if fs::symlink_metadata(&partial).is_ok() {
        let what = format!("{} is what an interrupted backup has left", partial.display());
        let hint = format!("`rm -r {}`, then again", partial.display());
        return Err(Failure::new(Exit::Storage, "BackupUnfinished", what, hint));
    }
    make_private_directory(&partial)?;
    let made = fill(data, &config, &partial, seal).and_then(|written| {
        files::sync(&partial)?;
        fs::rename(&partial, destination).map_err(|error| Failure::io(destination, &error))?;
        files::sync_names(folder_of(destination))?;
        Ok(written)
    });
    if made.is_err() {
        // What is not whole is of no use to anybody.
        let _ = fs::remove_dir_all(&partial);
    }
    made
}

fn beside(destination: &Path) -> Result<PathBuf, Failure> {
    let mut name = destination.file_name().map(std::ffi::OsStr::to_owned).ok_or_else(|| {
        let what = format!("{} cannot be the name of a backup", destination.display());
        Failure::new(Exit::Usage, "BackupName", what, "give a path that ends with a name")
    })?;
    name.push(".partial");
    Ok(destination.with_file_name(name))
}

// The database is first: what the files say may be newer than what it knows, never older.
fn fill(data: &DataDir, config: &Config, backup: &Path, seal: Option<&str>) -> Result<Written, Failure> {
    let mut listed: Vec<Listed> = Vec::new();
    let copy = backup.join("comity.db");
    let contents = {
        let (growing, source) = (copy.clone(), data.database());
        let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
        let _progress = Progress::begin("database", size(&source), move || size(&growing));
        sqlite::copy(data.path(), &copy).map_err(|error| storage(&error, data))?
    };
    let progress = Progress::begin("files", 0, || 0);
    listed.push(files::listed("comity.db", files::hash(&copy, &progress)?));
    let mut paths = vec!["comity.toml".to_owned()];
    for folder in ["keys", "documents", "media"] {
        paths.extend(files::below(data.path(), folder)?.into_iter().filter(|path| is_whole(path)));
    }
    let (paths, left_out): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| is_place(path));
    if let Some(stray) = left_out.iter().find(|path| path.starts_with("keys/")) {
        return Err(unknown_key(&data.path().join(stray)));
    }
    for path in paths {
        let (from, to) = (data.path().join(&path), files::make_folders(backup, &path)?);
        match sealed(&path, &from, seal)? {
            Some(text) => {
                write_private(&to, text.as_bytes())?;
                listed.push(files::listed(&path, files::hash(&to, &progress)?));
            }
            None => match files::copy(&from, &to, &progress) {
                Ok(copied) => listed.push(files::listed(&path, copied)),
                // An attachment whose time had come meanwhile.
                Err(_) if path.starts_with("media/") && !from.exists() => {
                    fs::remove_file(&to).map_err(|error| Failure::io(&to, &error))?;
                }
                Err(failure) => return Err(failure),
            },
        }
    }
    let documents = documents::read(&DataDir::new(backup), &config.domain)?;
    let key = keys::read(data, KeyKind::Event)?;
    let manifest = Manifest::new(&documents.newest, now().as_s(), contents, listed);
    if let Some(large) = manifest.files.iter().find(|file| file.is_oversized()) {
        let what =
            format!("{} is too large to be what it should be", data.path().join(&large.path).display());
        return Err(Failure::new(
            Exit::Storage,
            "FileTooLarge",
            what,
            "make it smaller: nothing restores it so",
        ));
    }
    // What would not be taken back is no backup.
    manifest.check()?;
    manifest.write(backup, &key)?;
    Ok(Written { manifest, left_out })
}

/// The text of a key that is to be sealed and is not.
fn sealed(path: &str, from: &Path, seal: Option<&str>) -> Result<Option<Zeroizing<String>>, Failure> {
    let (Some(name), Some(passphrase)) = (path.strip_prefix("keys/"), seal) else { return Ok(None) };
    let name = name.strip_suffix(".key");
    let Some(kind) = KeyKind::ALL.into_iter().find(|kind| Some(kind.name()) == name) else {
        // It may be a key that lies open: it would be so in the backup.
        return Err(unknown_key(from));
    };
    Ok(match keys::stored(from, kind)? {
        Stored::Open(key) => Some(keys::text(kind, &key, Some(passphrase))?),
        Stored::Sealed(_) => None,
    })
}

fn unknown_key(path: &Path) -> Failure {
    let what = format!("{} has no name of a key", path.to_string_lossy().escape_debug());
    Failure::new(Exit::Storage, "KeyUnknown", what, "move it out of `keys`, then again")
}

/// What is being written at this moment has a name that ends so.
fn is_whole(path: &str) -> bool {
    !path.ends_with(".new") && !path.ends_with(".part")
}
