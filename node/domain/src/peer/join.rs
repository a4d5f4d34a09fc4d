//! Accounts of this domain were added to a room of another hub.

use std::collections::BTreeSet;

use machine::Entropy;
use room::{
    follower::{self, Hub, Joined},
    hub,
};
use store::{Store, row::RoomRow};
use wire::{
    Account, DomainName, ErrorCode, RoomId, limits,
    proto::{Join, RoomKind},
};

use crate::{Core, admin::Act, drain::room_kind, room_table::Room, roster};

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn take_join(&mut self, peer: &DomainName, join: &Join) -> Result<(), ErrorCode> {
        let id = RoomId::try_from(join.room.as_ref())?;
        let kind = self.check_join(&id, peer, join)?;
        // Each account may have to be declined, by an item to the hub.
        if self.links.get(peer).is_some_and(|peer| peer.queued.1 > limits::OUTBOX_BYTES_MAX as u64) {
            return Err(ErrorCode::Quota);
        }
        let commit = join.commit.as_ref().ok_or(ErrorCode::Malformed)?;
        let taken = match self.take_room(&id)? {
            Some(room) if room.row.hub == *peer => Some(room),
            Some(room) => {
                self.rooms.put(room);
                return Err(ErrorCode::OriginMismatch);
            }
            None => None,
        };
        let head = match &taken {
            Some(room) if self.follows(room)? => Some(room.head()),
            _ => None,
        };
        let keys = self.event_keys(peer)?;
        let pinned = Hub { room: &id, domain: peer, keys: &keys };
        let verdict = follower::join(&pinned, head.as_ref(), |seq| self.known_hash(&id, seq), commit);
        let joined = match verdict {
            Ok(joined) => joined,
            Err(error) => {
                taken.into_iter().for_each(|room| self.rooms.put(room));
                return Err(error);
            }
        };
        let mut room = taken.unwrap_or_else(|| {
            Box::new(Room::new(RoomRow {
                room: id,
                hub: peer.clone(),
                kind,
                head_seq: 0,
                head_hash: [0; 32],
                epoch: 0,
                base_seq: 1,
                wanted_seq: 0,
            }))
        });
        // [ROOM-30]
        if room.row.head_seq == 0 && self.nobody_comes(&room, join) {
            self.admit(&mut room, join, 0);
            return Ok(());
        }
        let outcome = self.enter(&mut room, join, joined);
        if room.row.head_seq > 0 {
            self.rooms.put(room);
        }
        outcome
    }

    fn enter(&mut self, room: &mut Room, join: &Join, joined: Joined) -> Result<(), ErrorCode> {
        let (id, hub) = (room.row.room, room.row.hub.clone());
        let seq = match joined {
            // What was stored of an earlier stay keeps its place.
            Joined::Begin(event) if event.seq <= room.row.head_seq => {
                let known = self.known_hash(&id, event.seq);
                if known != Some(event.hash) {
                    return Err(ErrorCode::ForkedLog);
                }
                event.seq
            }
            Joined::Begin(event) => {
                self.is_new(&event)?;
                room.row.base_seq = event.seq;
                room.row.head_seq = event.seq;
                self.follow(room, &event);
                event.seq
            }
            Joined::Next(event) => {
                self.is_new(&event)?;
                self.follow(room, &event);
                event.seq
            }
            Joined::Known(event) => event.seq,
            Joined::Gap(event, _) => {
                self.want(room, event.seq);
                event.seq
            }
            Joined::Forked { seq } => {
                tracing::error!(room = %id, hub = %hub, seq, "the hub has shown two histories");
                self.notice(Act::PeerForked, &hub, &format!("room {id}, seq {seq}"));
                return Err(ErrorCode::ForkedLog);
            }
        };
        room.names = Some(roster::encode_names(&join.members));
        self.drain.changed_rooms.insert(id);
        self.admit(room, join, seq);
        Ok(())
    }

    // An account that is invited and has not answered keeps the copy growing.
    pub(crate) fn follows(&self, room: &Room) -> Result<bool, ErrorCode> {
        if !room.locals.is_empty() || self.drain.invited.contains(&room.row.room) {
            return Ok(true);
        }
        let names = self.store.roster(&room.row.room).map_err(|error| error.code())?;
        let Some(names) = names else { return Ok(false) };
        for account in roster::of_domain(names, &self.config.domain) {
            let waiting = self.store.invitations(&account).map_err(|error| error.code())?;
            if waiting.iter().any(|row| row.room == room.row.room) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn check_join(&self, id: &RoomId, peer: &DomainName, join: &Join) -> Result<RoomKind, ErrorCode> {
        let fits = join.welcome.len() <= limits::WELCOME_BYTES_MAX
            && join.ratchet_tree.len() <= limits::RATCHET_TREE_BYTES_MAX
            && join.accounts.len() <= limits::ADDS_PER_COMMIT_MAX
            && join.members.len() <= limits::ROOM_DEVICES_MAX;
        if !fits {
            return Err(ErrorCode::TooLarge);
        }
        let kind = room_kind(join.kind)?;
        let inviter: Account = join.inviter.parse()?;
        if join.accounts.is_empty() {
            return Err(ErrorCode::Malformed);
        }
        // [ROOM-2] A group's id says who founded it, and that account's domain is the hub: no other
        // domain can take the place of a room that is not known here yet.
        if kind == RoomKind::Group {
            room::check_group(id, peer, &join.founder, &join.founding)?;
        }
        let mut named = BTreeSet::new();
        for name in &join.accounts {
            let account: Account = name.parse()?;
            if !named.insert(name) {
                return Err(ErrorCode::Malformed);
            }
            hub::origin(&self.config.domain, &account)?;
            // [ROOM-1] Nobody is drawn into the room of two others, or to another hub.
            if kind == RoomKind::Direct && room::direct_room(&inviter, &account) != (*id, peer.clone()) {
                return Err(ErrorCode::OriginMismatch);
            }
        }
        Ok(kind)
    }
}
