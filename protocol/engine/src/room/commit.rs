//! A commit or a leave in the log: judged by the room's rules and by whose the added leaves are,
//! then merged, and only then (rules R2, R7, R9).

use std::collections::{BTreeMap, BTreeSet};

use machine::{Entropy, Timestamp};
use mls::{Leaf, Processed, StagedChange};
use room::{Change, CheckedEvent, Outcome, Roster, State, policy};
use wire::{
    Account, DeviceId, ErrorCode, MessageId, limits,
    proto::{EventKind, MessageBinding},
};

use super::{Member, Room, log::Flow};
use crate::{
    Engine, Notice,
    record::{ItemKind, RoomPhase},
    trust::{Verdict, form},
};

/// Others' leaves are committed within this many milliseconds.
const SETTLE_WITHIN_MS: u64 = 500;

/// Why a commit is not merged.
enum Objection {
    /// It cannot be judged yet.
    Wait,
    /// It breaks the rules.
    Refuse(ErrorCode),
}

/// What a commit that may be merged does.
struct Judged {
    outcome: Outcome,
    before: State,
    after: State,
    /// Accounts with a renewed leaf that does not pass.
    marked: BTreeMap<Account, ErrorCode>,
    /// Accounts with an added leaf that does not pass.
    held: BTreeMap<Account, ErrorCode>,
}

impl<E: Entropy> Engine<E> {
    pub(super) fn apply_commit(
        &mut self,
        room: &mut Room,
        event: &CheckedEvent,
        own: Option<MessageId>,
    ) -> Flow {
        self.stage.mls.insert(room.id);
        let processed =
            room.live(&self.keys).and_then(|member| member.process(EventKind::Commit, &event.event.body));
        let staged = match processed {
            Ok(Processed::Commit(staged)) => staged,
            Ok(_) => return self.refuse(room, event, ErrorCode::Malformed),
            Err(error) => return self.stumble(room, event, error),
        };
        match self.judge(room, event, &staged) {
            Ok(judged) => {
                if let Err(error) = room.live(&self.keys).and_then(mls::Member::merge_staged) {
                    return self.stumble(room, event, error);
                }
                self.merged(room, event, &staged, &judged);
                self.after_commit(room, event, own);
                if staged.removes_us { Flow::Ended } else { Flow::Applied }
            }
            Err(objection) => {
                if let Ok(member) = room.live(&self.keys) {
                    member.discard_staged();
                }
                match objection {
                    Objection::Wait => Flow::Stalled,
                    Objection::Refuse(error) => self.refuse(room, event, error),
                }
            }
        }
    }

    fn judge(
        &mut self,
        room: &mut Room,
        event: &CheckedEvent,
        staged: &StagedChange,
    ) -> Result<Judged, Objection> {
        let refuse = |error| Err(Objection::Refuse(error));
        if !binds(&staged.binding, event) {
            return refuse(ErrorCode::Malformed);
        }
        let leaving = room.leaving();
        let member = room.live(&self.keys).map_err(Objection::Refuse)?;
        let before = State::parse(member.state()).map_err(Objection::Refuse)?;
        let after = State::parse(&staged.state).map_err(Objection::Refuse)?;
        let roster = roster(&member.leaves());
        let names = |leaves: &[Leaf]| -> Vec<(Account, DeviceId)> {
            leaves.iter().map(|leaf| (leaf.account.clone(), leaf.device)).collect()
        };
        let (added, removed) = (names(&staged.added), names(&staged.removed));
        let change = Change {
            committer: (&staged.committer.account, &staged.committer.device),
            added: &added,
            removed: &removed,
            before: &before,
            after: &after,
        };
        let outcome = policy::check(&roster, &leaving, &change).map_err(Objection::Refuse)?;
        if staged.own {
            let (marked, held) = (BTreeMap::new(), BTreeMap::new());
            return Ok(Judged { outcome, before, after, marked, held });
        }
        let at = self.judged_at(event);
        let marked = self.judge_renewed(at, staged)?;
        let held = self.judge_added(at, staged)?;
        Ok(Judged { outcome, before, after, marked, held })
    }

    /// The time at which a commit's statements are to hold: that of the hub when it ordered the commit,
    /// so that all members find the same whenever they apply it; not beyond what clocks may differ by.
    fn judged_at(&self, event: &CheckedEvent) -> Timestamp {
        Timestamp::from_ms(event.time_ms).min(self.now.plus_ms(limits::CLOCK_SKEW_MS))
    }

    /// A renewed leaf has the key that it had, so nobody new can read by it ([MLS-9]), and what clocks,
    /// documents and lists say of it is a mark: it stops nobody. Only statements that are not even its
    /// own by themselves are refused, which no honest hub has ordered.
    fn judge_renewed(
        &mut self,
        at: Timestamp,
        staged: &StagedChange,
    ) -> Result<BTreeMap<Account, ErrorCode>, Objection> {
        let Some(leaf) = &staged.updated else { return Ok(BTreeMap::new()) };
        form(leaf).map_err(Objection::Refuse)?;
        let mut verdict = self.trust.chain(self.now, at, leaf);
        if verdict == Verdict::Good {
            verdict = self.trust.revoked(self.now, leaf);
        }
        match verdict {
            Verdict::Good => Ok(BTreeMap::new()),
            Verdict::Unknown => Err(Objection::Wait),
            Verdict::Unavailable(error) | Verdict::Bad(error) => {
                Ok(BTreeMap::from([(leaf.account.clone(), error)]))
            }
        }
    }

