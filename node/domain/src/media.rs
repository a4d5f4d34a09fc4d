//! Who may put a blob into a room and who may have it (`spec/09-media.md`). The bytes never come here:
//! the core says yes or no, or at which peer they are.

use std::collections::BTreeMap;

use machine::{Entropy, Timestamp};
use room::hub::Standing;
use store::Store;
use wire::{
    Account, DomainName, ErrorCode, RoomId, WireError, limits,
    proto::{GetBlob, RoomDomain, RoomKind, peer_request, peer_response},
};

use crate::{
    ConnId, Core, MediaAsk, MediaGrant, MediaId, SessionId, room_table::Room, send::Send, waiting::Asker,
};

/// What hubs have said of who is in their rooms, for as long as it counts.
#[derive(Default)]
pub(crate) struct Permits {
    until: BTreeMap<(RoomId, DomainName), Timestamp>,
}

impl Permits {
    fn has(&self, room: &RoomId, domain: &DomainName, now: Timestamp) -> bool {
        self.until.get(&(*room, domain.clone())).is_some_and(|until| now < *until)
    }

    fn put(&mut self, room: RoomId, domain: DomainName, now: Timestamp) {
        if self.until.len() >= limits::MEDIA_PERMITS_KEPT_MAX {
            self.until.retain(|_, until| now < *until);
        }
        if self.until.len() >= limits::MEDIA_PERMITS_KEPT_MAX {
            // Whoever is forgotten is asked about again.
            self.until.clear();
        }
        self.until.insert((room, domain), now.plus_ms(limits::MEDIA_PERMIT_S * 1_000));
    }
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// Decides one question about a blob. It is answered once, now or when a peer has been asked.
    pub(crate) fn media(&mut self, id: MediaId, ask: MediaAsk) {
        let granted = match ask {
            MediaAsk::Put { session, room } => self.may_put(session, &room).map(Some),
            MediaAsk::Get { session, get } => self.may_get(id, session, get),
            MediaAsk::Give { conn, room } => self.may_give(id, conn, &room),
        };
        match granted {
            Ok(Some(grant)) => self.media_answer(id, Ok(grant)),
            // A peer has to be asked first.
            Ok(None) => {}
            Err(error) => self.media_answer(id, Err(error)),
        }
    }

    /// The answer to a question about a blob.
    pub(crate) fn media_answer(&mut self, id: MediaId, answer: Result<MediaGrant, WireError>) {
        self.stage(Send::Media(id, answer));
    }

    // [MEDIA-10]
    fn may_put(&mut self, session: SessionId, room: &[u8]) -> Result<MediaGrant, WireError> {
        let account = self.paying(session)?;
        let room = self.seen_room(room)?;
        let standing = room.standing(&account).may_submit();
        self.rooms.put(room);
        standing?;
        Ok(MediaGrant::Device(account))
    }

    // [MEDIA-12]
    fn may_get(
        &mut self,
        id: MediaId,
        session: SessionId,
        get: GetBlob,
    ) -> Result<Option<MediaGrant>, WireError> {
        let account = self.paying(session)?;
        let domain: DomainName = get.domain.parse()?;
        let room = self.seen_room(&get.room)?;
        let is_member = room.standing(&account) == Standing::Member;
        self.rooms.put(room);
        if !is_member {
            return Err(ErrorCode::NotFound.into());
        }
        if domain == self.config.domain {
            return Ok(Some(MediaGrant::Device(account)));
        }
        let get = GetBlob { domain: String::new(), ..get };
        self.ask(&domain, Asker::Fetch(id), peer_request::Request::GetBlob(get));
        Ok(None)
    }

