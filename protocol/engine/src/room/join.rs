//! Coming into a room by a Welcome, and the hub's word that the account is out of one. A Welcome is
//! foreign: it changes no room before it was judged as a whole, and until then it waits by itself.

use bytes::Bytes;
use machine::Entropy;
use prost::Message as _;
use room::{CheckedEvent, State, chain, policy};
use wire::{
    Account, DomainName, ErrorCode, RoomId, limits,
    proto::{EventHead, EventKind, Join, Left, RoomKind},
};

use super::{
    Room,
    commit::{binds, roster},
    invitation::DECLINED,
    state::Group,
};
use crate::{
    Engine, Notice, Warning,
    record::{ItemKind, JoinRow, RoomPhase, Row as _},
    trust::{Verdict, Want, is_fresh},
};

/// Documents of a hub that were fetched so long ago may lack a key that it uses by now.
const DOCUMENTS_FRESH_MS: u64 = 1_000;

/// What came of looking at a Welcome.
enum Judged {
    Enter(Box<Entry>),
    /// What is needed to judge it is not here; perhaps it cannot be had at the moment, and of whom.
    Wait(Option<(Account, ErrorCode)>),
}

/// A Welcome that was found good.
struct Entry {
    joined: mls::Joined,
    event: CheckedEvent,
    state: State,
    leaves: Vec<mls::Leaf>,
    /// The key package that it used.
    package: Bytes,
}

impl<E: Entropy> Engine<E> {
    pub(crate) fn join(&mut self, join: Join) {
        if let Err(error) = self.keep_join(join) {
            self.passed(error);
        }
    }

    /// Keeps a Welcome until it is judged, which is at once if everything for it is here.
    fn keep_join(&mut self, join: Join) -> Result<(), ErrorCode> {
        let (id, _, seq) = place(&join)?;
        let anew = self.is_founded_anew(id, &join);
        if !anew && (!self.leads_on(id, seq)? || self.joins.seq(id).is_some_and(|waiting| waiting >= seq)) {
            return Ok(());
        }
        self.packages.for_welcome(&join.welcome)?;
        let row = JoinRow { room: id.to_bytes(), join: Some(join), since_ms: self.now.as_ms() };
        let record = row.put();
        self.joins.put(id, seq, row, self.rooms.len())?;
        self.stage.record(record);
        if anew {
            self.with_room(id, Self::begin_anew);
        }
        self.touched.insert(id);
        Ok(())
    }

    /// [ROOM-31] Whether a Welcome at this seq may lead into the room: never back to where this
    /// device was already (`false`), nor into another group of a room that it is in.
    ///
    /// # Errors
    /// `Conflict` in a room that this device is in, or a group that it founds; `Quota`.
    fn leads_on(&self, id: RoomId, seq: u64) -> Result<bool, ErrorCode> {
        let Some(room) = self.rooms.get(&id) else {
            let full = self.rooms.len() >= limits::ROOMS_PER_ACCOUNT_MAX;
            return if full { Err(ErrorCode::Quota) } else { Ok(true) };
        };
        if seq <= room.head_seq {
            return Ok(false);
        }
        match room.phase {
            RoomPhase::Wanted | RoomPhase::Awaiting | RoomPhase::Left => Ok(true),
            // The other side was first: what it founded is the same room.
            RoomPhase::Founding if room.kind == RoomKind::Direct => Ok(true),
            RoomPhase::Founding | RoomPhase::Joined | RoomPhase::Unspecified => Err(ErrorCode::Conflict),
        }
    }

    /// Looks at a Welcome that waits.
    pub(crate) fn try_join(&mut self, id: RoomId) {
        if self.rooms.get(&id).is_some_and(|room| room.recalling) {
            return;
        }
        // It was kept, and what it began was interrupted.
        let anew = self.joins.shown(id).is_some_and(|join| self.is_founded_anew(id, join));
        if anew {
            self.with_room(id, Self::begin_anew);
            return;
        }
        let Some(mut waiting) = self.joins.take_due(id, self.now) else { return };
        let judged = match waiting.row.join.as_ref() {
            Some(join) => self.judge_join(id, join),
            None => Err(ErrorCode::Malformed),
        };
        let age_ms = self.now.as_ms().saturating_sub(waiting.row.since_ms);
        match judged {
            Ok(Judged::Enter(entry)) => self.enter(id, *entry),
            Ok(Judged::Wait(missing)) if age_ms < limits::OUTBOX_MAX_AGE_S * 1_000 => {
                if let Some((account, error)) = missing
                    && !std::mem::replace(&mut waiting.told, true)
                {
                    let warning = Warning::Unverified { room: id, account, error };
                    self.stage.notify(Notice::Warning(warning));
                }
                let later = self.now.plus_ms(31_000);
                waiting.look_at = later;
                self.joins.put_back(id, waiting);
                return self.wake_for(later, id);
            }
            Ok(Judged::Wait(_)) => self.passed(ErrorCode::Undeliverable),
            Err(error) => self.passed(error),
        }
        self.stage.gone(&waiting.row);
    }

