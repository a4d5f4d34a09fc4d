//! An account accepts or declines an invitation.

use machine::Entropy;
use prost::Message as _;
use store::{Store, Write};
use wire::{
    Account, ErrorCode, RoomId,
    proto::{AnswerInvitation, Done, EventHead, Join},
    signed,
};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    /// [SYNC-22] Accepting makes the account a member from the commit that added it on; declining
    /// tells the hub. An invitation is answered once; answering again is `NotFound`.
    pub(crate) fn answer_invitation(
        &mut self,
        account: &Account,
        request: &AnswerInvitation,
    ) -> Result<Done, ErrorCode> {
        let id = RoomId::try_from(request.room.as_ref())?;
        let waiting = self.store.invitations(account).map_err(|error| error.code())?;
        let row = waiting.into_iter().find(|row| row.room == id).ok_or(ErrorCode::NotFound)?;
        let join = Join::decode(row.join).map_err(|_| ErrorCode::Internal)?;
        let commit = join.commit.as_ref().ok_or(ErrorCode::Internal)?;
        let head: EventHead = signed::decode(&commit.head)?;
        if request.accept {
            self.may_enter(account)?;
        }
        self.is_open(&id)?;
        let mut room = self.take_room(&id)?.ok_or(ErrorCode::NotFound)?;
        self.drain.settle_first = true;
        self.drain.batch.push(Write::DropInvitation(account.clone(), id));
        if request.accept {
            self.make_member(&mut room, account, &join, head.seq);
        } else {
            self.decline(&mut room, account);
        }
        self.rooms.put(room);
        Ok(Done {})
    }
}
