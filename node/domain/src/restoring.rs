//! Rooms that this domain orders, after a restore from a backup: each is closed until its followers have
//! given back what the hub had ordered since the backup was made ([ROOM-40]).

use std::collections::{BTreeMap, BTreeSet};

use machine::{Entropy, Timestamp};
use prost::Message as _;
use room::{
    CheckedEvent, chain,
    follower::{self, Applied, Hub},
    hub,
};
use store::{Batch, Store, StoreError, Write, row::RoomRow};
use wire::{
    Account, DomainName, ErrorCode, RoomId, limits,
    proto::{EventKind, Events, HubNotice, LinkOpen, PulledEvents, hub_notice::Notice},
};

use crate::{ConnId, Core, StreamId, admin::Act, drain::Seen, link_table::LinkTable, room_table::Room};

/// What came to nothing is asked again after so many milliseconds, and twice as many each time after that.
const AGAIN_MS: u64 = 1_000;
/// Whoever came back only now, and cannot say at once what it has, is asked so often at least.
const TRIES_MIN: u32 = 8;

/// The rooms that are closed, and who has to be heard about each.
#[derive(Default)]
pub(crate) struct Restoring {
    rooms: BTreeMap<RoomId, Followers>,
    /// Link streams of peers that are answered when what they know is here: what they sent before would
    /// be judged by a log that is too short.
    links: BTreeMap<DomainName, (ConnId, StreamId, LinkOpen)>,
    again: BTreeMap<DomainName, Again>,
    /// The room that each peer was asked about last: the next turn begins after it.
    turns: BTreeMap<DomainName, RoomId>,
}

/// When a peer is asked again that did not say what it has.
struct Again {
    /// When it was put off first, whatever it has said since.
    since: Timestamp,
    due: Option<Timestamp>,
    /// How often it was put off since it said something.
    tries: u32,
}

#[derive(Default)]
struct Followers {
    owing: BTreeSet<DomainName>,
    heard: BTreeSet<DomainName>,
    /// Who has what this domain signed and cannot follow: whoever else is heard, nothing is ordered as
    /// long as one of them is pinned.
    stuck: BTreeSet<DomainName>,
}

/// Why a run that a follower gave back was not taken.
enum Untaken {
    /// This domain has not signed all of it, which proves nothing.
    NotOurs,
    /// This domain has signed it and cannot follow it, which must not be passed over.
    Stuck(ErrorCode),
    /// Something before it is missing, or this node could not take it in now.
    Later(ErrorCode),
}

impl Untaken {
    /// Of what this domain has signed.
    fn signed(error: ErrorCode) -> Self {
        match error {
            ErrorCode::Internal | ErrorCode::StorageFull | ErrorCode::Unavailable => Self::Later(error),
            _ => Self::Stuck(error),
        }
    }
}

impl Restoring {
    /// Finds the closed rooms of a store, and opens those in which there is nobody to be heard.
    pub(crate) fn load<S: Store>(
        store: &S,
        own: &DomainName,
        links: &LinkTable,
        batch: &mut Batch,
    ) -> Result<Self, StoreError> {
        let mut rooms = BTreeMap::new();
        for row in store.rooms_wanting(own, usize::MAX)? {
            let members = store.members(&row.room)?;
            let there = members.iter().filter(|member| member.to_seq.is_none());
            let domains = there.map(|member| member.account.domain()).filter(|domain| *domain != own);
            let owing: BTreeSet<DomainName> =
                domains.filter(|domain| links.get(domain).is_some()).cloned().collect();
            if owing.is_empty() {
                batch.push(Write::PutRoom(RoomRow { wanted_seq: 0, ..row }));
            } else {
                rooms.insert(row.room, Followers { owing, ..Followers::default() });
            }
        }
        Ok(Self { rooms, ..Self::default() })
    }

    /// Whether nothing may be ordered in a room.
    pub(crate) fn closes(&self, room: &RoomId) -> bool {
        self.rooms.contains_key(room)
    }

