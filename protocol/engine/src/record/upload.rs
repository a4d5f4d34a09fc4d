//! The rows of files that the home node has not taken whole yet.

use bytes::Bytes;
use wire::proto;

use super::{Row, Table};

/// A file that was encrypted and is to be sent. Key: the blob's id.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UploadRow {
    /// The room, 32 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub room: Bytes,
    /// What will be said when the blob is there.
    #[prost(message, optional, tag = "2")]
    pub file: Option<proto::File>,
    /// When it was wanted, in milliseconds since 1970.
    #[prost(uint64, tag = "3")]
    pub since_ms: u64,
}

impl Row for UploadRow {
    const TABLE: Table = Table::Upload;

    fn key(&self) -> Bytes {
        self.file.as_ref().map(|file| file.blob.clone()).unwrap_or_default()
    }
}
