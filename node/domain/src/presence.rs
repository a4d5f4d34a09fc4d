//! Who of an account's fellows in rooms is here: has a session that shows so. Told among accounts of this
//! domain that are members of a room together, kept in memory only, several changes at a time.

use std::collections::{BTreeMap, BTreeSet};

use machine::{Entropy, Timestamp};
use store::Store;
use wire::{
    Account, ErrorCode, limits,
    proto::{Done, Entry, Presence, ShowPresence, entry},
};

use crate::{Core, SessionId, fan_out::page, send::Send};

/// Who was told to be here, and what is to be told.
#[derive(Default)]
pub(crate) struct PresenceTable {
    /// Those of whom their fellows were told that they are here.
    here: BTreeSet<Account>,
    /// Those who may have come or gone.
    moved: BTreeSet<Account>,
    /// Those who have come into a room, whose members know nothing of them.
    entered: BTreeSet<Account>,
    /// Sessions that are to be told who is here.
    curious: BTreeSet<SessionId>,
    told: Timestamp,
}

impl PresenceTable {
    /// The account may have come or gone.
    pub(crate) fn moved(&mut self, account: &Account) {
        self.moved.insert(account.clone());
    }

    /// The account is in another room from now on.
    pub(crate) fn entered(&mut self, account: &Account) {
        if self.here.contains(account) {
            self.entered.insert(account.clone());
        }
    }

    /// What was told may not have gone out: it is told anew.
    pub(crate) fn roll_back(&mut self) {
        self.moved.append(&mut self.here.clone());
        self.entered.append(&mut self.here.clone());
    }

    /// [SYNC-33] When the next of it is told.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let waits = !self.moved.is_empty() || !self.entered.is_empty() || !self.curious.is_empty();
        waits.then(|| self.told.plus_ms(limits::PRESENCE_EVERY_MS))
    }
}

/// How many rooms, and members in them, were looked at in one go.
#[derive(Default)]
struct Visits(usize);

impl Visits {
    /// Whether the accounts that are left wait for the next time. One account is always looked after.
    const fn are_enough(&self) -> bool {
        self.0 >= limits::PRESENCE_VISITS_MAX
    }
}

/// What each session is told: who came or went.
type News = BTreeMap<SessionId, BTreeMap<Account, bool>>;

impl<S: Store, E: Entropy> Core<S, E> {
    /// [SYNC-32] A session shows that its account is here, or stops to.
    pub(crate) fn show_presence(
        &mut self,
        id: SessionId,
        account: &Account,
        request: &ShowPresence,
    ) -> Result<Done, ErrorCode> {
        if !self.config.presence {
            return Err(ErrorCode::Policy);
        }
        let session = self.sessions.get_mut(id).ok_or(ErrorCode::Internal)?;
        if session.shown != request.shown {
            session.shown = request.shown;
            self.presence.moved(account);
            if request.shown {
                self.presence.curious.insert(id);
            }
        }
        Ok(Done {})
    }

    /// Forgets a session, and that it showed anything.
    pub(crate) fn close_session(&mut self, id: SessionId) {
        let Some(session) = self.sessions.close(id) else { return };
        if let (true, Some((account, _))) = (session.shown, session.device) {
            self.presence.moved(&account);
        }
    }

    // [SYNC-33]
    /// Tells what has changed, of so many accounts and to so many sessions at a time.
    pub(crate) fn tell_presence(&mut self) {
        self.presence.told = self.now;
        let mut news = News::new();
        let most = limits::PRESENCE_AT_ONCE_MAX;
        let mut visits = Visits::default();
        for _ in 0..most {
            if visits.are_enough() {
                break;
            }
            let Some(account) = self.presence.moved.pop_first() else { break };
            let here = !self.shown(&account).is_empty();
            let changed = match here {
                true => self.presence.here.insert(account.clone()),
                false => self.presence.here.remove(&account),
            };
            if changed {
                self.presence.entered.remove(&account);
                self.tell_fellows(&account, here, &mut news, &mut visits);
            }
        }
        let mut visits = Visits::default();
        for _ in 0..most {
            if visits.are_enough() {
                break;
            }
            let Some(account) = self.presence.entered.pop_first() else { break };
            let sessions = self.shown(&account);
            if !sessions.is_empty() {
                self.presence.curious.extend(sessions);
                self.tell_fellows(&account, true, &mut news, &mut visits);
            }
        }
        let mut visits = Visits::default();
        for _ in 0..most {
            if visits.are_enough() {
                break;
            }
            let Some(id) = self.presence.curious.pop_first() else { break };
            let session = self.sessions.get(id).filter(|session| session.shown);
            let Some((account, _)) = session.and_then(|session| session.device.clone()) else { continue };
            let fellows = self.fellows(&account, &mut visits);
            let here = fellows.into_iter().filter(|fellow| self.presence.here.contains(fellow));
            news.entry(id).or_default().extend(here.map(|fellow| (fellow, true)));
        }
        for (id, accounts) in news {
            let entries: Vec<Entry> =
                accounts.into_iter().map(|(account, here)| entry(&account, here)).collect();
            for part in entries.chunks(limits::BATCH_ITEMS_MAX) {
                self.drain.staged.extend(page(part.to_vec(), false).map(|frame| Send::Passing(id, frame)));
            }
        }
    }

    /// Puts into the news of those who may know that an account came or went.
    fn tell_fellows(&mut self, account: &Account, here: bool, news: &mut News, visits: &mut Visits) {
        for fellow in self.fellows(account, visits) {
            for id in self.shown(&fellow) {
                news.entry(id).or_default().insert(account.clone(), here);
            }
        }
    }

    /// The sessions of an account that show that it is here.
    fn shown(&self, account: &Account) -> Vec<SessionId> {
        let ids = self.sessions.of(account).into_iter().map(|(_, id)| id);
        ids.filter(|id| self.sessions.get(*id).is_some_and(|session| session.shown)).collect()
    }

    // [SYNC-32]
    /// The accounts of this domain that are members of a room together with this one.
    fn fellows(&mut self, account: &Account, visits: &mut Visits) -> BTreeSet<Account> {
        let mut fellows = BTreeSet::new();
        let memberships = self.store.memberships(account).unwrap_or_default();
        for member in memberships.iter().filter(|member| member.to_seq.is_none()) {
            let Ok(Some(room)) = self.take_room(&member.room) else { continue };
            visits.0 += 1 + room.locals.len();
            if room.locals.contains(account) {
                fellows.extend(room.locals.iter().filter(|fellow| *fellow != account).cloned());
            }
            self.rooms.put(room);
        }
        fellows
    }
}

fn entry(account: &Account, here: bool) -> Entry {
    let presence = Presence { account: account.as_str().to_owned(), here };
    Entry { position: 0, entry: Some(entry::Entry::Presence(presence)) }
}
