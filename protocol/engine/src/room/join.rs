//! Coming into a room by a Welcome and going out of it: invitations, joins, and the hub's word that
//! the account is out.

use std::collections::BTreeMap;

use machine::Entropy;
use prost::Message as _;
use room::{State, chain};
use wire::{
    Account, DomainName, ErrorCode, RoomId, WireError,
    proto::{AnswerInvitation, EventHead, Invitation, Join, Left, RoomKind, client_request::Request},
};

use super::{Room, commit::roster, state::Group};
use crate::{
    Engine, Notice, Warning,
    record::{InvitationRow, JoinRow, RoomPhase, Row as _, Table},
    request::Purpose,
    trust::{Verdict, Want},
};

/// The answer of an invitation to a direct room that was declined, when the node knows.
const DECLINED: u32 = 3;

/// What came of looking at a Welcome.
enum Verified {
    Joined,
    Wait,
}

impl<E: Entropy> Engine<E> {
    pub(crate) fn invited(&mut self, invitation: &Invitation) {
        let Ok(id) = RoomId::try_from(invitation.room.as_ref()) else {
            return self.passed(ErrorCode::Malformed);
        };
        let known = self.rooms.get(&id).map(|room| room.phase);
        let waits = self.invitations.get(&id).is_some_and(|row| row.answer != DECLINED);
        if known == Some(RoomPhase::Joined) || waits {
            return;
        }
        // Whoever has begun a direct room has invited the other side already.
        let wanted = invitation.kind() == RoomKind::Direct
            && matches!(known, Some(RoomPhase::Wanted | RoomPhase::Founding | RoomPhase::Awaiting));
        let row = InvitationRow {
            room: invitation.room.clone(),
            inviter: invitation.inviter.clone(),
            kind: invitation.kind,
            time_ms: invitation.time_ms,
            answer: u32::from(wanted),
        };
        self.stage.put(&row);
        self.invitations.insert(id, row);
        if wanted {
            self.send_answer(id, true);
        } else {
            self.stage.notify(Notice::Invitation(id));
        }
    }

    /// The user's answer.
    ///
    /// # Errors
    /// `NotFound` if nobody invited.
    pub(crate) fn answer_invitation(&mut self, id: RoomId, accept: bool) -> Result<(), ErrorCode> {
        let row = self.invitations.get_mut(&id).filter(|row| row.answer != DECLINED);
        let row = row.ok_or(ErrorCode::NotFound)?;
        row.answer = if accept { 1 } else { 2 };
        let row = row.clone();
        self.stage.put(&row);
        self.send_answer(id, accept);
        Ok(())
    }

    /// Answers that were given and not confirmed, on a new session.
    pub(crate) fn answer_invitations(&mut self) {
        let given: Vec<(RoomId, bool)> = self
            .invitations
            .iter()
            .filter(|(_, row)| matches!(row.answer, 1 | 2))
            .map(|(id, row)| (*id, row.answer == 1))
            .collect();
        for (id, accept) in given {
            self.send_answer(id, accept);
        }
    }

    fn send_answer(&mut self, id: RoomId, accept: bool) {
        let request = Request::AnswerInvitation(AnswerInvitation { room: id.to_bytes(), accept });
        self.request(Purpose::Answer(id), request);
    }

    pub(crate) fn answered(&mut self, id: RoomId, error: Option<WireError>) {
        match error {
            Some(error) if error.code.retryable() => {}
            // It was answered before, and the confirmation was lost.
            Some(error) if error.code == ErrorCode::NotFound => self.settle_invitation(id),
            Some(error) => {
                self.forget_invitation(id);
                self.passed(error.code);
            }
            None => self.settle_invitation(id),
        }
    }

    /// The node knows the answer. That a direct room was declined is kept: only the other side can
    /// open it again, so there is no use in founding it.
    fn settle_invitation(&mut self, id: RoomId) {
        let Some(row) = self.invitations.get_mut(&id) else { return };
        if row.answer == 2 && row.kind() == RoomKind::Direct {
            row.answer = DECLINED;
            self.stage.put(row);
        } else {
            self.forget_invitation(id);
        }
    }

    fn forget_invitation(&mut self, id: RoomId) {
        if let Some(row) = self.invitations.remove(&id) {
            self.stage.gone(&row);
        }
    }

    pub(crate) fn join(&mut self, join: Join) {
        let (id, hub, seq) = match place(&join) {
            Ok(place) => place,
            Err(error) => return self.passed(error),
        };
        let known = self.rooms.get(&id);
        if known.is_some_and(|room| room.phase == RoomPhase::Joined && room.head_seq >= seq) {
            return;
        }
        let kind = join.kind();
        let room = self.rooms.entry(id).or_insert_with(|| {
            let mut room = Room::new(id, hub.clone(), kind);
            room.phase = RoomPhase::Awaiting;
            room
        });
        if room.phase != RoomPhase::Joined {
            room.hub = hub;
            room.kind = kind;
        }
        let row = JoinRow { room: id.to_bytes(), join: Some(join.clone()) };
        room.join = Some(join);
        self.stage.rooms.insert(id);
        self.stage.rosters.insert(id);
        self.stage.record(row.put());
        self.touched.insert(id);
    }

