//! A peer or a device asks for events of a room.

use machine::Entropy;
use store::{Store, row::EventRow};
use wire::{
    Account, DomainName, ErrorCode, RoomId, limits,
    proto::{Event, PullEvents, PulledEvents, peer_response},
};

use crate::{Core, room_table::Room};

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn peer_pull(
        &mut self,
        peer: &DomainName,
        request: &PullEvents,
    ) -> Result<peer_response::Response, ErrorCode> {
        let may_see = |room: &Room, seq: u64| {
            room.view.is_some()
                && room.members.keys().any(|account| account.domain() == peer && room.may_see(account, seq))
        };
        self.pulled(request, may_see).map(peer_response::Response::Pulled)
    }

    /// The events of a room that an account may see.
    ///
    /// # Errors
    /// `NotFound` for a room that the account has never been in, or that does not exist.
    pub(crate) fn device_pull(
        &mut self,
        account: &Account,
        request: &PullEvents,
    ) -> Result<PulledEvents, ErrorCode> {
        self.pulled(request, |room, seq| room.may_see(account, seq))
    }

    fn pulled(
        &mut self,
        request: &PullEvents,
        may_see: impl Fn(&Room, u64) -> bool,
    ) -> Result<PulledEvents, ErrorCode> {
        let id = RoomId::try_from(request.room.as_ref())?;
        let room = self.take_room(&id)?.ok_or(ErrorCode::NotFound)?;
        let head = room.row.head_seq;
        // [SYNC-12] A room that was never one's own looks like one that does not exist.
        let known = (1..=head).any(|seq| may_see(&room, seq));
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX).clamp(1, limits::BATCH_ITEMS_MAX);
        let rows = self.store.events(&id, request.from_seq.max(1), limit);
        let mut pulled = PulledEvents { events: Vec::new(), end: true };
        let mut bytes = 0;
        let mut next = request.from_seq.max(1);
        for row in rows.as_deref().unwrap_or_default() {
            bytes += row.head.len() + row.body.len() + 128;
            if bytes > limits::BATCH_BYTES_MAX && !pulled.events.is_empty() {
                break;
            }
            next = row.seq + 1;
            if may_see(&room, row.seq) {
                pulled.events.push(event(row));
            }
        }
        pulled.end = !(next..=head).any(|seq| may_see(&room, seq));
        self.rooms.put(room);
        rows.map_err(|error| error.code())?;
        if known { Ok(pulled) } else { Err(ErrorCode::NotFound) }
    }

    /// A room out of the table, to be put back.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn take_room(&mut self, id: &RoomId) -> Result<Option<Box<Room>>, ErrorCode> {
        self.rooms.take(&self.store, &self.config.domain, id)
    }

    /// Whether a domain takes part in a room, as far as is known here.
    pub(crate) fn takes_part(room: &Room, domain: &DomainName) -> bool {
        room.row.hub == *domain || room.followers.contains(domain)
    }
}

/// An event of the log as it travels.
pub(crate) fn event(row: &EventRow) -> Event {
    Event { head: row.head.clone(), signature: row.signature.clone(), body: row.body.clone() }
}
