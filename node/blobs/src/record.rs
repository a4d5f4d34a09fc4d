//! What is written beside the bytes of a blob.

use bytes::Bytes;
use machine::Timestamp;
use prost::Message;
use wire::{Account, BlobId, ErrorCode, RoomId};

/// What a node knows of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub blob: BlobId,
    /// The room that it belongs to.
    pub room: RoomId,
    /// Who put it there.
    pub account: Account,
    /// How many bytes it has when it is whole.
    pub bytes: u64,
    /// SHA-256 of them.
    pub hash: [u8; 32],
    /// When it was begun.
    pub begun: Timestamp,
}

#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(bytes = "bytes", tag = "1")]
    blob: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    room: Bytes,
    #[prost(string, tag = "3")]
    account: String,
    #[prost(uint64, tag = "4")]
    bytes: u64,
    #[prost(bytes = "bytes", tag = "5")]
    hash: Bytes,
    #[prost(uint64, tag = "6")]
    begun_ms: u64,
}

impl Record {
    /// The record as bytes, well below a kibibyte.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Stored {
            blob: self.blob.to_bytes(),
            room: self.room.to_bytes(),
            account: self.account.as_str().to_owned(),
            bytes: self.bytes,
            hash: Bytes::copy_from_slice(&self.hash),
            begun_ms: self.begun.as_ms(),
        }
        .encode_to_vec()
    }

    /// The record with these bytes.
    ///
    /// # Errors
    /// `Malformed` if they are not what [`Self::encode`] has written.
    pub fn decode(bytes: &[u8]) -> Result<Self, ErrorCode> {
        let stored = Stored::decode(bytes).map_err(|_| ErrorCode::Malformed)?;
        Ok(Self {
            blob: BlobId::try_from(stored.blob.as_ref())?,
            room: RoomId::try_from(stored.room.as_ref())?,
            account: stored.account.parse()?,
            bytes: stored.bytes,
            hash: stored.hash.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?,
            begun: Timestamp::from_ms(stored.begun_ms),
        })
    }
}
