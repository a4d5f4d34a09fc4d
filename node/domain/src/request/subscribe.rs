//! A device names the position up to which it has everything; what follows is sent in order.

use std::collections::VecDeque;

use machine::Entropy;
use prost::Message as _;
use store::{Store, row::EntryRow};
use wire::{
    Account, DeviceId, ErrorCode, RoomId, limits,
    proto::{Done, Entry, ProgressKind, Subscribe, entry},
};

use crate::{
    Core, SessionId,
    fan_out::{page, proto_progress},
    peer::event,
    send::Send,
    session::{Sync, Window},
};

/// Pages read from the store before the next inputs are looked at.
const PAGES_AT_ONCE_MAX: usize = 64;

type Found = (Entry, Option<(RoomId, u64)>);

impl<S: Store, E: Entropy> Core<S, E> {
    /// [SYNC-5] A cursor of another store, or of a position that this store has not reached, is gone.
    /// [SYNC-8] Once in a session: a second stream would forget what of the first is under way.
    pub(crate) fn subscribe(
        &mut self,
        id: SessionId,
        (account, device): (&Account, DeviceId),
        request: &Subscribe,
    ) -> Result<Done, ErrorCode> {
        let same_store = request.store_id.is_empty() || request.store_id.as_ref() == self.store_id;
        if !same_store || request.after > self.position || (request.store_id.is_empty() && request.after > 0)
        {
            return Err(ErrorCode::CursorGone);
        }
        if self.sessions.get(id).ok_or(ErrorCode::Internal)?.sync != Sync::Off {
            return Err(ErrorCode::Conflict);
        }
        let cursor = self.device(account, device)?.ok_or(ErrorCode::AuthFailed)?.cursor;
        self.persisted_on_device(account, device, cursor, request.after)?;
        let session = self.sessions.get_mut(id).ok_or(ErrorCode::Internal)?;
        session.window = Window::after(request.after);
        session.sync = Sync::Behind;
        Ok(Done {})
    }

    /// What does not stand in the stream: the progress of the account's rooms and the absence of their
    /// peers. Devices at home are asked what they hold, so the hub is told again too.
    pub(crate) fn tell_current(&mut self, id: SessionId, account: &Account) -> Result<(), ErrorCode> {
        let memberships = self.store.memberships(account).map_err(|error| error.code())?;
        for member in memberships.iter().filter(|member| member.to_seq.is_none()) {
            let Some(room) = self.take_room(&member.room)? else { continue };
            let current = room.progress.iter().map(|((kind, who), seq)| Entry {
                position: 0,
                entry: Some(entry::Entry::Progress(proto_progress(member.room, *kind, who, *seq))),
            });
            let current: Vec<Entry> = current.collect();
            for part in current.chunks(limits::BATCH_ITEMS_MAX) {
                self.drain.staged.extend(page(part.to_vec(), false).map(|frame| Send::Passing(id, frame)));
            }
            let delivered = (ProgressKind::Delivered, account.as_str().to_owned());
            if let (None, Some(seq)) = (&room.view, room.progress.get(&delivered)) {
                let key = (member.room, delivered.0, delivered.1.clone());
                self.links.queue_progress(&room.row.hub, &key, *seq);
            }
            let mut absent = Vec::new();
            for domain in room.followers.iter().chain([&room.row.hub]) {
                let peer = self.links.get(domain).filter(|peer| peer.retry.noticed);
                absent.extend(peer.map(crate::link_table::Peer::state));
            }
            self.rooms.put(room);
            for state in absent {
                self.tell_session(id, entry::Entry::PeerState(state));
            }
        }
        Ok(())
    }

    /// [SYNC-7] The device has persisted everything up to a position. One that it was not sent would
    /// open the window for what it does not read.
    pub(crate) fn device_ack(
        &mut self,
        id: SessionId,
        (account, device): (&Account, DeviceId),
        position: u64,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if position > session.window.sent {
            return self.goodbye(id, ErrorCode::Malformed.into());
        }
        let fetched = session.window.ack(position);
        let acked = session.window.acked;
        for (room, seq) in fetched.rooms {
            self.delivered(account, room, seq);
        }
        self.move_cursor(account, device, acked);
        if fetched.others {
            self.forget_fetched(account, device, acked);
        }
    }

    // [SYNC-7] What all devices of an account have persisted need not be kept for it. Events stay: they
    // are the room's.
    fn forget_fetched(&mut self, account: &Account, device: DeviceId, position: u64) {
        let Ok(devices) = self.store.devices(account) else { return };
        let others = devices.iter().filter(|row| row.device != device).map(|row| row.cursor);
        let up_to = others.chain([position]).min().unwrap_or_default();
        if up_to > 0 {
            self.drain.lazy.fetched.insert(account.clone(), up_to);
        }
    }

    fn move_cursor(&mut self, account: &Account, device: DeviceId, position: u64) {
        self.drain.lazy.cursors.insert((account.clone(), device), position);
        self.drain.lazy.touch(self.now);
    }

