//! The worker of a room: takes what waits in order, when the log is caught up, and has at most one
//! own commit on its way (rules R1, R2).

use machine::Entropy;
use wire::{ErrorCode, MessageId, RoomId, limits, proto::RoomKind};

use crate::{
    Engine,
    record::{IntentKind, IntentRow, RoomPhase},
    room::Room,
};

/// Own messages of one room that no node has accepted yet.
const UNACCEPTED_MAX: usize = 512;
/// After coming into a room the own leaf gets new keys within this many milliseconds of the first
/// message.
const REFRESH_WITHIN_MS: u64 = 60_000;

/// What became of the first intent in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is on its way, or over: the next one.
    Next,
    /// Something was put before it.
    Again,
    /// Nothing more can be done now.
    Wait,
    /// Nothing may be said now; what is not said may go on.
    Held,
}

impl<E: Entropy> Engine<E> {
    /// Does what can be done in a room now.
    pub(crate) fn work(&mut self, id: RoomId) {
        self.try_join(id);
        let empty = self.with_room(id, |engine, room| {
            engine.check_present(room);
            engine.pull(room);
            engine.settle(room);
            engine.encrypt_stale(room);
            engine.take_intents(room);
            engine.resend(room);
            // What was said before its hub lost it stays readable.
            let nothing = matches!(room.phase, RoomPhase::Wanted | RoomPhase::Awaiting) && room.offset == 0;
            nothing && engine.intents.of(id).next().is_none()
        });
        if empty == Some(true) && self.joins.seq(id).is_none() {
            self.forget_room(id);
        }
    }

    fn take_intents(&mut self, room: &mut Room) {
        if room.phase == RoomPhase::Awaiting && self.is_overdue(room) {
            self.not_founded(room, ErrorCode::Undeliverable);
        }
        while !room.waiting.is_empty() {
            // Until the way back is found, nothing else is done.
            if room.lost.is_some() && !self.put_first(room, |kind| kind == IntentKind::Rejoin) {
                return;
            }
            let Some(intent) = room.waiting.front().copied() else { return };
            if !self.caught_up() || room.rest_until > self.now || room.paused.is_some() || room.recalling {
                return;
            }
            if room.flight.is_some() || !matches!(room.phase, RoomPhase::Wanted | RoomPhase::Joined) {
                return;
            }
            match self.step(room, intent) {
                Step::Next => {
                    if room.waiting.front() == Some(&intent) {
                        room.waiting.pop_front();
                    }
                }
                Step::Again => {}
                Step::Wait => return,
                Step::Held if self.put_first(room, |kind| kind != IntentKind::Message) => {}
                Step::Held => return,
            }
        }
    }

    /// Puts the first intent of a kind at the front of the queue; `false` if there is none.
    fn put_first(&self, room: &mut Room, fits: impl Fn(IntentKind) -> bool) -> bool {
        let is = |id: &MessageId| self.intents.get(*id).is_some_and(|row| fits(row.kind()));
        let place = room.waiting.iter().position(is);
        let Some(intent) = place.and_then(|place| room.waiting.remove(place)) else { return false };
        room.waiting.push_front(intent);
        true
    }

    /// What is first in the queue waits for as long as a node tries.
    fn is_overdue(&self, room: &Room) -> bool {
        let first = room.waiting.front().and_then(|id| self.intents.get(*id));
        first.is_some_and(|row| {
            self.now.as_ms().saturating_sub(row.since_ms) > limits::OUTBOX_MAX_AGE_S * 1_000
        })
    }

    fn step(&mut self, room: &mut Room, intent: MessageId) -> Step {
        let Some(row) = self.intents.get(intent) else { return Step::Next };
        let kind = row.kind();
        if room.kind == RoomKind::Direct && kind == IntentKind::Message {
            let is_in = |peer| room.members.contains_key(peer) && !room.has_declined(peer);
            let here = room.peer.as_ref().is_some_and(is_in);
            if !here {
                return match self.push_peer(room, None) {
                    Ok(()) => Step::Again,
                    Err(error) => {
                        self.finish_error(intent, error.into());
                        Step::Next
                    }
                };
            }
        }
        if kind == IntentKind::Message
            && let Some(error) = room.withheld()
        {
            return self.hold_back(room, intent, error);
        }
        match (kind, room.phase) {
            (IntentKind::Add, RoomPhase::Wanted) => self.add(room, intent),
            (_, RoomPhase::Wanted) => {
                self.finish_error(intent, ErrorCode::NotFound.into());
                Step::Next
            }
            _ if room.behind => Step::Wait,
            (IntentKind::Message, _) if room.unaccepted >= UNACCEPTED_MAX => Step::Wait,
            (IntentKind::Message, _) => self.send_message(room, intent),
            (IntentKind::Add, _) => self.add(room, intent),
            (IntentKind::Leave, _) => self.leave(room, intent),
            (IntentKind::Rejoin, _) => self.rejoin(room, intent),
            _ => self.change(room, intent),
        }
    }

    /// Rule R7: nothing is said to somebody who may be another. What waits is shown as waiting; what
    /// cannot go, or not in time, is given back.
    fn hold_back(&mut self, room: &Room, intent: MessageId, error: ErrorCode) -> Step {
        let error = match error.retryable() {
            true if !self.is_overdue(room) => return Step::Held,
            true => ErrorCode::Undeliverable,
            false => ErrorCode::KeyUnverified,
        };
        self.fail_message(room, intent, error.into());
        Step::Next
    }

    /// Commits others' leaves and the own new keys when their time has come.
    fn settle(&mut self, room: &mut Room) {
        let ready = room.is_open() && !room.behind && room.flight.is_none() && self.caught_up();
        if !ready {
            return;
        }
        let due = |at: Option<machine::Timestamp>| at.is_some_and(|at| at <= self.now);
        let kind = if due(room.settle_at) {
            room.settle_at = None;
            IntentKind::Settle
        } else if due(room.refresh_at) {
            room.refresh_at = None;
            IntentKind::Refresh
        } else {
            return;
        };
        let mut row = IntentRow { quiet: true, ..IntentRow::default() };
        row.set_kind(kind);
        if let Err(error) = self.push_intent(room, row, None, true) {
            self.passed(error);
        }
    }

    /// Means to give the own leaf new keys, if that is due (rule R6).
    pub(super) fn refresh_soon(&mut self, room: &mut Room) {
        let age = self.now.as_ms().saturating_sub(room.leaf_updated_ms);
        if room.refresh_at.is_some() || age < limits::LEAF_UPDATE_S * 1_000 {
            return;
        }
        let within = if room.leaf_updated_ms == 0 { REFRESH_WITHIN_MS } else { 24 * 3_600_000 };
        let at = self.now.plus_ms(1_000 + self.jitter_ms(within));
        room.refresh_at = Some(at);
        self.wake_for(at, room.id);
    }
}
