//! What becomes of a submission: accepted, refused, to be sent again; and the last word about an
//! intent.

use machine::Entropy;
use prost::Message as _;
use wire::{
    ErrorCode, MessageId, RoomId, WireError,
    proto::{
        CommitNack, EventKind, HubNotice, PeerPhase, PeerState, Submission, client_request::Request,
        hub_notice,
    },
};

use super::queue::is_handshake;
use crate::{
    Engine, Notice, Outcome,
    record::{IntentKind, IntentRow, Progressed, RoomPhase},
    request::Purpose,
    room::Room,
    view::Delivery,
};

/// A submission that a node could not take is sent again after at least this many milliseconds.
const RESEND_MS: u64 = 1_000;

impl<E: Entropy> Engine<E> {
    /// Sends an intent's submission as it is stored.
    pub(super) fn send_submission(&mut self, intent: MessageId) {
        let Some(row) = self.intents.get(intent) else { return };
        let (Some(submission), Ok(message)) = (row.submission.clone(), row.message.as_ref().try_into())
        else {
            return;
        };
        self.request(Purpose::Submit(message), Request::Submit(submission));
    }

    /// Sends all that was submitted and that no node has accepted, with the same ids.
    pub(crate) fn resubmit(&mut self) {
        self.intents.resend.clear();
        for intent in self.intents.submitted() {
            let room = self.intents.get(intent).and_then(|row| row.room.as_ref().try_into().ok());
            if !room.and_then(|room: RoomId| self.rooms.get(&room)).is_some_and(Room::is_held) {
                self.send_submission(intent);
            }
        }
    }

    /// Sends a room's submissions again that a node could not take.
    pub(super) fn resend(&mut self, room: &Room) {
        let rests = room.rest_until > self.now || room.is_held();
        if rests || self.intents.resend.is_empty() || !self.caught_up() {
            return;
        }
        let due: Vec<MessageId> = self
            .intents
            .resend
            .iter()
            .copied()
            .filter(|id| self.intents.get(*id).is_some_and(|row| row.room == room.id.as_bytes().as_slice()))
            .collect();
        for intent in due {
            self.intents.resend.remove(&intent);
            self.send_submission(intent);
        }
    }

    pub(crate) fn accepted(&mut self, message: MessageId) {
        let Some((intent, row)) = self.intents.by_message(message) else { return };
        if row.progressed() != Progressed::Submitted {
            return;
        }
        let (kind, quiet) = (row.kind(), row.quiet);
        let Ok(room) = RoomId::try_from(row.room.as_ref()) else { return };
        self.note_accepted(intent);
        match kind {
            IntentKind::Message => {
                if let Some(found) = self.rooms.get_mut(&room) {
                    found.unaccepted = found.unaccepted.saturating_sub(1);
                    if !found.waiting.is_empty() {
                        self.touched.insert(room);
                    }
                }
                if !quiet {
                    let state = Delivery::Accepted;
                    self.stage.notify(Notice::Delivery { room, intent, message, state });
                }
            }
            kind if kind.is_said_once() => {
                self.drop_intent(intent);
            }
            _ => {}
        }
    }

    /// A submission was refused, by the own node or later, as it says, by the hub.
    pub(crate) fn submit_failed(&mut self, message: MessageId, error: WireError, by_hub: bool) {
        let Some((intent, row)) = self.intents.by_message(message) else { return };
        let (kind, progressed) = (row.kind(), row.progressed());
        let Ok(id) = RoomId::try_from(row.room.as_ref()) else { return };
        // What waits was not submitted since the room was founded anew.
        if matches!(progressed, Progressed::Failed | Progressed::Waiting) {
            return;
        }
        self.with_room(id, |engine, room| {
            let unknown = error.code == ErrorCode::NotFound && !kind.is_said_once();
            let said = by_hub || engine.is_hub_of(room) || kind == IntentKind::Leave;
            if unknown && said && room.phase == RoomPhase::Joined {
                return engine.missing_at_hub(room);
            }
            let over = !error.code.retryable() && error.code != ErrorCode::StaleEpoch;
            if kind == IntentKind::Message && progressed == Progressed::Submitted && over {
                room.unaccepted = room.unaccepted.saturating_sub(1);
            }
            match (kind, error.code) {
                (kind, _) if kind.is_said_once() => {
                    engine.drop_intent(intent);
                }
                (IntentKind::Message, ErrorCode::StaleEpoch) => engine.stale(room, intent, error),
                (IntentKind::Found, ErrorCode::Conflict) => engine.founding_lost(room),
                // [ROOM-29] Too many rooms: waiting changes nothing.
                (IntentKind::Found, ErrorCode::Quota) if engine.is_hub_of(room) => {
                    engine.submission_refused(room, intent, kind, error);
                }
                (kind, ErrorCode::StaleEpoch | ErrorCode::Conflict)
                    if is_handshake(kind) && room.flight == Some(intent) =>
                {
                    engine.race_lost(room, intent);
                    if error.value > room.epoch {
                        engine.fall_behind(room);
                    }
                }
                (_, code) if code.retryable() && progressed == Progressed::Submitted => {
                    let at = engine.now.plus_ms(error.retry_after_ms.max(RESEND_MS));
                    engine.intents.resend.insert(intent);
                    room.rest_until = room.rest_until.max(at);
                    engine.wake_for(at, id);
                }
                _ => engine.submission_refused(room, intent, kind, error),
            }
        });
        self.touched.insert(id);
    }

