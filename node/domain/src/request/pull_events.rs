//! A device asks for events of a room, and sends messages that nobody stores.

use machine::Entropy;
use store::Store;
use wire::{
    Account, ErrorCode, RoomId,
    proto::{Ephemeral, PullEvents, PulledEvents},
};

use crate::{Core, SessionId};

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn pull_events(
        &mut self,
        account: &Account,
        request: &PullEvents,
    ) -> Result<PulledEvents, ErrorCode> {
        self.device_pull(account, request)
    }

    /// Passes on a message that nobody stores; what may not be passed on is dropped, for nobody waits
    /// for it.
    pub(crate) fn ephemeral(&mut self, session: SessionId, account: &Account, message: &Ephemeral) {
        let Ok(id) = RoomId::try_from(message.room.as_ref()) else { return };
        let Ok(Some(room)) = self.take_room(&id) else { return };
        if room.standing(account).may_submit().is_ok() {
            self.spread(&room, message, Some(session), None);
        }
        self.rooms.put(room);
    }
}
