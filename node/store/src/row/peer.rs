//! Peers, the links to them, and the domain documents of all domains including this one.

use bytes::Bytes;
use wire::{DomainName, RoomId, proto::PeerMode};

/// One pinned peer and the state of the link to it. Key: `domain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRow {
    /// The peer.
    pub domain: DomainName,
    /// SHA-256 of the root key that the administrator pinned.
    pub fingerprint: [u8; 32],
    /// Where to reach it: as the administrator said, until a document says otherwise.
    pub endpoints: Vec<String>,
    /// It was not recognised when it was dialled, or contradicted itself; ends with the next contact.
    pub held: bool,
    /// Identifies our numbering of items to it.
    pub outbox_id: [u8; 16],
    /// The number of the next item to it.
    pub next_number: u64,
    /// Items up to this number are durable there.
    pub acked: u64,
    /// Answers to items up to this number are durable here.
    pub settled: u64,
    /// The peer's numbering of items to us; zero before the first contact.
    pub their_outbox_id: [u8; 16],
    /// Items up to this number from it are durable here.
    pub received: u64,
    /// Failed attempts since the last contact.
    pub failures: u32,
    /// No attempt before this time.
    pub next_retry_ms: u64,
    /// Since when it has been absent; 0 if it is not known to be.
    pub absent_since_ms: u64,
    /// Number of the last error; 0 if none.
    pub last_error: u32,
    /// What the administrator lets pass between it and this domain.
    pub mode: PeerMode,
}

/// One domain document, of this domain or of a peer. Key: `domain, seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    /// Whose.
    pub domain: DomainName,
    /// Which.
    pub seq: u64,
    /// Encoded `Signed`.
    pub signed: Bytes,
}

/// One item that waits for a peer. Key: `peer, number`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// For whom.
    pub peer: DomainName,
    /// Its place in the queue.
    pub number: u64,
    /// The room that it concerns.
    pub room: RoomId,
    /// Encoded `Item` without number. Empty if the item is events of the log: then `from_seq` and
    /// `to_seq` say which, so that they are not stored twice.
    pub item: Bytes,
    /// First event of a run, 0 if the item is no run.
    pub from_seq: u64,
    /// Last event of the run.
    pub to_seq: u64,
    /// Since when it waits.
    pub queued_ms: u64,
}

/// A refusal that the peer has not settled yet. Key: `peer, number`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerRow {
    /// Who sent the item.
    pub peer: DomainName,
    /// Its number there.
    pub number: u64,
    /// Encoded `Error`.
    pub error: Bytes,
}

/// An item of a peer that could not be processed. Key: a number of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Who sent it.
    pub peer: DomainName,
    /// When.
    pub time_ms: u64,
    /// Why, a number of `ErrorCode`.
    pub error: u32,
    /// What kind of item it was.
    pub kind: String,
    /// The item, at most 4 KiB of it.
    pub item: Bytes,
}
