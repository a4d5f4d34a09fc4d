//! A message whose epoch is past, as a node says: the log decides whether it may go again under
//! another id, for a node could say so of a message that it has passed on.

use machine::Entropy;
use wire::{ErrorCode, MessageId, WireError, limits};

use crate::{
    Engine,
    record::{IntentRow, Progressed},
    room::Room,
};

/// Between the tries of a room's messages lie at least this many milliseconds.
const REST_MS: u64 = 250;

/// The newest epoch in which a message of this epoch is still ordered ([ROOM-14]).
pub(crate) const fn last_epoch(epoch: u64) -> u64 {
    epoch.saturating_add(limits::EPOCHS_ACCEPTED_BACK as u64)
}

impl<E: Entropy> Engine<E> {
    /// A node says that the hub does not order a message because its epoch is past.
    pub(super) fn stale(&mut self, room: &mut Room, intent: MessageId, error: WireError) {
        self.change_intent(intent, |row| row.stale = true);
        self.intents.stale.insert(intent);
        if error.value > room.epoch {
            self.fall_behind(room);
        }
        self.encrypt_stale(room);
    }

    /// Encrypts what was refused as stale again, as soon as the log shows that no hub may order the
    /// first ciphertext any more. If it was ordered before, the log has shown that too, and there is
    /// no intent left.
    pub(super) fn encrypt_stale(&mut self, room: &mut Room) {
        let mut past: Vec<(u64, MessageId)> = self
            .intents
            .stale
            .iter()
            .filter_map(|id| Some((*id, self.intents.get(*id)?)))
            .filter(|(_, row)| row.room == room.id.as_bytes().as_slice() && is_past(room, row))
            .map(|(id, row)| (row.number, id))
            .collect();
        past.sort_unstable();
        for (_, intent) in past {
            self.encrypt_again(room, intent);
        }
    }

    fn encrypt_again(&mut self, room: &mut Room, intent: MessageId) {
        self.intents.stale.remove(&intent);
        let Some(row) = self.intents.get(intent) else { return };
        let tries = usize::try_from(row.tries).unwrap_or(usize::MAX);
        if row.progressed() == Progressed::Submitted {
            room.unaccepted = room.unaccepted.saturating_sub(1);
        }
        if tries >= limits::COMMIT_TRIES_MAX {
            return self.fail_message(room, intent, ErrorCode::StaleEpoch.into());
        }
        self.change_intent(intent, |row| {
            row.set_progressed(Progressed::Waiting);
            row.message.clear();
            row.submission = None;
            row.stale = false;
        });
        let number = |id: &MessageId| self.intents.get(*id).map_or(0, |row| row.number);
        let own = number(&intent);
        let place = room.waiting.iter().position(|other| number(other) > own);
        room.waiting.insert(place.unwrap_or(room.waiting.len()), intent);
        let at = self.now.plus_ms(REST_MS + self.jitter_ms(REST_MS));
        room.rest_until = room.rest_until.max(at);
        self.wake_for(at, room.id);
        self.touched.insert(room.id);
    }
}

fn is_past(room: &Room, row: &IntentRow) -> bool {
    row.submission.as_ref().is_some_and(|submission| last_epoch(submission.epoch) < room.epoch)
}
