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
        let visible = |room: &Room| match room.view {
            Some(_) => room.periods(|account| account.domain() == peer),
            // [ROOM-40] A hub that has lost what it ordered may see all of it.
            None if room.row.hub == *peer => vec![(1, u64::MAX)],
            None => Vec::new(),
        };
        self.pulled(request, visible).map(peer_response::Response::Pulled)
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
        self.pulled(request, |room| room.periods(|other| other == account))
    }

    fn pulled(
        &mut self,
        request: &PullEvents,
        visible: impl Fn(&Room) -> Vec<(u64, u64)>,
    ) -> Result<PulledEvents, ErrorCode> {
        let id = RoomId::try_from(request.room.as_ref())?;
        let room = self.take_room(&id)?.ok_or(ErrorCode::NotFound)?;
        let (head, periods) = (room.row.head_seq, visible(&room));
        self.rooms.put(room);
        // [SYNC-12] A room that was never one's own looks like one that does not exist.
        if periods.is_empty() {
            return Err(ErrorCode::NotFound);
        }
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX).clamp(1, limits::BATCH_ITEMS_MAX);
        let mut next = request.from_seq.max(1);
        let mut pulled = PulledEvents::default();
        let mut bytes = 0;
        for row in self.store.events(&id, next, limit).map_err(|error| error.code())? {
            bytes += row.head.len() + row.body.len() + 128;
            if bytes > limits::BATCH_BYTES_MAX && !pulled.events.is_empty() {
                break;
            }
            next = row.seq + 1;
            if periods.iter().any(|(from, to)| (*from..=*to).contains(&row.seq)) {
                pulled.events.push(event(&row));
            }
        }
        pulled.end = !periods.iter().any(|(from, to)| next.max(*from) <= head.min(*to));
        Ok(pulled)
    }

    /// A room out of the table, to be put back.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn take_room(&mut self, id: &RoomId) -> Result<Option<Box<Room>>, ErrorCode> {
        self.rooms.take(&self.store, &self.config.domain, id)
    }
}

/// An event of the log as it travels.
pub(crate) fn event(row: &EventRow) -> Event {
    Event { head: row.head.clone(), signature: row.signature.clone(), body: row.body.clone() }
}
