//! A device that cannot follow its room any more asks for the hub's copy of the group.

use machine::Entropy;
use room::hub::Standing;
use store::Store;
use wire::{
    Account, DeviceId, ErrorCode, RoomId,
    proto::{GetGroup, client_response, peer_request},
};

use crate::{Core, SessionId, waiting::Asker};

impl<S: Store, E: Entropy> Core<S, E> {
    // [SYNC-25]
    pub(crate) fn get_group(
        &mut self,
        session: SessionId,
        id: u64,
        device: (&Account, DeviceId),
        asked: &GetGroup,
    ) {
        match self.group_here(device, asked) {
            Ok(answer) => self.respond(session, id, Ok(answer)),
            Err(Ok(hub)) if self.may_ask(session) => {
                let (account, device) = device;
                let asked = GetGroup {
                    room: asked.room.clone(),
                    account: account.to_string(),
                    device_id: device.to_bytes(),
                };
                self.ask(&hub, Asker::Device(session, id), peer_request::Request::GetGroup(asked));
            }
            Err(Ok(_)) => self.respond(session, id, Err(ErrorCode::Quota.into())),
            Err(Err(error)) => self.respond(session, id, Err(error.into())),
        }
    }

    /// The group, if this domain is the hub; else the hub, if the account may ask it at all
    /// ([SYNC-13]).
    fn group_here(
        &mut self,
        (account, device): (&Account, DeviceId),
        asked: &GetGroup,
    ) -> Result<client_response::Response, Result<wire::DomainName, ErrorCode>> {
        let id = RoomId::try_from(asked.room.as_ref()).map_err(Err)?;
        let room = self.take_room(&id).map_err(Err)?.ok_or(Err(ErrorCode::NotFound))?;
        let (hub, mut standing) = (room.row.hub.clone(), room.standing(account));
        if !room.members.contains_key(account) {
            standing = Standing::Stranger;
        }
        self.rooms.put(room);
        if hub == self.config.domain && standing != Standing::Stranger {
            let state = self.group_state(&id, account, &device);
            return state.map(client_response::Response::Group).map_err(Err);
        }
        match standing {
            Standing::Member => Err(Ok(hub)),
            Standing::Former => Err(Err(ErrorCode::Forbidden)),
            Standing::Stranger => Err(Err(ErrorCode::NotFound)),
        }
    }
}
