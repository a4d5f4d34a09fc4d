//! A backup is a directory: the database as it was at one moment, keys, documents, configuration, and a
//! signed manifest that lists them.

mod files;
mod manifest;
mod progress;
mod restore;
mod verify;
mod write;

pub(crate) use restore::{Outcome, restore};
pub(crate) use verify::{Verified, verify};
pub(crate) use write::{Written, write};

use crate::failure::Failure;

/// What is wrong with the text of a manifest.
///
/// # Errors
/// `ManifestMalformed`, `BackupNewer`.
pub(crate) fn check_manifest(text: &[u8]) -> Result<(), Failure> {
    manifest::Manifest::parse(text).map(drop)
}
