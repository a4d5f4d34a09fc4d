//! Catching up: a room that is behind passes over what is pushed and pulls from its head on, until
//! the node knows nothing newer.

use machine::Entropy;
use wire::{
    ErrorCode, RoomId, limits,
    proto::{PullEvents, PulledEvents, client_request::Request},
};

use super::Room;
use crate::{Engine, Notice, request::Purpose};

/// A pull that gave nothing although there is more is repeated after this many milliseconds, then
/// after twice as many, and so on.
const REST_FIRST_MS: u64 = 50;
/// A pull that failed is repeated after this many milliseconds.
const REST_MS: u64 = 10_000;

impl<E: Entropy> Engine<E> {
    /// Events are missing.
    pub(crate) fn fall_behind(&mut self, room: &mut Room) {
        if !room.behind {
            room.behind = true;
            self.stage.rooms.insert(room.id);
        }
        self.pull(room);
    }

    /// Asks for the events after the head, if the room is behind and nobody asks already.
    pub(crate) fn pull(&mut self, room: &mut Room) {
        let wanted = room.behind && room.listens() && !room.pulling && self.session.is_some();
        let stalled = room.stalled_until.is_some_and(|until| until > self.now);
        if wanted && !stalled && room.rest_until <= self.now {
            room.pulling = true;
            room.stalled_until = None;
            let request = Request::PullEvents(PullEvents {
                room: room.id.to_bytes(),
                from_seq: if room.doubted { room.base_seq } else { room.head_seq.saturating_add(1) },
                limit: match room.doubted {
                    true => 1,
                    false => u32::try_from(limits::BATCH_ITEMS_MAX).unwrap_or(u32::MAX),
                },
            });
            self.request(Purpose::Pull(room.id), request);
        }
    }

    pub(crate) fn pulled(&mut self, id: RoomId, pulled: &PulledEvents) {
        self.with_room(id, |engine, room| {
            room.pulling = false;
            if !room.listens() || !room.behind {
                return;
            }
            if room.doubted {
                return engine.cleared_up(room, &pulled.events, pulled.end);
            }
            let before = room.head_seq;
            room.behind = false;
            if !pulled.events.is_empty() {
                engine.run(room, &pulled.events, true);
            }
            let moved = room.head_seq > before;
            room.behind |= !pulled.end && room.listens();
            room.empty_pulls = if moved { 0 } else { room.empty_pulls.saturating_add(1) };
            if room.behind && !moved {
                let rest = REST_FIRST_MS << room.empty_pulls.min(10);
                room.rest_until = engine.now.plus_ms(rest.min(REST_MS));
                engine.wake_for(room.rest_until, id);
            }
            engine.stage.rooms.insert(room.id);
            if !room.behind {
                engine.stage.notify(Notice::Room(room.id));
            }
        });
        self.touched.insert(id);
    }

    pub(crate) fn pull_failed(&mut self, id: RoomId, error: ErrorCode) {
        let later = self.now.plus_ms(REST_MS);
        self.with_room(id, |engine, room| {
            room.pulling = false;
            if error == ErrorCode::NotFound && engine.is_hub_of(room) {
                return engine.missing_at_hub(room);
            }
            room.rest_until = room.rest_until.max(later);
            engine.wake_for(later, id);
        });
    }
}
