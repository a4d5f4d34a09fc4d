//! Accounts of this domain are out of a room: so says its hub.

use std::collections::BTreeSet;

use machine::Entropy;
use room::hub;
use store::Store;
use wire::{Account, DomainName, ErrorCode, RoomId, limits, proto::Left};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn take_left(&mut self, peer: &DomainName, left: &Left) -> Result<(), ErrorCode> {
        if left.accounts.len() > limits::ROOM_DEVICES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        if left.seq > limits::SEQ_MAX {
            return Err(ErrorCode::Malformed);
        }
        let accounts: BTreeSet<Account> =
            left.accounts.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
        for account in &accounts {
            hub::origin(&self.config.domain, account)?;
        }
        let id = RoomId::try_from(left.room.as_ref())?;
        let mut room = self.take_followed(peer, &id)?;
        for account in &accounts {
            self.end_membership(&mut room, account, left.seq);
        }
        self.rooms.put(room);
        Ok(())
    }
}