    /// Whether a peer has still to be heard.
    pub(crate) fn wants(&self, peer: &DomainName) -> bool {
        self.rooms.values().any(|followers| followers.owing.contains(peer))
    }

    /// When a question is asked again.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        if self.rooms.is_empty() {
            return None;
        }
        self.again.values().filter_map(|again| again.due).min()
    }

    fn owed(&self, peer: &DomainName) -> Vec<RoomId> {
        let owing = self.rooms.iter().filter(|(_, followers)| followers.owing.contains(peer));
        owing.map(|(room, _)| *room).collect()
    }

    /// The rooms that a peer is asked about next, of which some are asked already: those about which it
    /// says nothing do not stand in the way of the others.
    fn turn(&mut self, peer: &DomainName, asked: &BTreeSet<RoomId>) -> Vec<RoomId> {
        if self.again.get(peer).is_some_and(|again| again.due.is_some()) {
            return Vec::new();
        }
        let mut owed = self.owed(peer);
        let after = self.turns.get(peer).map_or(0, |last| owed.partition_point(|room| room <= last));
        owed.rotate_left(after);
        owed.retain(|room| !asked.contains(room));
        owed.truncate(limits::PULLS_AT_ONCE_MAX.saturating_sub(asked.len()));
        if let Some(last) = owed.last() {
            self.turns.insert(peer.clone(), *last);
        }
        owed
    }

    /// A peer did not say what it has.
    fn put_off(&mut self, peer: &DomainName, now: Timestamp) {
        let again = self.again.entry(peer.clone()).or_insert(Again { since: now, due: None, tries: 0 });
        if again.due.is_none() {
            let wait = AGAIN_MS.saturating_mul(1_u64.checked_shl(again.tries).unwrap_or(u64::MAX));
            again.due = Some(now.plus_ms(wait.min(limits::BACKOFF_MAX_MS)));
            again.tries = again.tries.saturating_add(1);
        }
    }

    /// The peers that are asked again now.
    fn put_off_until(&mut self, now: Timestamp) -> Vec<DomainName> {
        let due = self.again.iter_mut().filter(|(_, again)| again.due.is_some_and(|due| due <= now));
        due.map(|(peer, again)| {
            again.due = None;
            peer.clone()
        })
        .collect()
    }

    /// Whoever else is to be heard about a room.
    fn others(&self, room: &RoomId, peer: &DomainName) -> Vec<DomainName> {
        let owing = self.rooms.get(room).into_iter().flat_map(|followers| followers.owing.iter());
        owing.filter(|other| *other != peer).cloned().collect()
    }

    /// A follower has given all that it has. Whoever came into the room by that is to be heard as well.
    /// Returns whether everybody has been heard.
    fn heard(&mut self, room: &RoomId, peer: &DomainName, now_there: BTreeSet<DomainName>) -> bool {
        let Some(followers) = self.rooms.get_mut(room) else { return false };
        followers.owing.remove(peer);
        followers.heard.insert(peer.clone());
        followers.owing.extend(now_there.difference(&followers.heard).cloned().collect::<Vec<_>>());
        if let Some(again) = self.again.get_mut(peer) {
            *again = Again { since: again.since, due: None, tries: 0 };
        }
        if followers.owing.is_empty() && followers.stuck.is_empty() {
            self.rooms.remove(room);
        }
        !self.closes(room)
    }
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// # Errors
    /// `Unavailable` while the room is closed: the same submission may be ordered later.
    pub(crate) fn is_open(&self, room: &RoomId) -> Result<(), ErrorCode> {
        if self.restoring.closes(room) { Err(ErrorCode::Unavailable) } else { Ok(()) }
    }

    /// The closed rooms as the store has them: what was given back and not written is asked for again.
    pub(crate) fn load_restoring(&mut self) {
        let mut batch = Batch::default();
        match Restoring::load(&self.store, &self.config.domain, &self.links, &mut batch) {
            Ok(restoring) => {
                let again = std::mem::take(&mut self.restoring.again);
                self.restoring = Restoring { again, ..restoring };
                self.drain.batch.writes.append(&mut batch.writes);
            }
            Err(error) => tracing::error!(error = error.code().name(), "the rooms could not be read"),
        }
    }

    /// Asks a connected follower what it has of rooms that are closed.
    pub(crate) fn pull_lost(&mut self, peer: &DomainName) {
        let asked = self.waiting.pulled(peer);
        for id in self.restoring.turn(peer, &asked) {
            if let Ok(Some(room)) = self.take_room(&id) {
                let next = room.row.head_seq.saturating_add(1);
                self.rooms.put(room);
                self.pull(peer, id, next);
            }
        }
    }

    /// Takes in what a follower gave back of a room that this domain orders.
    pub(crate) fn take_lost(&mut self, peer: &DomainName, mut room: Box<Room>, pulled: PulledEvents) {
        let id = room.row.room;
        if !self.restoring.closes(&id) {
            return self.rooms.put(room);
        }
        let before = room.row.head_seq;
        let run = Events { room: id.to_bytes(), events: pulled.events };
        let outcome = if run.events.is_empty() { Ok(()) } else { self.order_again(&mut room, &run) };
        let closed = |error: ErrorCode| {
            tracing::error!(peer = %peer, room = %id, error = error.name(), "a restored room stays closed");
        };
        match outcome {
            Ok(()) if room.row.head_seq > before && !pulled.end => {
                self.pull(peer, id, room.row.head_seq.saturating_add(1));
            }
            Ok(()) => self.heard(peer, &mut room),
            Err(Untaken::NotOurs) => {
                tracing::warn!(peer = %peer, room = %id, "a follower gave back what was never ordered");
                self.quarantine_pulled(peer, run, ErrorCode::BadSignature);
                self.heard(peer, &mut room);
            }
            Err(Untaken::Later(error)) => {
                closed(error);
                self.ask_lost_again(peer, &id);
            }
            Err(Untaken::Stuck(error)) => {
                closed(error);
                self.quarantine_pulled(peer, run, error);
                self.notice(Act::RoomClosed, peer, &format!("room {id}: {}", error.name()));
                if let Some(followers) = self.restoring.rooms.get_mut(&id) {
                    followers.stuck.insert(peer.clone());
                }
                // Its other rooms, and its link, do not wait for this one.
                self.heard(peer, &mut room);
            }
        }
        self.rooms.put(room);
    }

    /// A follower did not say what it has of a room.
    pub(crate) fn lost_failed(&mut self, peer: &DomainName, id: &RoomId, error: ErrorCode) {
        match error {
            // It has no copy, or none that it would show its hub.
            ErrorCode::NotFound | ErrorCode::Forbidden => {
                if let Ok(Some(mut room)) = self.take_room(id) {
                    self.heard(peer, &mut room);
                    self.rooms.put(room);
                }
            }
            _ => self.ask_lost_again(peer, id),
        }
    }

    fn ask_lost_again(&mut self, peer: &DomainName, id: &RoomId) {
        self.restoring.put_off(peer, self.now);
        // Others may have been asked in vain while this one was.
        for other in self.restoring.others(id, peer) {
            if let Some(other) = self.links.get_mut(&other).filter(|other| other.conn.is_some()) {
                other.pulls_due = true;
            }
        }
    }

    /// Asks again what came to nothing, and stops waiting for those that are pinned no more, or have
    /// been away, or have said nothing, for as long as anything waits for a peer.
    pub(crate) fn watch_restoring(&mut self) {
        if self.restoring.rooms.is_empty() {
            return;
        }
        for peer in self.restoring.put_off_until(self.now) {
            if let Some(peer) = self.links.get_mut(&peer) {
                peer.pulls_due = true;
            }
        }
        self.forgive_unpinned();
        let oldest = link::undeliverable_before(self.now);
        let owing = self.restoring.rooms.values().flat_map(|followers| followers.owing.iter().cloned());
        for peer in owing.collect::<BTreeSet<DomainName>>() {
            let again = self.restoring.again.get(&peer);
            let is_silent = again.is_some_and(|again| again.tries >= TRIES_MIN && again.since < oldest);
            let is_gone = self.links.get(&peer).is_none_or(|peer| match peer.conn {
                Some(_) => is_silent,
                None => peer.retry.absent_since.is_some_and(|since| since < oldest),
            });
            if is_gone {
                tracing::warn!(peer = %peer, "restored rooms do not wait for this follower any longer");
                self.give_up_follower(&peer);
            }
        }
    }

    /// What a domain has that is pinned no more keeps no room closed: it is the administrator's decision
    /// whose history counts.
    fn forgive_unpinned(&mut self) {
        let mut forgiven = Vec::new();
        for (room, followers) in &self.restoring.rooms {
            let gone = followers.stuck.iter().filter(|peer| self.links.get(peer).is_none());
            forgiven.extend(gone.map(|peer| (peer.clone(), *room)));
        }
        for (peer, id) in forgiven {
            // What cannot be read now is tried again by the next call.
            let Ok(Some(mut room)) = self.take_room(&id) else { continue };
            if let Some(followers) = self.restoring.rooms.get_mut(&id) {
                followers.stuck.remove(&peer);
            }
            self.heard(&peer, &mut room);
            self.rooms.put(room);
        }
    }

    fn give_up_follower(&mut self, peer: &DomainName) {
        // Whoever comes into a room by what others gave back is asked, or given up by the next call.
        for id in self.restoring.owed(peer) {
            match self.take_room(&id) {
                Ok(Some(mut room)) => {
                    self.heard(peer, &mut room);
                    self.rooms.put(room);
                }
                Ok(None) => drop(self.restoring.rooms.remove(&id)),
                // It is tried again by the next call.
                Err(_) => {}
            }
        }
    }

    fn heard(&mut self, peer: &DomainName, room: &mut Room) {
        let id = room.row.room;
        let there = room.followers.iter().filter(|domain| self.links.get(domain).is_some());
        let there: BTreeSet<DomainName> = there.cloned().collect();
        if self.restoring.heard(&id, peer, there) {
            room.row.wanted_seq = 0;
            room.row_changed = true;
            self.drain.changed_rooms.insert(id);
            tracing::info!(room = %id, head = room.row.head_seq, "a restored room is open");
        }
        // Others may have been asked in vain while this one was.
        for domain in room.followers.iter().chain([peer]) {
            if let Some(peer) = self.links.get_mut(domain).filter(|peer| peer.conn.is_some()) {
                peer.pulls_due = true;
            }
        }
        if !self.restoring.wants(peer)
            && let Some((conn, stream, open)) = self.restoring.links.remove(peer)
            && self.links.conn(peer) == Some(conn)
        {
            self.link_opened(conn, stream, &open);
        }
    }

    /// Whether a peer's link stream has to wait until what the peer knows is here.
    pub(crate) fn waits_for_lost(
        &mut self,
        peer: &DomainName,
        conn: ConnId,
        stream: StreamId,
        open: &LinkOpen,
    ) -> bool {
        let waits = self.restoring.wants(peer);
        if waits {
            self.restoring.links.insert(peer.clone(), (conn, stream, open.clone()));
        }
        waits
    }

    // The events keep their places, heads and signatures: this domain has ordered them.
    fn order_again(&mut self, room: &mut Room, run: &Events) -> Result<(), Untaken> {
        let (id, own) = (room.row.room, self.config.domain.clone());
        let keys = self.event_keys(&own).map_err(Untaken::Later)?;
        // Whatever is wrong with what this domain never signed, it closes nothing.
        for event in &run.events {
            chain::check(&id, &own, &keys, event).map_err(|_| Untaken::NotOurs)?;
        }
        let itself = Hub { room: &id, domain: &own, keys: &keys };
        let known = |seq| self.known_hash(&id, seq);
        match follower::apply(&itself, &room.head(), known, &run.events) {
            Ok(Applied::Applied { events, .. }) => events.iter().try_for_each(|event| {
                let taken = self.is_new(event).and_then(|()| self.event_again(room, event));
                taken.map_err(|error| {
                    if let Some(group) = &mut room.group {
                        group.discard();
                    }
                    Untaken::signed(error)
                })
            }),
            Ok(Applied::Duplicate) => Ok(()),
            // This domain has ordered more than is given back: another follower may have what is between.
            Ok(Applied::Gap { .. }) | Err(_) => Err(Untaken::Later(ErrorCode::Malformed)),
            Ok(Applied::Forked { seq }) => {
                tracing::error!(room = %id, seq, "this domain has signed two histories: one of two stores is to be given up");
                Err(Untaken::Stuck(ErrorCode::ForkedLog))
            }
        }
    }

    fn event_again(&mut self, room: &mut Room, event: &CheckedEvent) -> Result<(), ErrorCode> {
        let own = self.config.domain.clone();
        match event.kind {
            EventKind::Message => self.place_again(room, event),
            EventKind::Commit => {
                let effects = self.commit_again(room, event)?;
                self.place_again(room, event);
                room.set_view(effects.view, &own);
                self.put_out(room, &effects.removed, event.seq);
                // The Welcome was never in the log: who did not get it then has to be added anew.
                for account in &effects.joined {
                    if let Some(row) = room.begin(account, event.seq, &own) {
                        self.drain.batch.push(Write::PutMember(row));
                    }
                }
            }
            EventKind::Proposal => {
                let account = self.leaver_again(room, event)?;
                let view = room.view.as_ref().ok_or(ErrorCode::Internal)?;
                let effects = hub::leave_again(view, &account);
                self.place_again(room, event);
                room.set_view(effects.view, &own);
                self.put_out(room, &BTreeSet::from([account]), event.seq);
            }
            EventKind::Notice => {
                let after = declined(room, event);
                self.place_again(room, event);
                if let Some((account, view)) = after {
                    room.set_view(view, &own);
                    if let Some(row) = room.end(&account, event.seq, &own) {
                        self.drain.batch.push(Write::PutMember(row));
                    }
                }
            }
            EventKind::Founding | EventKind::Unspecified => return Err(ErrorCode::Malformed),
        }
        Ok(())
    }

    fn commit_again(
        &mut self,
        room: &mut Room,
        event: &CheckedEvent,
    ) -> Result<hub::CommitEffects, ErrorCode> {
        self.load_group(room)?;
        let (Some(view), Some(group)) = (&room.view, &mut room.group) else {
            return Err(ErrorCode::Internal);
        };
        let effects = hub::commit_again(view, event, || self.observe_ordered(group, &event.event.body))?;
        group.merge()?;
        room.group_changed = true;
        Ok(effects)
    }

    fn leaver_again(&mut self, room: &mut Room, event: &CheckedEvent) -> Result<Account, ErrorCode> {
        self.load_group(room)?;
        let group = room.group.as_mut().ok_or(ErrorCode::Internal)?;
        let ((account, _), _) = self.observe_proposal(group, &event.event.body)?;
        group.merge()?;
        room.group_changed = true;
        Ok(account)
    }

    fn place_again(&mut self, room: &mut Room, event: &CheckedEvent) {
        room.row.head_seq = event.seq;
        room.row.head_hash = event.hash;
        room.row_changed = true;
        self.drain.changed_rooms.insert(event.room);
        let repeat = hub::Repeat { kind: event.kind, epoch: event.epoch, body_hash: event.body_hash };
        self.drain.seen.insert((event.room, event.message), Seen::Ordered(repeat));
        self.store_event(room, event.seq, event.message, event.kind, &event.event);
        for peer in &room.followers {
            self.add_to_run(peer, event.room, event.seq, &event.event);
        }
    }
}

