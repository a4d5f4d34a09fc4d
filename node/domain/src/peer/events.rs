//! Stores a run of events from the hub of a room that this domain follows.

use identity::KeyUse;
use machine::Entropy;
use room::{
    CheckedEvent,
    follower::{self, Applied, Hub},
};
use store::{Store, Write, row::RoomRow};
use tracing::Span;
use wire::{
    DomainName, ErrorCode, MessageId, PublicKey, RoomId,
    proto::{EventHead, EventKind, Events, Item, RoomKind, item},
    signed,
};

use crate::{Core, admin::Act, drain::Seen, room_table::Room};

/// A domain speaks for the hub of a room that another domain orders. If it is not in the room, it hears
/// what it would of one that does not exist: it may have guessed.
fn not_its_room(room: &Room, peer: &DomainName) -> ErrorCode {
    if room.followers.contains(peer) { ErrorCode::OriginMismatch } else { ErrorCode::NotFound }
}

/// What became of a run that is valid.
pub(crate) enum Taken {
    /// All of it is stored.
    Stored,
    /// Nothing of it is, for events before it are missing; the log goes up to this seq at least.
    Missing { up_to: u64 },
}

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn take_events(&mut self, peer: &DomainName, events: &Events) -> Result<(), ErrorCode> {
        let id = RoomId::try_from(events.room.as_ref())?;
        let mut room = match self.take_room(&id)? {
            // [ROOM-30]
            Some(room) if room.row.hub == *peer && !self.follows(&room).unwrap_or(true) => {
                self.rooms.put(room);
                return Err(ErrorCode::NotFound);
            }
            Some(room) if room.row.hub == *peer => room,
            Some(room) => {
                let error = not_its_room(&room, peer);
                self.rooms.put(room);
                if error == ErrorCode::NotFound {
                    self.founded_by_peer(peer, &id, events)?;
                }
                return Err(error);
            }
            None => self.founded_by_peer(peer, &id, events)?,
        };
        let outcome = match self.apply(&mut room, events) {
            // [ROOM-8] What was not stored is not acknowledged as stored.
            Ok(Taken::Missing { up_to }) => {
                self.want(&mut room, up_to);
                Err(ErrorCode::Unavailable)
            }
            Ok(Taken::Stored) => Ok(()),
            Err(error) => Err(error),
        };
        if room.row.head_seq > 0 {
            self.rooms.put(room);
        }
        outcome
    }

    /// A room of this hub that this domain follows.
    pub(crate) fn take_followed(&mut self, peer: &DomainName, id: &RoomId) -> Result<Box<Room>, ErrorCode> {
        match self.take_room(id)? {
            Some(room) if room.row.hub == *peer => Ok(room),
            Some(room) => {
                let error = not_its_room(&room, peer);
                self.rooms.put(room);
                Err(error)
            }
            None => Err(ErrorCode::NotFound),
        }
    }

    /// The event keys of a domain, of its newest document.
    pub(crate) fn event_keys(&self, domain: &DomainName) -> Result<Vec<PublicKey>, ErrorCode> {
        let document = self.document(domain).ok_or(ErrorCode::KeyUnverified)?;
        Ok(document.keys(KeyUse::Event).map(|key| key.key).collect())
    }

    // A room that is not known may begin here only because an own device has asked this hub for it.
    fn founded_by_peer(
        &self,
        peer: &DomainName,
        id: &RoomId,
        events: &Events,
    ) -> Result<Box<Room>, ErrorCode> {
        let first = events.events.first().ok_or(ErrorCode::Malformed)?;
        let head: EventHead = signed::decode(&first.head)?;
        let message = MessageId::try_from(head.message_id.as_ref())?;
        let pending = self.store.pending(&[(*id, message)]).map_err(|error| error.code())?;
        let founds = head.kind() == EventKind::Founding && head.seq == 1;
        let asked = pending.first().filter(|row| row.peer == *peer && founds);
        let founder = asked.ok_or(ErrorCode::NotFound)?.account.clone();
        let mut room = Box::new(Room::new(RoomRow {
            room: *id,
            hub: peer.clone(),
            // [ROOM-10] No other room was asked for elsewhere.
            kind: RoomKind::Direct,
            head_seq: 0,
            head_hash: [0; 32],
            epoch: 0,
            base_seq: 1,
            wanted_seq: 0,
        }));
        room.begin(&founder, 0, &self.config.domain);
        Ok(room)
    }

    /// Applies a run to a room that this domain follows.
    pub(crate) fn apply(&mut self, room: &mut Room, events: &Events) -> Result<Taken, ErrorCode> {
        let (id, hub) = (room.row.room, room.row.hub.clone());
        let keys = self.event_keys(&hub)?;
        let pinned = Hub { room: &id, domain: &hub, keys: &keys };
        let known = |seq| self.known_hash(&id, seq);
        match follower::apply(&pinned, &room.head(), known, &events.events)? {
            Applied::Applied { events, .. } => {
                for event in &events {
                    self.is_new(event)?;
                    self.follow(room, event);
                }
                Ok(Taken::Stored)
            }
            Applied::Duplicate => Ok(Taken::Stored),
            Applied::Gap { up_to, .. } => Ok(Taken::Missing { up_to }),
            Applied::Forked { seq } => {
                tracing::error!(room = %id, hub = %hub, seq, "the hub has shown two histories");
                self.notice(Act::PeerForked, &hub, &format!("room {id}, seq {seq}"));
                Err(ErrorCode::ForkedLog)
            }
        }
    }

    /// [ROOM-13] A message id stands for one event. A hub that gives it a second place is refused from
    /// there on; the store would refuse the whole batch.
    pub(crate) fn is_new(&mut self, event: &CheckedEvent) -> Result<(), ErrorCode> {
        match self.seen(event.room, event.message)? {
            Some(Seen::Ordered(_)) => Err(ErrorCode::Malformed),
            Some(Seen::Pending(_)) | None => Ok(()),
        }
    }

    /// Stores one event that continues the log here.
    pub(crate) fn follow(&mut self, room: &mut Room, event: &CheckedEvent) {
        let _entered = self.traces.take(room.row.room, event.message).map(Span::entered);
        tracing::debug!(message_id = %event.message, hub = %room.row.hub, "ordered by its hub");
        if room.row.head_seq == 0 {
            self.begin_founded(room);
        }
        room.row.head_seq = event.seq;
        room.row.head_hash = event.hash;
        room.row.epoch = match event.kind {
            EventKind::Commit => event.epoch.saturating_add(1),
            _ => room.row.epoch.max(event.epoch),
        };
        room.row_changed = true;
        self.drain.changed_rooms.insert(room.row.room);
        self.drain.batch.push(Write::DropPending(room.row.room, event.message));
        let repeat = room::hub::Repeat { kind: event.kind, epoch: event.epoch, body_hash: event.body_hash };
        self.drain.seen.insert((room.row.room, event.message), Seen::Ordered(repeat));
        self.store_event(room, event.seq, event.message, event.kind, &event.event);
    }

    fn begin_founded(&mut self, room: &Room) {
        for period in room.members.values().flatten() {
            self.drain.batch.push(Write::PutMember(period.clone()));
        }
    }

    /// The hash of an event that is stored here.
    pub(crate) fn known_hash(&self, room: &RoomId, seq: u64) -> Option<[u8; 32]> {
        let rows = self.store.events(room, seq, 1).ok()?;
        let row = rows.first().filter(|row| row.seq == seq)?;
        Some(signed::hash::<EventHead>(&row.head))
    }

    /// Quarantines a run that another way than a batch has brought.
    pub(crate) fn quarantine_pulled(&mut self, peer: &DomainName, events: Events, error: ErrorCode) {
        let item = Item { number: 0, item: Some(item::Item::Events(events)) };
        self.quarantine(peer, &item, error);
    }
}
