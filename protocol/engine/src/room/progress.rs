//! How far the members are, and what that means for own messages on their way.

use machine::Entropy;
use wire::{
    Account, DomainName, RoomId,
    proto::{Progress, ProgressKind},
};

use super::Room;
use crate::{Engine, Notice, record::RoomPhase, view::Delivery};

/// What `Room::said` counts.
const STATES: [Delivery; 3] = [Delivery::Stored, Delivery::Delivered, Delivery::Read];

impl<E: Entropy> Engine<E> {
    pub(crate) fn progress(&mut self, progress: &Progress) {
        let Ok(id) = RoomId::try_from(progress.room.as_ref()) else { return };
        self.with_room(id, |engine, room| {
            if room.phase == RoomPhase::Joined && !room.recalling && note(room, progress) {
                engine.stage.rosters.insert(id);
                engine.tell_progress(room);
            }
        });
    }

    /// A member, perhaps another device of this account, has read up to a seq.
    pub(super) fn read_by(&mut self, room: &mut Room, account: &Account, seq: u64) {
        let Some(member) = room.members.get_mut(account) else { return };
        if member.read >= seq {
            return;
        }
        member.read = seq;
        member.delivered = member.delivered.max(seq);
        self.stage.rosters.insert(room.id);
        if *account == self.keys.account {
            room.read_seq = room.read_seq.max(room.place(seq));
            self.stage.rooms.insert(room.id);
        }
        let seq = room.place(seq);
        self.stage.notify(Notice::Read { room: room.id, account: account.clone(), seq });
        self.tell_progress(room);
    }

    /// Says of an own message that was followed just now what was known before it came.
    pub(super) fn tell_said(&mut self, room: &Room, seq: u64) {
        let Some(own) = room.followed.back().filter(|own| own.seq == seq) else { return };
        for (said, state) in room.said.iter().zip(STATES) {
            if *said >= seq {
                let (intent, message) = (own.intent, own.message);
                self.stage.notify(Notice::Delivery { room: room.id, intent, message, state });
            }
        }
    }

    /// Says of own messages what is new about them: what all others have stored, received, read.
    pub(super) fn tell_progress(&mut self, room: &mut Room) {
        let own = &self.keys.account;
        let others = || room.members.iter().filter(|(account, _)| *account != own);
        if others().next().is_none() {
            return;
        }
        let stored = |account: &Account| -> u64 {
            if *account.domain() == room.hub {
                room.head_seq.max(room.followed.back().map_or(0, |last| last.seq))
            } else {
                room.stored.get(account.domain()).copied().unwrap_or_default()
            }
        };
        let least = |of: &dyn Fn(&Account, &super::Member) -> u64| {
            others().map(|(account, member)| of(account, member)).min().unwrap_or_default()
        };
        let read = least(&|_, member| member.read);
        let delivered = least(&|_, member| member.delivered.max(member.read));
        let held = least(&|account, member| stored(account).max(member.delivered));
        let now = [held, delivered.max(read), read];
        let mut told = Vec::new();
        for ((said, now), state) in room.said.iter_mut().zip(now).zip(STATES) {
            if now > *said {
                let from = room.followed.partition_point(|own| own.seq <= *said);
                let to = room.followed.partition_point(|own| own.seq <= now);
                told.extend(room.followed.range(from..to).map(|own| (*own, state)));
                *said = now;
            }
        }
        for (own, state) in told {
            let (intent, message) = (own.intent, own.message);
            self.stage.notify(Notice::Delivery { room: room.id, intent, message, state });
        }
        let read = room.said[2];
        while room.followed.front().is_some_and(|own| own.seq <= read) {
            room.followed.pop_front();
        }
    }
}

fn note(room: &mut Room, progress: &Progress) -> bool {
    let raise = |known: &mut u64| {
        let news = progress.seq > *known;
        *known = progress.seq.max(*known);
        news
    };
    match progress.kind() {
        ProgressKind::Stored => {
            let domain: Option<DomainName> = progress.who.parse().ok();
            domain.and_then(|domain| room.stored.get_mut(&domain)).is_some_and(raise)
        }
        ProgressKind::Delivered => {
            let account: Option<Account> = progress.who.parse().ok();
            let member = account.and_then(|account| room.members.get_mut(&account));
            member.map(|member| &mut member.delivered).is_some_and(raise)
        }
        ProgressKind::Unspecified => false,
    }
}
