//! How far what was sent has come: as a whole while it is on its way, and with each member after.

use engine::{record::Progressed, view};
use wire::{ErrorCode, RoomId};

use super::Driver;
use crate::{
    ClientError, convert,
    request::{Request, To},
    view::{Level, Receipt, Sent},
};

impl Driver {
    /// How far something is that this device has sent. What does not wait here is ordered.
    ///
    /// # Errors
    /// `NotFound` if the room is not known; why it will never be ordered.
    pub(super) fn reached(&self, sent: Sent) -> Result<Level, ClientError> {
        if self.engine.room(sent.room).is_none() {
            return Err(ErrorCode::NotFound.into());
        }
        let queued = self.engine.queued(sent.room);
        let row = queued.iter().find(|row| row.intent == sent.intent.as_bytes().as_slice());
        match row.map(|row| (row.progressed(), row.error)) {
            None => Ok(Level::Ordered),
            Some((Progressed::Accepted, _)) => Ok(Level::Accepted),
            Some((Progressed::Failed, error)) => Err(ErrorCode::from_code(error).into()),
            Some((Progressed::Waiting | Progressed::Submitted, _)) => Ok(Level::Queued),
        }
    }

    /// What was asked before, if it is ordered by now.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) async fn sent_before(&mut self, request: &Request) -> Result<Option<Sent>, ClientError> {
        let Request::Send { to, id, again: true, .. } = request else { return Ok(None) };
        let room = match to {
            To::Room(room) => *room,
            To::Account(account) => {
                let direct = |room: &view::RoomView| room.peer.as_ref() == Some(account);
                match self.engine.rooms().into_iter().find(direct) {
                    Some(room) => room.room,
                    None => return Ok(None),
                }
            }
        };
        // What came in just before may say that it was ordered, and is not written yet.
        self.settle().await?;
        let name = id.as_bytes().as_slice();
        let rows = self.store.newest(&room).await?;
        let known = rows.iter().any(|row| row.own && (row.intent == name || row.message == name));
        Ok(known.then_some(Sent { room, intent: *id }))
    }

    /// How far the event at a place of the room is with each other member that was there before it.
    ///
    /// # Errors
    /// `NotFound` if the room is not known.
    pub(super) fn receipts(&self, room: RoomId, seq: u64) -> Result<Vec<Receipt>, ClientError> {
        let room = self.engine.room(room).ok_or(ErrorCode::NotFound)?;
        let was_there = |member: &&view::MemberView| member.since < seq || room.past_at(seq).is_some();
        let others = room.members.iter().filter(|member| member.account != self.account).filter(was_there);
        Ok(others
            .map(|member| {
                let how_far = view::delivery(&room, &self.account, seq, Some(&member.account));
                let level = convert::delivery(how_far).0.unwrap_or(Level::Ordered);
                Receipt { account: member.account.clone(), level }
            })
            .collect())
    }
}
