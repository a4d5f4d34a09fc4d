//! What was asked of peers and is not answered: for own devices, and to fill gaps.

use std::collections::{BTreeMap, BTreeSet};

use machine::{Entropy, Timestamp};
use store::Store;
use tracing::Span;
use wire::{
    DomainName, ErrorCode, RoomId, limits,
    proto::{PeerMode, PeerRequest, PullEvents, client_response, peer_request},
};

use crate::{Core, MediaGrant, MediaId, RequestId, SessionId, send::Send};

/// Who waits for an answer.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    /// A device, for the account that it asked about.
    Device(SessionId, u64),
    /// Part of a claim for accounts of several domains.
    Gather(u64, Vec<String>),
    /// A follower, for events of a room.
    Pull(RoomId),
    /// A device that wants a piece of a blob. Nothing is sent from here: it waits for a connection.
    Fetch(MediaId),
    /// A domain that wants a blob of this one's: whether it has members in the room.
    Permit(MediaId, DomainName, RoomId),
}

struct Asked {
    peer: DomainName,
    asker: Asker,
    body: peer_request::Request,
    until: Timestamp,
    sent: bool,
    /// Of whoever asks.
    span: Span,
}

/// The table of unanswered requests: what devices ask is bounded for each session, for each peer and
/// in all, and never stands in the way of what fills gaps, of which there may be as many for each peer.
#[derive(Default)]
pub(crate) struct Waiting {
    asked: BTreeMap<RequestId, Asked>,
    last: u64,
}