    /// Looks at a Welcome that waits.
    pub(crate) fn try_join(&mut self, room: &mut Room) {
        let Some(join) = room.join.clone() else { return };
        match self.verified_join(room, &join) {
            Ok(Verified::Wait) => {
                let later = self.now.plus_ms(31_000);
                self.wake_for(later, room.id);
                return;
            }
            Ok(Verified::Joined) => self.joined(room),
            Err(error) => {
                self.passed(error);
                if room.phase == RoomPhase::Awaiting && room.waiting.is_empty() {
                    room.phase = RoomPhase::Wanted;
                }
            }
        }
        room.join = None;
        self.stage.record(crate::Record { table: Table::Join, key: room.id.to_bytes(), value: None });
        self.stage.rooms.insert(room.id);
    }

    fn verified_join(&mut self, room: &mut Room, join: &Join) -> Result<Verified, ErrorCode> {
        let Some(keys) = self.trust.domains.event_keys(&room.hub) else {
            self.trust.wants.want(self.now, Want::Domain(room.hub.clone()));
            return Ok(Verified::Wait);
        };
        let event = join.commit.as_ref().ok_or(ErrorCode::Malformed)?;
        let event = chain::check(&room.id, &room.hub, keys, event)?;
        let (hash, rows) = self.packages.for_welcome(&join.welcome)?;
        let member = mls::Member::join(&self.keys, &join.welcome, &join.ratchet_tree, &rows)?;
        let state = State::parse(member.state())?;
        let leaves = member.leaves();
        let agrees = state.room == room.id
            && state.hub == room.hub
            && member.epoch() == event.epoch.saturating_add(1)
            && leaves.iter().any(|leaf| leaf.device == self.keys.device);
        if !agrees {
            return Err(ErrorCode::OriginMismatch);
        }
        // Whoever invites is being accepted here: its leaf must hold. The others are present.
        for leaf in leaves.iter().filter(|leaf| leaf.account.as_str() == join.inviter) {
            match self.trust.listed(self.now, leaf) {
                Verdict::Unknown => return Ok(Verified::Wait),
                Verdict::Bad(error) => return Err(error),
                Verdict::Good | Verdict::Unavailable(_) => {}
            }
        }
        self.packages.used(&hash, &mut self.stage);
        self.refill_if_low();
        self.drop_group(room);
        room.members.clear();
        room.stored.clear();
        room.group = Group::Live(Box::new(member));
        self.stage.mls.insert(room.id);
        room.kind = state.kind;
        room.epoch = event.epoch.saturating_add(1);
        room.begin(event.log_head());
        let roster = roster(&leaves);
        self.adopt(room, &roster, &state, event.seq);
        for member in room.members.values_mut() {
            member.since = 0;
        }
        if state.kind == RoomKind::Direct {
            room.peer = state.admins.iter().find(|admin| **admin != self.keys.account).cloned();
        }
        Ok(Verified::Joined)
    }

    fn joined(&mut self, room: &mut Room) {
        room.phase = RoomPhase::Joined;
        room.paused = None;
        room.said = [0; 3];
        room.followed.clear();
        room.unchecked = true;
        // Events may have come between the commit and this moment.
        room.behind = true;
        room.read_seq = room.head_seq;
        self.founding_overtaken(room);
        self.forget_invitation(room.id);
        self.stage.notify(Notice::Joined(room.id));
        self.stage.notify(Notice::Room(room.id));
        self.check_present(room);
    }

    /// Judges those who are present: an account with a leaf that does not pass is marked and stays.
    pub(crate) fn check_present(&mut self, room: &mut Room) {
        if !room.unchecked || room.phase != RoomPhase::Joined {
            return;
        }
        let Ok(leaves) = room.live(&self.keys).map(|member| member.leaves()) else { return };
        room.unchecked = false;
        let mut found: BTreeMap<&Account, Verdict> = BTreeMap::new();
        for leaf in leaves.iter().filter(|leaf| leaf.account != self.keys.account) {
            let verdict = self.trust.present(self.now, leaf);
            let worst = found.entry(&leaf.account).or_insert(Verdict::Good);
            *worst = (*worst).max(verdict);
        }
        for (account, verdict) in found {
            let mark = match verdict {
                Verdict::Good => None,
                Verdict::Unknown => {
                    room.unchecked = true;
                    continue;
                }
                Verdict::Unavailable(error) => {
                    room.unchecked = true;
                    Some(error)
                }
                Verdict::Bad(error) => Some(error),
            };
            let Some(member) = room.members.get_mut(account) else { continue };
            if member.unverified == mark {
                continue;
            }
            member.unverified = mark;
            self.stage.rosters.insert(room.id);
            if let Some(error) = mark {
                let account = account.clone();
                let warning = Warning::Unverified { room: room.id, account, error };
                self.stage.notify(Notice::Warning(warning));
            }
        }
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
        self.with_room(id, |engine, room| {
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
fn place(join: &Join) -> Result<(RoomId, DomainName, u64), ErrorCode> {
    let event = join.commit.as_ref().ok_or(ErrorCode::Malformed)?;
    let head = EventHead::decode(event.head.clone()).map_err(|_| ErrorCode::Malformed)?;
    Ok((RoomId::try_from(head.room.as_ref())?, head.hub.parse()?, head.seq))
}
