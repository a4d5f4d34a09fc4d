//! How far a peer, or somebody in a room of its hub, has come; and messages that nobody stores.

use machine::Entropy;
use store::Store;
use wire::{
    Account, DomainName, ErrorCode, RoomId, limits,
    proto::{Ephemeral, Progress, ProgressKind, node_frame},
};

use crate::{
    Core, SessionId,
    group::is_ephemeral,
    room_table::Room,
    send::{Send, node_frame},
    session::Sync,
};

/// Entries of progress that a hub may make a follower keep of one room: of every domain and account
/// that a room can have at a time.
const PROGRESS_OF_ROOM_MAX: usize = 2 * limits::ROOM_DEVICES_MAX;

/// Whose progress is told.
enum Who {
    Domain(DomainName),
    Account(Account),
}

impl Who {
    fn parse(kind: ProgressKind, who: &str) -> Result<Self, ErrorCode> {
        match kind {
            ProgressKind::Stored => who.parse().map(Self::Domain),
            ProgressKind::Delivered => who.parse().map(Self::Account),
            ProgressKind::Unspecified => Err(ErrorCode::Malformed),
        }
    }

    fn domain(&self) -> &DomainName {
        match self {
            Self::Domain(domain) => domain,
            Self::Account(account) => account.domain(),
        }
    }
}

// [ROOM-28] A hub knows who is in the room, and believes a follower about its own accounts there. A
// follower knows its own accounts only, and keeps of what the hub says no more than a room can hold.
fn may_tell(room: &Room, peer: &DomainName, who: &Who) -> Result<(), ErrorCode> {
    if let Some(view) = &room.view {
        if !room.followers.contains(peer) {
            return Err(ErrorCode::NotFound);
        }
        if who.domain() != peer {
            return Err(ErrorCode::OriginMismatch);
        }
        return match who {
            Who::Account(account) if !view.roster.contains_key(account) => Err(ErrorCode::NotFound),
            _ => Ok(()),
        };
    }
    if room.row.hub != *peer {
        return Err(ErrorCode::NotFound);
    }
    let is_known = match who {
        Who::Domain(domain) => room.has_progress(ProgressKind::Stored, domain.as_str()),
        Who::Account(account) => room.has_progress(ProgressKind::Delivered, account.as_str()),
    };
    if is_known || room.progress.len() < PROGRESS_OF_ROOM_MAX { Ok(()) } else { Err(ErrorCode::Quota) }
}

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn take_progress(&mut self, peer: &DomainName, progress: &Progress) -> Result<(), ErrorCode> {
        let id = RoomId::try_from(progress.room.as_ref())?;
        let kind = ProgressKind::try_from(progress.kind).map_err(|_| ErrorCode::Malformed)?;
        let who = Who::parse(kind, &progress.who)?;
        let mut room = self.take_room(&id)?.ok_or(ErrorCode::NotFound)?;
        let outcome = may_tell(&room, peer, &who);
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
                    self.drain.staged.push(Send::Passing(id, frame.clone()));
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