    fn judge_join(&mut self, id: RoomId, join: &Join) -> Result<Judged, ErrorCode> {
        let (_, hub, seq) = place(join)?;
        if !self.leads_on(id, seq)? {
            return Err(ErrorCode::Superseded);
        }
        let inviter: Account = join.inviter.parse()?;
        let event = match self.join_event(id, &hub, join)? {
            Ok(event) => event,
            Err(missing) => return Ok(Judged::Wait(missing.map(|error| (inviter, error)))),
        };
        let (package, rows) = self.packages.for_welcome(&join.welcome)?;
        let entrance = mls::Entrance {
            commit: &event.event.body,
            welcome: &join.welcome,
            ratchet_tree: &join.ratchet_tree,
        };
        let joined = mls::Member::join(&self.keys, &entrance, &rows)?;
        let state = State::parse(joined.member.state())?;
        let leaves = joined.member.leaves();
        let entry = Entry { joined, event, state, leaves, package };
        self.check_entry(id, join, &entry)?;
        self.check_known(id, &entry)?;
        self.judge_accepted(id, entry)
    }

    /// The commit, if the hub has signed it; else why that cannot be said yet.
    fn join_event(
        &mut self,
        id: RoomId,
        hub: &DomainName,
        join: &Join,
    ) -> Result<Result<CheckedEvent, Option<ErrorCode>>, ErrorCode> {
        let event = join.commit.as_ref().ok_or(ErrorCode::Malformed)?;
        if let Some(keys) = self.trust.domains.event_keys(hub) {
            match chain::check(&id, hub, keys, event) {
                Err(ErrorCode::BadSignature) => {}
                checked => return checked.map(Ok),
            }
            if is_fresh(self.now, self.trust.domains.fetched_ms(hub), DOCUMENTS_FRESH_MS) {
                return Err(ErrorCode::BadSignature);
            }
        }
        Ok(Err(self.trust.wants.want(self.now, Want::Domain(hub.clone()))))
    }

    /// [ROOM-32] Whether commit, Welcome and tree are of one room, as the hub's word about it says,
    /// and whether those in it may be there.
    fn check_entry(&self, id: RoomId, join: &Join, entry: &Entry) -> Result<(), ErrorCode> {
        let Entry { joined, event, state, leaves, .. } = entry;
        let placed = event.kind == EventKind::Commit
            && event.epoch == joined.epoch
            && binds(&joined.binding, event)
            && join.room == id.to_bytes();
        if !placed {
            return Err(ErrorCode::Malformed);
        }
        let by = &joined.committer.account;
        let agrees = state.room == id
            && state.hub == event.hub
            && state.kind == join.kind()
            && by.as_str() == join.inviter;
        if !agrees {
            return Err(ErrorCode::OriginMismatch);
        }
        // [ROOM-2] That of a direct room follows from its state.
        if state.kind == RoomKind::Group {
            room::check_group(&id, &state.hub, &join.founder, &join.founding)?;
        }
        policy::check_roster(state, &roster(leaves))?;
        let public = self.keys.secret.public();
        let here = leaves.iter().any(|leaf| {
            (&leaf.account, leaf.device, leaf.key) == (&self.keys.account, self.keys.device, public)
        });
        if !here {
            return Err(ErrorCode::OriginMismatch);
        }
        // [ROOM-20] Only an admin adds accounts, and of a direct room's two that is the other one.
        let own_direct = state.kind == RoomKind::Direct && *by == self.keys.account;
        if !state.is_admin(by) || own_direct { Err(ErrorCode::Forbidden) } else { Ok(()) }
    }

    /// [ROOM-23] Whether it is the room that this device knows by this id, and that the user has
    /// accepted to be in.
    fn check_known(&self, id: RoomId, entry: &Entry) -> Result<(), ErrorCode> {
        let Entry { joined, state, .. } = entry;
        let same_room = self.rooms.get(&id).is_none_or(|room| {
            room.hub == state.hub
                && room.kind == state.kind
                && room.peer.as_ref().is_none_or(|peer| state.is_admin(peer))
        });
        let accepted =
            self.invitations.get(&id).filter(|row| row.answer != DECLINED).is_none_or(|row| {
                row.kind() == state.kind && row.inviter == joined.committer.account.as_str()
            });
        if !same_room || !accepted {
            return Err(ErrorCode::OriginMismatch);
        }
        // [ROOM-41] The hub shows again by what this device came in before it lost the room.
        let hash = entry.event.log_head().hash;
        if self.rooms.get(&id).is_some_and(|room| room.came_in_by(&hash)) {
            return Err(ErrorCode::Superseded);
        }
        // [ROOM-31] An epoch in which this device may have sent is never entered again.
        let spent =
            self.rooms.get(&id).is_some_and(|room| room.head_seq > 0 && joined.member.epoch() <= room.epoch);
        if spent { Err(ErrorCode::Superseded) } else { Ok(()) }
    }