impl Waiting {
    /// When the next of them has waited long enough.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.asked.values().map(|asked| asked.until).min()
    }

    /// Whether a session may have another question, and its peer be asked it.
    fn room_for(&self, peer: &DomainName, asker: &Asker) -> bool {
        let is_pull = |asker: &Asker| matches!(asker, Asker::Pull(_));
        let alike = self.asked.values().filter(|asked| is_pull(&asked.asker) == is_pull(asker));
        let of_peer = alike.clone().filter(|asked| asked.peer == *peer).count();
        let in_all = is_pull(asker) || alike.count() < limits::PEER_REQUESTS_WAITING_MAX;
        of_peer < limits::PEER_REQUESTS_PER_PEER_MAX && in_all
    }

    /// The rooms of which a peer is being asked for events.
    pub(crate) fn pulled(&self, peer: &DomainName) -> BTreeSet<RoomId> {
        let of_peer = self.asked.values().filter(|asked| asked.peer == *peer);
        let room = |asked: &Asked| if let Asker::Pull(room) = asked.asker { Some(room) } else { None };
        of_peer.filter_map(room).collect()
    }

    /// How many questions about accounts wait for a session's sake.
    fn of_session(&self, session: SessionId) -> usize {
        let asked = self.asked.values();
        asked.filter(|asked| matches!(&asked.asker, Asker::Device(of, _) if *of == session)).count()
    }

    /// The span in which this was asked.
    pub(crate) fn span(&self, id: RequestId) -> Span {
        self.asked.get(&id).map_or_else(Span::none, |asked| asked.span.clone())
    }

    /// Whether something waits for a connection to this peer.
    pub(crate) fn wants(&self, peer: &DomainName) -> bool {
        self.asked.values().any(|asked| !asked.sent && asked.peer == *peer)
    }
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// Asks a peer. The answer, or an error, always comes to `asker`.
    pub(crate) fn ask(&mut self, peer: &DomainName, asker: Asker, body: peer_request::Request) {
        match self.links.get(peer).map(|peer| peer.row.mode) {
            None => return self.give_up(asker, ErrorCode::NotFound),
            // [ADMIN-9]
            Some(PeerMode::Denied) => return self.give_up(asker, ErrorCode::Blocked),
            Some(_) => {}
        }
        if !self.waiting.room_for(peer, &asker) {
            return self.give_up(asker, ErrorCode::Quota);
        }
        if !self.links.may_reach(peer, self.now) {
            return self.give_up(asker, ErrorCode::Unavailable);
        }
        self.waiting.last += 1;
        let id = RequestId(self.waiting.last);
        let until = self.now.plus_ms(limits::REQUEST_DEADLINE_MS);
        let span = Span::current();
        let asked = Asked { peer: peer.clone(), asker, body, until, sent: false, span };
        self.waiting.asked.insert(id, asked);
        self.send_asked(peer);
    }

    /// Whether a session may ask peers for something more.
    pub(crate) fn may_ask(&self, session: SessionId) -> bool {
        let waiting = self.waiting.of_session(session) + self.gathers.of_session(session);
        waiting < limits::PEER_REQUESTS_PER_SESSION_MAX
    }

    /// Sends what waits for a connection to this peer.
    pub(crate) fn send_asked(&mut self, peer: &DomainName) {
        let Some(conn) = self.links.conn(peer) else { return };
        let mut sends = Vec::new();
        self.waiting.asked.retain(|id, asked| {
            if asked.sent || asked.peer != *peer {
                return true;
            }
            asked.sent = true;
            if let Asker::Fetch(media) = &asked.asker {
                sends.push(Send::Media(*media, Ok(MediaGrant::Elsewhere(conn))));
                return false;
            }
            sends.push(Send::Ask(conn, *id, PeerRequest { request: Some(asked.body.clone()) }));
            true
        });
        self.drain.staged.append(&mut sends);
    }

    /// What was asked of this peer on a connection that another has replaced is asked again: every
    /// request may be repeated.
    pub(crate) fn ask_again(&mut self, peer: &DomainName) {
        for asked in self.waiting.asked.values_mut().filter(|asked| asked.peer == *peer) {
            asked.sent = false;
        }
    }

    /// Takes a request out of the table: whom it was asked of, who waits, and what was asked.
    pub(crate) fn answered(&mut self, id: RequestId) -> Option<(DomainName, Asker, peer_request::Request)> {
        let asked = self.waiting.asked.remove(&id)?;
        Some((asked.peer, asked.asker, asked.body))
    }

    /// A request will have no answer.
    pub(crate) fn ask_failed(&mut self, id: RequestId, error: ErrorCode) {
        match self.answered(id) {
            Some((hub, Asker::Pull(room), _)) => self.pull_failed(&hub, room, error),
            Some((_, asker, _)) => self.give_up(asker, error),
            None => {}
        }
    }

    /// Whatever was asked of this peer will have no answer.
    pub(crate) fn asks_lost(&mut self, peer: &DomainName, error: ErrorCode) {
        let of_peer = |(id, asked): (&RequestId, &Asked)| (asked.peer == *peer).then_some(*id);
        let ids: Vec<RequestId> = self.waiting.asked.iter().filter_map(of_peer).collect();
        for id in ids {
            self.ask_failed(id, error);
        }
    }

    /// Whatever has waited too long will have no answer.
    pub(crate) fn asks_expired(&mut self) {
        let late = |(id, asked): (&RequestId, &Asked)| (asked.until <= self.now).then_some(*id);
        let ids: Vec<RequestId> = self.waiting.asked.iter().filter_map(late).collect();
        for id in ids {
            self.ask_failed(id, ErrorCode::Timeout);
        }
    }

    /// Asks the hub for events from this seq on, unless that is asked already.
    pub(crate) fn pull(&mut self, hub: &DomainName, room: RoomId, from: u64) {
        let asked = |asked: &Asked| matches!(&asked.asker, Asker::Pull(other) if *other == room);
        if self.waiting.asked.values().any(asked) {
            return;
        }
        let limit = u32::try_from(limits::BATCH_ITEMS_MAX).unwrap_or(u32::MAX);
        let body = PullEvents { room: room.to_bytes(), from_seq: from, limit };
        self.ask(hub, Asker::Pull(room), peer_request::Request::PullEvents(body));
    }

    fn give_up(&mut self, asker: Asker, error: ErrorCode) {
        match asker {
            Asker::Device(session, id) => self.respond(session, id, Err(error.into())),
            Asker::Gather(gather, accounts) => self.gather_failed(gather, &accounts, error),
            Asker::Fetch(id) => self.media_answer(id, Err(error.into())),
            Asker::Permit(id, domain, room) => self.not_permitted(id, domain, room, error),
            // The room's row says what is missing; the next contact begins again.
            Asker::Pull(_) => {}
        }
    }

    /// [SYNC-1] Answers a device's request.
    pub(crate) fn respond(
        &mut self,
        session: SessionId,
        id: u64,
        response: Result<client_response::Response, wire::WireError>,
    ) {
        let response = response.unwrap_or_else(|error| client_response::Response::Error(error.into()));
        self.stage(Send::Response(session, id, response, Span::current()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        text.parse().expect("a name")
    }

    fn device(number: u64) -> Asker {
        Asker::Device(SessionId(number), 1)
    }

    fn pull(number: usize) -> Asker {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        Asker::Pull(RoomId::new(id))
    }

    fn fill(waiting: &mut Waiting, peer: &DomainName, mut asker: impl FnMut(usize) -> Asker) -> usize {
        let mut count = 0;
        while waiting.room_for(peer, &asker(count)) {
            waiting.last += 1;
            let body = peer_request::Request::PullEvents(PullEvents::default());
            let asker = asker(count);
            let (until, span) = (Timestamp::default(), Span::none());
            let asked = Asked { peer: peer.clone(), asker, body, until, sent: true, span };
            waiting.asked.insert(RequestId(waiting.last), asked);
            count += 1;
        }
        count
    }

    // [SYNC-11]
    #[test]
    fn a_peer_that_answers_slowly_costs_the_questions_to_itself() {
        let mut waiting = Waiting::default();
        let (slow, other) = (name("slow.test"), name("other.test"));
        assert_eq!(fill(&mut waiting, &slow, |n| device(n as u64)), limits::PEER_REQUESTS_PER_PEER_MAX);
        assert!(waiting.room_for(&other, &device(0)));
        assert_eq!(fill(&mut waiting, &slow, pull), limits::PEER_REQUESTS_PER_PEER_MAX, "gaps are filled");
        for number in 0..10 {
            fill(&mut waiting, &name(&format!("p{number}.test")), |n| device(n as u64));
        }
        assert!(!waiting.room_for(&other, &device(0)));
        let devices = waiting.asked.len() - limits::PEER_REQUESTS_PER_PEER_MAX;
        assert_eq!(devices, limits::PEER_REQUESTS_WAITING_MAX);
        assert!(waiting.room_for(&other, &pull(0)), "whatever devices ask");
    }
}
