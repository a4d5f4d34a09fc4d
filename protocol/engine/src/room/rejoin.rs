//! A room in which this device has lost its way: a commit that MLS does not take, or a group that is
//! gone from its store. The log goes on and is passed over, until an external commit brings the device
//! back ([MLS-16], [MLS-24]); what was said meanwhile it never reads.

use std::collections::{BTreeMap, BTreeSet};

use machine::Entropy;
use mls::Processed;
use room::{CheckedEvent, State};
use wire::{Account, DeviceId, ErrorCode, MessageId, proto::EventKind};

use super::{
    Room,
    commit::{binds, roster},
    log::Flow,
    state::Group,
};
use crate::{
    Engine, Notice, Warning,
    record::{IntentKind, IntentRow, ItemKind, RoomPhase},
};

/// Devices that lost their way by the same commit come back one after the other: each begins within so
/// many milliseconds.
const BEGIN_WITHIN_MS: u64 = 2_000;

/// A leaf as it was when this device still followed.
pub(crate) type KnownLeaf = (Account, DeviceId, [u8; 32]);

/// What is known of a room in which this device has lost its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Why.
    pub(crate) error: ErrorCode,
    /// The epoch to which the newest commit in the log leads, and that commit's confirmation tag; 0
    /// and empty if none was seen since.
    pub(crate) epoch: u64,
    pub(crate) confirmed: Vec<u8>,
    /// The leaves of the last epoch that was followed, if they are still known.
    pub(crate) known: Option<BTreeSet<KnownLeaf>>,
}

impl Lost {
    pub(crate) const fn new(error: ErrorCode) -> Self {
        Self { error, epoch: 0, confirmed: Vec::new(), known: None }
    }
}

impl<E: Entropy> Engine<E> {
    /// MLS does not take an event. What breaks a rule that the hub can see is refused; what it cannot
    /// see, or what is wrong here, is no reason to stay behind: the event is fetched once more, and then
    /// given up.
    pub(super) fn stumble(&mut self, room: &mut Room, event: &CheckedEvent, error: ErrorCode) -> Flow {
        let unseen = matches!(
            error,
            ErrorCode::BadSignature | ErrorCode::StaleEpoch | ErrorCode::NotFound | ErrorCode::Internal
        );
        if !unseen {
            return self.refuse(room, event, error);
        }
        if room.stumbled_at != event.seq {
            room.stumbled_at = event.seq;
            room.behind = true;
            self.stage.rooms.insert(room.id);
            return Flow::Ended;
        }
        self.lose_way(room, event, error);
        self.pass_over(room, event, None)
    }

    fn lose_way(&mut self, room: &mut Room, event: &CheckedEvent, error: ErrorCode) {
        let author = match event.kind {
            EventKind::Commit => room.live(&self.keys).and_then(|group| group.author_of(&event.event.body)),
            _ => Err(ErrorCode::NotFound),
        };
        let account = author.ok().map(|leaf| leaf.account);
        let warning = Warning::Lost { room: room.id, account, seq: room.place(event.seq), error };
        self.stage.notify(Notice::Warning(warning));
        self.nack(room, event.seq);
        if let Some(flight) = room.flight {
            self.race_lost(room, flight);
        }
        room.lost = Some(Lost::new(error));
        (room.settle_at, room.refresh_at) = (None, None);
        self.seek_way(room);
    }

    /// Means to come back, if nothing means so already.
    pub(crate) fn seek_way(&mut self, room: &mut Room) {
        let is_meant = |row: &IntentRow| row.kind() == IntentKind::Rejoin;
        if room.lost.is_none() || self.intents.of(room.id).any(is_meant) {
            return;
        }
        let mut row = IntentRow { quiet: true, ..IntentRow::default() };
        row.set_kind(IntentKind::Rejoin);
        if let Err(error) = self.push_intent(room, row, None, true) {
            return self.passed(error);
        }
        let at = self.now.plus_ms(self.jitter_ms(BEGIN_WITHIN_MS));
        room.rest_until = room.rest_until.max(at);
        self.wake_for(at, room.id);
        self.stage.rooms.insert(room.id);
        self.stage.notify(Notice::Room(room.id));
    }

    /// It did not come back: the room is paused until the next session.
    pub(crate) fn stay_lost(&mut self, room: &mut Room, error: ErrorCode) {
        self.pause(room, error);
    }

    /// A new session: rooms that were given up are tried again.
    pub(crate) fn seek_ways(&mut self) {
        let lost: Vec<_> =
            self.rooms.values().filter(|room| room.lost.is_some()).map(|room| room.id).collect();
        for id in lost {
            self.with_room(id, |engine, room| {
                room.paused = None;
                room.behind = true;
                engine.seek_way(room);
            });
        }
    }

