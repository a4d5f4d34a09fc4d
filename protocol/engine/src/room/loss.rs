//! [ROOM-41] A room that its hub does not know any more: it was restored from a backup that is older
//! than the room. A direct room inside one domain is founded anew, under the same id and with the same
//! two accounts; what the other side may not have goes again by the same ids, and what it has is not
//! shown twice. Any other room stops, and says so.

use machine::Entropy;
use room::chain;
use wire::{
    ErrorCode, MessageId, RoomId, limits,
    proto::{Event, EventKind, Join, RoomKind, content::Kind},
};

use super::{Room, join::place};
use crate::{
    Engine, Notice, Outcome,
    record::{IntentKind, IntentRow, ItemKind, MessageRow, PastRow, Progressed, RoomPhase},
    request::Purpose,
};

/// A node that knows another room by the same id is asked again after this many milliseconds.
const ASK_AGAIN_MS: u64 = 10_000;

/// A timeline whose places go beyond this is not continued: a hub may sign any seq, and places count on.
const PLACES_MAX: u64 = 1 << 48;

impl<E: Entropy> Engine<E> {
    /// Whether one's own node orders a room, so that what it does not know is known nowhere.
    pub(crate) fn is_hub_of(&self, room: &Room) -> bool {
        room.hub == *self.keys.account.domain()
    }

    /// The hub of a room that this device is in says that it does not know it.
    pub(crate) fn missing_at_hub(&mut self, room: &mut Room) {
        if room.phase != RoomPhase::Joined || room.recalling {
            return;
        }
        if self.leave_unknown(room) {
            return;
        }
        if self.may_found_anew(room) {
            return self.begin_anew(room);
        }
        if room.paused.is_none() {
            self.own_item(room, ItemKind::Gone);
            self.pause(room, ErrorCode::NotFound);
        }
    }

    /// There is nothing left to go out of: whoever wants to is out.
    fn leave_unknown(&mut self, room: &mut Room) -> bool {
        let leaves: Vec<MessageId> = self
            .intents
            .of(room.id)
            .filter(|row| row.kind() == IntentKind::Leave)
            .filter_map(|row| row.intent.as_ref().try_into().ok())
            .collect();
        for intent in &leaves {
            self.finish_done(*intent);
        }
        if leaves.is_empty() {
            return false;
        }
        let past = self.past_of(room);
        self.go_out(room);
        if self.may_found_anew(room) {
            room.start_over(past);
            room.phase = RoomPhase::Left;
            self.stage.rosters.insert(room.id);
        }
        true
    }

    /// Only one's own node can say that it has lost a room, and only the keys that are pinned for the
    /// other account get into the new one: both sides find it by themselves.
    fn may_found_anew(&self, room: &Room) -> bool {
        let own = self.keys.account.domain();
        room.kind == RoomKind::Direct
            && self.is_hub_of(room)
            && room.peer.as_ref().is_some_and(|peer| peer.domain() == own)
            && room.past.len() < limits::ROOM_LOSSES_MAX
            && room.place(room.head_seq) < PLACES_MAX
    }

    /// Whether a `Join` to a room that this device is in shows that the other side has founded it anew:
    /// the hub has signed another second event than the one that is known.
    pub(super) fn is_founded_anew(&self, id: RoomId, join: &Join) -> bool {
        let Some(room) = self.rooms.get(&id) else { return false };
        let fits = room.phase == RoomPhase::Joined
            && self.may_found_anew(room)
            && room.peer.as_ref().is_some_and(|peer| peer.as_str() == join.inviter)
            && !(room.bases.is_empty() && room.base_seq == 2);
        let (true, Ok((_, hub, 2)), Some(event)) = (fits, place(join), &join.commit) else { return false };
        let Some(keys) = self.trust.domains.event_keys(&room.hub) else { return false };
        let Ok(event) = chain::check(&id, &room.hub, keys, event) else { return false };
        let head = event.log_head();
        hub == room.hub
            && (event.kind, event.epoch) == (EventKind::Commit, 0)
            && !room.came_in_by(&head.hash)
            && room.hash_at(head.seq) != Some(head.hash)
    }

