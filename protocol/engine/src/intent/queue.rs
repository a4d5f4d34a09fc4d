//! The intents of this device: by name, by the id under which each was submitted, and in order.

use std::collections::{BTreeMap, BTreeSet};

use machine::Entropy;
use wire::{ErrorCode, MessageId, RoomId, limits, proto};

use crate::{
    CommandId, Engine, Notice,
    record::{IntentKind, IntentRow, Progressed},
    room::Room,
};

/// The most intents that a device keeps.
const INTENTS_MAX: usize = 10_000;
/// The most failed messages that are kept for the user to see. All that a lost room may have taken out of
/// its timeline fit ([ROOM-41]).
const FAILED_MAX: usize = 2 * limits::ROOM_RECALLED_MAX;

/// The intents of this device.
#[derive(Default)]
pub(crate) struct Intents {
    rows: BTreeMap<MessageId, IntentRow>,
    by_message: BTreeMap<MessageId, MessageId>,
    by_room: BTreeMap<RoomId, BTreeSet<MessageId>>,
    commands: BTreeMap<MessageId, CommandId>,
    last_number: u64,
    /// Key packages that were claimed.
    pub(crate) claimed: BTreeMap<MessageId, proto::ClaimedKeyPackages>,
    /// Claims on their way.
    pub(crate) claiming: BTreeSet<MessageId>,
    /// Rooms whose group was asked for, by intent.
    pub(crate) asking: BTreeSet<MessageId>,
    /// Groups as their hubs show them, until they are judged.
    pub(crate) shown: BTreeMap<MessageId, proto::GroupState>,
    /// Submissions to send again, by intent.
    pub(crate) resend: BTreeSet<MessageId>,
    /// Messages of which a node said that their epoch is past.
    pub(crate) stale: BTreeSet<MessageId>,
}

impl Intents {
    /// Those that were stored, each in its room's queue.
    pub(crate) fn load(
        mut rows: Vec<IntentRow>,
        rooms: &mut BTreeMap<RoomId, Room>,
    ) -> Result<Self, ErrorCode> {
        rows.sort_by_key(|row| row.number);
        let mut intents = Self::default();
        for row in rows {
            let id = MessageId::try_from(row.intent.as_ref())?;
            let room = rooms.get_mut(&RoomId::try_from(row.room.as_ref())?);
            let room = room.ok_or(ErrorCode::Malformed)?;
            match (row.progressed(), row.kind()) {
                (Progressed::Waiting, _) => room.waiting.push_back(id),
                (Progressed::Submitted, IntentKind::Message) => room.unaccepted += 1,
                (Progressed::Submitted | Progressed::Accepted, kind) if is_handshake(kind) => {
                    room.flight = Some(id);
                }
                _ => {}
            }
            if row.stale {
                intents.stale.insert(id);
            }
            intents.last_number = intents.last_number.max(row.number);
            intents.put(id, room.id, row);
        }
        Ok(intents)
    }

    /// The intent with this name.
    pub(crate) fn get(&self, id: MessageId) -> Option<&IntentRow> {
        self.rows.get(&id)
    }

    /// The intent that was submitted under this id.
    pub(crate) fn by_message(&self, message: MessageId) -> Option<(MessageId, &IntentRow)> {
        let id = *self.by_message.get(&message)?;
        Some((id, self.rows.get(&id)?))
    }

    /// The intents of a room, in no particular order.
    pub(crate) fn of(&self, room: RoomId) -> impl Iterator<Item = &IntentRow> {
        let ids = self.by_room.get(&room).into_iter().flatten();
        ids.filter_map(|id| self.rows.get(id))
    }

    /// All submissions that no node has accepted.
    pub(crate) fn submitted(&self) -> Vec<MessageId> {
        let mut found: Vec<(u64, MessageId)> = self
            .rows
            .iter()
            .filter(|(_, row)| row.progressed() == Progressed::Submitted)
            .map(|(id, row)| (row.number, *id))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// Everything that was accepted may be lost: it is to be sent again.
    pub(crate) fn unaccept(&mut self) {
        for row in self.rows.values_mut().filter(|row| row.progressed() == Progressed::Accepted) {
            row.set_progressed(Progressed::Submitted);
        }
    }

    /// Whether it is an intent to leave.
    pub(crate) fn is_leave(&self, id: MessageId) -> bool {
        self.get(id).is_some_and(|row| row.kind() == IntentKind::Leave)
    }

    fn put(&mut self, id: MessageId, room: RoomId, row: IntentRow) {
        if let Ok(message) = MessageId::try_from(row.message.as_ref()) {
            self.by_message.insert(message, id);
        }
        self.by_room.entry(room).or_default().insert(id);
        self.rows.insert(id, row);
    }

    fn remove(&mut self, id: MessageId) -> Option<IntentRow> {
        let row = self.rows.remove(&id)?;
        if let Ok(message) = MessageId::try_from(row.message.as_ref()) {
            self.by_message.remove(&message);
        }
        if let Ok(room) = RoomId::try_from(row.room.as_ref())
            && let Some(ids) = self.by_room.get_mut(&room)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_room.remove(&room);
            }
        }
        self.claimed.remove(&id);
        self.claiming.remove(&id);
        self.asking.remove(&id);
        self.shown.remove(&id);
        self.resend.remove(&id);
        self.stale.remove(&id);
        Some(row)
    }
}

