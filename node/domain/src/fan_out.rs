//! Who is told of what: events and entries to devices, runs to peers, progress to both.

use std::collections::BTreeMap;

use bytes::Bytes;
use machine::{Entropy, Timestamp};
use prost::Message as _;
use store::{
    Store, Write,
    row::{EntryRow, EventRow},
};
use wire::{
    Account, DeviceId, DomainName, RoomId, limits,
    proto::{Entry, Event, EventKind, Page, Progress, ProgressKind, entry, node_frame},
};

use crate::{
    Core, SessionId,
    drain::ProgressKey,
    room_table::Room,
    send::{Send, node_frame},
    session::Sync,
};

impl<S: Store, E: Entropy> Core<S, E> {
    /// Stores an event of a room and pushes it to the devices of its local members.
    pub(crate) fn store_event(
        &mut self,
        room: &mut Room,
        seq: u64,
        message: wire::MessageId,
        kind: EventKind,
        event: &Event,
    ) {
        let position = self.next_position();
        self.drain.batch.push(Write::PutEvent(EventRow {
            position,
            room: room.row.room,
            seq,
            message,
            kind,
            head: event.head.clone(),
            signature: event.signature.clone(),
            body: event.body.clone(),
        }));
        let mut frame = None;
        let staged = self.drain.staged.len();
        for account in &room.locals {
            if room.may_see(account, seq) {
                self.push_event(account, position, (room.row.room, seq), event, &mut frame);
            }
        }
        let devices = self.drain.staged.len().saturating_sub(staged);
        tracing::debug!(message_id = %message, devices, "stored, and pushed to devices");
    }

    // The frame is encoded for the first session that wants it and shared by the others.
    fn push_event(
        &mut self,
        account: &Account,
        position: u64,
        place: (RoomId, u64),
        event: &Event,
        frame: &mut Option<Bytes>,
    ) {
        for (_, id) in self.sessions.of(account) {
            let bytes = match frame {
                Some(bytes) => bytes.clone(),
                None => {
                    let entry = Entry { position, entry: Some(entry::Entry::Event(event.clone())) };
                    let Some(bytes) = page(vec![entry], true) else { return };
                    frame.insert(bytes).clone()
                }
            };
            if self.sessions.push(id, position, Some(place), bytes.len()) {
                self.drain.staged.push(Send::Push(id, bytes));
            }
        }
    }

    /// Stores an entry for an account (or one device of it) and pushes it.
    pub(crate) fn add_entry(&mut self, account: &Account, device: Option<DeviceId>, entry: entry::Entry) {
        let position = self.next_position();
        let stored = Entry { position: 0, entry: Some(entry) };
        self.drain.batch.push(Write::PutEntry(EntryRow {
            position,
            account: account.clone(),
            device,
            entry: stored.encode_to_vec().into(),
        }));
        let Some(frame) = page(vec![Entry { position, ..stored }], true) else { return };
        for (of, id) in self.sessions.of(account) {
            if device.is_none_or(|device| device == of) && self.sessions.push(id, position, None, frame.len())
            {
                self.drain.staged.push(Send::Push(id, frame.clone()));
            }
        }
    }

    /// Pushes an entry that is not stored to the live sessions of an account.
    pub(crate) fn tell(&mut self, account: &Account, frame: &Bytes) {
        for (_, id) in self.sessions.of(account) {
            if self.sessions.get(id).is_some_and(|session| session.sync == Sync::Live) {
                self.drain.staged.push(Send::Passing(id, frame.clone()));
            }
        }
    }

    /// Pushes an entry that is not stored to one session.
    pub(crate) fn tell_session(&mut self, session: SessionId, entry: entry::Entry) {
        if let Some(frame) = unstored(entry) {
            self.stage(Send::Passing(session, frame));
        }
    }

    /// Takes note of progress. Nothing happens if it is not news.
    pub(crate) fn advance(&mut self, room: &mut Room, kind: ProgressKind, who: String, seq: u64) {
        let seq = seq.min(room.row.head_seq);
        let known = room.progress.entry((kind, who.clone())).or_insert(0);
        if *known >= seq {
            return;
        }
        *known = seq;
        self.drain.progress.insert((room.row.room, kind, who), seq);
    }

    /// [SYNC-23] When progress is told next: at once after a pause, then every `PROGRESS_EVERY_MS`, so that a
    /// busy room does not cost as many frames as it has pairs of members.
    pub(crate) fn progress_due(&self) -> Option<Timestamp> {
        let waits = !self.drain.progress.is_empty();
        waits.then(|| self.progress_told.plus_ms(limits::PROGRESS_EVERY_MS))
    }

    /// Tells devices and peers of progress: of each only the newest, all of a room in one frame.
    pub(crate) fn tell_progress(&mut self) {
        self.progress_told = self.now;
        let mut rooms: BTreeMap<RoomId, Vec<(ProgressKey, u64)>> = BTreeMap::new();
        for (key, seq) in std::mem::take(&mut self.drain.progress) {
            self.drain.lazy.progress.insert(key.clone(), seq);
            rooms.entry(key.0).or_default().push((key, seq));
        }
        self.drain.lazy.touch(self.now);
        for (id, news) in rooms {
            let Ok(Some(room)) = self.take_room(&id) else { continue };
            let entry = |(key, seq): &(ProgressKey, u64)| Entry {
                position: 0,
                entry: Some(entry::Entry::Progress(proto_progress(id, key.1, &key.2, *seq))),
            };
            for part in news.chunks(limits::BATCH_ITEMS_MAX) {
                let Some(frame) = page(part.iter().map(entry).collect(), false) else { continue };
                room.locals.iter().for_each(|account| self.tell(account, &frame));
            }
            for (key, seq) in &news {
                let source = domain_of(&key.2);
                if room.view.is_some() {
                    for peer in room.followers.iter().filter(|peer| source.as_ref() != Some(*peer)) {
                        self.links.queue_progress(peer, key, *seq);
                    }
                } else if source.as_ref() == Some(&self.config.domain) {
                    self.links.queue_progress(&room.row.hub, key, *seq);
                }
            }
            self.rooms.put(room);
        }
    }
}

/// The domain that speaks for a `who`: itself, or that of the account.
pub(crate) fn domain_of(who: &str) -> Option<DomainName> {
    match who.parse::<Account>() {
        Ok(account) => Some(account.domain().clone()),
        Err(_) => who.parse().ok(),
    }
}

/// A progress message.
pub(crate) fn proto_progress(room: RoomId, kind: ProgressKind, who: &str, seq: u64) -> Progress {
    Progress { room: room.to_bytes(), kind: kind.into(), who: who.to_owned(), seq }
}

/// A page as an encoded frame.
pub(crate) fn page(entries: Vec<Entry>, caught_up: bool) -> Option<Bytes> {
    node_frame(node_frame::Frame::Page(Page { entries, caught_up }))
}

/// A page with one entry that is not stored.
pub(crate) fn unstored(entry: entry::Entry) -> Option<Bytes> {
    page(vec![Entry { position: 0, entry: Some(entry) }], false)
}
