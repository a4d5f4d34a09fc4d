//! The room's log: events are taken in order, checked against the hub's keys and the chain, and
//! applied; what cannot be judged yet makes the room fall behind, what breaks the rules pauses it.

use machine::Entropy;
use room::{
    CheckedEvent,
    follower::{self, Applied, Hub},
};
use wire::{
    ErrorCode, MessageId,
    proto::{Event, EventKind},
};

use super::Room;
use crate::{
    Engine, Notice, Warning,
    record::IntentRow,
    trust::{Want, is_fresh},
};

/// The hub's documents that were fetched within this many milliseconds are not fetched again for a
/// signature that they do not explain.
const DOCUMENTS_REST_MS: u64 = 1_000;
/// Accounts whose different history of one room is kept.
const FORKS_KEPT: usize = 64;

/// What becomes of the log after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The event is part of it.
    Applied,
    /// The event cannot be judged yet.
    Stalled,
    /// The event is refused, or the room is over: nothing after it counts.
    Ended,
}

impl<E: Entropy> Engine<E> {
    /// An event came on the sync stream, with this seq as it says. While the room is behind, only
    /// the very next one is of use.
    pub(crate) fn pushed(&mut self, room: &mut Room, seq: u64, event: &Event) {
        let next = room.stalled_until.is_none() && Some(seq) == room.head_seq.checked_add(1);
        if room.listens() && !room.doubted && (!room.behind || next) {
            self.run(room, std::slice::from_ref(event), false);
        }
    }

    /// Takes in a run of events.
    pub(super) fn run(&mut self, room: &mut Room, events: &[Event], pulled: bool) {
        let Some(keys) = self.trust.domains.event_keys(&room.hub) else {
            self.trust.wants.want(self.now, Want::Domain(room.hub.clone()));
            return self.stall(room);
        };
        let hub = Hub { room: &room.id, domain: &room.hub, keys };
        let applied = follower::apply(&hub, &room.head(), |seq| room.hash_at(seq), events);
        match applied {
            Ok(Applied::Applied { events, .. }) => {
                for event in &events {
                    match self.apply(room, event) {
                        Flow::Applied => {
                            room.advance(event.log_head());
                            self.stage.rooms.insert(room.id);
                        }
                        Flow::Stalled => return self.stall(room),
                        Flow::Ended => return,
                    }
                }
            }
            Ok(Applied::Duplicate) => {}
            Ok(Applied::Gap { .. }) => self.fall_behind(room),
            Ok(Applied::Forked { .. }) => self.pause(room, ErrorCode::ForkedLog),
            Err(ErrorCode::BadSignature) => self.unsigned(room, pulled),
            Err(error) if pulled => self.pause(room, error),
            Err(error) => {
                self.passed(error);
                self.fall_behind(room);
            }
        }
    }

    /// None of the hub's known keys has signed it: perhaps there is a newer one.
    fn unsigned(&mut self, room: &mut Room, pulled: bool) {
        let fetched = is_fresh(self.now, self.trust.domains.fetched_ms(&room.hub), DOCUMENTS_REST_MS);
        let refused = self.trust.wants.want(self.now, Want::Domain(room.hub.clone()));
        if !fetched && refused.is_none() {
            self.stall(room);
        } else if pulled {
            self.pause(room, ErrorCode::BadSignature);
        } else {
            self.passed(ErrorCode::BadSignature);
            self.fall_behind(room);
        }
    }

    fn apply(&mut self, room: &mut Room, event: &CheckedEvent) -> Flow {
        let own = self.own_intent(room, event);
        if room.lost.is_some() {
            return self.pass_over(room, event, own);
        }
        match event.kind {
            EventKind::Founding => match own {
                Some(intent) => self.founded(room, event, intent),
                None => {
                    self.founding_lost(room);
                    Flow::Ended
                }
            },
            EventKind::Commit => self.apply_commit(room, event, own),
            EventKind::Proposal => self.apply_proposal(room, event, own),
            EventKind::Message => {
                self.apply_message(room, event, own);
                Flow::Applied
            }
            EventKind::Notice => {
                self.apply_notice(room, event);
                Flow::Applied
            }
            EventKind::Unspecified => Flow::Applied,
        }
    }

    /// The intent that this event carries out: the id alone proves nothing, the hub chose what it
    /// shows under it.
    fn own_intent(&self, room: &Room, event: &CheckedEvent) -> Option<MessageId> {
        let (id, row): (MessageId, &IntentRow) = self.intents.by_message(event.message)?;
        let same = row.room == room.id.as_bytes().as_slice() && row.body_hash == event.body_hash.as_slice();
        same.then_some(id)
    }

    /// What came cannot be judged before something is fetched.
    pub(super) fn stall(&mut self, room: &mut Room) {
        if !room.behind {
            room.behind = true;
            self.stage.rooms.insert(room.id);
            self.stage.notify(Notice::Room(room.id));
        }
        let later = self.now.plus_ms(31_000);
        room.stalled_until = Some(later);
        self.wake_for(later, room.id);
    }

    /// Nothing more goes in or out: what happened breaks the rules.
    pub(super) fn pause(&mut self, room: &mut Room, error: ErrorCode) {
        room.paused = Some(error);
        self.stage.rooms.insert(room.id);
        self.stage.notify(Notice::Paused { room: room.id, error });
        self.fail_all(room, error);
    }

    /// A commit that the hub has ordered is refused here: say so and go no further (rule R9, and no
    /// silent fork).
    pub(super) fn refuse(&mut self, room: &mut Room, event: &CheckedEvent, error: ErrorCode) -> Flow {
        self.pause(room, error);
        self.nack(room, event.seq);
        Flow::Ended
    }

    /// Says in the log that this device cannot follow an event, once.
    pub(super) fn nack(&mut self, room: &mut Room, seq: u64) {
        if seq > room.nacked {
            room.nacked = seq;
            self.stage.rooms.insert(room.id);
            self.submit_nack(room, seq);
        }
    }

    /// Compares what a member says of its history with this device's own, whose end is the event
    /// before the one that says it. A head from beyond that end is another history: the member had
    /// applied an event that here has not been ordered yet. A difference is told and kept, and does
    /// not pause the room: it is a member's bare word, and any member could stop the room with it.
    pub(super) fn compare_heads(
        &mut self,
        room: &mut Room,
        account: &wire::Account,
        (seq, hash): (u64, &[u8]),
    ) {
        let own = room.hash_at(seq);
        if seq <= room.head_seq && own.is_none() {
            return;
        }
        if own.is_some_and(|own| own.as_slice() == hash) {
            if let Some(member) = room.members.get_mut(account) {
                member.delivered = member.delivered.max(seq);
            }
        } else if !room.forks.contains_key(account) && room.forks.len() < FORKS_KEPT {
            room.forks.insert(account.clone(), seq);
            self.stage.rosters.insert(room.id);
            let warning =
                Warning::ForkedLog { room: room.id, account: account.clone(), seq: room.place(seq) };
            self.stage.notify(Notice::Warning(warning));
            self.stage.notify(Notice::Room(room.id));
        }
    }
}
