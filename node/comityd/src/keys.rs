//! The secret keys of a domain as files: `keys/KIND.key`, mode 0600, never printed. Those that a running
//! node does not need may be sealed by a passphrase, and may be elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use identity::{
    DomainDocument, DomainKeys, KeyKind, KeyUse, SealedKey, SealedKeyError,
    key_file::{self, KeyFileError},
    sealed_key::Cost,
};
use machine::Timestamp;
use wire::{PublicKey, SecretKey};
use zeroize::Zeroizing;

use crate::{
    data::{DataDir, check_private, make_private_directory, write_private},
    failure::{Exit, Failure},
    passphrase::Source,
    system::SystemEntropy,
};

/// The keys that a running node does not need: they issue documents and take the domain back.
pub(crate) const OFFLINE: [KeyKind; 3] = [KeyKind::Root, KeyKind::NextRoot, KeyKind::Recovery];
/// The keys that it needs.
pub(crate) const ONLINE: [KeyKind; 3] = [KeyKind::Tls, KeyKind::Binding, KeyKind::Event];

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

/// A key file as it stands.
#[derive(Debug)]
pub(crate) enum Stored {
    /// Whoever reads the file has the key.
    Open(SecretKey),
    /// A passphrase opens it.
    Sealed(SealedKey),
}

impl Stored {
    /// The public half, as the file says.
    pub(crate) fn public(&self) -> PublicKey {
        match self {
            Self::Open(key) => key.public(),
            Self::Sealed(key) => key.public(),
        }
    }

    /// The key, for which the passphrase may have to be found.
    ///
    /// # Errors
    /// `WrongPassphrase`, those of [`Source::known`].
    pub(crate) fn open(self, path: &Path, source: &Source) -> Result<SecretKey, Failure> {
        match self {
            Self::Open(key) => Ok(key),
            Self::Sealed(_) => {
                let passphrase = source.known(&path.display().to_string())?;
                self.open_with(path, &passphrase)
            }
        }
    }

    /// Whether a passphrase opens it.
    pub(crate) const fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }

    /// The key, by this passphrase if it needs one.
    ///
    /// # Errors
    /// `WrongPassphrase`.
    pub(crate) fn open_with(self, path: &Path, passphrase: &str) -> Result<SecretKey, Failure> {
        match self {
            Self::Open(key) => Ok(key),
            Self::Sealed(sealed) => sealed.open(passphrase).map_err(|error| unusable_seal(path, error)),
        }
    }
}

/// Opens keys one after the other, and asks for a passphrase only where none that was given before
/// opens. What it holds is overwritten when it goes.
#[derive(Default)]
pub(crate) struct Ring(Vec<Zeroizing<String>>);

impl Ring {
    /// The key; `what` is what the next passphrase would be of.
    ///
    /// # Errors
    /// `WrongPassphrase`, those of [`Source::known`].
    pub(crate) fn open(
        &mut self,
        stored: Stored,
        (path, what): (&Path, &str),
        source: &Source,
    ) -> Result<SecretKey, Failure> {
        let sealed = match stored {
            Stored::Open(key) => return Ok(key),
            Stored::Sealed(sealed) => sealed,
        };
        if let Some(key) = self.0.iter().find_map(|known| sealed.open(known).ok()) {
            return Ok(key);
        }
        if source.file.is_some() && !self.0.is_empty() {
            return Err(unusable_seal(path, SealedKeyError::WrongPassphrase));
        }
        let passphrase = source.known(what)?;
        let key = sealed.open(&passphrase).map_err(|error| unusable_seal(path, error))?;
        self.0.push(passphrase);
        Ok(key)
    }
}

/// The text of a key file, sealed if there is a passphrase.
///
/// # Errors
/// `KeyNotSealed`: then it must not be written at all.
pub(crate) fn text(
    kind: KeyKind,
    key: &SecretKey,
    passphrase: Option<&str>,
) -> Result<Zeroizing<String>, Failure> {
    let Some(passphrase) = passphrase else { return Ok(key_file::encode(kind, key)) };
    let sealed = SealedKey::seal(kind, key, passphrase, Cost::RECOMMENDED, &mut SystemEntropy);
    sealed.map(|sealed| Zeroizing::new(sealed.encode())).ok_or_else(|| {
        let what = format!("the {kind} key cannot be sealed by this passphrase");
        Failure::new(Exit::Storage, "KeyNotSealed", what, "is there enough free memory? then again")
    })
}

