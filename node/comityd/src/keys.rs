//! The secret keys of a domain as files: `keys/KIND.key`, mode 0600, never printed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use identity::{
    DomainDocument, DomainKeys, KeyKind, KeyUse,
    key_file::{self, KeyFileError},
};
use machine::Timestamp;
use wire::SecretKey;
use zeroize::Zeroizing;

use crate::{
    data::{DataDir, check_private, make_private_directory, write_private},
    failure::{Exit, Failure},
};

/// The keys that a running node needs.
#[derive(Debug)]
pub(crate) struct NodeKeys {
    pub(crate) tls: SecretKey,
    pub(crate) binding: SecretKey,
    pub(crate) event: SecretKey,
}

/// Where a key stands.
pub(crate) fn path(data: &DataDir, kind: KeyKind) -> PathBuf {
    data.keys().join(format!("{kind}.key"))
}

/// Writes the keys of a new domain.
pub(crate) fn write_all(data: &DataDir, keys: &DomainKeys) -> Result<(), Failure> {
    make_private_directory(&data.keys())?;
    let files = [
        (KeyKind::Root, &keys.root),
        (KeyKind::NextRoot, &keys.next_root),
        (KeyKind::Recovery, &keys.recovery),
        (KeyKind::Tls, &keys.tls),
        (KeyKind::Binding, &keys.binding),
        (KeyKind::Event, &keys.event),
    ];
    for (kind, key) in files {
        write_private(&path(data, kind), key_file::encode(kind, key).as_bytes())?;
    }
    Ok(())
}

/// Reads a key that must be there.
///
/// # Errors
/// `ReadableByOthers`, `FileUnusable`, or the name of a [`KeyFileError`].
pub(crate) fn read(data: &DataDir, kind: KeyKind) -> Result<SecretKey, Failure> {
    let path = path(data, kind);
    check_private(&path, "600")?;
    let text = fs::read_to_string(&path).map(Zeroizing::new);
    let text = match text {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            return Err(unusable(&path, KeyFileError::NotAKeyFile));
        }
        Err(error) => return Err(Failure::io(&path, &error)),
    };
    key_file::parse_as(kind, &text).map_err(|error| unusable(&path, error))
}

/// Reads the keys of a running node and compares each with the domain document: a wrong key would
/// make every peer refuse what this node signs.
///
/// # Errors
/// As [`read`]; `KeyNotListed`.
pub(crate) fn read_checked(
    data: &DataDir,
    newest: &DomainDocument,
    now: Timestamp,
) -> Result<NodeKeys, Failure> {
    let listed = |kind, key_use| {
        let key = read(data, kind)?;
        if newest.check_key(key_use, &key.public(), now).is_ok() {
            return Ok(key);
        }
        Err(Failure::new(
            Exit::Unproved,
            "KeyNotListed",
            format!(
                "{} is not a {kind} key that domain document {} lists as in force",
                path(data, kind).display(),
                newest.seq()
            ),
            "restore the key file that belongs to this domain from a backup; check the clock",
        ))
    };
    Ok(NodeKeys {
        tls: listed(KeyKind::Tls, KeyUse::Tls)?,
        binding: listed(KeyKind::Binding, KeyUse::Binding)?,
        event: listed(KeyKind::Event, KeyUse::Event)?,
    })
}

fn unusable(path: &Path, error: KeyFileError) -> Failure {
    let name = match error {
        KeyFileError::NotAKeyFile => "NotAKeyFile",
        KeyFileError::UnknownKind => "UnknownKeyKind",
        KeyFileError::WrongKind { .. } => "WrongKeyKind",
        KeyFileError::BadPublicKey => "BadPublicKey",
        KeyFileError::BadSeed => "BadSeed",
        KeyFileError::Mismatch => "KeyMismatch",
    };
    let hint = "restore this file from a backup; `comityd check` tells whether all fits";
    Failure::new(Exit::Storage, name, format!("{}: {error}", path.display()), hint)
}