    /// The log of a room in which this device has lost its way.
    pub(super) fn pass_over(
        &mut self,
        room: &mut Room,
        event: &CheckedEvent,
        own: Option<MessageId>,
    ) -> Flow {
        match event.kind {
            EventKind::Commit => {
                let returns = own.filter(|intent| room.flight == Some(*intent));
                match returns.map(|intent| self.come_back(room, event, intent)) {
                    Some(Ok(())) => Flow::Applied,
                    Some(Err(_)) | None => self.pass_commit(room, event),
                }
            }
            EventKind::Message => {
                self.apply_message(room, event, own);
                Flow::Applied
            }
            EventKind::Notice => {
                self.apply_notice(room, event);
                Flow::Applied
            }
            EventKind::Proposal | EventKind::Founding | EventKind::Unspecified => Flow::Applied,
        }
    }

    fn pass_commit(&mut self, room: &mut Room, event: &CheckedEvent) -> Flow {
        let (epoch, confirmed) = match mls::confirmation(&event.event.body) {
            Ok(seen) => seen,
            Err(error) => return self.refuse(room, event, error),
        };
        if let Some(lost) = &mut room.lost {
            // Whoever shows the group must show the one that this commit leads to.
            lost.epoch = epoch.saturating_add(1);
            lost.confirmed = confirmed;
        }
        if let Some(flight) = room.flight {
            self.race_lost(room, flight);
        }
        Flow::Applied
    }

    /// The own external commit is in the log.
    fn come_back(
        &mut self,
        room: &mut Room,
        event: &CheckedEvent,
        intent: MessageId,
    ) -> Result<(), ErrorCode> {
        let row = self.intents.get(intent).ok_or(ErrorCode::NotFound)?.clone();
        self.stage.mls.insert(room.id);
        let member = room.live(&self.keys)?;
        let staged = match member.process(EventKind::Commit, &event.event.body)? {
            Processed::Commit(staged) if staged.rejoined && staged.own => staged,
            _ => return Err(ErrorCode::Malformed),
        };
        if !binds(&staged.binding, event) {
            member.discard_staged();
            return Err(ErrorCode::Malformed);
        }
        member.merge_staged()?;
        let (leaves, state) = (member.leaves(), State::parse(member.state())?);
        let before: BTreeSet<Account> = room.members.keys().cloned().collect();
        room.lost = None;
        room.flight = None;
        room.epoch = staged.epoch_after;
        room.leaf_updated_ms = self.now.as_ms();
        // Whatever departure was open, this has carried it out, or the hub would not have ordered it
        // ([MLS-17]).
        room.members.values_mut().for_each(|member| member.leaving = false);
        self.adopt(room, &roster(&leaves), &state, event.seq);
        let new = room.members.keys().filter(|account| !before.contains(*account)).cloned().collect();
        let held: BTreeMap<Account, ErrorCode> = row
            .refused
            .iter()
            .filter_map(|one| {
                Some((one.account.parse().ok()?, ErrorCode::from_code(one.error.as_ref()?.code)))
            })
            .collect();
        let unproved: BTreeSet<Account> = row.added.iter().filter_map(|name| name.parse().ok()).collect();
        self.hold(room, &held);
        self.hold_unproved(room, &unproved);
        room.judge_again();
        let own = self.keys.account.clone();
        self.system_item(room, event, ItemKind::Rejoined, Some((&own, self.keys.device)), &new);
        self.finish_done(intent);
        self.stage.rooms.insert(room.id);
        self.stage.notify(Notice::Room(room.id));
        self.touched.insert(room.id);
        Ok(())
    }
}

impl Room {
    /// In it, and yet there is no group: it is gone from the store.
    pub(crate) const fn lacks_group(&self) -> bool {
        matches!(self.phase, RoomPhase::Joined) && matches!(self.group, Group::None)
    }

    /// Whether what is said here cannot be read: the group of the last epoch is gone, and that of the
    /// next one does not exist for the others yet.
    pub(crate) fn is_deaf(&mut self, keys: &mls::DeviceKeys) -> bool {
        self.lost.is_some() && !self.live(keys).is_ok_and(|group| !group.has_pending_commit())
    }

    /// The leaves of the last epoch that was followed, as long as its group is there.
    pub(crate) fn remember_leaves(&mut self, keys: &mls::DeviceKeys) {
        if self.lost.as_ref().is_none_or(|lost| lost.known.is_some()) || self.is_deaf(keys) {
            return;
        }
        let Ok(leaves) = self.live(keys).map(|group| group.leaves()) else { return };
        let known = leaves.into_iter().map(|leaf| (leaf.account, leaf.device, *leaf.key.as_bytes()));
        if let Some(lost) = &mut self.lost {
            lost.known = Some(known.collect());
        }
    }
}