/// Who has declined by a notice, and the room after it.
fn declined(room: &Room, event: &CheckedEvent) -> Option<(Account, hub::RoomView)> {
    let said = HubNotice::decode(event.event.body.as_ref()).ok()?.notice?;
    let Notice::Declined(name) = said else { return None };
    let account: Account = name.parse().ok()?;
    let (_, after) = hub::declined(room.view.as_ref()?, &account)?;
    Some((account, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000);

    fn room(number: u8) -> RoomId {
        RoomId::new([number; 32])
    }

    /// So many closed rooms about which this peer is to be heard.
    fn owing(peer: &DomainName, rooms: u8) -> Restoring {
        let followers = || Followers { owing: BTreeSet::from([peer.clone()]), ..Followers::default() };
        let rooms = (0..rooms).map(|number| (room(number), followers())).collect();
        Restoring { rooms, ..Restoring::default() }
    }

    fn peer() -> DomainName {
        "umbrella.test".parse().expect("a name")
    }

    // [ROOM-40]
    #[test]
    fn rooms_of_which_nothing_is_said_do_not_stand_in_the_way_of_others() {
        let (peer, nothing) = (peer(), BTreeSet::new());
        let mut restoring = owing(&peer, 3 * 16 + 5);
        let most = limits::PULLS_AT_ONCE_MAX;
        let mut asked = BTreeSet::new();
        for _ in 0..4 {
            let turn = restoring.turn(&peer, &nothing);
            assert!(turn.len() <= most);
            asked.extend(turn);
        }
        assert_eq!(asked.len(), 53, "every room had its turn");
        let flying: BTreeSet<RoomId> = (0..10).map(room).collect();
        let turn = restoring.turn(&peer, &flying);
        assert_eq!(turn.len(), most - 10);
        assert!(turn.iter().all(|room| !flying.contains(room)), "nothing is asked twice at a time");
    }

    // [ROOM-40]
    #[test]
    fn a_peer_that_says_nothing_is_asked_after_longer_and_longer() {
        let (peer, nothing) = (peer(), BTreeSet::new());
        let mut restoring = owing(&peer, 20);
        let (mut now, mut waits) = (NOW, Vec::new());
        for _ in 0..80 {
            assert!(!restoring.turn(&peer, &nothing).is_empty());
            restoring.put_off(&peer, now);
            restoring.put_off(&peer, now);
            assert!(restoring.turn(&peer, &nothing).is_empty(), "not before its time");
            let due = restoring.due().expect("it is asked again");
            assert!(restoring.put_off_until(Timestamp::from_ms(due.as_ms() - 1)).is_empty());
            assert_eq!(restoring.put_off_until(due), std::slice::from_ref(&peer));
            waits.push(due.since_ms(now));
            now = due;
        }
        assert_eq!(waits[..3], [AGAIN_MS, 2 * AGAIN_MS, 4 * AGAIN_MS]);
        assert!(waits.iter().all(|wait| *wait <= limits::BACKOFF_MAX_MS));
        assert_eq!(waits.last(), Some(&limits::BACKOFF_MAX_MS));
        restoring.heard(&room(0), &peer, BTreeSet::new());
        restoring.put_off(&peer, now);
        assert_eq!(restoring.due(), Some(now.plus_ms(AGAIN_MS)), "it has said something");
    }

    // [ROOM-40]
    #[test]
    fn a_room_that_cannot_be_followed_is_closed_by_itself() {
        let peer = peer();
        let mut restoring = owing(&peer, 2);
        restoring.rooms.get_mut(&room(0)).expect("closed").stuck.insert(peer.clone());
        assert!(!restoring.heard(&room(0), &peer, BTreeSet::new()));
        assert!(restoring.heard(&room(1), &peer, BTreeSet::new()));
        assert!(restoring.closes(&room(0)));
        assert!(!restoring.wants(&peer), "its link does not wait");
    }
}
