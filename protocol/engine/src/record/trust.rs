//! The rows of keys that were seen, and of where the sync stream stands.

use bytes::Bytes;
use prost::Message as _;
use wire::proto;
use zeroize::Zeroizing;

use super::{Record, Row, Table};

/// Where the sync stream stands. One row, key `cursor`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CursorRow {
    /// Of which store, 16 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub store_id: Bytes,
    /// All entries up to this position are applied.
    #[prost(uint64, tag = "2")]
    pub position: u64,
}

impl Row for CursorRow {
    const TABLE: Table = Table::Cursor;

    fn key(&self) -> Bytes {
        Bytes::from_static(b"cursor")
    }
}

/// An account whose keys were seen. Key: the account's name.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ContactRow {
    /// The account.
    #[prost(string, tag = "1")]
    pub account: String,
    /// The account key that is trusted, 32 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub key: Bytes,
    /// `proto::AccountMode`.
    #[prost(enumeration = "proto::AccountMode", tag = "3")]
    pub mode: i32,
    /// The newest binding that was seen.
    #[prost(uint64, tag = "4")]
    pub binding_seq: u64,
    /// The newest device list that was seen.
    #[prost(uint64, tag = "5")]
    pub list_seq: u64,
    /// The devices in it.
    #[prost(message, repeated, tag = "6")]
    pub devices: Vec<proto::ListedDevice>,
    /// When that list was fetched, in milliseconds since 1970.
    #[prost(uint64, tag = "7")]
    pub fetched_ms: u64,
    /// Another account key that was seen later and is not trusted; empty if there is none.
    #[prost(bytes = "bytes", tag = "8")]
    pub other_key: Bytes,
    /// The user has compared the key.
    #[prost(bool, tag = "9")]
    pub verified: bool,
    /// The hash of that binding.
    #[prost(bytes = "bytes", tag = "10")]
    pub binding_hash: Bytes,
    /// The hash of that list; empty while only a leaf was seen.
    #[prost(bytes = "bytes", tag = "11")]
    pub list_hash: Bytes,
    /// The user wants to hear nothing of the account. Of one whose keys were not seen `key` is empty.
    #[prost(bool, tag = "12")]
    pub blocked: bool,
}

impl Row for ContactRow {
    const TABLE: Table = Table::Contact;

    fn key(&self) -> Bytes {
        Bytes::copy_from_slice(self.account.as_bytes())
    }
}

/// The documents of a domain. Key: its name.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DomainRow {
    /// The domain.
    #[prost(string, tag = "1")]
    pub domain: String,
    /// Its documents, oldest first.
    #[prost(message, repeated, tag = "2")]
    pub documents: Vec<proto::Signed>,
    /// The SHA-256 of the root key that was seen first.
    #[prost(bytes = "bytes", tag = "3")]
    pub fingerprint: Bytes,
    /// When they were fetched, in milliseconds since 1970.
    #[prost(uint64, tag = "4")]
    pub fetched_ms: u64,
}

impl Row for DomainRow {
    const TABLE: Table = Table::Domain;

    fn key(&self) -> Bytes {
        Bytes::copy_from_slice(self.domain.as_bytes())
    }
}

/// The secret half of a key package. Key: `hash`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct KeyPackageRow {
    /// Its hash reference.
    #[prost(bytes = "bytes", tag = "1")]
    pub hash: Bytes,
    /// The package itself, until the node has it.
    #[prost(bytes = "bytes", tag = "2")]
    pub package: Bytes,
    /// May be used more than once.
    #[prost(bool, tag = "3")]
    pub last_resort: bool,
    /// Not usable after this time, in seconds since 1970.
    #[prost(uint64, tag = "4")]
    pub not_after: u64,
    /// The node has it.
    #[prost(bool, tag = "5")]
    pub uploaded: bool,
    /// The keys of its rows.
    #[prost(bytes = "bytes", repeated, tag = "6")]
    pub row_keys: Vec<Bytes>,
    /// The values of its rows.
    #[prost(bytes = "bytes", repeated, tag = "7")]
    pub row_values: Vec<Bytes>,
}

impl Row for KeyPackageRow {
    const TABLE: Table = Table::KeyPackage;

    fn key(&self) -> Bytes {
        self.hash.clone()
    }

    fn put(&self) -> Record {
        let secret = Zeroizing::new(self.encode_to_vec());
        Record { table: Self::TABLE, key: self.key(), value: Some(Bytes::from_owner(secret)) }
    }
}
