//! Coming back into a room by an external commit: from what the hub shows of the group, if that is of
//! the room and of its log, and with what it cannot prove held against nobody's will.

use std::collections::{BTreeMap, BTreeSet};

use machine::Entropy;
use mls::{GroupView, Leaf};
use room::{State, policy};
use wire::{
    Account, ErrorCode, MessageId, RoomId, WireError, limits,
    proto::{
        ClaimedAccount, CommitExtras, EventKind, GetGroup, GroupState, MessageBinding, RoomKind, Submission,
        client_request::Request,
    },
};

use super::worker::Step;
use crate::{
    Engine,
    request::Purpose,
    room::{Room, roster},
    trust::{Verdict, form},
};

/// What a hub shows that is not of the log's end is asked for again after about so many milliseconds,
/// then after twice as many, and so on.
const AGAIN_MS: u64 = 400;
/// A hub that cannot be reached, or may not answer at the moment, is asked again after so many.
const LATER_MS: u64 = 15_000;

/// Why there is no way back with what the hub shows.
enum Hitch {
    /// What is needed to judge it was asked for.
    Wait,
    /// It is not of the log's end, or the log here is not there yet.
    Again,
    /// It is not this room.
    Never(ErrorCode),
}

/// Whom the device would come back to.
#[derive(Default)]
struct Readers {
    /// Those who came in meanwhile and do not pass as an added leaf must.
    held: BTreeMap<Account, ErrorCode>,
    /// Those who came in meanwhile, if nobody who was here before vouches for it.
    unproved: BTreeSet<Account>,
}

impl<E: Entropy> Engine<E> {
    pub(super) fn rejoin(&mut self, room: &mut Room, intent: MessageId) -> Step {
        if room.lost.is_none() {
            self.finish_done(intent);
            return Step::Next;
        }
        let Some(shown) = self.intents.shown.get(&intent).cloned() else {
            if self.session.is_some() && self.intents.asking.insert(intent) {
                let request = GetGroup { room: room.id.to_bytes(), ..GetGroup::default() };
                self.request(Purpose::Group(room.id, intent), Request::GetGroup(request));
            }
            return Step::Wait;
        };
        match self.judge_group(room, &shown) {
            Ok(readers) => self.external_commit(room, intent, (&shown, &readers)),
            Err(Hitch::Wait) => Step::Wait,
            Err(Hitch::Again) => {
                self.intents.shown.remove(&intent);
                self.seek_again(room, intent);
                Step::Wait
            }
            Err(Hitch::Never(error)) => {
                self.give_up(room, intent, error.into());
                Step::Next
            }
        }
    }

    pub(crate) fn group_shown(&mut self, id: RoomId, intent: MessageId, shown: GroupState) {
        self.intents.asking.remove(&intent);
        if self.intents.get(intent).is_some() {
            self.intents.shown.insert(intent, shown);
        }
        self.touched.insert(id);
    }

    pub(crate) fn group_failed(&mut self, id: RoomId, intent: MessageId, error: WireError) {
        self.intents.asking.remove(&intent);
        self.with_room(id, |engine, room| {
            if error.code == ErrorCode::NotFound && engine.is_hub_of(room) {
                return engine.missing_at_hub(room);
            }
            // A departure is open that no commit from outside carries out: the others do.
            if error.code.retryable() || error.code == ErrorCode::Conflict {
                let at = engine.now.plus_ms(error.retry_after_ms.max(LATER_MS) + engine.jitter_ms(LATER_MS));
                room.rest_until = room.rest_until.max(at);
                engine.wake_for(at, id);
            } else if engine.intents.get(intent).is_some() {
                room.waiting.retain(|waiting| *waiting != intent);
                engine.give_up(room, intent, error);
            }
        });
        self.touched.insert(id);
    }

    fn seek_again(&mut self, room: &mut Room, intent: MessageId) {
        let Some(tries) = self.intents.get(intent).map(|row| row.tries) else { return };
        if usize::try_from(tries).is_ok_and(|tries| tries >= limits::COMMIT_TRIES_MAX) {
            room.waiting.retain(|waiting| *waiting != intent);
            return self.give_up(room, intent, ErrorCode::StaleEpoch.into());
        }
        self.change_intent(intent, |row| row.tries += 1);
        let whole = AGAIN_MS << tries.min(10);
        let at = self.now.plus_ms(whole / 2 + self.jitter_ms(whole));
        room.rest_until = room.rest_until.max(at);
        self.wake_for(at, room.id);
    }

    /// [MLS-24] Whether what the hub shows is this room, at the end of the log that it has shown, and
    /// who would read what is said there.
    fn judge_group(&mut self, room: &mut Room, shown: &GroupState) -> Result<Readers, Hitch> {
        let view = GroupView::read(&shown.group_info, &shown.ratchet_tree).map_err(Hitch::Never)?;
        room.remember_leaves(&self.keys);
        let lost = room.lost.as_ref().ok_or(Hitch::Again)?;
        let at_end = match lost.confirmed.is_empty() {
            true => view.epoch >= room.epoch,
            false => (view.epoch, &view.confirmed) == (lost.epoch, &lost.confirmed),
        };
        if !at_end {
            return Err(Hitch::Again);
        }
        if view.epoch < room.epoch {
            return Err(Hitch::Never(ErrorCode::Superseded));
        }
        self.is_same_room(room, &view).map_err(Hitch::Never)?;
        self.readers(room, &view)
    }

