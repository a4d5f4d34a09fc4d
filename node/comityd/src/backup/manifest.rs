//! What a backup says of itself, and who says so: the domain's event key signs the exact bytes of the
//! manifest, under a label of its own.

use std::{collections::BTreeSet, fs, path::Path};

use data_encoding::HEXLOWER;
use identity::{DomainDocument, KeyUse};
use serde::{Deserialize, Serialize};
use wire::{DomainName, SecretKey, signed};

use crate::{
    data::write_private,
    failure::{Exit, Failure},
    system::utc,
};

/// The file with the manifest.
pub(super) const MANIFEST: &str = "manifest.json";
/// The file with its signature: 128 hexadecimal digits.
pub(super) const SIGNATURE: &str = "manifest.sig";
const FORMAT: &str = "comity-backup-1";
const LABEL: &str = "comity/v1/BackupManifest";
/// No manifest is larger: about 200 bytes for each file.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// No key file, document or configuration is larger.
const SMALL_BYTES_MAX: u64 = 1024 * 1024;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// How to read this.
    format: String,
    /// The version of the program that made it.
    pub(crate) program: String,
    /// Whose.
    #[serde(with = "name")]
    pub(crate) domain: DomainName,
    /// When, in seconds since 1970.
    pub(crate) made_s: u64,
    /// The schema of the database.
    pub(crate) schema: i64,
    /// The newest domain document.
    pub(crate) document_seq: u64,
    /// Accounts in the database.
    pub(crate) accounts: u64,
    /// Rooms in the database.
    pub(crate) rooms: u64,
    /// The largest position in the database.
    pub(crate) head: u64,
    /// Every other file of the backup.
    pub(super) files: Vec<Listed>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    /// Where it stands, in the backup as in a data directory.
    pub(super) path: String,
    /// Its length.
    pub(super) bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub(super) sha256: String,
}

impl Listed {
    /// Whether it is larger than anything in its place can be.
    pub(super) fn is_oversized(&self) -> bool {
        self.path != "comity.db" && !self.path.starts_with("media/") && self.bytes > SMALL_BYTES_MAX
    }
}

impl Manifest {
    /// The manifest of a backup made now by this program.
    pub(super) fn new(
        document: &DomainDocument,
        made_s: u64,
        contents: sqlite::Contents,
        files: Vec<Listed>,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            domain: document.domain().clone(),
            made_s,
            schema: contents.schema,
            document_seq: document.seq(),
            accounts: contents.accounts,
            rooms: contents.rooms,
            head: contents.head,
            files,
        }
    }

    /// Writes manifest and signature.
    pub(super) fn write(&self, backup: &Path, key: &SecretKey) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Failure::io(&backup.join(MANIFEST), &error.into()))?;
        let signature = HEXLOWER.encode(&key.sign(&signed::input(LABEL, &text)));
        write_private(&backup.join(MANIFEST), &text)?;
        write_private(&backup.join(SIGNATURE), format!("{signature}\n").as_bytes())
    }

    /// What a person is told of it.
    pub(crate) fn lines(&self) -> [String; 4] {
        [
            format!("domain    {}", self.domain),
            format!("made      {} by comityd {}, schema {}", utc(self.made_s), self.program, self.schema),
            format!("files     {}, {} MiB", self.files.len(), self.bytes().div_ceil(1 << 20)),
            format!("holds     {} accounts, {} rooms, position {}", self.accounts, self.rooms, self.head),
        ]
    }

    /// The same for a program.
    pub(crate) fn summary(&self) -> serde_json::Value {
        serde_json::json!({
            "domain": self.domain.as_str(),
            "program": self.program,
            "made": utc(self.made_s),
            "schema": self.schema,
            "document_seq": self.document_seq,
            "accounts": self.accounts,
            "rooms": self.rooms,
            "head": self.head,
            "files": self.files.len(),
            "bytes": self.bytes(),
        })
    }

    /// All bytes that it lists.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// Reads a manifest without believing it.
    ///
    /// # Errors
    /// `ManifestMissing`, `ManifestMalformed`, `BackupNewer`.
    pub(super) fn read(backup: &Path) -> Result<(Self, Vec<u8>), Failure> {
        let text = read_bounded(&backup.join(MANIFEST), BYTES_MAX)?;
        Ok((Self::parse(&text)?, text))
    }

    /// The manifest that a text is, whoever wrote it.
    ///
    /// # Errors
    /// `ManifestMalformed`, `BackupNewer`.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Format {
            format: String,
        }
        let format: Format = serde_json::from_slice(text).map_err(|error| malformed(error.to_string()))?;
        if format.format != FORMAT && format.format.starts_with("comity-backup-") {
            let what = "the backup was made by a newer comityd";
            return Err(Failure::new(Exit::Unknown, "BackupNewer", what, "use the newer program"));
        }
        let manifest: Self = serde_json::from_slice(text).map_err(|error| malformed(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(malformed("it is of another format"));
        }
        manifest.check()?;
        Ok(manifest)
    }

    /// That it lists what a backup has, and nothing else.
    ///
    /// # Errors
    /// `ManifestMalformed`.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let mut paths = BTreeSet::new();
        for file in &self.files {
            if !is_place(&file.path) {
                return Err(malformed("it lists a file in a place that no backup has"));
            }
            if !paths.insert(file.path.as_str()) {
                return Err(malformed(format!("it lists {} twice", file.path)));
            }
            if file.is_oversized() {
                return Err(malformed(format!("{} is too large to be what it should be", file.path)));
            }
        }
        for needed in ["comity.db", "comity.toml", "documents/1.signed"] {
            if !paths.contains(needed) {
                return Err(malformed(format!("it does not list {needed}")));
            }
        }
        Ok(())
    }

    /// Whether the domain of these documents has signed the manifest.
    ///
    /// # Errors
    /// `ManifestMissing` for the signature, `ManifestForged`.
    pub(super) fn prove(&self, backup: &Path, text: &[u8], newest: &DomainDocument) -> Result<(), Failure> {
        let forged = |what: &str| {
            let hint = "do not restore it; take another backup";
            Failure::new(Exit::Unproved, "ManifestForged", what, hint)
        };
        if newest.domain() != &self.domain || newest.seq() != self.document_seq {
            return Err(forged("the manifest is of another domain or document than the backup"));
        }
        let written = read_bounded(&backup.join(SIGNATURE), 1_024)?;
        let signature = HEXLOWER.decode(written.trim_ascii()).unwrap_or_default();
        let input = signed::input(LABEL, text);
        // As with events, what was signed long ago may have been signed with a key that is retired now.
        let signed = newest.keys(KeyUse::Event).any(|key| key.key.verify(&input, &signature).is_ok());
        if signed { Ok(()) } else { Err(forged("the manifest is not signed by an event key of its domain")) }
    }
}