    // [MEDIA-13]
    fn may_give(&mut self, id: MediaId, conn: ConnId, room: &[u8]) -> Result<Option<MediaGrant>, WireError> {
        let peer = self.links.peer_of(conn).ok_or(ErrorCode::AuthFailed)?;
        self.pace_peer(&peer, 1)?;
        let room = self.seen_room(room)?;
        let (room_id, hub) = (room.row.room, room.row.hub.clone());
        let known = self.has_members(&room, &peer);
        self.rooms.put(room);
        match known {
            Some(true) => Ok(Some(MediaGrant::Peer)),
            Some(false) => Err(ErrorCode::NotFound.into()),
            None if self.permits.has(&room_id, &peer, self.now) => Ok(Some(MediaGrant::Peer)),
            None => {
                let body = RoomDomain { room: room_id.to_bytes(), domain: peer.to_string() };
                let asker = Asker::Permit(id, peer, room_id);
                self.ask(&hub, asker, peer_request::Request::RoomDomain(body));
                Ok(None)
            }
        }
    }

    /// Whether a domain has members in a room, if it can be said without the room's hub.
    fn has_members(&self, room: &Room, domain: &DomainName) -> Option<bool> {
        if room.view.is_some() {
            return Some(room.followers.contains(domain) || *domain == self.config.domain);
        }
        // A hub orders the room and sees whom it likes there: its own word is all that there is.
        if *domain == room.row.hub {
            return Some(true);
        }
        // A direct room is of its hub's domain and this one. Whoever guesses at its id, which follows
        // from two names, is answered as where there is none: with no question to the hub in between.
        (room.row.kind == RoomKind::Direct).then_some(false)
    }

    /// [MEDIA-13] A follower asks this hub whether a domain has members in a room.
    ///
    /// # Errors
    /// `NotFound` if it has none, and if the asker has none.
    pub(crate) fn peer_room_domain(
        &mut self,
        peer: &DomainName,
        asked: &RoomDomain,
    ) -> Result<peer_response::Response, ErrorCode> {
        let domain: DomainName = asked.domain.parse()?;
        let room = self.seen_room(&asked.room)?;
        let both = room.view.is_some()
            && room.followers.contains(peer)
            && self.has_members(&room, &domain) == Some(true);
        self.rooms.put(room);
        if both { Ok(peer_response::Response::Done(wire::proto::Done {})) } else { Err(ErrorCode::NotFound) }
    }

    /// The hub has said that the domain has members in the room.
    pub(crate) fn permitted(&mut self, id: MediaId, domain: DomainName, room: RoomId) {
        self.permits.put(room, domain, self.now);
        self.media_answer(id, Ok(MediaGrant::Peer));
    }

    /// The hub has not said so, or could not be asked, which the domain hears, for it may be there: the id
    /// of a group cannot be guessed, and nobody is asked about a direct room.
    pub(crate) fn not_permitted(&mut self, id: MediaId, domain: DomainName, room: RoomId, error: ErrorCode) {
        if error == ErrorCode::NotFound {
            self.permits.until.remove(&(room, domain));
        }
        self.media_answer(id, Err(error.into()));
    }

    /// The account of a session, which has paid for the question.
    fn paying(&mut self, session: SessionId) -> Result<Account, WireError> {
        let device = self.sessions.get(session).and_then(|session| session.device.clone());
        let (account, _) = device.ok_or(ErrorCode::AuthFailed)?;
        self.pace(&account, limits::COST_BLOB)?;
        Ok(account)
    }

    fn seen_room(&mut self, room: &[u8]) -> Result<Box<Room>, ErrorCode> {
        self.take_room(&RoomId::try_from(room)?)?.ok_or(ErrorCode::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [MEDIA-13]
    #[test]
    fn a_hubs_word_is_good_for_a_while_and_their_number_is_bounded() {
        let mut permits = Permits::default();
        let (domain, room) = ("acme.test".parse::<DomainName>().expect("a name"), RoomId::new([1; 32]));
        let now = Timestamp::from_ms(1_000_000);
        permits.put(room, domain.clone(), now);
        assert!(permits.has(&room, &domain, now));
        assert!(!permits.has(&RoomId::new([2; 32]), &domain, now));
        assert!(!permits.has(&room, &domain, now.plus_ms(limits::MEDIA_PERMIT_S * 1_000)));
        for number in 0..2 * limits::MEDIA_PERMITS_KEPT_MAX as u32 {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&number.to_be_bytes());
            permits.put(RoomId::new(id), domain.clone(), now);
            assert!(permits.until.len() <= limits::MEDIA_PERMITS_KEPT_MAX);
        }
    }
}
