//! Invitations: what the node says about a room that waits for an answer, and the answer. Nothing of
//! it is signed, so it decides nothing but whom the user is asked about.

use machine::Entropy;
use room::direct_room;
use wire::{
    Account, ErrorCode, RoomId, WireError, limits,
    proto::{AnswerInvitation, Invitation, RoomKind, client_request::Request},
};

use crate::{
    Engine, Notice,
    record::{InvitationRow, RoomPhase},
    request::Purpose,
};

/// The answer of an invitation to a direct room that was declined, when the node knows.
pub(crate) const DECLINED: u32 = 3;

impl<E: Entropy> Engine<E> {
    pub(crate) fn invited(&mut self, invitation: &Invitation) {
        if let Err(error) = self.take_invitation(invitation) {
            self.passed(error);
        }
    }

    fn take_invitation(&mut self, invitation: &Invitation) -> Result<(), ErrorCode> {
        let id = RoomId::try_from(invitation.room.as_ref())?;
        let inviter: Account = invitation.inviter.parse()?;
        let direct = invitation.kind() == RoomKind::Direct;
        // [ROOM-1] Its id says whose a direct room is.
        if direct && direct_room(&self.keys.account, &inviter).0 != id {
            return Err(ErrorCode::OriginMismatch);
        }
        let known = self.rooms.get(&id);
        if known.is_some_and(|room| room.kind != invitation.kind()) {
            return Err(ErrorCode::OriginMismatch);
        }
        let phase = known.map(|room| room.phase);
        let waits = self.invitations.get(&id).is_some_and(|row| row.answer != DECLINED);
        if phase == Some(RoomPhase::Joined) || waits {
            return Ok(());
        }
        let pending = self.invitations.values().filter(|row| row.answer != DECLINED).count();
        if pending >= limits::INVITATIONS_PENDING_MAX {
            return Err(ErrorCode::Quota);
        }
        // Whoever has begun a direct room has invited the other side already.
        let begun = matches!(phase, Some(RoomPhase::Wanted | RoomPhase::Founding | RoomPhase::Awaiting));
        let wanted = direct && begun;
        // Of whom the user wants to hear nothing, no invitation is asked about.
        let unwanted = self.trust.contacts.is_blocked(&inviter);
        let row = InvitationRow {
            room: invitation.room.clone(),
            inviter: invitation.inviter.clone(),
            kind: invitation.kind,
            time_ms: invitation.time_ms,
            answer: if unwanted { 2 } else { u32::from(wanted) },
        };
        self.stage.put(&row);
        self.invitations.insert(id, row);
        if wanted || unwanted {
            self.send_answer(id, !unwanted);
        } else {
            self.stage.notify(Notice::Invitation(id));
        }
        Ok(())
    }

    /// The user's answer.
    ///
    /// # Errors
    /// `NotFound` if nobody invited.
    pub(crate) fn answer_invitation(&mut self, id: RoomId, accept: bool) -> Result<(), ErrorCode> {
        let row = self.invitations.get_mut(&id).filter(|row| row.answer != DECLINED);
        let row = row.ok_or(ErrorCode::NotFound)?;
        row.answer = if accept { 1 } else { 2 };
        let row = row.clone();
        self.stage.put(&row);
        self.send_answer(id, accept);
        Ok(())
    }

    /// Declines what those have sent who are blocked since.
    pub(crate) fn decline_blocked(&mut self) {
        let waiting = self.invitations.iter().filter(|(_, row)| row.answer == 0);
        let of_blocked: Vec<RoomId> = waiting
            .filter(|(_, row)| {
                row.inviter.parse().is_ok_and(|inviter| self.trust.contacts.is_blocked(&inviter))
            })
            .map(|(id, _)| *id)
            .collect();
        for id in of_blocked {
            // It is there: it was found a moment ago.
            let _ = self.answer_invitation(id, false);
        }
    }

    /// Answers that were given and not confirmed, on a new session.
    pub(crate) fn answer_invitations(&mut self) {
        let given: Vec<(RoomId, bool)> = self
            .invitations
            .iter()
            .filter(|(_, row)| matches!(row.answer, 1 | 2))
            .map(|(id, row)| (*id, row.answer == 1))
            .collect();
        for (id, accept) in given {
            self.send_answer(id, accept);
        }
    }

    fn send_answer(&mut self, id: RoomId, accept: bool) {
        let request = Request::AnswerInvitation(AnswerInvitation { room: id.to_bytes(), accept });
        self.request(Purpose::Answer(id), request);
    }

    pub(crate) fn answered(&mut self, id: RoomId, error: Option<WireError>) {
        match error {
            Some(error) if error.code.retryable() => {}
            // It was answered before, and the confirmation was lost.
            Some(error) if error.code == ErrorCode::NotFound => self.settle_invitation(id),
            Some(error) => {
                self.forget_invitation(id);
                self.passed(error.code);
            }
            None => self.settle_invitation(id),
        }
    }

    /// The node knows the answer. That a direct room was declined is kept: only the other side can
    /// open it again, so there is no use in founding it.
    fn settle_invitation(&mut self, id: RoomId) {
        let full = self.invitations.len() >= limits::ROOMS_PER_ACCOUNT_MAX;
        let Some(row) = self.invitations.get_mut(&id) else { return };
        if row.answer == 2 && row.kind() == RoomKind::Direct && !full {
            row.answer = DECLINED;
            self.stage.put(row);
            return;
        }
        let accepted = row.answer == 1;
        self.forget_invitation(id);
        if let Some(room) = self.rooms.get_mut(&id).filter(|_| accepted) {
            room.accepted = true;
            self.stage.rooms.insert(id);
        }
    }

    pub(super) fn forget_invitation(&mut self, id: RoomId) {
        if let Some(row) = self.invitations.remove(&id) {
            self.stage.gone(&row);
        }
    }
}
