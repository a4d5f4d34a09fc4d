//! Files as they are shown: without what opens them, which stays in the device's store.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wire::{BlobId, RoomId};

use super::text;

/// A file that somebody has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Its encrypted bytes.
    #[serde(with = "text")]
    pub blob: BlobId,
    /// What its sender calls it: no path, but not to be saved under without a look. Foreign.
    pub name: String,
    /// How many bytes it has, as its sender says.
    pub size: u64,
    /// What its sender says about it; may be empty. Foreign.
    pub caption: String,
}

/// A file that is on its way to the home node, over restarts and outages if need be. The message that
/// tells the others of it is sent when it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// For which room.
    #[serde(with = "text")]
    pub room: RoomId,
    /// Its encrypted bytes.
    #[serde(with = "text")]
    pub blob: BlobId,
}

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Of which room.
    #[serde(with = "text")]
    pub room: RoomId,
    /// Its encrypted bytes.
    #[serde(with = "text")]
    pub blob: BlobId,
    /// Whether it goes to the node, or comes from it.
    pub upload: bool,
    /// Bytes that have arrived.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// A file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has.
    pub size: u64,
}
