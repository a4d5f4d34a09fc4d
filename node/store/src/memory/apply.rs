//! How a batch changes the rows in memory: all of it or nothing.

use std::collections::BTreeSet;

use super::state::State;
use crate::{
    Batch, StoreError, Write,
    row::{EventRow, MemberRow, ProgressRow},
};

/// Whether a change can only make room.
pub(super) const fn only_drops(write: &Write) -> bool {
    matches!(
        write,
        Write::Cursor(..)
            | Write::DropDevice(..)
            | Write::DropPassword(..)
            | Write::ClaimKeyPackage(..)
            | Write::DropKeyPackage(..)
            | Write::DropKeyPackages(..)
            | Write::DropMemberships(..)
            | Write::DropPeer(..)
            | Write::DropDocuments(..)
            | Write::PruneAudit(..)
            | Write::DropInvitation(..)
            | Write::DropPending(..)
            | Write::DropOutbox(..)
            | Write::DropOutboxItem(..)
            | Write::DropAnswers(..)
            | Write::PrunePackages(..)
            | Write::PruneClaims(..)
            | Write::PruneEntries(..)
            | Write::TrimQuarantine(..)
    )
}

impl State {
    pub(super) fn apply(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.check(batch)?;
        for write in &batch.writes {
            self.apply_write(write.clone());
        }
        Ok(())
    }

    /// Refuses a batch that inserts at a taken key, before anything is changed. A key that the
    /// batch itself frees first is not taken.
    fn check(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut taken = BTreeSet::new();
        let mut freed = BTreeSet::new();
        for write in &batch.writes {
            match write {
                Write::DropPending(room, message) => {
                    taken.remove(&Key::Pending(*room, *message));
                    freed.insert(Key::Pending(*room, *message));
                    continue;
                }
                Write::DropOutbox(peer, up_to) => {
                    let covered = |key: &Key<'_>| matches!(key, Key::Outbox(of, number) if *of == peer && number <= up_to);
                    taken.retain(|key| !covered(key));
                    for (of, number) in self.outbox.keys() {
                        if of == peer && number <= up_to {
                            freed.insert(Key::Outbox(of, *number));
                        }
                    }
                    continue;
                }
                Write::DropOutboxItem(peer, number) => {
                    taken.remove(&Key::Outbox(peer, *number));
                    freed.insert(Key::Outbox(peer, *number));
                    continue;
                }
                _ => {}
            }
            for key in Key::of(write).into_iter().flatten() {
                if !freed.remove(&key) && self.holds(&key) || !taken.insert(key) {
                    return Err(StoreError::Conflict);
                }
            }
        }
        Ok(())
    }

    fn holds(&self, key: &Key<'_>) -> bool {
        match key {
            Key::Event(position) => self.events.contains_key(position),
            Key::Entry(position) => self.entries.contains_key(position),
            Key::Seq(room, seq) => self.by_seq.contains_key(&(*room, *seq)),
            Key::Message(room, message) => self.by_message.contains_key(&(*room, *message)),
            Key::Pending(room, message) => self.pending.contains_key(&(*room, *message)),
            Key::Outbox(peer, number) => self.outbox.contains_key(&((*peer).clone(), *number)),
            Key::Audit(seq) => self.audit.contains_key(seq),
            Key::Claim(peer, claim) => self.claims.contains_key(&((*peer).clone(), **claim)),
        }
    }

    fn apply_write(&mut self, write: Write) {
        match write {
            Write::PutAccount(row) => drop(self.accounts.insert(row.account.clone(), row)),
            Write::PutPassword(row) => drop(self.passwords.insert(row.account.clone(), row)),
            Write::DropPassword(account) => drop(self.passwords.remove(&account)),
            Write::PutTries(slot, full_ms) => drop(self.tries.insert(slot, full_ms)),
            Write::PutDevice(row) => drop(self.devices.insert((row.account.clone(), row.device), row)),
            Write::Cursor(account, device, position) => {
                if let Some(row) = self.devices.get_mut(&(account, device)) {
                    row.cursor = row.cursor.max(position);
                }
            }
            Write::DropDevice(account, device) => drop(self.devices.remove(&(account, device))),
            Write::PutKeyPackage(row) => {
                self.uploads += 1;
                let packages = self.packages.entry((row.account.clone(), row.device)).or_default();
                packages.entry(row.hash).or_insert((self.uploads, row));
            }
            Write::ClaimKeyPackage(account, device, hash) => {
                let package =
                    self.packages.get_mut(&(account, device)).and_then(|packages| packages.get_mut(&hash));
                if let Some((_, row)) = package {
                    row.claimed = true;
                    row.package = bytes::Bytes::new();
                }
            }
            Write::PrunePackages(now_s) => {
                for packages in self.packages.values_mut() {
                    packages.retain(|_, (_, row)| !row.claimed || row.not_after_s > now_s);
                }
            }
            Write::PruneClaims(before_ms) => self.claims.retain(|_, row| row.time_ms >= before_ms),
            Write::PruneEntries(account, up_to) => {
                let newest = self.entries.last_key_value().map_or(0, |(position, _)| *position);
                let end = newest.min(up_to.saturating_add(1));
                self.entries.retain(|position, row| row.account != account || *position >= end);
            }
            Write::DropKeyPackage(account, device, hash) => {
                if let Some(packages) = self.packages.get_mut(&(account, device)) {
                    packages.remove(&hash);
                }
            }
            Write::DropKeyPackages(account) => self.packages.retain(|(of, _), _| *of != account),
            Write::PutClaim(row) => drop(self.claims.insert((row.peer.clone(), row.claim), row)),
            Write::PutEntry(row) => drop(self.entries.insert(row.position, row)),
            Write::PutInvitation(row) => {
                self.invitations.insert((row.account.clone(), row.room), row);
            }
            Write::DropInvitation(account, room) => drop(self.invitations.remove(&(account, room))),
            other => self.apply_to_rooms(other),
        }
    }

