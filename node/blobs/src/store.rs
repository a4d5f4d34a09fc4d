//! Where the bytes of blobs are kept: a directory here, an object store for a domain of many machines.

use std::io;

use machine::Timestamp;
use wire::BlobId;

use crate::Record;

/// A blob that a store was found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What was written beside it.
    pub record: Record,
    /// How many of its bytes are there.
    pub received: u64,
    /// Whether it was finished.
    pub complete: bool,
    /// When it grew last.
    pub touched: Timestamp,
}

/// What a store was found to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Those that were understood.
    pub found: Vec<Found>,
    /// Entries that the device did not give out. They are left as they are.
    pub unreadable: u64,
}

/// Holds bytes. Calls block; what they have done is durable when they return. No two calls concern the
/// same blob at the same time, except that a complete one is read by many.
pub trait Store: Send + Sync {
    /// Everything that is here. What was read and cannot be understood is removed: nobody could ask for
    /// it. What cannot be read now is left: it may be good.
    ///
    /// # Errors
    /// Those of the device, if not even the names can be had.
    fn load(&self) -> io::Result<Loaded>;

    /// Begins a blob without bytes.
    ///
    /// # Errors
    /// Those of the device.
    fn create(&self, record: &Record) -> io::Result<()>;

    /// Adds bytes at the end of an unfinished blob, which has so many.
    ///
    /// # Errors
    /// Those of the device; how much of them is there is not known then.
    fn append(&self, blob: &BlobId, received: u64, bytes: &[u8]) -> io::Result<()>;

    /// The SHA-256 of an unfinished blob's bytes.
    ///
    /// # Errors
    /// Those of the device.
    fn digest(&self, blob: &BlobId) -> io::Result<[u8; 32]>;

    /// The blob is whole: from now on it may be read.
    ///
    /// # Errors
    /// Those of the device.
    fn finish(&self, blob: &BlobId) -> io::Result<()>;

    /// Bytes of a complete blob, fewer at its end.
    ///
    /// # Errors
    /// Those of the device.
    fn read(&self, blob: &BlobId, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Removes a blob, complete or not.
    ///
    /// # Errors
    /// Those of the device.
    fn remove(&self, blob: &BlobId) -> io::Result<()>;
}