    fn delivered(&mut self, account: &Account, id: RoomId, seq: u64) {
        if let Ok(Some(mut room)) = self.take_room(&id) {
            self.advance(&mut room, ProgressKind::Delivered, account.as_str().to_owned(), seq);
            self.rooms.put(room);
        }
    }

    // A device that was cut off before it could acknowledge says with its cursor what it holds. It was
    // never sent more than a window beyond its last acknowledgement.
    fn persisted_on_device(
        &mut self,
        account: &Account,
        device: DeviceId,
        cursor: u64,
        after: u64,
    ) -> Result<(), ErrorCode> {
        if after <= cursor {
            return Ok(());
        }
        let rows = self.store.account_events(account, cursor, limits::SESSION_QUEUE_MAX);
        for row in rows.map_err(|error| error.code())?.iter().take_while(|row| row.position <= after) {
            self.delivered(account, row.room, row.seq);
        }
        self.move_cursor(account, device, after);
        Ok(())
    }

    /// Sends pages from the store to sessions that are behind, in turn, while everything is committed;
    /// a bounded number, so that a thousand devices that come back do not keep others waiting.
    pub(crate) fn catch_up_sessions(&mut self) {
        let paged = self.paged;
        let mut behind: VecDeque<SessionId> = self
            .sessions
            .iter_mut()
            .filter(|(_, session)| session.sync == Sync::Behind && session.window.is_open())
            .map(|(id, _)| id)
            .collect();
        let turn = behind.iter().position(|id| *id > paged).unwrap_or(0);
        behind.rotate_left(turn);
        for _ in 0..PAGES_AT_ONCE_MAX {
            let Some(id) = behind.pop_front() else { break };
            self.paged = id;
            match self.send_page(id) {
                Ok(true) => behind.push_back(id),
                Ok(false) => {}
                Err(error) => self.goodbye(id, error.into()),
            }
        }
        self.pages_wait = !behind.is_empty();
    }

    // Whether the session could be sent another page.
    fn send_page(&mut self, id: SessionId) -> Result<bool, ErrorCode> {
        let Some(session) = self.sessions.get(id) else { return Ok(false) };
        let Some((account, device)) = session.device.clone() else { return Ok(false) };
        let (found, caught_up) = self.entries_after(&account, device, session.window.sent)?;
        let mut entries = Vec::with_capacity(found.len());
        let Some(session) = self.sessions.get_mut(id) else { return Ok(false) };
        for (entry, event) in found {
            session.window.push(entry.position, event, entry.encoded_len());
            entries.push(entry);
        }
        let more = !caught_up && session.window.is_open();
        if caught_up {
            session.sync = Sync::Live;
        }
        if let Some(frame) = page(entries, caught_up) {
            self.stage(Send::Push(id, frame));
        }
        if caught_up {
            self.tell_current(id, &account)?;
        }
        Ok(more)
    }

    // [SYNC-6] Events and other entries in one order, by position; no position is passed over that may
    // still have an entry.
    fn entries_after(
        &self,
        account: &Account,
        device: DeviceId,
        after: u64,
    ) -> Result<(Vec<Found>, bool), ErrorCode> {
        let most = limits::BATCH_ITEMS_MAX;
        let failed = |error: store::StoreError| error.code();
        let events = self.store.account_events(account, after, most).map_err(failed)?;
        let others = self.store.account_entries(account, &device, after, most).map_err(failed)?;
        let full = |count: usize| count >= most;
        let mut all_there = !full(events.len()) && !full(others.len());
        let event_end = if full(events.len()) { events.last().map(|row| row.position) } else { None };
        let other_end = if full(others.len()) { others.last().map(|row| row.position) } else { None };
        let end = event_end.unwrap_or(u64::MAX).min(other_end.unwrap_or(u64::MAX));
        let mut found: Vec<Found> = Vec::with_capacity(events.len() + others.len());
        for row in &events {
            let entry = Entry { position: row.position, entry: Some(entry::Entry::Event(event(row))) };
            found.push((entry, Some((row.room, row.seq))));
        }
        for row in &others {
            found.push((decode(row)?, None));
        }
        found.retain(|(entry, _)| entry.position <= end);
        found.sort_by_key(|(entry, _)| entry.position);
        let mut bytes = 0;
        let fitting = found.iter().take_while(|(entry, _)| {
            bytes += entry.encoded_len() + 8;
            bytes <= limits::BATCH_BYTES_MAX
        });
        let fitting = fitting.count().clamp(1, most).min(found.len());
        all_there &= fitting == found.len();
        found.truncate(fitting);
        Ok((found, all_there))
    }
}

fn decode(row: &EntryRow) -> Result<Entry, ErrorCode> {
    let entry = Entry::decode(row.entry.clone()).map_err(|_| ErrorCode::Internal)?;
    Ok(Entry { position: row.position, ..entry })
}
