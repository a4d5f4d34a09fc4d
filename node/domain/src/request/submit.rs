//! A device asks for something to be ordered: accepted here, ordered by the room's hub.

use machine::Entropy;
use prost::Message as _;
use room::{Request, State, home, hub::Standing};
use sha2::{Digest as _, Sha256};
use store::{
    Store, Write,
    row::{MemberRow, PendingRow},
};
use wire::{
    Account, DeviceId, DomainName, ErrorCode, WireError, limits,
    proto::{Accepted, AnswerInvitation, EventKind, PeerMode, RoomKind, Submission, item},
};

use crate::{Core, drain::Seen};

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn submit(
        &mut self,
        (account, device): (&Account, DeviceId),
        submission: Submission,
    ) -> Result<Accepted, WireError> {
        let request = Request::parse(&submission)?;
        let accepted = Accepted { message_id: request.message.to_bytes() };
        // What was accepted before gets its first answer, whatever has become of the room since.
        if let Some(seen) = self.seen(request.room, request.message)? {
            repeat(&seen, &request, &submission)?;
            return Ok(accepted);
        }
        let known = match self.take_room(&request.room)? {
            Some(room) => {
                let known = (room.row.hub.clone(), room.standing(account));
                self.rooms.put(room);
                Some(known)
            }
            None => None,
        };
        let view = known.as_ref().map(|(hub, standing): &(DomainName, Standing)| (hub, *standing));
        let route = home::accept(&self.config.domain, (account, &device), &request, view);
        if request.kind == EventKind::Founding && route == Err(ErrorCode::Conflict) {
            return Err(self.founds_what_is_there(account, &request, &submission)?);
        }
        match route? {
            home::Route::Here => self.order(&request)?,
            home::Route::Peer(hub) => self.forward(&hub, &request, submission)?,
        }
        Ok(accepted)
    }

    // [SYNC-21] Who founds a direct room to which it is invited has answered the invitation.
    // [ROOM-18] Who was in it and is out must be brought back by the other side.
    fn founds_what_is_there(
        &mut self,
        account: &Account,
        request: &Request,
        submission: &Submission,
    ) -> Result<WireError, WireError> {
        let accept = AnswerInvitation { room: request.room.to_bytes(), accept: true };
        match self.answer_invitation(account, &accept) {
            Ok(_) => return Ok(ErrorCode::Conflict.into()),
            Err(ErrorCode::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        // Whoever guesses at a room of others hears what is wrong with the founding, as for any id.
        match &request.hub {
            Some(hub) if *hub != self.config.domain => self.may_forward(hub, request, submission)?,
            _ => self.order(request)?,
        }
        let Some(room) = self.take_room(&request.room)? else { return Ok(ErrorCode::Conflict.into()) };
        let out = match &room.view {
            Some(view) => view.has_been_in(account),
            None => room.standing(account) != Standing::Member,
        };
        self.rooms.put(room);
        Ok(if out { ErrorCode::Forbidden } else { ErrorCode::Conflict }.into())
    }

    /// Whether a submission may wait for its hub.
    fn may_forward(
        &mut self,
        hub: &DomainName,
        request: &Request,
        submission: &Submission,
    ) -> Result<(), WireError> {
        let peer = self.links.get(hub).ok_or(ErrorCode::NotFound)?;
        // [ADMIN-9]
        if peer.row.mode == PeerMode::Denied {
            return Err(ErrorCode::Blocked.into());
        }
        if peer.queued.1.saturating_add(submission.body.len() as u64) > limits::OUTBOX_BYTES_MAX as u64 {
            return Err(ErrorCode::Quota.into());
        }
        if request.kind == EventKind::Founding {
            self.may_enter(&request.account)?;
            self.check_founding_elsewhere(hub, request)?;
        }
        Ok(())
    }

    fn forward(
        &mut self,
        hub: &DomainName,
        request: &Request,
        submission: Submission,
    ) -> Result<(), WireError> {
        self.may_forward(hub, request, &submission)?;
        let hash = hash(&submission);
        let item = item::Item::Submission(submission);
        let number = self.queue_item(hub, request.room, item).ok_or(ErrorCode::NotFound)?;
        self.drain.seen.insert((request.room, request.message), Seen::Pending(hash));
        tracing::debug!(message_id = %request.message, %hub, "accepted for its hub");
        self.traces.keep(request.room, request.message);
        self.drain.batch.push(Write::PutPending(PendingRow {
            room: request.room,
            message: request.message,
            hash,
            account: request.account.clone(),
            device: request.device,
            peer: hub.clone(),
            number,
            time_ms: self.now.as_ms(),
        }));
        if request.kind == EventKind::Founding {
            // [SYNC-21] A period of no event says that the account itself has asked for this room: if
            // the other side of a direct room was first, no question is asked.
            self.drain.settle_first = true;
            self.drain.batch.push(Write::PutMember(MemberRow {
                room: request.room,
                account: request.account.clone(),
                from_seq: 0,
                to_seq: Some(0),
            }));
        }
        Ok(())
    }
}

impl<S: Store, E: Entropy> Core<S, E> {
    // [ROOM-10] Only of a direct room another domain is hub; otherwise a device could have it take a
    // place that belongs to a room of somebody else.
    fn check_founding_elsewhere(&self, hub: &DomainName, request: &Request) -> Result<(), ErrorCode> {
        let (_, seen) = self.found_group(&request.body)?;
        let state = State::parse(&seen.state)?;
        let is_its_own = state.kind == RoomKind::Direct
            && state.room == request.room
            && state.hub == *hub
            && state.admins.contains(&request.account);
        if is_its_own { Ok(()) } else { Err(ErrorCode::Malformed) }
    }
}

fn hash(submission: &Submission) -> [u8; 32] {
    Sha256::digest(submission.encode_to_vec()).into()
}

fn repeat(seen: &Seen, request: &Request, submission: &Submission) -> Result<(), ErrorCode> {
    match seen {
        Seen::Ordered(stored) => room::hub::repeat(stored, request),
        Seen::Pending(stored) if *stored == hash(submission) => Ok(()),
        Seen::Pending(_) => Err(ErrorCode::Conflict),
    }
}