    /// Rule R7: whoever invites is accepted here, and so is each device that is to be the own
    /// account's. The others are present.
    fn judge_accepted(&mut self, id: RoomId, entry: Entry) -> Result<Judged, ErrorCode> {
        let by = entry.joined.committer.index;
        let own = |leaf: &&mls::Leaf| leaf.account == self.keys.account && leaf.device != self.keys.device;
        let accepted: Vec<&mls::Leaf> =
            entry.leaves.iter().filter(|leaf| leaf.index == by || own(leaf)).collect();
        let mut missing = None;
        for leaf in accepted {
            let account = leaf.account.clone();
            match self.trust.listed(self.now, self.now, leaf) {
                Verdict::Good => {}
                Verdict::Unknown => missing = missing.or(Some(None)),
                Verdict::Unavailable(error) => missing = Some(Some((account, error))),
                Verdict::Bad(error) => {
                    let warning = Warning::Unverified { room: id, account, error };
                    self.stage.notify(Notice::Warning(warning));
                    return Err(error);
                }
            }
        }
        Ok(missing.map_or_else(|| Judged::Enter(Box::new(entry)), Judged::Wait))
    }

    fn enter(&mut self, id: RoomId, entry: Entry) {
        let Entry { joined, event, state, leaves, package } = entry;
        let mut room = self.rooms.remove(&id).unwrap_or_else(|| Room::new(id, state.hub.clone(), state.kind));
        self.packages.used(&package, self.now, &mut self.stage);
        self.refill_if_low();
        self.drop_group(&mut room);
        let anew = room.offset > 0 && room.head_seq == 0;
        room.members.clear();
        room.stored.clear();
        // Whoever added this account says what the room is called.
        room.name.clear();
        room.topic.clear();
        room.epoch = joined.member.epoch();
        room.group = Group::Live(Box::new(joined.member));
        room.leaf_updated_ms = 0;
        self.stage.mls.insert(id);
        room.begin(event.log_head());
        self.adopt(&mut room, &roster(&leaves), &state, event.seq);
        self.not_judged(&mut room);
        if state.kind == RoomKind::Direct {
            room.peer = state.admins.iter().find(|admin| **admin != self.keys.account).cloned();
        }
        let by = Some((&joined.committer.account, joined.committer.device));
        let of = std::collections::BTreeSet::from([self.keys.account.clone()]);
        self.system_item(&room, &event, ItemKind::Added, by, &of);
        if !anew {
            room.read_seq = room.place(room.head_seq);
        }
        self.joined(&mut room);
        self.rooms.insert(id, room);
    }

    fn joined(&mut self, room: &mut Room) {
        room.phase = RoomPhase::Joined;
        room.paused = None;
        room.accepted = false;
        room.said = [0; 3];
        room.followed.clear();
        // Events may have come between the commit and this moment.
        room.behind = true;
        room.refused = None;
        self.founding_overtaken(room);
        self.forget_invitation(room.id);
        self.stage.rooms.insert(room.id);
        self.stage.rosters.insert(room.id);
        self.stage.notify(Notice::Joined(room.id));
        self.stage.notify(Notice::Room(room.id));
        self.check_present(room);
    }

    pub(crate) fn left(&mut self, left: &Left) {
        let Ok(id) = RoomId::try_from(left.room.as_ref()) else {
            return self.passed(ErrorCode::Malformed);
        };
        let invited = self.invitations.get(&id).is_some_and(|row| row.answer < 2);
        if invited {
            self.forget_invitation(id);
            self.stage.notify(Notice::Invitation(id));
        }
        if self.joins.seq(id).is_some_and(|seq| seq <= left.seq)
            && let Some(waiting) = self.joins.take(id)
        {
            self.stage.gone(&waiting.row);
        }
        self.with_room(id, |engine, room| {
            if std::mem::take(&mut room.accepted) {
                engine.stage.rooms.insert(id);
            }
            if room.phase == RoomPhase::Joined && left.seq >= room.base_seq {
                let leaving = room.flight.take();
                if let Some(intent) = leaving.filter(|intent| engine.intents.is_leave(*intent)) {
                    engine.finish_done(intent);
                }
                engine.go_out(room);
            }
        });
    }
}

/// Where the commit of a join stands, as its head says.
pub(super) fn place(join: &Join) -> Result<(RoomId, DomainName, u64), ErrorCode> {
    let event = join.commit.as_ref().ok_or(ErrorCode::Malformed)?;
    let head = EventHead::decode(event.head.clone()).map_err(|_| ErrorCode::Malformed)?;
    Ok((RoomId::try_from(head.room.as_ref())?, head.hub.parse()?, head.seq))
}