    /// Means to found a room anew: what was said in it is asked of the store first. Nothing goes in or
    /// out meanwhile.
    pub(super) fn begin_anew(&mut self, room: &mut Room) {
        if room.recalling || self.leave_unknown(room) {
            return;
        }
        room.recalling = true;
        room.pulling = false;
        let submitted: Vec<MessageId> =
            self.intents.of(room.id).filter_map(|row| row.message.as_ref().try_into().ok()).collect();
        let id = room.id;
        self.requests.void(|purpose| {
            matches!(purpose, Purpose::Submit(message) if submitted.contains(message))
                || matches!(purpose, Purpose::Pull(room) | Purpose::Group(room, _) if *room == id)
        });
        self.stage.recall(room.id);
    }

    /// The newest items of a room that is to be founded anew.
    pub(crate) fn recalled(&mut self, id: RoomId, rows: &[MessageRow]) {
        self.with_room(id, |engine, room| {
            let begun = std::mem::take(&mut room.recalling) && room.phase == RoomPhase::Joined;
            if begun && !engine.leave_unknown(room) {
                engine.start_anew(room, rows);
            }
        });
        self.touched.insert(id);
    }

    fn start_anew(&mut self, room: &mut Room, rows: &[MessageRow]) {
        let past = self.past_of(room);
        let queue = self.queue_again(room, rows, past.delivered);
        // What could not be read may have come by any id that somebody liked.
        room.heard = rows
            .iter()
            .filter(|row| !row.own && row.to_content().is_some())
            .rev()
            .take(limits::ROOM_RECALLED_MAX)
            .filter_map(|row| row.message.as_ref().try_into().ok())
            .collect();
        self.own_item(room, ItemKind::Refounded);
        room.start_over(past);
        self.drop_group(room);
        room.waiting.extend(queue);
        if let Err(error) = self.push_peer(room, None) {
            self.passed(error);
        }
        self.stage.rooms.insert(room.id);
        self.stage.rosters.insert(room.id);
        self.stage.notify(Notice::Room(room.id));
    }

    /// How far the other side was.
    fn past_of(&self, room: &Room) -> PastRow {
        let until = room.place(room.head_seq);
        let peer = room.peer.as_ref().and_then(|peer| room.members.get(peer));
        let (delivered, read) = peer.map_or((until, until), |peer| {
            (room.place(peer.delivered.max(peer.read)), room.place(peer.read))
        });
        PastRow { until, delivered, read }
    }

    /// What goes again, in order: what was ordered and the other side is not known to have, then what
    /// was not ordered. What the group was to be is over; it is made anew.
    fn queue_again(&mut self, room: &mut Room, rows: &[MessageRow], delivered: u64) -> Vec<MessageId> {
        let mut open: Vec<(u64, MessageId)> = Vec::new();
        let mut over: Vec<MessageId> = Vec::new();
        for row in self.intents.of(room.id).filter(|row| row.progressed() != Progressed::Failed) {
            let Ok(intent) = row.intent.as_ref().try_into() else { continue };
            if is_said(row) {
                open.push((row.number, intent));
            } else {
                over.push(intent);
            }
        }
        for intent in over {
            let (added, refused) = (Vec::new(), Vec::new());
            self.finish(intent, Ok(Outcome::Room { room: room.id, added, refused }));
        }
        let mut queue = Vec::new();
        for row in rows.iter().filter(|row| row.own && row.seq > delivered) {
            queue.extend(self.say_again(room, row));
        }
        open.sort_unstable();
        for (_, intent) in open {
            self.begin_again(intent);
            queue.push(intent);
        }
        queue
    }

    /// An own message goes again under its id, and leaves its place for the one that it gets.
    fn say_again(&mut self, room: &mut Room, row: &MessageRow) -> Option<MessageId> {
        if row.device != self.keys.device.to_bytes() {
            return None;
        }
        let mut again = IntentRow {
            intent: if row.intent.is_empty() { row.message.clone() } else { row.intent.clone() },
            message: row.message.clone(),
            content: Some(row.to_content()?),
            ..IntentRow::default()
        };
        again.set_kind(IntentKind::Message);
        let intent = self.push_intent(room, again, None, false).ok()?;
        self.stage.gone(row);
        Some(intent)
    }