    /// An added leaf is somebody who reads from now on. The commit is followed, for whoever stays behind
    /// is out of the room; but nothing is said to one that does not pass, or cannot be judged.
    fn judge_added(
        &mut self,
        at: Timestamp,
        staged: &StagedChange,
    ) -> Result<BTreeMap<Account, ErrorCode>, Objection> {
        let mut held = BTreeMap::new();
        let mut wait = false;
        for leaf in &staged.added {
            form(leaf).map_err(Objection::Refuse)?;
            match self.trust.listed(self.now, at, leaf) {
                Verdict::Good => {}
                Verdict::Unknown => wait = true,
                Verdict::Unavailable(error) | Verdict::Bad(error) => {
                    held.insert(leaf.account.clone(), error);
                }
            }
        }
        if wait { Err(Objection::Wait) } else { Ok(held) }
    }

    fn merged(&mut self, room: &mut Room, event: &CheckedEvent, staged: &StagedChange, judged: &Judged) {
        room.epoch = staged.epoch_after;
        let left = room.leaving();
        self.adopt(room, &judged.outcome.roster, &judged.after, event.seq);
        self.mark_renewed(room, &judged.marked);
        self.hold(room, &judged.held);
        if room.members.values().any(|member| member.held) {
            room.judge_again();
        }
        let removed: BTreeSet<Account> = judged.outcome.gone.difference(&left).cloned().collect();
        let by = Some((&staged.committer.account, staged.committer.device));
        if !judged.outcome.joined.is_empty() {
            self.system_item(room, event, ItemKind::Added, by, &judged.outcome.joined);
        } else if !removed.is_empty() {
            self.system_item(room, event, ItemKind::Removed, by, &removed);
        } else if judged.before.admins != judged.after.admins {
            self.system_item(room, event, ItemKind::Roles, by, &judged.after.admins);
        } else if staged.rejoined {
            self.system_item(room, event, ItemKind::Rejoined, by, &BTreeSet::new());
        }
        if staged.removes_us {
            self.go_out(room);
        }
        self.stage.rooms.insert(room.id);
        self.stage.notify(Notice::Room(room.id));
    }

    /// Makes the members those of the group. Whoever is new has everything up to the event at
    /// `seq` by definition.
    pub(crate) fn adopt(&mut self, room: &mut Room, roster: &Roster, state: &State, seq: u64) {
        room.members.retain(|account, _| roster.contains_key(account));
        for (account, devices) in roster {
            let member = room.members.entry(account.clone()).or_insert_with(|| Member {
                delivered: seq,
                read: seq,
                since: seq,
                ..Member::default()
            });
            member.devices.clone_from(devices);
            member.admin = state.is_admin(account);
        }
        let members = &room.members;
        room.stored.retain(|domain, _| members.keys().any(|account| account.domain() == domain));
        for account in roster.keys() {
            room.stored.entry(account.domain().clone()).or_insert(seq);
        }
        self.stage.rosters.insert(room.id);
        room.settle_at = None;
        self.settle_soon(room);
    }

    /// An ordered leave.
    pub(super) fn apply_proposal(
        &mut self,
        room: &mut Room,
        event: &CheckedEvent,
        own: Option<MessageId>,
    ) -> Flow {
        if let Some(intent) = own {
            self.finish_done(intent);
            self.go_out(room);
            return Flow::Ended;
        }
        self.stage.mls.insert(room.id);
        let processed =
            room.live(&self.keys).and_then(|member| member.process(EventKind::Proposal, &event.event.body));
        let sender = match processed {
            Ok(Processed::Proposal { sender, binding }) if binds(&binding, event) => sender,
            Ok(Processed::Proposal { .. }) => {
                return self.refuse(room, event, ErrorCode::Malformed);
            }
            Ok(_) => return self.refuse(room, event, ErrorCode::Malformed),
            Err(error) => return self.stumble(room, event, error),
        };
        if let Some(member) = room.members.get_mut(&sender.account) {
            member.leaving = true;
        }
        let gone = BTreeSet::from([sender.account.clone()]);
        let by = Some((&sender.account, sender.device));
        self.system_item(room, event, ItemKind::Left, by, &gone);
        self.stage.rosters.insert(room.id);
        self.stage.notify(Notice::Room(room.id));
        self.settle_soon(room);
        Flow::Applied
    }

    /// Every remaining device means to carry out what others wait for; the jitter makes one of them
    /// the first.
    pub(crate) fn settle_soon(&mut self, room: &mut Room) {
        if room.unsettled() {
            self.settle_within(room, SETTLE_WITHIN_MS);
        }
    }

    /// Carries out others' leaves at some time within this many milliseconds.
    pub(crate) fn settle_within(&mut self, room: &mut Room, ms: u64) {
        if room.settle_at.is_none() {
            let at = self.now.plus_ms(self.jitter_ms(ms));
            room.settle_at = Some(at);
            self.wake_for(at, room.id);
        }
    }

    /// This account is out of the room.
    pub(crate) fn go_out(&mut self, room: &mut Room) {
        room.phase = RoomPhase::Left;
        room.lost = None;
        room.behind = false;
        room.settle_at = None;
        self.drop_group(room);
        self.fail_all(room, ErrorCode::Forbidden);
        self.stage.rooms.insert(room.id);
        self.stage.notify(Notice::Left(room.id));
    }
}

/// [MLS-12] Whether authenticated data names the place where the hub shows the body.
pub(super) fn binds(binding: &MessageBinding, event: &CheckedEvent) -> bool {
    binding.room == event.room.as_bytes().as_slice()
        && binding.message_id == event.message.as_bytes().as_slice()
}

/// The leaves as the room's rules see them.
pub(crate) fn roster(leaves: &[Leaf]) -> Roster {
    let mut roster = Roster::new();
    for leaf in leaves {
        roster.entry(leaf.account.clone()).or_default().insert(leaf.device);
    }
    roster
}
