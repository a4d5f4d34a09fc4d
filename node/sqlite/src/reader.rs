//! The store trait: reads on the reading connection, commits on the writing one.

use std::sync::PoisonError;

use bytes::Bytes;
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use store::{
    Batch, Store, StoreError,
    row::{
        AccountRow, AnswerRow, AuditRow, ClaimRow, DeviceRow, DocumentRow, EntryRow, EventRow, InvitationRow,
        KeyPackageRow, MemberRow, OutboxRow, PasswordRow, PeerRow, PendingRow, ProgressRow, QuarantineRow,
        RoomRow,
    },
};
use wire::{Account, DeviceId, DomainName, MessageId, RoomId};

use crate::{
    Sqlite, accounts,
    connection::{row, rows},
    log, outage, peers, rooms,
    rows::Columns,
    statement::{Many, Statement},
};

type Read<T> = Result<T, StoreError>;
type Decode<T> = fn(&SqliteRow) -> Read<T>;

impl Sqlite {
    pub(crate) fn read<T>(&self, read: impl FnOnce(&mut SqliteConnection) -> sqlx::Result<T>) -> Read<T> {
        // A panic while reading leaves nothing half-done.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read(&mut reader).map_err(|error| outage::store_error(&error, &self.directory))
    }

    fn one<T>(&self, statement: Statement, decode: Decode<T>) -> Read<Option<T>> {
        self.read(|reader| row(reader, statement))?.as_ref().map(decode).transpose()
    }

    fn all<T>(&self, statement: Statement, decode: Decode<T>) -> Read<Vec<T>> {
        self.read(|reader| rows(reader, statement))?.iter().map(decode).collect()
    }

    fn by_message<T>(&self, many: &Many, ids: &[(RoomId, MessageId)], decode: Decode<T>) -> Read<Vec<T>> {
        let mut found = Vec::new();
        for statement in many.statements(ids, log::of_message) {
            let read = self.read(|reader| rows(reader, statement))?;
            found.extend(read.iter().map(decode).collect::<Read<Vec<T>>>()?);
        }
        Ok(found)
    }
}

fn number(row: &SqliteRow) -> Read<u64> {
    Columns(row).number(0)
}

fn value(row: &SqliteRow) -> Read<Bytes> {
    Columns(row).bytes(0)
}

impl Store for Sqlite {
    fn commit(&self, batch: &Batch) -> Read<()> {
        self.commit_batch(batch)
    }

    fn meta(&self, name: &'static str) -> Read<Option<Bytes>> {
        self.one(peers::meta(name), value)
    }

    fn head(&self) -> Read<u64> {
        self.one(log::largest_position(), number).map(Option::unwrap_or_default)
    }

    fn account(&self, account: &Account) -> Read<Option<AccountRow>> {
        self.one(accounts::account(account), accounts::read_account)
    }

    fn accounts(&self, after: Option<&Account>, limit: usize) -> Read<Vec<AccountRow>> {
        self.all(accounts::accounts(after, limit), accounts::read_account)
    }

    fn account_count(&self) -> Read<(u64, u64)> {
        self.one(accounts::account_count(), accounts::read_account_count).map(Option::unwrap_or_default)
    }

    fn password(&self, account: &Account) -> Read<Option<PasswordRow>> {
        self.one(accounts::password(account), accounts::read_password)
    }

    fn tries(&self) -> Read<Vec<(u32, u64)>> {
        self.all(accounts::tries(), accounts::read_tries)
    }

    fn devices(&self, account: &Account) -> Read<Vec<DeviceRow>> {
        self.all(accounts::devices(account), accounts::read_device)
    }

    fn key_packages(&self, account: &Account, device: &DeviceId, limit: usize) -> Read<Vec<KeyPackageRow>> {
        self.all(accounts::key_packages(account, device, limit), accounts::read_key_package)
    }

    fn key_package_count(&self, account: &Account, device: &DeviceId) -> Read<(u32, bool)> {
        let count = accounts::key_package_count(account, device);
        self.one(count, accounts::read_key_package_count).map(Option::unwrap_or_default)
    }

    fn claim(&self, peer: &DomainName, claim: &[u8; 16]) -> Read<Option<ClaimRow>> {
        self.one(accounts::claim(peer, claim), accounts::read_claim)
    }

