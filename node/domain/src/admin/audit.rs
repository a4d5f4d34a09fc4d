//! The audit log: what administrators did, and what this node noticed that concerns the security of
//! the domain. Entries are chained by their hashes, so that none can be changed or taken out unseen
//! by whoever knows a later one.

use std::collections::BTreeMap;

use bytes::Bytes;
use machine::{Entropy, Timestamp};
use prost::Message as _;
use store::{Store, StoreError, Write, row::AuditRow};
use wire::{
    DomainName, ErrorCode, limits,
    proto::{Audit, AuditEntry, ListAudit},
    signed,
};

use super::limit;
use crate::Core;

/// What a subject or a detail may have; what is longer is cut.
const TEXT_BYTES_MAX: usize = 600;
/// The log is cut once in so many entries.
const PRUNE_EVERY: u64 = 100;
const HOUR_MS: u64 = 3_600_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    UserInvite,
    UserSuspend,
    UserRestore,
    UserDelete,
    UserEndSessions,
    UserPassword,
    PeerPin,
    PeerOpen,
    PeerPause,
    PeerDeny,
    PeerRemove,
    DomainPublish,
    DomainPolicy,
    DomainPasswords,
    /// A peer's keys do not chain to the pin.
    PeerHeld,
    /// A hub has shown two histories of a room.
    PeerForked,
    /// A follower has what this domain signed and cannot follow, after a restore.
    RoomClosed,
    /// This node is older than what the peer has received of it: it was restored from a copy.
    PeerConflict,
}

impl Act {
    const fn name(self) -> &'static str {
        match self {
            Self::UserInvite => "user.invite",
            Self::UserSuspend => "user.suspend",
            Self::UserRestore => "user.restore",
            Self::UserDelete => "user.delete",
            Self::UserEndSessions => "user.end-sessions",
            Self::UserPassword => "user.password",
            Self::PeerPin => "peer.pin",
            Self::PeerOpen => "peer.open",
            Self::PeerPause => "peer.pause",
            Self::PeerDeny => "peer.deny",
            Self::PeerRemove => "peer.remove",
            Self::DomainPublish => "domain.publish",
            Self::DomainPolicy => "domain.policy",
            Self::DomainPasswords => "domain.passwords",
            Self::PeerHeld => "peer.held",
            Self::PeerForked => "peer.forked",
            Self::RoomClosed => "room.closed",
            Self::PeerConflict => "peer.conflict",
        }
    }
}

/// The end of the log.
#[derive(Default)]
pub(crate) struct AuditLog {
    seq: u64,
    hash: Option<[u8; 32]>,
    /// The hour in which an act of a peer was noted last: nobody fills the log from outside.
    noticed: BTreeMap<(DomainName, Act), u64>,
}

impl AuditLog {
    /// The end of the log in the store.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn load(store: &impl Store) -> Result<Self, StoreError> {
        let newest = store.audit(u64::MAX, 1)?.pop();
        let hash = newest.as_ref().map(|row| signed::hash::<AuditEntry>(&row.entry));
        Ok(Self { seq: newest.map_or(0, |row| row.seq), hash, noticed: BTreeMap::new() })
    }

    /// The next entry.
    fn next(&mut self, now: Timestamp, act: Act, by: &str, subject: &str, detail: &str) -> AuditRow {
        self.seq += 1;
        let entry = AuditEntry {
            seq: self.seq,
            prev_hash: self.hash.map(|hash| Bytes::copy_from_slice(&hash)).unwrap_or_default(),
            time_ms: now.as_ms(),
            act: act.name().to_owned(),
            by: by.to_owned(),
            subject: cut(subject),
            detail: cut(detail),
        };
        let entry = Bytes::from(entry.encode_to_vec());
        self.hash = Some(signed::hash::<AuditEntry>(&entry));
        AuditRow { seq: self.seq, entry }
    }
}

fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default().to_owned()
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// [ADMIN-6] Writes what an administrator did, with the batch that does it.
    pub(crate) fn record(&mut self, act: Act, by: &str, subject: &str, detail: &str) {
        let row = self.audit.next(self.now, act, by, subject, detail);
        let first_kept = row.seq.saturating_sub(limits::AUDIT_KEPT_MAX as u64);
        if first_kept > 0 && row.seq.is_multiple_of(PRUNE_EVERY) {
            self.drain.batch.push(Write::PruneAudit(first_kept));
        }
        self.drain.batch.push(Write::PutAudit(row));
        self.drain.settle_first = true;
    }

    /// Writes what the node noticed of a peer, of each kind once an hour.
    pub(crate) fn notice(&mut self, act: Act, peer: &DomainName, detail: &str) {
        let hour = self.now.as_ms() / HOUR_MS;
        if self.audit.noticed.insert((peer.clone(), act), hour) != Some(hour) {
            self.record(act, "node", peer.as_str(), detail);
        }
    }

    /// The log ends as the store has it.
    pub(crate) fn roll_back_audit(&mut self) {
        match AuditLog::load(&self.store) {
            Ok(log) => self.audit = log,
            Err(error) => tracing::error!(error = error.code().name(), "the audit log could not be read"),
        }
    }

    pub(super) fn list_audit(&self, asked: &ListAudit) -> Result<Audit, ErrorCode> {
        let before = if asked.before == 0 { u64::MAX } else { asked.before };
        let rows = self.store.audit(before, limit(asked.limit)).map_err(|error| error.code())?;
        Ok(Audit {
            entries: rows.into_iter().map(|row| row.entry).collect(),
            head: self.audit.hash.map(|hash| Bytes::copy_from_slice(&hash)).unwrap_or_default(),
        })
    }
}
