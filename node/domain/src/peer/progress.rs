//! How far a peer, or somebody in a room of its hub, has come; and messages that nobody stores.

use machine::Entropy;
use store::Store;
use wire::{
    DomainName, ErrorCode, RoomId,
    proto::{Ephemeral, Progress, ProgressKind, node_frame},
};

use crate::{
    Core, SessionId,
    fan_out::domain_of,
    group::is_ephemeral,
    room_table::Room,
    send::{Send, node_frame},
    session::Sync,
};

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn take_progress(&mut self, peer: &DomainName, progress: &Progress) -> Result<(), ErrorCode> {
        let id = RoomId::try_from(progress.room.as_ref())?;
        let kind = ProgressKind::try_from(progress.kind).map_err(|_| ErrorCode::Malformed)?;
        let source = domain_of(&progress.who).ok_or(ErrorCode::Malformed)?;
        let is_account = progress.who.contains('@');
        if kind == ProgressKind::Unspecified || is_account != (kind == ProgressKind::Delivered) {
            return Err(ErrorCode::Malformed);
        }
        let mut room = self.take_room(&id)?.ok_or(ErrorCode::NotFound)?;
        let outcome = if room.row.hub == *peer {
            Ok(())
        } else if !room.followers.contains(peer) {
            Err(ErrorCode::NotFound)
        } else if source != *peer {
            Err(ErrorCode::OriginMismatch)
        } else {
            Ok(())
        };
        if outcome.is_ok() {
            self.advance(&mut room, kind, progress.who.clone(), progress.seq);
        }
        self.rooms.put(room);
        outcome
    }

    pub(crate) fn take_ephemeral(&mut self, peer: &DomainName, message: &Ephemeral) -> Result<(), ErrorCode> {
        let id = RoomId::try_from(message.room.as_ref())?;
        let room = self.take_room(&id)?.ok_or(ErrorCode::NotFound)?;
        let known = room.row.hub == *peer || room.followers.contains(peer);
        if known {
            self.spread(&room, message, None, Some(peer));
        }
        self.rooms.put(room);
        if known { Ok(()) } else { Err(ErrorCode::NotFound) }
    }

    /// Passes on a message that nobody stores, to everybody but where it came from. What is none, or of
    /// another room, is dropped.
    pub(crate) fn spread(
        &mut self,
        room: &Room,
        message: &Ephemeral,
        from: Option<SessionId>,
        peer: Option<&DomainName>,
    ) {
        if !is_ephemeral(&room.row.room, &message.body) {
            return;
        }
        let Some(frame) = node_frame(node_frame::Frame::Ephemeral(message.clone())) else { return };
        for account in &room.locals {
            for (_, id) in self.sessions.of(account) {
                let live = self.sessions.get(id).is_some_and(|session| session.sync == Sync::Live);
                if live && from != Some(id) {
                    self.drain.staged.push(Send::Push(id, frame.clone()));
                }
            }
        }
        if room.view.is_none() {
            if peer.is_none() {
                self.links.queue_ephemeral(&room.row.hub, message);
            }
            return;
        }
        for follower in room.followers.iter().filter(|follower| peer != Some(*follower)) {
            self.links.queue_ephemeral(follower, message);
        }
    }
}
