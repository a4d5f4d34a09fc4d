//! Commits other than adds: removals, roles, others' leaves, new keys for the own leaf; and the
//! proposal to leave. What the room is to be afterwards is derived anew at each try (rule R4).

use std::collections::BTreeSet;

use machine::Entropy;
use room::{CheckedEvent, State, policy};
use wire::{
    Account, ErrorCode, MessageId, WireError, limits,
    proto::{
        CommitExtras, Content, EventKind, MessageBinding, RoomInfo, RoomKind, Submission, content::Kind,
    },
};

use super::worker::Step;
use crate::{
    Engine, Outcome,
    record::{IntentKind, IntentRow, Progressed, RoomPhase},
    room::{Room, roster},
};

/// Others' leaves that could not be carried out are tried again within this many milliseconds.
const SETTLE_AGAIN_MS: u64 = 60_000;

/// A lost race is run again after about this many milliseconds, then twice as many, and so on.
const RACE_MS: u64 = 50;
/// The same of coming back into the room.
const RETURN_RACE_MS: u64 = 400;

impl<E: Entropy> Engine<E> {
    pub(super) fn change(&mut self, room: &mut Room, intent: MessageId) -> Step {
        let Some(row) = self.intents.get(intent) else { return Step::Next };
        let accounts: BTreeSet<Account> = row.accounts.iter().filter_map(|name| name.parse().ok()).collect();
        let (done, remove) = match row.kind() {
            IntentKind::Remove => {
                let here: Vec<Account> =
                    accounts.iter().filter(|account| room.members.contains_key(*account)).cloned().collect();
                (here.is_empty(), here)
            }
            IntentKind::Settle => (!room.unsettled(), Vec::new()),
            IntentKind::Promote => {
                (accounts.iter().all(|one| room.members.get(one).is_none_or(|one| one.admin)), Vec::new())
            }
            IntentKind::Demote => {
                (accounts.iter().all(|one| room.members.get(one).is_none_or(|one| !one.admin)), Vec::new())
            }
            _ => (false, Vec::new()),
        };
        if done {
            self.finish_done(intent);
            return Step::Next;
        }
        self.commit(room, intent, mls::Change { remove, ..mls::Change::default() })
    }

    /// Makes the commit of an intent and puts it on its way.
    pub(super) fn commit(&mut self, room: &mut Room, intent: MessageId, change: mls::Change) -> Step {
        match self.try_commit(room, intent, change) {
            Ok(()) => Step::Next,
            Err(error) => {
                self.take_back(room);
                self.give_up(room, intent, error.into());
                Step::Next
            }
        }
    }