    fn invitations(&self, account: &Account) -> Read<Vec<InvitationRow>> {
        self.all(accounts::invitations(account), accounts::read_invitation)
    }

    fn room(&self, room: &RoomId) -> Read<Option<RoomRow>> {
        self.one(rooms::room(room), rooms::read_room)
    }

    fn rooms_wanting(&self, hub: &DomainName, limit: usize) -> Read<Vec<RoomRow>> {
        self.all(rooms::rooms_wanting(hub, limit), rooms::read_room)
    }

    fn room_count(&self) -> Read<u64> {
        self.one(rooms::room_count(), number).map(Option::unwrap_or_default)
    }

    fn group(&self, room: &RoomId) -> Read<Option<Bytes>> {
        self.one(rooms::group(room), value)
    }

    fn roster(&self, room: &RoomId) -> Read<Option<Bytes>> {
        self.one(rooms::roster(room), value)
    }

    fn members(&self, room: &RoomId) -> Read<Vec<MemberRow>> {
        self.all(rooms::members(room), rooms::read_member)
    }

    fn memberships(&self, account: &Account) -> Read<Vec<MemberRow>> {
        self.all(rooms::memberships(account), rooms::read_member)
    }

    fn events(&self, room: &RoomId, from_seq: u64, limit: usize) -> Read<Vec<EventRow>> {
        self.all(log::events(room, from_seq, limit), log::read_event)
    }

    fn events_by_message(&self, ids: &[(RoomId, MessageId)]) -> Read<Vec<EventRow>> {
        self.by_message(&log::EVENTS_BY_MESSAGE, ids, log::read_event)
    }

    fn pending(&self, ids: &[(RoomId, MessageId)]) -> Read<Vec<PendingRow>> {
        self.by_message(&log::PENDING, ids, log::read_pending)
    }

    fn pending_of_peer(&self, peer: &DomainName, up_to: u64, limit: usize) -> Read<Vec<PendingRow>> {
        self.all(log::pending_of_peer(peer, up_to, limit), log::read_pending)
    }

    fn progress(&self, room: &RoomId) -> Read<Vec<ProgressRow>> {
        self.all(log::progress(room), log::read_progress)
    }

    fn account_events(&self, account: &Account, after: u64, limit: usize) -> Read<Vec<EventRow>> {
        self.all(log::account_events(account, after, limit), log::read_event)
    }

    fn account_entries(
        &self,
        account: &Account,
        device: &DeviceId,
        after: u64,
        limit: usize,
    ) -> Read<Vec<EntryRow>> {
        self.all(accounts::account_entries(account, device, after, limit), accounts::read_entry)
    }

    fn peers(&self) -> Read<Vec<PeerRow>> {
        self.all(peers::peers(), peers::read_peer)
    }

    fn documents(&self, domain: &DomainName, after_seq: u64) -> Read<Vec<DocumentRow>> {
        self.all(peers::documents(domain, after_seq), peers::read_document)
    }

    fn outbox(&self, peer: &DomainName, from: u64, limit: usize) -> Read<Vec<OutboxRow>> {
        self.all(peers::outbox(peer, from, limit), peers::read_outbox)
    }

    fn outbox_size(&self, peer: &DomainName) -> Read<(u64, u64, u64)> {
        self.one(peers::outbox_size(peer), peers::read_outbox_size).map(Option::unwrap_or_default)
    }

    fn answers(&self, peer: &DomainName) -> Read<Vec<AnswerRow>> {
        self.all(peers::answers(peer), peers::read_answer)
    }

    fn quarantine(&self, limit: usize) -> Read<(Vec<QuarantineRow>, u64)> {
        let rows = self.all(peers::quarantine(limit), peers::read_quarantine)?;
        let count = self.one(peers::quarantine_count(), number)?.unwrap_or_default();
        Ok((rows, count))
    }

    fn audit(&self, before: u64, limit: usize) -> Read<Vec<AuditRow>> {
        self.all(peers::audit(before, limit), peers::read_audit)
    }

    fn size(&self) -> Read<u64> {
        self.one(peers::size(), number).map(Option::unwrap_or_default)
    }
}