    fn apply_to_rooms(&mut self, write: Write) {
        match write {
            Write::PutRoom(row) => drop(self.rooms.insert(row.room, row)),
            Write::PutGroup(room, group) => drop(self.groups.insert(room, group)),
            Write::PutRoster(room, roster) => drop(self.rosters.insert(room, roster)),
            Write::PutMember(row) => self.put_member(row),
            Write::DropMemberships(account) => {
                self.memberships.remove(&account);
                self.members.retain(|(_, of, _), _| *of != account);
            }
            Write::PutEvent(row) => self.put_event(row),
            Write::PutPending(row) => drop(self.pending.insert((row.room, row.message), row)),
            Write::DropPending(room, message) => drop(self.pending.remove(&(room, message))),
            Write::PutProgress(row) => self.put_progress(row),
            other => self.apply_to_peers(other),
        }
    }

    fn apply_to_peers(&mut self, write: Write) {
        match write {
            Write::PutPeer(row) => drop(self.peers.insert(row.domain.clone(), row)),
            Write::DropPeer(domain) => drop(self.peers.remove(&domain)),
            Write::DropDocuments(domain) => self.documents.retain(|(of, _), _| *of != domain),
            Write::PutDocument(row) => drop(self.documents.insert((row.domain.clone(), row.seq), row)),
            Write::PutOutbox(row) => drop(self.outbox.insert((row.peer.clone(), row.number), row)),
            Write::DropOutbox(peer, up_to) => {
                self.outbox.retain(|(of, number), _| *of != peer || *number > up_to);
            }
            Write::DropOutboxItem(peer, number) => drop(self.outbox.remove(&(peer, number))),
            Write::PutAnswer(row) => drop(self.answers.insert((row.peer.clone(), row.number), row)),
            Write::DropAnswers(peer, up_to) => {
                self.answers.retain(|(of, number), _| *of != peer || *number > up_to);
            }
            Write::PutQuarantine(row) => self.quarantine.push(row),
            Write::TrimQuarantine(peer, keep) => {
                let count = self.quarantine.iter().filter(|row| row.peer == peer).count();
                let mut surplus = count.saturating_sub(keep);
                self.quarantine.retain(|row| {
                    let goes = surplus > 0 && row.peer == peer;
                    surplus -= usize::from(goes);
                    !goes
                });
            }
            Write::PutAudit(row) => drop(self.audit.insert(row.seq, row)),
            Write::PruneAudit(before) => self.audit = self.audit.split_off(&before),
            Write::PutMeta(name, value) => drop(self.meta.insert(name, value)),
            _ => {}
        }
    }

    fn put_member(&mut self, row: MemberRow) {
        let periods = self.memberships.entry(row.account.clone()).or_default().entry(row.room).or_default();
        periods.insert(row.from_seq, row.to_seq);
        self.members.insert((row.room, row.account.clone(), row.from_seq), row);
    }

    fn put_event(&mut self, row: EventRow) {
        self.by_seq.insert((row.room, row.seq), row.position);
        self.by_message.insert((row.room, row.message), row.position);
        self.events.insert(row.position, row);
    }

    fn put_progress(&mut self, row: ProgressRow) {
        let known = self.progress.entry((row.room, row.kind as i32, row.who.clone())).or_insert(row.clone());
        known.seq = known.seq.max(row.seq);
    }
}

/// A key at which a batch may insert only if it is free.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Event(u64),
    Entry(u64),
    Seq(wire::RoomId, u64),
    Message(wire::RoomId, wire::MessageId),
    Pending(wire::RoomId, wire::MessageId),
    Outbox(&'a wire::DomainName, u64),
    Claim(&'a wire::DomainName, &'a [u8; 16]),
    Audit(u64),
}

impl<'a> Key<'a> {
    const fn of(write: &'a Write) -> [Option<Self>; 3] {
        match write {
            Write::PutEvent(row) => [
                Some(Self::Event(row.position)),
                Some(Self::Seq(row.room, row.seq)),
                Some(Self::Message(row.room, row.message)),
            ],
            Write::PutEntry(row) => [Some(Self::Entry(row.position)), None, None],
            Write::PutPending(row) => [Some(Self::Pending(row.room, row.message)), None, None],
            Write::PutOutbox(row) => [Some(Self::Outbox(&row.peer, row.number)), None, None],
            Write::PutClaim(row) => [Some(Self::Claim(&row.peer, &row.claim)), None, None],
            Write::PutAudit(row) => [Some(Self::Audit(row.seq)), None, None],
            _ => [None, None, None],
        }
    }
}
