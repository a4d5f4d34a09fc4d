//! Everything that one transaction writes.

use bytes::Bytes;
use wire::{Account, DeviceId, DomainName, MessageId, RoomId};

use crate::row::{
    AccountRow, AnswerRow, AuditRow, ClaimRow, DeviceRow, DocumentRow, EntryRow, EventRow, InvitationRow,
    KeyPackageRow, MemberRow, OutboxRow, PasswordRow, PeerRow, PendingRow, ProgressRow, QuarantineRow,
    RoomRow,
};

/// One change. "Inserts or replaces" is by key; "inserts" is `StoreError::Conflict` if the key is
/// taken, unless an earlier change of the same batch freed it. Numbers that order rows (positions,
/// seqs, item numbers) are at most 2^63 - 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Inserts or replaces.
    PutAccount(AccountRow),
    /// Inserts or replaces.
    PutPassword(PasswordRow),
    /// The account has no password.
    DropPassword(Account),
    /// From when on, in milliseconds, the bucket of a slot is full again. Inserts or replaces.
    PutTries(u32, u64),
    /// Inserts or replaces.
    PutDevice(DeviceRow),
    /// The device has persisted up to this position; smaller values change nothing.
    Cursor(Account, DeviceId, u64),
    /// The device has left the account's list.
    DropDevice(Account, DeviceId),
    /// Inserts; the same package again changes nothing.
    PutKeyPackage(KeyPackageRow),
    /// The package was handed out: what it was is forgotten, that it was there is not.
    ClaimKeyPackage(Account, DeviceId, [u8; 32]),
    /// Removes a package: expired or replaced.
    DropKeyPackage(Account, DeviceId, [u8; 32]),
    /// Removes every package of an account, handed out or not.
    DropKeyPackages(Account),
    /// Removes the packages that were handed out and are not valid at this second any more.
    PrunePackages(u64),
    /// Inserts.
    PutClaim(ClaimRow),
    /// Removes the claims before this time, in milliseconds.
    PruneClaims(u64),
    /// Inserts an entry of a sync stream.
    PutEntry(EntryRow),
    /// Removes the entries of an account up to this position, but not the newest of all entries: no
    /// position is given out twice.
    PruneEntries(Account, u64),
    /// Inserts or replaces.
    PutInvitation(InvitationRow),
    /// The invitation was answered.
    DropInvitation(Account, RoomId),
    /// Inserts or replaces.
    PutRoom(RoomRow),
    /// The hub's `PublicGroup` of a room, as one value.
    PutGroup(RoomId, Bytes),
    /// The accounts and devices in a follower's or hub's room, as one value (the domain's encoding).
    PutRoster(RoomId, Bytes),
    /// Inserts or replaces: closing a period is putting its row again with `to_seq`.
    PutMember(MemberRow),
    /// Removes every period of membership of an account.
    DropMemberships(Account),
    /// Inserts. The position, the seq in the room, and the message id in the room must be free.
    PutEvent(EventRow),
    /// Inserts.
    PutPending(PendingRow),
    /// Ordered or refused.
    DropPending(RoomId, MessageId),
    /// Merged by the larger seq.
    PutProgress(ProgressRow),
    /// Inserts or replaces.
    PutPeer(PeerRow),
    /// Removes the row of a peer; what is kept for it goes by itself.
    DropPeer(DomainName),
    /// Inserts or replaces.
    PutDocument(DocumentRow),
    /// Removes every document of a domain.
    DropDocuments(DomainName),
    /// Inserts.
    PutOutbox(OutboxRow),
    /// Drops the items up to this number, which are durable at the peer.
    DropOutbox(DomainName, u64),
    /// One item was given up.
    DropOutboxItem(DomainName, u64),
    /// Inserts or replaces.
    PutAnswer(AnswerRow),
    /// Answers up to this number are settled.
    DropAnswers(DomainName, u64),
    /// Adds.
    PutQuarantine(QuarantineRow),
    /// Keeps so many of the peer's newest items.
    TrimQuarantine(DomainName, usize),
    /// Inserts.
    PutAudit(AuditRow),
    /// Removes the entries before this one.
    PruneAudit(u64),
    /// A value of the node itself, by name.
    PutMeta(&'static str, Bytes),
}

/// The changes of one transaction, applied in order, all or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The changes.
    pub writes: Vec<Write>,
}

impl Batch {
    /// Adds a change.
    pub fn push(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}