    fn is_same_room(&self, room: &Room, view: &GroupView) -> Result<(), ErrorCode> {
        let state = State::parse(&view.state)?;
        let same = view.room == room.id
            && state.room == room.id
            && state.hub == room.hub
            && state.kind == room.kind
            && room.peer.as_ref().is_none_or(|peer| state.is_admin(peer));
        if !same || (state.kind == RoomKind::Direct && !state.is_admin(&self.keys.account)) {
            return Err(ErrorCode::OriginMismatch);
        }
        policy::check_roster(&state, &roster(&view.leaves))?;
        let own = view.leaves.iter().find(|leaf| self.is_own(leaf));
        own.map(drop).ok_or(ErrorCode::Forbidden)
    }

    fn is_own(&self, leaf: &Leaf) -> bool {
        let public = self.keys.secret.public();
        (&leaf.account, leaf.device, &leaf.key) == (&self.keys.account, self.keys.device, &public)
    }

    /// Rule R7: whoever was there before stays what it was. Whoever is new must pass as an added leaf
    /// does, and somebody who was there before must have signed what is shown: else the hub could make
    /// up a group of its own.
    fn readers(&mut self, room: &Room, view: &GroupView) -> Result<Readers, Hitch> {
        let mut readers = Readers::default();
        let mut wait = false;
        let vouched = self.was_there(room, &view.signer);
        for leaf in view.leaves.iter().filter(|leaf| !self.is_own(leaf)) {
            form(leaf).map_err(Hitch::Never)?;
        }
        for leaf in &view.leaves {
            if self.is_own(leaf) || self.was_there(room, leaf) {
                continue;
            }
            match self.trust.listed(self.now, self.now, leaf) {
                Verdict::Good => {}
                Verdict::Unknown => wait = true,
                Verdict::Unavailable(error) | Verdict::Bad(error) => {
                    readers.held.insert(leaf.account.clone(), error);
                }
            }
            if !vouched {
                readers.unproved.insert(leaf.account.clone());
            }
        }
        if wait { Err(Hitch::Wait) } else { Ok(readers) }
    }

    /// Whether this very leaf was in the room when this device still followed. If the group of then is
    /// gone, the account's key must speak for it.
    fn was_there(&mut self, room: &Room, leaf: &Leaf) -> bool {
        if self.is_own(leaf) {
            return true;
        }
        if let Some(known) = room.lost.as_ref().and_then(|lost| lost.known.as_ref()) {
            return known.contains(&(leaf.account.clone(), leaf.device, *leaf.key.as_bytes()));
        }
        let member = room.members.get(&leaf.account);
        member.is_some_and(|member| member.devices.contains(&leaf.device))
            && self.trust.chain(self.now, self.now, leaf) == Verdict::Good
    }

    fn external_commit(
        &mut self,
        room: &mut Room,
        intent: MessageId,
        (shown, readers): (&GroupState, &Readers),
    ) -> Step {
        self.intents.shown.remove(&intent);
        match self.try_external_commit(room, intent, (shown, readers)) {
            Ok(()) => Step::Next,
            Err(error) => {
                self.give_up(room, intent, error.into());
                Step::Next
            }
        }
    }

    fn try_external_commit(
        &mut self,
        room: &mut Room,
        intent: MessageId,
        (shown, readers): (&GroupState, &Readers),
    ) -> Result<(), ErrorCode> {
        let message = self.new_id();
        let binding =
            MessageBinding { room: room.id.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
        let made = mls::Member::rejoin(&self.keys, mls::Rows::new(), shown, &binding, &mut self.entropy);
        let (member, bundle) = made?;
        self.drop_group(room);
        room.replace_group(member);
        self.stage.mls.insert(room.id);
        self.change_intent(intent, |row| {
            let refused = |(account, error): (&Account, &ErrorCode)| ClaimedAccount {
                account: account.to_string(),
                error: Some((*error).into()),
                ..ClaimedAccount::default()
            };
            row.refused = readers.held.iter().map(refused).collect();
            row.added = readers.unproved.iter().map(ToString::to_string).collect();
        });
        room.flight = Some(intent);
        let submission = Submission {
            room: room.id.to_bytes(),
            message_id: message.to_bytes(),
            kind: EventKind::Commit.into(),
            epoch: bundle.epoch,
            body: bundle.commit,
            commit: Some(CommitExtras { group_info: bundle.group_info, ..CommitExtras::default() }),
            account: self.keys.account.to_string(),
            device_id: self.keys.device.to_bytes(),
            ..Submission::default()
        };
        self.submit(intent, submission);
        Ok(())
    }
}
