//! Reading from memory.

use std::ops::Bound;

use bytes::Bytes;
use wire::{Account, DeviceId, DomainName, MessageId, RoomId, proto::AccountStanding};

use super::{Memory, state::State};
use crate::{
    Batch, Store, StoreError,
    row::{
        AccountRow, AnswerRow, AuditRow, ClaimRow, DeviceRow, DocumentRow, EntryRow, EventRow, InvitationRow,
        KeyPackageRow, MemberRow, OutboxRow, PasswordRow, PeerRow, PendingRow, ProgressRow, QuarantineRow,
        RoomRow,
    },
};

type Read<T> = Result<T, StoreError>;

const FIRST_ROOM: RoomId = RoomId::new([0; RoomId::BYTES]);
const LAST_ROOM: RoomId = RoomId::new([0xff; RoomId::BYTES]);
const FIRST_DEVICE: DeviceId = DeviceId::new([0; DeviceId::BYTES]);
const LAST_DEVICE: DeviceId = DeviceId::new([0xff; DeviceId::BYTES]);

impl Store for Memory {
    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.lock().commit(batch)
    }

    fn meta(&self, name: &'static str) -> Read<Option<Bytes>> {
        Ok(self.lock().state.meta.get(name).cloned())
    }

    fn head(&self) -> Read<u64> {
        let state = &self.lock().state;
        let event = state.events.last_key_value().map_or(0, |(position, _)| *position);
        let entry = state.entries.last_key_value().map_or(0, |(position, _)| *position);
        Ok(event.max(entry))
    }

    fn account(&self, account: &Account) -> Read<Option<AccountRow>> {
        Ok(self.lock().state.accounts.get(account).cloned())
    }

    fn accounts(&self, after: Option<&Account>, limit: usize) -> Read<Vec<AccountRow>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = &self.lock().state;
        let rows = state.accounts.range::<Account, _>((from, Bound::Unbounded));
        Ok(rows.take(limit).map(|(_, row)| row.clone()).collect())
    }

    fn account_count(&self) -> Read<(u64, u64)> {
        let accounts = &self.lock().state.accounts;
        let of = |standing| accounts.values().filter(|row| row.standing == standing).count();
        let there = accounts.len() - of(AccountStanding::Deleted);
        Ok((there as u64, of(AccountStanding::Suspended) as u64))
    }

    fn password(&self, account: &Account) -> Read<Option<PasswordRow>> {
        Ok(self.lock().state.passwords.get(account).cloned())
    }

    fn tries(&self) -> Read<Vec<(u32, u64)>> {
        Ok(self.lock().state.tries.iter().map(|(slot, full_ms)| (*slot, *full_ms)).collect())
    }

    fn devices(&self, account: &Account) -> Read<Vec<DeviceRow>> {
        let range = (account.clone(), FIRST_DEVICE)..=(account.clone(), LAST_DEVICE);
        Ok(self.lock().state.devices.range(range).map(|(_, row)| row.clone()).collect())
    }

    fn key_packages(&self, account: &Account, device: &DeviceId, limit: usize) -> Read<Vec<KeyPackageRow>> {
        let state = &self.lock().state;
        let packages = state.packages.get(&(account.clone(), *device));
        let mut unclaimed: Vec<_> =
            packages.into_iter().flat_map(|rows| rows.values()).filter(|(_, row)| !row.claimed).collect();
        unclaimed.sort_by_key(|(upload, row)| (row.last_resort, *upload));
        Ok(unclaimed.into_iter().take(limit).map(|(_, row)| row.clone()).collect())
    }

    fn key_package_count(&self, account: &Account, device: &DeviceId) -> Read<(u32, bool)> {
        let rows = self.key_packages(account, device, usize::MAX)?;
        let one_time = rows.iter().filter(|row| !row.last_resort).count();
        Ok((u32::try_from(one_time).unwrap_or(u32::MAX), one_time < rows.len()))
    }

    fn claim(&self, peer: &DomainName, claim: &[u8; 16]) -> Read<Option<ClaimRow>> {
        Ok(self.lock().state.claims.get(&(peer.clone(), *claim)).cloned())
    }

    fn invitations(&self, account: &Account) -> Read<Vec<InvitationRow>> {
        let range = (account.clone(), FIRST_ROOM)..=(account.clone(), LAST_ROOM);
        Ok(self.lock().state.invitations.range(range).map(|(_, row)| row.clone()).collect())
    }

    fn room(&self, room: &RoomId) -> Read<Option<RoomRow>> {
        Ok(self.lock().state.rooms.get(room).cloned())
    }

    fn rooms_wanting(&self, hub: &DomainName, limit: usize) -> Read<Vec<RoomRow>> {
        let state = &self.lock().state;
        let wanting = state.rooms.values().filter(|row| row.hub == *hub && row.wanted_seq > row.head_seq);
        Ok(wanting.take(limit).cloned().collect())
    }

    fn room_count(&self) -> Read<u64> {
        Ok(self.lock().state.rooms.len() as u64)
    }

    fn group(&self, room: &RoomId) -> Read<Option<Bytes>> {
        Ok(self.lock().state.groups.get(room).cloned())
    }

    fn roster(&self, room: &RoomId) -> Read<Option<Bytes>> {
        Ok(self.lock().state.rosters.get(room).cloned())
    }

    fn members(&self, room: &RoomId) -> Read<Vec<MemberRow>> {
        let state = &self.lock().state;
        Ok(state.members.iter().filter(|((of, _, _), _)| of == room).map(|(_, row)| row.clone()).collect())
    }

    fn memberships(&self, account: &Account) -> Read<Vec<MemberRow>> {
        let state = &self.lock().state;
        let rooms = state.memberships.get(account).into_iter().flatten();
        let periods = rooms.flat_map(|(room, periods)| periods.iter().map(move |period| (room, period)));
        let row = |(room, (from_seq, to_seq)): (&RoomId, (&u64, &Option<u64>))| MemberRow {
            room: *room,
            account: account.clone(),
            from_seq: *from_seq,
            to_seq: *to_seq,
        };
        Ok(periods.map(row).collect())
    }

    fn events(&self, room: &RoomId, from_seq: u64, limit: usize) -> Read<Vec<EventRow>> {
        let state = &self.lock().state;
        let positions = state.by_seq.range((*room, from_seq)..=(*room, u64::MAX)).take(limit);
        Ok(positions.filter_map(|(_, position)| state.events.get(position)).cloned().collect())
    }

    fn events_by_message(&self, ids: &[(RoomId, MessageId)]) -> Read<Vec<EventRow>> {
        let state = &self.lock().state;
        let positions = ids.iter().filter_map(|id| state.by_message.get(id));
        Ok(positions.filter_map(|position| state.events.get(position)).cloned().collect())
    }

    fn pending(&self, ids: &[(RoomId, MessageId)]) -> Read<Vec<PendingRow>> {
        let state = &self.lock().state;
        Ok(ids.iter().filter_map(|id| state.pending.get(id)).cloned().collect())
    }

    fn pending_of_peer(&self, peer: &DomainName, up_to: u64, limit: usize) -> Read<Vec<PendingRow>> {
        let state = &self.lock().state;
        let mut rows: Vec<_> =
            state.pending.values().filter(|row| row.peer == *peer && row.number <= up_to).cloned().collect();
        rows.sort_by_key(|row| row.number);
        rows.truncate(limit);
        Ok(rows)
    }

    fn progress(&self, room: &RoomId) -> Read<Vec<ProgressRow>> {
        let state = &self.lock().state;
        let rows = state.progress.range((*room, i32::MIN, String::new())..);
        Ok(rows.take_while(|((of, _, _), _)| of == room).map(|(_, row)| row.clone()).collect())
    }

    fn account_events(&self, account: &Account, after: u64, limit: usize) -> Read<Vec<EventRow>> {
        let state = &self.lock().state;
        let newer = state.events.range((Bound::Excluded(after), Bound::Unbounded));
        let seen = newer.filter(|(_, event)| state.may_see(account, event));
        Ok(seen.take(limit).map(|(_, event)| event.clone()).collect())
    }

    fn account_entries(
        &self,
        account: &Account,
        device: &DeviceId,
        after: u64,
        limit: usize,
    ) -> Read<Vec<EntryRow>> {
        let state = &self.lock().state;
        let newer = state.entries.range((Bound::Excluded(after), Bound::Unbounded));
        let meant = newer.filter(|(_, row)| {
            row.account == *account && row.device.as_ref().is_none_or(|only| only == device)
        });
        Ok(meant.take(limit).map(|(_, row)| row.clone()).collect())
    }

    fn peers(&self) -> Read<Vec<PeerRow>> {
        Ok(self.lock().state.peers.values().cloned().collect())
    }

    fn documents(&self, domain: &DomainName, after_seq: u64) -> Read<Vec<DocumentRow>> {
        let from = Bound::Excluded((domain.clone(), after_seq));
        let to = Bound::Included((domain.clone(), u64::MAX));
        if after_seq == u64::MAX {
            return Ok(Vec::new());
        }
        Ok(self.lock().state.documents.range((from, to)).map(|(_, row)| row.clone()).collect())
    }

    fn outbox(&self, peer: &DomainName, from: u64, limit: usize) -> Read<Vec<OutboxRow>> {
        let range = (peer.clone(), from)..=(peer.clone(), u64::MAX);
        Ok(self.lock().state.outbox.range(range).take(limit).map(|(_, row)| row.clone()).collect())
    }

    fn outbox_size(&self, peer: &DomainName) -> Read<(u64, u64, u64)> {
        let rows = self.outbox(peer, 0, usize::MAX)?;
        let bytes = rows.iter().map(|row| row.item.len() as u64).sum();
        let oldest = rows.iter().map(|row| row.queued_ms).min().unwrap_or(0);
        Ok((rows.len() as u64, bytes, oldest))
    }

    fn answers(&self, peer: &DomainName) -> Read<Vec<AnswerRow>> {
        let range = (peer.clone(), 0)..=(peer.clone(), u64::MAX);
        Ok(self.lock().state.answers.range(range).map(|(_, row)| row.clone()).collect())
    }

    fn quarantine(&self, limit: usize) -> Read<(Vec<QuarantineRow>, u64)> {
        let state = &self.lock().state;
        let rows = state.quarantine.iter().rev().take(limit).cloned().collect();
        Ok((rows, state.quarantine.len() as u64))
    }

    fn audit(&self, before: u64, limit: usize) -> Read<Vec<AuditRow>> {
        Ok(self.lock().state.audit.range(..before).rev().take(limit).map(|(_, row)| row.clone()).collect())
    }

    fn size(&self) -> Read<u64> {
        let state = &self.lock().state;
        let events = state.events.values().map(|row| row.head.len() + row.body.len() + row.signature.len());
        let entries = state.entries.values().map(|row| row.entry.len());
        Ok(events.chain(entries).map(|bytes| bytes as u64).sum())
    }
}

impl State {
    fn may_see(&self, account: &Account, event: &EventRow) -> bool {
        let periods = self.memberships.get(account).and_then(|rooms| rooms.get(&event.room));
        periods.into_iter().flatten().any(|(from_seq, to_seq)| {
            *from_seq < event.seq && to_seq.is_none_or(|to_seq| event.seq <= to_seq)
        })
    }
}