    /// What this device has to say of a room, at the place after the end of its log.
    fn own_item(&mut self, room: &Room, kind: ItemKind) {
        let mut row = MessageRow {
            room: room.id.to_bytes(),
            seq: room.place(room.head_seq).saturating_add(1),
            message: self.new_id().to_bytes(),
            time_ms: self.now.as_ms(),
            ..MessageRow::default()
        };
        row.set_kind(kind);
        self.item(room, row);
    }

    /// What the node knows by the id of a room of which it was not sure: the event with which this
    /// device came in, or something else. If it is another room, a `Join` says so and is on its way.
    pub(super) fn cleared_up(&mut self, room: &mut Room, events: &[Event], end: bool) {
        // A room of several domains may come back from one of the others; of one domain there is nobody.
        let only_here = room.members.keys().all(|account| account.domain() == self.keys.account.domain());
        if events.is_empty() && end && only_here {
            room.doubted = false;
            return self.missing_at_hub(room);
        }
        let shown = events.first().and_then(|event| chain::read(event).ok()).map(|event| event.log_head());
        let known = room.bases.back().copied().or_else(|| room.hash_at(room.base_seq));
        let same = shown
            .is_some_and(|shown| shown.seq == room.base_seq && known.is_none_or(|known| known == shown.hash));
        if same {
            room.doubted = false;
            self.touched_again(room);
        } else {
            let later = self.now.plus_ms(ASK_AGAIN_MS);
            room.rest_until = room.rest_until.max(later);
            self.wake_for(later, room.id);
        }
        self.stage.rooms.insert(room.id);
    }

    /// What was held back goes out.
    fn touched_again(&mut self, room: &Room) {
        self.touched.insert(room.id);
        let held: Vec<MessageId> = self
            .intents
            .of(room.id)
            .filter(|row| row.progressed() == Progressed::Submitted)
            .filter_map(|row| row.intent.as_ref().try_into().ok())
            .collect();
        self.intents.resend.extend(held);
    }

    /// The node has another store than before: whether it still knows the rooms that it orders is asked.
    pub(crate) fn doubt_rooms(&mut self) {
        let own = self.keys.account.domain();
        for room in self.rooms.values_mut() {
            if room.hub != *own || room.phase != RoomPhase::Joined {
                continue;
            }
            if room.paused == Some(ErrorCode::NotFound) {
                room.paused = None;
            }
            let open = room.paused.is_none();
            (room.behind, room.doubted) = (room.behind || open, room.doubted || open);
            self.stage.rooms.insert(room.id);
            self.touched.insert(room.id);
        }
    }
}

/// Whether it is something that a person has said. How far somebody has read is said of places that are
/// no more.
fn is_said(row: &IntentRow) -> bool {
    let receipt = row.content.as_ref().is_some_and(|content| matches!(content.kind, Some(Kind::Read(_))));
    row.kind() == IntentKind::Message && !receipt
}

impl Room {
    /// Whether nothing of it may be sent now: it is not sure that the hub knows this very room.
    pub(crate) const fn is_held(&self) -> bool {
        self.doubted || self.recalling
    }

    /// Whether this account went out of it when its hub had lost it: the hub keeps nobody out.
    pub(crate) const fn stands_only_here(&self) -> bool {
        self.offset > 0 && self.head_seq == 0
    }

    /// Nothing of its log and group counts any more; its timeline goes on after one place for what was
    /// lost.
    fn start_over(&mut self, past: PastRow) {
        let fresh = Self::new(self.id, self.hub.clone(), self.kind);
        let old = std::mem::replace(self, fresh);
        self.offset = past.until.saturating_add(1);
        self.past = old.past;
        self.past.push(past);
        self.peer = old.peer;
        self.read_seq = old.read_seq;
        self.last_text_seq = old.last_text_seq;
        self.heard = old.heard;
        self.bases = old.bases;
        self.group = old.group;
        self.group_keys = old.group_keys;
    }
}