    fn try_commit(
        &mut self,
        room: &mut Room,
        intent: MessageId,
        mut change: mls::Change,
    ) -> Result<(), ErrorCode> {
        let row = self.intents.get(intent).ok_or(ErrorCode::NotFound)?.clone();
        let message = self.new_id();
        let binding =
            MessageBinding { room: room.id.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
        let leaving = room.leaving();
        // A leave that is carried out already need not be asked for again.
        change.remove.retain(|account| !leaving.contains(account));
        let member = room.live(&self.keys)?;
        self.stage.mls.insert(*member.room());
        if member.has_pending_commit() {
            member.clear_pending()?;
        }
        let before = State::parse(member.state())?;
        let mut after = before.clone();
        for account in row.accounts.iter().filter_map(|name| name.parse::<Account>().ok()) {
            match row.kind() {
                IntentKind::Promote => after.admins.insert(account),
                IntentKind::Demote => after.admins.remove(&account),
                _ => false,
            };
        }
        let mut remaining = roster(&member.leaves());
        remaining.retain(|account, _| !leaving.contains(account) && !change.remove.contains(account));
        let after = policy::succession(&after, &remaining);
        change.state = (after != before).then(|| after.to_proto());
        let bundle = member.commit(&binding, &change, &mut self.entropy)?;
        room.flight = Some(intent);
        let submission = Submission {
            room: room.id.to_bytes(),
            message_id: message.to_bytes(),
            kind: EventKind::Commit.into(),
            epoch: bundle.epoch,
            body: bundle.commit,
            commit: Some(CommitExtras { welcome: bundle.welcome, group_info: bundle.group_info }),
            account: self.keys.account.to_string(),
            device_id: self.keys.device.to_bytes(),
            ..Submission::default()
        };
        self.submit(intent, submission);
        Ok(())
    }

    pub(super) fn leave(&mut self, room: &mut Room, intent: MessageId) -> Step {
        match self.try_leave(room, intent) {
            Ok(()) => Step::Next,
            Err(error) => {
                self.finish_error(intent, error.into());
                Step::Next
            }
        }
    }

    fn try_leave(&mut self, room: &mut Room, intent: MessageId) -> Result<(), ErrorCode> {
        let submission = self.departure(room)?;
        room.flight = Some(intent);
        self.submit(intent, submission);
        Ok(())
    }

    fn departure(&mut self, room: &mut Room) -> Result<Submission, ErrorCode> {
        let message = self.new_id();
        let binding =
            MessageBinding { room: room.id.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
        let member = room.live(&self.keys)?;
        self.stage.mls.insert(*member.room());
        let epoch = member.epoch();
        let body = member.propose_leave(&binding, &mut self.entropy)?;
        Ok(Submission {
            room: room.id.to_bytes(),
            message_id: message.to_bytes(),
            kind: EventKind::Proposal.into(),
            epoch,
            body,
            account: self.keys.account.to_string(),
            device_id: self.keys.device.to_bytes(),
            ..Submission::default()
        })
    }

    /// Goes away from a room that this device cannot follow any more. If the others' epoch is still its
    /// own, they see it; else only this device forgets the room, and an admin removes the account.
    pub(super) fn leave_paused(&mut self, room: &mut Room) {
        self.take_back(room);
        if let Ok(submission) = self.departure(room) {
            let mut row = IntentRow { quiet: true, ..IntentRow::default() };
            row.set_kind(IntentKind::Farewell);
            if let Ok(intent) = self.push_intent(room, row, None, false) {
                room.waiting.retain(|waiting| *waiting != intent);
                self.submit(intent, submission);
            }
        }
        room.paused = None;
        self.go_out(room);
    }

    /// A commit was merged: an own one is done, another one has won the race against an own one.
    pub(crate) fn after_commit(&mut self, room: &mut Room, event: &CheckedEvent, own: Option<MessageId>) {
        let Some(flight) = room.flight else { return };
        if own != Some(flight) {
            return self.race_lost(room, flight);
        }
        room.flight = None;
        room.leaf_updated_ms = self.now.as_ms();
        let _ = event;
        let kind = self.intents.get(flight).map(IntentRow::kind);
        if kind == Some(IntentKind::Add) {
            self.intents.claimed.remove(&flight);
            self.change_intent(flight, |row| {
                row.set_progressed(Progressed::Waiting);
                row.message.clear();
                row.submission = None;
                row.claim.clear();
            });
            room.waiting.push_front(flight);
            self.touched.insert(room.id);
        } else {
            self.finish_done(flight);
        }
    }

    /// An own commit or leave will not be ordered in this epoch: derive it again after a while, a
    /// bounded number of times.
    pub(crate) fn race_lost(&mut self, room: &mut Room, intent: MessageId) {
        room.flight = None;
        self.take_back(room);
        let Some(tries) = self.intents.get(intent).map(|row| row.tries) else { return };
        if usize::try_from(tries).is_ok_and(|tries| tries >= limits::COMMIT_TRIES_MAX) {
            return self.give_up(room, intent, ErrorCode::StaleEpoch.into());
        }
        self.change_intent(intent, |row| {
            row.set_progressed(Progressed::Waiting);
            row.message.clear();
            row.submission = None;
        });
        room.waiting.push_front(intent);
        // Whoever comes back races with all who lost their way by the same commit.
        let first = if room.lost.is_some() { RETURN_RACE_MS } else { RACE_MS };
        let whole = first << tries.min(10);
        let at = self.now.plus_ms(whole / 2 + self.jitter_ms(whole));
        room.rest_until = at;
        self.wake_for(at, room.id);
    }

    /// An own commit or leave will not be ordered: the group is as it was before it.
    pub(super) fn take_back(&mut self, room: &mut Room) {
        self.stage.mls.insert(room.id);
        match room.live(&self.keys).map(mls::Member::clear_pending) {
            // A group that was entered from outside is none before that is ordered.
            Ok(Err(ErrorCode::Conflict)) => self.drop_group(room),
            Ok(Err(error)) => self.passed(error),
            Ok(Ok(())) | Err(_) => {}
        }
    }

    /// The last word about an intent that is no message and that failed. A direct room in which the
    /// other side cannot be: what waits in it goes nowhere. Others' leaves are tried again later.
    pub(super) fn give_up(&mut self, room: &mut Room, intent: MessageId, error: WireError) {
        let kind = self.intents.get(intent).map(IntentRow::kind);
        let code = error.code;
        self.finish_error(intent, error);
        match kind {
            Some(IntentKind::Add) if room.kind == RoomKind::Direct => {
                if room.phase == RoomPhase::Wanted {
                    self.not_founded(room, code);
                } else {
                    self.fail_all(room, code);
                }
            }
            Some(IntentKind::Settle) => self.settle_within(room, SETTLE_AGAIN_MS),
            Some(IntentKind::Rejoin) => self.stay_lost(room, code),
            _ => {}
        }
    }

    /// Tells those who are new what the room is called.
    pub(super) fn tell_name(&mut self, room: &mut Room) {
        if room.kind != RoomKind::Group || (room.name.is_empty() && room.topic.is_empty()) {
            return;
        }
        let info = RoomInfo { name: room.name.clone(), topic: room.topic.clone() };
        let content = Content {
            version: 1,
            time_ms: self.now.as_ms(),
            kind: Some(Kind::RoomInfo(info)),
            ..Content::default()
        };
        let mut row = IntentRow { content: Some(content), quiet: true, ..IntentRow::default() };
        row.set_kind(IntentKind::Message);
        if let Err(error) = self.push_intent(room, row, None, false) {
            self.passed(error);
        }
    }

    /// It is done, or others have done it.
    pub(crate) fn finish_done(&mut self, intent: MessageId) {
        self.finish(intent, Ok(Outcome::Done));
    }
}