    fn submission_refused(&mut self, room: &mut Room, intent: MessageId, kind: IntentKind, error: WireError) {
        if kind == IntentKind::Message {
            return self.fail_message(room, intent, error);
        }
        if room.flight == Some(intent) {
            room.flight = None;
            self.take_back(room);
        }
        let code = error.code;
        self.give_up(room, intent, error);
        if kind == IntentKind::Found {
            self.drop_group(room);
            room.members.clear();
            self.not_founded(room, code);
        }
    }

    /// The room did not come about, which is shown; what is said next tries anew.
    pub(super) fn not_founded(&mut self, room: &mut Room, code: ErrorCode) {
        self.fail_all(room, code);
        room.phase = RoomPhase::Wanted;
        room.refused = Some(code);
        self.stage.rooms.insert(room.id);
        self.stage.notify(Notice::Room(room.id));
    }

    /// A message will never be ordered; it stays for the user to see.
    pub(super) fn fail_message(&mut self, room: &Room, intent: MessageId, error: WireError) {
        let Some(row) = self.intents.get(intent) else { return };
        if row.quiet {
            self.drop_intent(intent);
            return;
        }
        let message = row.message.as_ref().try_into().unwrap_or(intent);
        let command = self.keep_failed(intent, error.code);
        let state = Delivery::Failed(error.code);
        self.stage.notify(Notice::Delivery { room: room.id, intent, message, state });
        self.stage.notify(Notice::Finished { command, intent: Some(intent), result: Err(error) });
    }

    /// Nothing that is wanted in a room will happen.
    pub(crate) fn fail_all(&mut self, room: &mut Room, error: ErrorCode) {
        let mut open: Vec<(u64, MessageId, IntentKind)> = self
            .intents
            .of(room.id)
            .filter(|row| row.progressed() != Progressed::Failed && !row.kind().is_said_once())
            .filter_map(|row| Some((row.number, row.intent.as_ref().try_into().ok()?, row.kind())))
            .collect();
        open.sort_unstable();
        for (_, intent, kind) in open {
            if kind == IntentKind::Message {
                self.fail_message(room, intent, error.into());
            } else {
                self.finish_error(intent, error.into());
            }
        }
        room.waiting.clear();
        room.flight = None;
        room.unaccepted = 0;
    }

    /// Says in the room that this device could not follow a commit.
    pub(crate) fn submit_nack(&mut self, room: &mut Room, seq: u64) {
        let mut row = IntentRow { quiet: true, ..IntentRow::default() };
        row.set_kind(IntentKind::Nack);
        let Ok(intent) = self.push_intent(room, row, None, false) else { return };
        room.waiting.retain(|waiting| *waiting != intent);
        let nack = CommitNack {
            account: self.keys.account.to_string(),
            device_id: self.keys.device.to_bytes(),
            seq,
        };
        let notice = HubNotice { notice: Some(hub_notice::Notice::Nack(nack)) };
        let submission = Submission {
            room: room.id.to_bytes(),
            message_id: intent.to_bytes(),
            kind: EventKind::Notice.into(),
            epoch: room.epoch,
            body: notice.encode_to_vec().into(),
            account: self.keys.account.to_string(),
            device_id: self.keys.device.to_bytes(),
            ..Submission::default()
        };
        self.submit(intent, submission);
    }

    /// Another domain can be reached again: what waited for it need not wait longer.
    pub(crate) fn peer_moved(&mut self, state: &PeerState) {
        if state.phase() != PeerPhase::Connected {
            return;
        }
        for room in self.rooms.values_mut() {
            let concerned = room.hub.as_str() == state.domain
                || room.peer.as_ref().is_some_and(|peer| peer.domain().as_str() == state.domain);
            if concerned && room.rest_until > self.now {
                room.rest_until = self.now;
                self.touched.insert(room.id);
            }
        }
    }

    /// The last word about an intent.
    pub(crate) fn finish(&mut self, intent: MessageId, result: Result<Outcome, WireError>) {
        let Some((row, command)) = self.drop_intent(intent) else { return };
        if command.is_some() || !row.quiet {
            self.stage.notify(Notice::Finished { command, intent: Some(intent), result });
        }
    }

    /// The last word about an intent that failed.
    pub(crate) fn finish_error(&mut self, intent: MessageId, error: WireError) {
        self.finish(intent, Err(error));
    }
}