/// A domain as text.
mod name {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use wire::DomainName;

    pub(super) fn serialize<S: Serializer>(name: &DomainName, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(name.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<DomainName, D::Error> {
        String::deserialize(input)?.parse().map_err(|_| D::Error::custom("the domain is no domain name"))
    }
}

fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let missing = |error: &dyn std::fmt::Display| {
        let what = format!("{}: {error}", path.display());
        Failure::new(Exit::Unproved, "ManifestMissing", what, "this is no whole backup; take another")
    };
    let metadata = fs::symlink_metadata(path).map_err(|error| missing(&error))?;
    if !metadata.is_file() || metadata.len() > most {
        return Err(malformed(format!("{} is no file of its kind", path.display())));
    }
    fs::read(path).map_err(|error| missing(&error))
}

/// The places of a backup, which are those of a data directory. Nothing else is read or written, whatever
/// a manifest says.
pub(super) fn is_place(path: &str) -> bool {
    let plain = |name: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !name.is_empty() && name.len() <= 255 && !name.starts_with('.') && name.bytes().all(allowed)
    };
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["comity.db" | "comity.toml"] => true,
        ["keys", name] => plain(name) && name.ends_with(".key"),
        ["documents", name] => plain(name) && name.ends_with(".signed"),
        ["media", inner @ ..] => {
            !inner.is_empty() && inner.len() <= 4 && inner.iter().all(|name| plain(name))
        }
        _ => false,
    }
}

pub(super) fn malformed(what: impl std::fmt::Display) -> Failure {
    let what = format!("the manifest is malformed: {what}");
    Failure::new(Exit::Unproved, "ManifestMalformed", what, "do not restore it; take another backup")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_places_of_a_data_directory_are_places() {
        for path in [
            "comity.db",
            "comity.toml",
            "keys/next-root.key",
            "documents/12.signed",
            "media/3f/3f1c.part",
            "media/a/b/c/d",
        ] {
            assert!(is_place(path), "{path}");
        }
        for path in [
            "",
            "/etc/passwd",
            "../comity.toml",
            "keys/../../x.key",
            "keys/.key",
            "keys/sub/x.key",
            "keys/x.pem",
            "documents/",
            "documents/1.signed/",
            "lock",
            "admin.sock",
            "comity.db-wal",
            "media",
            "media/",
            "media//x",
            "media/..",
            "media/a/../../../x",
            "media/a/b/c/d/e",
            "media/a\\b",
            "media/a\u{202e}b",
            "comity.toml\0",
        ] {
            assert!(!is_place(path), "{path:?}");
        }
    }
}
