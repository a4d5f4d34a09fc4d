//! Founding a room: a group at once, a direct room when the other side can be added; whoever loses
//! the race for a direct room waits to be added.

use machine::Entropy;
use prost::Message as _;
use room::{CheckedEvent, State, direct_room, group_room};
use wire::{
    Account, ErrorCode, MessageId, RoomId, limits,
    proto::{Content, EventKind, RoomInfo, RoomKind, Submission, content::Kind},
};

use super::worker::Step;
use crate::{
    CommandId, Engine, Notice, Outcome,
    record::{IntentKind, IntentRow, ItemKind, Progressed, RoomPhase},
    room::{Group, Room, roster},
};

impl<E: Entropy> Engine<E> {
    pub(super) fn create_room(
        &mut self,
        id: CommandId,
        name: String,
        topic: String,
        members: Vec<Account>,
    ) -> Result<(), ErrorCode> {
        let content = Content {
            version: 1,
            time_ms: self.now.as_ms(),
            kind: Some(Kind::RoomInfo(RoomInfo { name: name.clone(), topic: topic.clone() })),
            ..Content::default()
        };
        mls::content::check(&content)?;
        if members.len() >= limits::ROOM_DEVICES_MAX || self.rooms.len() >= limits::ROOMS_PER_ACCOUNT_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let own = self.keys.account.clone();
        let founding = self.new_id();
        let room_id = group_room(&own, &founding);
        let hub = own.domain().clone();
        let mut room = Room::new(room_id, hub.clone(), RoomKind::Group);
        (room.name, room.topic) = (name, topic);
        let mut accounts: Vec<String> =
            members.iter().filter(|account| **account != own).map(ToString::to_string).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let alone = accounts.is_empty();
        self.found(&mut room, founding, &State::group(room_id, hub, own), alone.then_some(id))?;
        if !alone {
            let mut add = IntentRow { accounts, ..IntentRow::default() };
            add.set_kind(IntentKind::Add);
            self.push_intent(&mut room, add, Some(id), false)?;
        }
        self.rooms.insert(room_id, room);
        self.stage.notify(Notice::Room(room_id));
        Ok(())
    }

    /// Makes the group and submits its founding.
    fn found(
        &mut self,
        room: &mut Room,
        founding: MessageId,
        state: &State,
        command: Option<CommandId>,
    ) -> Result<(), ErrorCode> {
        let (member, body) = mls::Member::found(&self.keys, &state.to_proto(), &mut self.entropy)?;
        let roster = roster(&member.leaves());
        room.group = Group::Live(Box::new(member));
        room.phase = RoomPhase::Founding;
        room.leaf_updated_ms = self.now.as_ms();
        self.adopt(room, &roster, state, 0);
        let mut row = IntentRow { quiet: command.is_none(), ..IntentRow::default() };
        row.set_kind(IntentKind::Found);
        let intent = self.push_intent(room, row, command, true)?;
        room.waiting.retain(|waiting| *waiting != intent);
        room.flight = Some(intent);
        let submission = Submission {
            room: room.id.to_bytes(),
            message_id: founding.to_bytes(),
            kind: EventKind::Founding.into(),
            body: body.encode_to_vec().into(),
            hub: room.hub.to_string(),
            account: self.keys.account.to_string(),
            device_id: self.keys.device.to_bytes(),
            ..Submission::default()
        };
        self.submit(intent, submission);
        self.stage.mls.insert(room.id);
        self.stage.rooms.insert(room.id);
        self.stage.rosters.insert(room.id);
        Ok(())
    }

    /// The direct room with an account; wanted from now on if there is none.
    ///
    /// # Errors
    /// `Malformed` for one's own account; `Conflict` if something else stands in its place; `Forbidden`
    /// if this account went out of it or declined it: only the other side can open it again.
    pub(super) fn direct_with(&mut self, account: &Account) -> Result<RoomId, ErrorCode> {
        if *account == self.keys.account {
            return Err(ErrorCode::Malformed);
        }
        let (id, hub) = direct_room(&self.keys.account, account);
        if let Some(room) = self.rooms.get_mut(&id) {
            if room.kind != RoomKind::Direct || room.peer.as_ref() != Some(account) {
                return Err(ErrorCode::Conflict);
            }
            if room.phase == RoomPhase::Left && room.stands_only_here() {
                room.phase = RoomPhase::Wanted;
                self.stage.rooms.insert(id);
            }
            return if room.phase == RoomPhase::Left { Err(ErrorCode::Forbidden) } else { Ok(id) };
        }
        if self.rooms.len() >= limits::ROOMS_PER_ACCOUNT_MAX {
            return Err(ErrorCode::Quota);
        }
        let invitation = self.invitations.get(&id);
        if invitation.is_some_and(|row| row.kind() != RoomKind::Direct) {
            return Err(ErrorCode::Conflict);
        }
        let invited = invitation.map(|row| row.answer);
        if invited.is_some_and(|answer| answer >= 2) {
            return Err(ErrorCode::Forbidden);
        }
        let mut room = Room::new(id, hub, RoomKind::Direct);
        room.peer = Some(account.clone());
        if invited.is_some() {
            room.phase = RoomPhase::Awaiting;
            self.answer_invitation(id, true)?;
        }
        self.rooms.insert(id, room);
        self.stage.rooms.insert(id);
        self.stage.rosters.insert(id);
        self.stage.notify(Notice::Room(id));
        Ok(id)
    }

