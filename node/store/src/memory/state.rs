//! The rows in memory, by their keys.

use std::collections::BTreeMap;

use bytes::Bytes;
use wire::{Account, DeviceId, DomainName, MessageId, RoomId};

use crate::row::{
    AccountRow, AnswerRow, AuditRow, ClaimRow, DeviceRow, DocumentRow, EntryRow, EventRow, InvitationRow,
    KeyPackageRow, MemberRow, OutboxRow, PasswordRow, PeerRow, PendingRow, ProgressRow, QuarantineRow,
    RoomRow,
};

/// A device's packages by hash, each with the number of its upload.
pub(super) type Packages = BTreeMap<[u8; 32], (u64, KeyPackageRow)>;

/// All tables.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) meta: BTreeMap<&'static str, Bytes>,
    pub(super) accounts: BTreeMap<Account, AccountRow>,
    pub(super) passwords: BTreeMap<Account, PasswordRow>,
    pub(super) tries: BTreeMap<u32, u64>,
    pub(super) devices: BTreeMap<(Account, DeviceId), DeviceRow>,
    pub(super) packages: BTreeMap<(Account, DeviceId), Packages>,
    pub(super) uploads: u64,
    pub(super) claims: BTreeMap<(DomainName, [u8; 16]), ClaimRow>,
    pub(super) entries: BTreeMap<u64, EntryRow>,
    pub(super) invitations: BTreeMap<(Account, RoomId), InvitationRow>,
    pub(super) rooms: BTreeMap<RoomId, RoomRow>,
    pub(super) groups: BTreeMap<RoomId, Bytes>,
    pub(super) rosters: BTreeMap<RoomId, Bytes>,
    pub(super) members: BTreeMap<(RoomId, Account, u64), MemberRow>,
    pub(super) memberships: BTreeMap<Account, BTreeMap<RoomId, BTreeMap<u64, Option<u64>>>>,
    pub(super) events: BTreeMap<u64, EventRow>,
    pub(super) by_seq: BTreeMap<(RoomId, u64), u64>,
    pub(super) by_message: BTreeMap<(RoomId, MessageId), u64>,
    pub(super) pending: BTreeMap<(RoomId, MessageId), PendingRow>,
    pub(super) progress: BTreeMap<(RoomId, i32, String), ProgressRow>,
    pub(super) peers: BTreeMap<DomainName, PeerRow>,
    pub(super) documents: BTreeMap<(DomainName, u64), DocumentRow>,
    pub(super) outbox: BTreeMap<(DomainName, u64), OutboxRow>,
    pub(super) answers: BTreeMap<(DomainName, u64), AnswerRow>,
    pub(super) quarantine: Vec<QuarantineRow>,
    pub(super) audit: BTreeMap<u64, AuditRow>,
}

impl State {
    /// The number of rows of all tables.
    pub(super) fn rows(&self) -> u64 {
        let packages: usize = self.packages.values().map(BTreeMap::len).sum();
        let rows = [
            self.meta.len(),
            self.accounts.len(),
            self.passwords.len(),
            self.tries.len(),
            self.devices.len(),
            packages,
            self.claims.len(),
            self.entries.len(),
            self.invitations.len(),
            self.rooms.len(),
            self.groups.len(),
            self.rosters.len(),
            self.members.len(),
            self.events.len(),
            self.pending.len(),
            self.progress.len(),
            self.peers.len(),
            self.documents.len(),
            self.outbox.len(),
            self.answers.len(),
            self.quarantine.len(),
            self.audit.len(),
        ];
        rows.into_iter().map(|rows| rows as u64).sum()
    }
}
