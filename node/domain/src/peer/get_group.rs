//! A peer asks for a room's group, for a device of its own that has to come back into it.

use bytes::Bytes;
use machine::Entropy;
use room::hub;
use store::Store;
use wire::{
    Account, DeviceId, DomainName, ErrorCode, RoomId, limits,
    proto::{GetGroup, GroupState, peer_response},
};

use crate::{Core, room_table::Room};

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn peer_get_group(
        &mut self,
        peer: &DomainName,
        asked: &GetGroup,
    ) -> Result<peer_response::Response, ErrorCode> {
        let id = RoomId::try_from(asked.room.as_ref())?;
        let account: Account = asked.account.parse()?;
        let device = DeviceId::try_from(asked.device_id.as_ref())?;
        if account.domain() != peer {
            return Err(ErrorCode::OriginMismatch);
        }
        self.group_state(&id, &account, &device).map(peer_response::Response::Group)
    }

    /// The group of a room that this domain orders, for a device that is in it.
    ///
    /// # Errors
    /// `NotFound` if there is no such room here; as `room::hub::may_rejoin`; those of the store.
    pub(crate) fn group_state(
        &mut self,
        id: &RoomId,
        account: &Account,
        device: &DeviceId,
    ) -> Result<GroupState, ErrorCode> {
        let mut room = self.take_room(id)?.ok_or(ErrorCode::NotFound)?;
        let state = self.state_of(&mut room, account, device);
        self.rooms.put(room);
        state
    }

    fn state_of(
        &self,
        room: &mut Room,
        account: &Account,
        device: &DeviceId,
    ) -> Result<GroupState, ErrorCode> {
        // A follower's word about a group is no hub's.
        let view = room.view.as_ref().ok_or(ErrorCode::NotFound)?;
        hub::may_rejoin(view, account, device)?;
        self.load_group(room)?;
        let group = room.group.as_ref().ok_or(ErrorCode::Internal)?;
        // [ROOM-40] A hub that got its last commit back from a follower has no GroupInfo until the next
        // one: `Unavailable`.
        group.shown()
    }
}

/// Whether a hub's answer has the size of one; what it says is for the device to judge.
pub(super) fn fits(state: &GroupState) -> Result<(), ErrorCode> {
    let fits = state.group_info.len() <= limits::GROUP_INFO_BYTES_MAX
        && state.ratchet_tree.len() <= limits::RATCHET_TREE_BYTES_MAX
        && state.departures.iter().map(Bytes::len).sum::<usize>() <= limits::DEPARTURES_BYTES_MAX;
    fits.then_some(()).ok_or(ErrorCode::TooLarge)
}
