//! A peer's account has declined to join a room of this hub.

use machine::Entropy;
use room::hub;
use store::Store;
use wire::{Account, DomainName, ErrorCode, RoomId, proto::Declined};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn take_declined(&mut self, peer: &DomainName, declined: &Declined) -> Result<(), ErrorCode> {
        let account: Account = declined.account.parse()?;
        hub::origin(peer, &account)?;
        let id = RoomId::try_from(declined.room.as_ref())?;
        self.is_open(&id)?;
        let mut room = self.take_room(&id)?.ok_or(ErrorCode::NotFound)?;
        let known = room.view.as_ref().is_some_and(|view| view.roster.contains_key(&account));
        if known {
            self.order_declined(&mut room, &account);
        }
        self.rooms.put(room);
        if known { Ok(()) } else { Err(ErrorCode::NotFound) }
    }
}