/// Writes the keys of a new domain; those that are best kept offline sealed, if there is a passphrase.
pub(crate) fn write_all(data: &DataDir, keys: &DomainKeys, passphrase: Option<&str>) -> Result<(), Failure> {
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
        let passphrase = passphrase.filter(|_| OFFLINE.contains(&kind));
        write_private(&path(data, kind), text(kind, key, passphrase)?.as_bytes())?;
    }
    Ok(())
}

/// Reads a key that must be there and open.
///
/// # Errors
/// As [`stored`]; `KeySealed`.
pub(crate) fn read(data: &DataDir, kind: KeyKind) -> Result<SecretKey, Failure> {
    let path = path(data, kind);
    match stored(&path, kind)? {
        Stored::Open(key) => Ok(key),
        Stored::Sealed(_) => {
            let what = format!("{} is sealed by a passphrase", path.display());
            let hint = match OFFLINE.contains(&kind) {
                true => "`comityd renew` asks for the passphrase",
                false => "a running node needs this key: `comityd key unseal`",
            };
            Err(Failure::new(Exit::Storage, "KeySealed", what, hint))
        }
    }
}

/// Reads a key file of one kind as it stands.
///
/// # Errors
/// `ReadableByOthers`, `FileUnusable`, or the name of a [`KeyFileError`] or [`SealedKeyError`].
pub(crate) fn stored(path: &Path, kind: KeyKind) -> Result<Stored, Failure> {
    check_private(path, "600")?;
    let text = match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            return Err(unusable(path, KeyFileError::NotAKeyFile));
        }
        Err(error) => return Err(Failure::io(path, &error)),
    };
    if !SealedKey::is_one(&text) {
        return key_file::parse_as(kind, &text).map(Stored::Open).map_err(|error| unusable(path, error));
    }
    let sealed = SealedKey::parse(&text).map_err(|error| unusable_seal(path, error))?;
    match sealed.kind() == kind {
        true => Ok(Stored::Sealed(sealed)),
        false => Err(unusable(path, KeyFileError::WrongKind { wanted: kind, found: sealed.kind() })),
    }
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

const RESTORE: &str = "restore this file from a backup; `comityd check` tells whether all fits";

fn unusable(path: &Path, error: KeyFileError) -> Failure {
    let name = match error {
        KeyFileError::NotAKeyFile => "NotAKeyFile",
        KeyFileError::UnknownKind => "UnknownKeyKind",
        KeyFileError::WrongKind { .. } => "WrongKeyKind",
        KeyFileError::BadPublicKey => "BadPublicKey",
        KeyFileError::BadSeed => "BadSeed",
        KeyFileError::Mismatch => "KeyMismatch",
    };
    Failure::new(Exit::Storage, name, format!("{}: {error}", path.display()), RESTORE)
}

fn unusable_seal(path: &Path, error: SealedKeyError) -> Failure {
    let (exit, name, hint) = match error {
        SealedKeyError::WrongPassphrase => {
            (Exit::Unproved, "WrongPassphrase", "try again; without the passphrase nobody opens it")
        }
        SealedKeyError::NotASealedKey => (Exit::Storage, "NotAKeyFile", RESTORE),
        SealedKeyError::UnknownKind => (Exit::Storage, "UnknownKeyKind", RESTORE),
        SealedKeyError::BadPublicKey => (Exit::Storage, "BadPublicKey", RESTORE),
        SealedKeyError::BadCost => (Exit::Storage, "BadCost", RESTORE),
        SealedKeyError::BadSeal => (Exit::Storage, "BadSeal", RESTORE),
    };
    Failure::new(exit, name, format!("{}: {error}", path.display()), hint)
}