    pub(super) fn open_direct(&mut self, id: CommandId, account: &Account) -> Result<(), ErrorCode> {
        let room = self.direct_with(account)?;
        let pushed = self.with_room(room, |engine, room| {
            if room.members.contains_key(account) || room.phase == RoomPhase::Awaiting {
                let (room, added, refused) = (room.id, Vec::new(), Vec::new());
                engine.finish_command(id, Ok(Outcome::Room { room, added, refused }));
                return Ok(());
            }
            engine.push_peer(room, Some(id))
        });
        pushed.unwrap_or(Err(ErrorCode::NotFound))
    }

    /// Wants the other account in a direct room.
    pub(crate) fn push_peer(&mut self, room: &mut Room, command: Option<CommandId>) -> Result<(), ErrorCode> {
        let peer = room.peer.as_ref().ok_or(ErrorCode::NotFound)?;
        let accounts = vec![peer.to_string()];
        let mut row = IntentRow { accounts, quiet: command.is_none(), ..IntentRow::default() };
        row.set_kind(IntentKind::Add);
        self.push_intent(room, row, command, true).map(drop)
    }

    /// The other side of a direct room can be added: now it is worth founding.
    pub(super) fn found_direct(&mut self, room: &mut Room) -> Step {
        let Some(peer) = room.peer.clone() else { return Step::Wait };
        let state = State::direct(&self.keys.account, &peer);
        let founding = self.new_id();
        match self.found(room, founding, &state, None) {
            Ok(()) => Step::Wait,
            Err(error) => {
                self.fail_all(room, error);
                Step::Wait
            }
        }
    }

    /// The own founding is in the log.
    pub(crate) fn founded(
        &mut self,
        room: &mut Room,
        event: &CheckedEvent,
        intent: MessageId,
    ) -> crate::room::Flow {
        room.phase = RoomPhase::Joined;
        room.refused = None;
        room.flight = None;
        room.base_seq = event.seq;
        room.note_entry(event.log_head().hash);
        let account = self.keys.account.clone();
        let of = std::collections::BTreeSet::from([account.clone()]);
        let by = Some((&account, self.keys.device));
        self.system_item(room, event, ItemKind::Founded, by, &of);
        let outcome = Outcome::Room { room: room.id, added: Vec::new(), refused: Vec::new() };
        self.finish(intent, Ok(outcome));
        self.stage.notify(Notice::Room(room.id));
        crate::room::Flow::Applied
    }

    /// Somebody else has founded this direct room: they add this account, and what waits goes on
    /// then.
    pub(crate) fn founding_lost(&mut self, room: &mut Room) {
        if room.phase != RoomPhase::Founding {
            return;
        }
        self.drop_group(room);
        room.phase = RoomPhase::Awaiting;
        room.members.clear();
        room.stored.clear();
        self.founding_overtaken(room);
        self.stage.rooms.insert(room.id);
        self.stage.rosters.insert(room.id);
        self.stage.notify(Notice::Room(room.id));
    }

    /// Founding the room and adding its other side are done by somebody else.
    pub(crate) fn founding_overtaken(&mut self, room: &mut Room) {
        let mut over: Vec<MessageId> = room.flight.take().into_iter().collect();
        over.extend(
            room.waiting
                .iter()
                .copied()
                .filter(|id| self.intents.get(*id).is_some_and(|row| row.kind() == IntentKind::Add)),
        );
        room.waiting.retain(|id| !over.contains(id));
        for intent in over {
            let outcome = Outcome::Room { room: room.id, added: Vec::new(), refused: Vec::new() };
            self.finish(intent, Ok(outcome));
        }
    }

    /// Puts a submission of an intent on its way.
    pub(super) fn submit(&mut self, intent: MessageId, submission: Submission) {
        let body_hash = body_hash(&submission);
        self.change_intent(intent, |row| {
            row.message = submission.message_id.clone();
            row.body_hash = body_hash;
            row.tries += 1;
            row.set_progressed(Progressed::Submitted);
            row.submission = Some(submission);
        });
        self.send_submission(intent);
    }
}

fn body_hash(submission: &Submission) -> bytes::Bytes {
    use sha2::Digest as _;
    bytes::Bytes::copy_from_slice(&sha2::Sha256::digest(&submission.body))
}
