//! Events that a room's hub has shown to exist and that are not here: how far they go stands in the
//! room's row, and they are pulled until they are here, over restarts and lost connections.

use machine::Entropy;
use prost::Message as _;
use store::Store;
use wire::{
    DomainName, ErrorCode, RoomId, limits,
    proto::{Events, ProgressKind, PulledEvents},
};

use super::events::Taken;
use crate::{Core, room_table::Room};

impl<S: Store, E: Entropy> Core<S, E> {
    /// [ROOM-8] The log of a room goes up to this seq at least: what is missing is pulled.
    pub(crate) fn want(&mut self, room: &mut Room, up_to: u64) {
        if room.row.wanted_seq < up_to {
            room.row.wanted_seq = up_to;
            room.row_changed = true;
            self.drain.changed_rooms.insert(room.row.room);
        }
        let (hub, id) = (room.row.hub.clone(), room.row.room);
        self.pull(&hub, id, room.row.head_seq.saturating_add(1));
    }

    /// Pulls what rooms of connected hubs want, a few rooms at a time, while everything is committed.
    pub(crate) fn pull_missing(&mut self) {
        let due = self.links.peers.iter_mut();
        let due =
            due.filter_map(|(domain, peer)| std::mem::take(&mut peer.pulls_due).then(|| domain.clone()));
        for hub in due.collect::<Vec<DomainName>>() {
            self.pull_lost(&hub);
            match self.store.rooms_wanting(&hub, limits::PULLS_AT_ONCE_MAX) {
                Ok(rows) => {
                    for row in rows {
                        self.pull(&hub, row.room, row.head_seq.saturating_add(1));
                    }
                }
                Err(error) => {
                    tracing::error!(peer = %hub, error = error.code().name(), "the rooms could not be read");
                }
            }
        }
    }

    /// Takes in what a hub answered to a pull.
    pub(crate) fn take_pulled(&mut self, hub: &DomainName, id: RoomId, pulled: PulledEvents) {
        let Ok(Some(mut room)) = self.take_room(&id) else { return };
        if room.row.hub == self.config.domain {
            return self.take_lost(hub, room, pulled);
        }
        if room.row.hub != *hub {
            return self.rooms.put(room);
        }
        let before = room.row.head_seq;
        let run = Events { room: id.to_bytes(), events: pulled.events };
        let outcome = match run.events.is_empty() {
            true => Ok(Taken::Stored),
            false => self.apply(&mut room, &run),
        };
        match outcome {
            Ok(Taken::Stored) => {
                let (head, wanted) = (room.row.head_seq, room.row.wanted_seq);
                if head > before && (head < wanted || !pulled.end) {
                    self.pull(hub, id, head.saturating_add(1));
                } else if pulled.end {
                    self.satisfied(&mut room);
                }
            }
            // The hub was asked for what comes next and gave something later: there is no more.
            Ok(Taken::Missing { .. }) => self.refuse_pulled(hub, run, ErrorCode::Malformed),
            Err(error) => self.refuse_pulled(hub, run, error),
        }
        self.rooms.put(room);
    }

    fn refuse_pulled(&mut self, hub: &DomainName, run: Events, error: ErrorCode) {
        tracing::warn!(peer = %hub, bytes = run.encoded_len(), "a pulled run was refused");
        self.quarantine_pulled(hub, run, error);
    }

    // All that the hub has for this domain is here. The item that showed the gap was refused, so that
    // the hub has not counted it as stored: now it is told.
    fn satisfied(&mut self, room: &mut Room) {
        self.stop_wanting(room);
        let own = self.config.domain.as_str().to_owned();
        self.advance(room, ProgressKind::Stored, own, room.row.head_seq);
        if let Some(peer) = self.links.get_mut(&room.row.hub) {
            peer.pulls_due = true;
        }
    }

    fn stop_wanting(&mut self, room: &mut Room) {
        if room.row.wanted_seq > 0 {
            room.row.wanted_seq = 0;
            room.row_changed = true;
            self.drain.changed_rooms.insert(room.row.room);
        }
    }

    /// A pull was answered with an error, or not at all.
    pub(crate) fn pull_failed(&mut self, hub: &DomainName, id: RoomId, error: ErrorCode) {
        if self.restoring.closes(&id) {
            return self.lost_failed(hub, &id, error);
        }
        match error {
            // There is nothing for this domain.
            ErrorCode::NotFound | ErrorCode::Forbidden => {
                if let Ok(mut room) = self.take_followed(hub, &id) {
                    self.stop_wanting(&mut room);
                    self.rooms.put(room);
                }
            }
            ErrorCode::Timeout => {
                if let Some(peer) = self.links.get_mut(hub) {
                    peer.pulls_due = true;
                }
            }
            // The next contact, or the next run of the room, begins again.
            _ => {}
        }
    }
}
