//! Who is typing, as it is told, and when to tell it of oneself. Notices may be lost, so each holds
//! only for a while.

use std::collections::BTreeMap;

use client::{Account, RoomId};

/// How long somebody counts as typing without saying so again.
const SHOWN_MS: u64 = 12_000;
/// How often one's own typing is told while it goes on.
const AGAIN_MS: u64 = 5_000;
/// How long after the last key one counts as typing.
const IDLE_MS: u64 = 6_000;
/// People of whom it is remembered.
const KEPT: usize = 256;

/// Others, and oneself.
#[derive(Debug, Default)]
pub(crate) struct Typing {
    others: BTreeMap<(RoomId, Account), u64>,
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    room: RoomId,
    told_ms: u64,
    key_ms: u64,
}

impl Typing {
    /// Somebody types, or stopped.
    pub(crate) fn other(&mut self, room: RoomId, account: Account, active: bool, now_ms: u64) {
        self.others.retain(|_, until| *until > now_ms);
        if !active {
            self.others.remove(&(room, account));
        } else if self.others.len() < KEPT {
            self.others.insert((room, account), now_ms + SHOWN_MS);
        }
    }

    /// Who types in a room.
    pub(crate) fn in_room(&self, room: RoomId, now_ms: u64) -> impl Iterator<Item = &Account> {
        let here = self.others.iter().filter(move |((of, _), until)| *of == room && **until > now_ms);
        here.map(|((_, account), _)| account)
    }

    /// A key was pressed in a room's composer; whether to tell the others.
    pub(crate) fn key(&mut self, room: RoomId, now_ms: u64) -> bool {
        match &mut self.own {
            Some(own) if own.room == room => {
                own.key_ms = now_ms;
                let due = now_ms.saturating_sub(own.told_ms) >= AGAIN_MS;
                if due {
                    own.told_ms = now_ms;
                }
                due
            }
            _ => {
                self.own = Some(Own { room, told_ms: now_ms, key_ms: now_ms });
                true
            }
        }
    }

    /// The composer is empty, or was left; the room whose members are to be told, if any.
    pub(crate) fn stop(&mut self) -> Option<RoomId> {
        self.own.take().map(|own| own.room)
    }

    /// The room in which one has been idle for too long to count as typing.
    pub(crate) fn idle(&mut self, now_ms: u64) -> Option<RoomId> {
        let idle = self.own.as_ref().is_some_and(|own| now_ms >= own.key_ms + IDLE_MS);
        if idle { self.stop() } else { None }
    }

    /// When something ends by itself.
    pub(crate) fn wake_at(&self, now_ms: u64) -> Option<u64> {
        let others = self.others.values().copied().filter(|until| *until > now_ms);
        others.chain(self.own.as_ref().map(|own| own.key_ms + IDLE_MS)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_is_told_seldom_and_ends_by_itself() {
        let room = RoomId::new([1; 32]);
        let mut typing = Typing::default();
        let told = (0..100).filter(|n| typing.key(room, n * 100)).count();
        assert_eq!(told, 2, "ten seconds of keys");
        assert_eq!(typing.idle(10_000), None);
        assert_eq!(typing.wake_at(10_000), Some(9_900 + IDLE_MS));
        assert_eq!(typing.idle(9_900 + IDLE_MS), Some(room));
        assert_eq!(typing.stop(), None);
    }

    #[test]
    fn who_does_not_say_so_again_has_stopped() {
        let room = RoomId::new([1; 32]);
        let bob: Account = "bob@acme.test".parse().expect("an account");
        let mut typing = Typing::default();
        typing.other(room, bob.clone(), true, 0);
        assert_eq!(typing.in_room(room, SHOWN_MS - 1).collect::<Vec<_>>(), [&bob]);
        assert_eq!(typing.in_room(RoomId::new([2; 32]), 1).count(), 0);
        assert_eq!(typing.in_room(room, SHOWN_MS).count(), 0);
        typing.other(room, bob.clone(), true, 0);
        typing.other(room, bob, false, 1);
        assert_eq!(typing.in_room(room, 1).count(), 0);
    }
}