impl<E: Entropy> Engine<E> {
    /// Stores an intent at the end of its room's queue, or, if it must come first, at its front. It gets
    /// a new name if it has none.
    ///
    /// # Errors
    /// `Quota` if too many wait already.
    pub(crate) fn push_intent(
        &mut self,
        room: &mut Room,
        mut row: IntentRow,
        command: Option<CommandId>,
        first: bool,
    ) -> Result<MessageId, ErrorCode> {
        if self.intents.rows.len() >= INTENTS_MAX {
            return Err(ErrorCode::Quota);
        }
        let id = row.intent.as_ref().try_into().unwrap_or_else(|_| self.new_id());
        self.intents.last_number += 1;
        row.intent = id.to_bytes();
        row.room = room.id.to_bytes();
        row.number = self.intents.last_number;
        row.since_ms = self.now.as_ms();
        self.intents.put(id, room.id, row);
        if first {
            room.waiting.push_front(id);
        } else {
            room.waiting.push_back(id);
        }
        if let Some(command) = command {
            if room.refused.take().is_some() {
                self.stage.rooms.insert(room.id);
            }
            self.intents.commands.insert(id, command);
            self.stage.notify(Notice::Queued { command, intent: id, room: room.id });
        }
        self.stage.intents.insert(id);
        self.touched.insert(room.id);
        Ok(id)
    }

    /// Changes an intent.
    pub(crate) fn change_intent(&mut self, id: MessageId, change: impl FnOnce(&mut IntentRow)) {
        let Some(row) = self.intents.rows.get_mut(&id) else { return };
        if let Ok(message) = MessageId::try_from(row.message.as_ref()) {
            self.intents.by_message.remove(&message);
        }
        change(row);
        if let Ok(message) = MessageId::try_from(row.message.as_ref()) {
            self.intents.by_message.insert(message, id);
        }
        self.stage.intents.insert(id);
    }

    /// Nothing was derived from an intent, and it comes after all others. If it was submitted, it goes
    /// again by the same id.
    pub(crate) fn begin_again(&mut self, id: MessageId) {
        self.intents.last_number += 1;
        let number = self.intents.last_number;
        self.change_intent(id, |row| {
            row.number = number;
            row.set_progressed(Progressed::Waiting);
            row.submission = None;
            row.body_hash.clear();
            row.stale = false;
            row.tries = 0;
        });
        self.intents.resend.remove(&id);
        self.intents.stale.remove(&id);
    }

    /// Takes note that the home node owns an intent's delivery: in memory only, for sending it once
    /// more after a restart is harmless.
    pub(crate) fn note_accepted(&mut self, id: MessageId) {
        if let Some(row) = self.intents.rows.get_mut(&id) {
            row.set_progressed(Progressed::Accepted);
        }
    }

    /// The intent is over.
    pub(crate) fn drop_intent(&mut self, id: MessageId) -> Option<(IntentRow, Option<CommandId>)> {
        let row = self.intents.remove(id)?;
        self.stage.intents.insert(id);
        Some((row, self.intents.commands.remove(&id)))
    }

    /// The intent has failed and stays for the user to see, unless too many do.
    pub(crate) fn keep_failed(&mut self, id: MessageId, error: ErrorCode) -> Option<CommandId> {
        self.change_intent(id, |row| {
            row.set_progressed(Progressed::Failed);
            row.submission = None;
            row.stale = false;
            row.error = error.code();
        });
        self.intents.resend.remove(&id);
        self.intents.stale.remove(&id);
        let mut failed: Vec<(u64, MessageId)> = self
            .intents
            .rows
            .iter()
            .filter(|(_, row)| row.progressed() == Progressed::Failed)
            .map(|(id, row)| (row.number, *id))
            .collect();
        if failed.len() > FAILED_MAX {
            failed.sort_unstable();
            if let Some((_, oldest)) = failed.first() {
                self.drop_intent(*oldest);
            }
        }
        self.intents.commands.remove(&id)
    }
}

/// Whether at most one of these may be on its way in a room.
pub(super) fn is_handshake(kind: IntentKind) -> bool {
    !matches!(kind, IntentKind::Message | IntentKind::Unspecified) && !kind.is_said_once()
}
