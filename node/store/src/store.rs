//! The trait that every backend implements.

use bytes::Bytes;
use wire::{Account, DeviceId, DomainName, MessageId, RoomId};

use crate::{
    Batch, StoreError,
    row::{
        AccountRow, AnswerRow, AuditRow, ClaimRow, DeviceRow, DocumentRow, EntryRow, EventRow, InvitationRow,
        KeyPackageRow, MemberRow, OutboxRow, PasswordRow, PeerRow, PendingRow, ProgressRow, QuarantineRow,
        RoomRow,
    },
};

type Read<T> = Result<T, StoreError>;

/// A durable store of one domain. Calls block; the node calls from a thread of its own. Reads see
/// every batch whose `commit` has returned, and nothing of any other. `limit`s bound the rows
/// returned; lists are ascending by key.
pub trait Store {
    /// Applies all changes in one transaction and returns when it is durable (fsynced).
    ///
    /// # Errors
    /// See [`StoreError`]; nothing was applied, except that after `Failed` nothing is known.
    fn commit(&self, batch: &Batch) -> Result<(), StoreError>;

    /// A value of the node itself.
    fn meta(&self, name: &'static str) -> Read<Option<Bytes>>;
    /// The largest position in use; 0 in an empty store.
    fn head(&self) -> Read<u64>;

    /// One account.
    fn account(&self, account: &Account) -> Read<Option<AccountRow>>;
    /// All accounts after this one.
    fn accounts(&self, after: Option<&Account>, limit: usize) -> Read<Vec<AccountRow>>;
    /// How many accounts there are that were not deleted, and how many of them are suspended.
    fn account_count(&self) -> Read<(u64, u64)>;
    /// What is kept of an account's password.
    fn password(&self, account: &Account) -> Read<Option<PasswordRow>>;
    /// The slots of buckets that were written, and when each is full again.
    fn tries(&self) -> Read<Vec<(u32, u64)>>;
    /// The devices of an account.
    fn devices(&self, account: &Account) -> Read<Vec<DeviceRow>>;
    /// Unclaimed packages of a device, expired ones included, oldest upload first, then the
    /// last-resort package.
    fn key_packages(&self, account: &Account, device: &DeviceId, limit: usize) -> Read<Vec<KeyPackageRow>>;
    /// Unclaimed one-time packages of a device, and whether a last-resort package is there.
    fn key_package_count(&self, account: &Account, device: &DeviceId) -> Read<(u32, bool)>;
    /// The answer to an earlier claim.
    fn claim(&self, peer: &DomainName, claim: &[u8; 16]) -> Read<Option<ClaimRow>>;
    /// The invitations of an account.
    fn invitations(&self, account: &Account) -> Read<Vec<InvitationRow>>;

    /// One room.
    fn room(&self, room: &RoomId) -> Read<Option<RoomRow>>;
    /// Rooms of this hub whose `wanted_seq` is larger than their `head_seq`.
    fn rooms_wanting(&self, hub: &DomainName, limit: usize) -> Read<Vec<RoomRow>>;
    /// The number of rooms.
    fn room_count(&self) -> Read<u64>;
    /// The hub's `PublicGroup`.
    fn group(&self, room: &RoomId) -> Read<Option<Bytes>>;
    /// The roster.
    fn roster(&self, room: &RoomId) -> Read<Option<Bytes>>;
    /// All periods of membership in a room.
    fn members(&self, room: &RoomId) -> Read<Vec<MemberRow>>;
    /// All periods of membership of an account.
    fn memberships(&self, account: &Account) -> Read<Vec<MemberRow>>;
    /// Events of a room from this seq on.
    fn events(&self, room: &RoomId, from_seq: u64, limit: usize) -> Read<Vec<EventRow>>;
    /// Events by message id, those that exist, in any order. The ids may be of many rooms and are
    /// distinct.
    fn events_by_message(&self, ids: &[(RoomId, MessageId)]) -> Read<Vec<EventRow>>;
    /// Pending submissions by id, those that exist, in any order. The ids are distinct.
    fn pending(&self, ids: &[(RoomId, MessageId)]) -> Read<Vec<PendingRow>>;
    /// Pending submissions whose item in the outbox has this number or one before it, ascending by
    /// that number.
    fn pending_of_peer(&self, peer: &DomainName, up_to: u64, limit: usize) -> Read<Vec<PendingRow>>;
    /// All progress in a room.
    fn progress(&self, room: &RoomId) -> Read<Vec<ProgressRow>>;
    /// Events that an account may see, after a position, ascending by position: those of its
    /// periods of membership (`from_seq < seq <= to_seq`).
    fn account_events(&self, account: &Account, after: u64, limit: usize) -> Read<Vec<EventRow>>;
    /// Entries for a device (or for all devices of its account) after a position.
    fn account_entries(
        &self,
        account: &Account,
        device: &DeviceId,
        after: u64,
        limit: usize,
    ) -> Read<Vec<EntryRow>>;

    /// All peers.
    fn peers(&self) -> Read<Vec<PeerRow>>;
    /// The documents of a domain with a larger seq.
    fn documents(&self, domain: &DomainName, after_seq: u64) -> Read<Vec<DocumentRow>>;
    /// Items to a peer from this number on.
    fn outbox(&self, peer: &DomainName, from: u64, limit: usize) -> Read<Vec<OutboxRow>>;
    /// Number of items to a peer, their bytes (an item that points into the log counts none), and
    /// the time of the oldest (0 if none).
    fn outbox_size(&self, peer: &DomainName) -> Read<(u64, u64, u64)>;
    /// Unsettled refusals of a peer's items.
    fn answers(&self, peer: &DomainName) -> Read<Vec<AnswerRow>>;
    /// Quarantined items, newest first, and how many there are.
    fn quarantine(&self, limit: usize) -> Read<(Vec<QuarantineRow>, u64)>;
    /// Entries of the audit log with a smaller seq, newest first.
    fn audit(&self, before: u64, limit: usize) -> Read<Vec<AuditRow>>;
    /// What the store takes up, in bytes, as well as it knows.
    fn size(&self) -> Read<u64>;
}
