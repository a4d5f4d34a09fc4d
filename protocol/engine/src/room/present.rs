//! Whether those who are in a room are who they say: nobody counts as verified before it was judged,
//! and whoever does not pass stays, with a mark (rule R7).

use std::collections::{BTreeMap, BTreeSet};

use machine::Entropy;
use wire::{Account, ErrorCode};

use super::Room;
use crate::{Engine, Notice, Warning, record::RoomPhase, trust::Verdict};

/// What could not be judged is looked at again after this many milliseconds, or when something was
/// fetched.
const AGAIN_MS: u64 = 31_000;

impl<E: Entropy> Engine<E> {
    /// This device has come into a room whose members it does not know: all are to be judged. The
    /// mark is stored, so that no restart makes somebody verified who was never looked at.
    pub(super) fn not_judged(&mut self, room: &mut Room) {
        room.silent.clear();
        for (account, member) in &mut room.members {
            member.since = 0;
            if *account != self.keys.account {
                member.unverified = Some(ErrorCode::Unavailable);
                room.silent.insert(account.clone());
            }
        }
        room.judge_again();
        self.stage.rosters.insert(room.id);
    }

    /// Judges those who are present: an account with a leaf that does not pass is marked and stays.
    pub(crate) fn check_present(&mut self, room: &mut Room) {
        let later = room.recheck_at.is_some_and(|at| at > self.now);
        if !room.unchecked || later || room.phase != RoomPhase::Joined {
            return;
        }
        let Ok(leaves) = room.live(&self.keys).map(|member| member.leaves()) else { return };
        let mut found: BTreeMap<Account, Verdict> = BTreeMap::new();
        for leaf in &leaves {
            // Who came in without having passed is to pass as an added leaf does.
            let held = room.members.get(&leaf.account).is_some_and(|member| member.held);
            if leaf.account == self.keys.account && !held {
                continue;
            }
            let verdict = match held {
                true => self.trust.listed(self.now, self.now, leaf),
                false => self.trust.present(self.now, leaf),
            };
            let worst = found.entry(leaf.account.clone()).or_insert(Verdict::Good);
            *worst = (*worst).max(verdict);
        }
        room.unchecked =
            found.values().any(|verdict| matches!(verdict, Verdict::Unknown | Verdict::Unavailable(_)));
        room.recheck_at = None;
        if room.unchecked {
            let at = self.now.plus_ms(AGAIN_MS);
            room.recheck_at = Some(at);
            self.wake_for(at, room.id);
        }
        for (account, verdict) in found {
            self.mark(room, account, verdict);
        }
    }

    fn mark(&mut self, room: &mut Room, account: Account, verdict: Verdict) {
        let Some(member) = room.members.get_mut(&account) else { return };
        let (found, sure) = match verdict {
            Verdict::Good => (None, true),
            Verdict::Unknown => (member.unverified, false),
            Verdict::Unavailable(error) | Verdict::Bad(error) => (Some(error), true),
        };
        let passed = member.held && verdict == Verdict::Good;
        let news = member.unverified != found || passed;
        if news {
            member.unverified = found;
            member.held &= !passed;
            self.touched.insert(room.id);
            self.stage.rosters.insert(room.id);
            self.stage.notify(Notice::Room(room.id));
        }
        let unsaid = sure && room.silent.remove(&account);
        if let Some(error) = found.filter(|_| news || unsaid) {
            let warning = Warning::Unverified { room: room.id, account, error };
            self.stage.notify(Notice::Warning(warning));
        }
    }

    /// A renewed leaf of each of these accounts does not pass: that is shown, and stops nobody.
    pub(super) fn mark_renewed(&mut self, room: &mut Room, marked: &BTreeMap<Account, ErrorCode>) {
        for (account, error) in marked {
            room.unchecked = true;
            let Some(member) = room.members.get_mut(account) else { continue };
            if member.unverified.replace(*error) != Some(*error) {
                let warning = Warning::Unverified { room: room.id, account: account.clone(), error: *error };
                self.stage.notify(Notice::Warning(warning));
            }
        }
    }

    /// A leaf that came in of each of these accounts does not pass: nothing is said in the room before
    /// it does, or the user says so.
    pub(super) fn hold(&mut self, room: &mut Room, held: &BTreeMap<Account, ErrorCode>) {
        for (account, error) in held {
            let Some(member) = room.members.get_mut(account) else { continue };
            member.unverified = Some(*error);
            member.held = true;
            let warning = Warning::Held { room: room.id, account: account.clone(), error: *error };
            self.stage.notify(Notice::Warning(warning));
        }
    }

    /// Nobody who was here before vouches for these accounts: nothing is said before the user says so.
    pub(super) fn hold_unproved(&mut self, room: &mut Room, accounts: &BTreeSet<Account>) {
        for account in accounts {
            let Some(member) = room.members.get_mut(account) else { continue };
            member.unproved = true;
            let error = ErrorCode::KeyUnverified;
            let warning = Warning::Held { room: room.id, account: account.clone(), error };
            self.stage.notify(Notice::Warning(warning));
        }
    }

    /// The user says that an account may read what is said here, although its keys could not be checked.
    ///
    /// # Errors
    /// `NotFound` if it is not in the room.
    pub(crate) fn admit(&mut self, room: &mut Room, account: &Account) -> Result<(), ErrorCode> {
        let member = room.members.get_mut(account).ok_or(ErrorCode::NotFound)?;
        let held = std::mem::take(&mut member.held);
        if std::mem::take(&mut member.unproved) || held {
            self.stage.rosters.insert(room.id);
            self.stage.notify(Notice::Room(room.id));
            self.touched.insert(room.id);
        }
        Ok(())
    }

    /// The user trusts another key of an account now: what was found about it may be wrong.
    pub(crate) fn judge_account_again(&mut self, account: &Account) {
        for room in self.rooms.values_mut() {
            if room.members.get(account).is_some_and(|member| member.unverified.is_some()) {
                room.judge_again();
                self.touched.insert(room.id);
            }
        }
    }
}

impl Room {
    /// Those with a mark are to be judged at the next opportunity.
    pub(crate) fn judge_again(&mut self) {
        self.unchecked = true;
        self.recheck_at = None;
    }

    /// Why nothing may be said here: the other side of a direct room is not known, or it is known that
    /// it is not, the account that this room is for; or somebody has come in who did not pass.
    pub(crate) fn withheld(&self) -> Option<ErrorCode> {
        let peer = self.peer.as_ref().and_then(|peer| self.members.get(peer));
        peer.and_then(|peer| peer.unverified).or_else(|| {
            let held = self.members.values().find(|member| member.held);
            let unproved = || self.members.values().any(|member| member.unproved);
            held.map(|member| member.unverified.unwrap_or(ErrorCode::Unavailable))
                .or_else(|| unproved().then_some(ErrorCode::KeyUnverified))
        })
    }
}
