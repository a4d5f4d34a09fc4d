//! Questions that only read: rooms, pages of messages, the state of the device.

use std::collections::BTreeSet;

use engine::{record::RoomPhase, view};
use wire::{ErrorCode, RoomId};

use super::Driver;
use crate::{
    ClientError, convert,
    request::{Reply, Request},
    store::Part,
    view::{Cursor, Notify, Page, Room, Standing, Status},
};

/// Messages on one page.
const PAGE_MAX: u32 = 200;
/// Bytes of text on one page, after which it ends early.
const PAGE_BYTES_MAX: usize = 262_144;

impl Driver {
    pub(super) async fn look(&mut self, request: Request) -> Result<Reply, ClientError> {
        match request {
            Request::Status => self.status().await.map(Reply::Status),
            Request::Rooms => self.rooms().await.map(Reply::Rooms),
            Request::People => self.people().await.map(Reply::People),
            Request::Notify { room, notify } => self.set_notify(room, notify),
            Request::Page { room, cursor } => self.page(room, cursor).await.map(Reply::Page),
            Request::Reached { sent } => self.reached(sent).map(Reply::Reached),
            Request::Receipts { room, seq } => self.receipts(room, seq).map(Reply::Receipts),
            Request::EpochAuthenticator { room } => {
                Ok(Reply::EpochAuthenticator(self.engine.epoch_authenticator(room)))
            }
            _ => Err(ErrorCode::Internal.into()),
        }
    }

    async fn status(&mut self) -> Result<Status, ClientError> {
        let rooms = self.rooms().await?;
        let standing = |wanted| rooms.iter().filter(|room| room.standing == wanted).count() as u64;
        let unsent = self
            .engine
            .rooms()
            .iter()
            .flat_map(|room| self.engine.queued(room.room))
            .filter_map(|intent| view::TimelineItem::from_intent(&self.account, &intent))
            .filter(|item| item.delivery == Some(view::Delivery::Queued))
            .count() as u64;
        Ok(Status {
            account: self.account.clone(),
            device: self.device,
            connected: self.session.is_some(),
            protection: self.protection,
            endpoint: self.endpoint.clone(),
            problem: self.problem.clone(),
            shut_out: self.shut_out,
            caught_up: self.session.is_some() && self.engine.caught_up() && !self.fetching(),
            rooms: standing(Standing::Member) + standing(Standing::Joining) + standing(Standing::Rejoining),
            invitations: standing(Standing::Invited),
            unread: rooms.iter().map(|room| room.unread).sum(),
            unsent,
            peers: self.peers.values().cloned().collect(),
            present: self.present.iter().map(ToString::to_string).collect(),
        })
    }

    /// Whether a room is being joined, or lacks events that are known to be there.
    fn fetching(&self) -> bool {
        self.engine.joining()
            || self.engine.rooms().iter().any(|room| match room.phase {
                RoomPhase::Awaiting => true,
                RoomPhase::Joined => room.behind && room.paused.is_none(),
                _ => false,
            })
    }

    async fn rooms(&mut self) -> Result<Vec<Room>, ClientError> {
        let managed = self.managed();
        let mut rooms: Vec<Room> = self
            .engine
            .invitations()
            .into_iter()
            .filter(|invitation| invitation.answered.is_none())
            .map(convert::invitation)
            .collect();
        for view in self.engine.rooms() {
            if !rooms.iter().any(|room| room.id == view.room) {
                let room = self.shown(view, &managed).await?;
                rooms.push(room);
            }
        }
        rooms.sort_by(|a, b| b.time_ms.cmp(&a.time_ms).then(a.id.cmp(&b.id)));
        Ok(rooms)
    }

    pub(super) async fn room(&mut self, room: RoomId) -> Result<Option<Room>, ClientError> {
        if let Some(view) = self.engine.room(room)
            && view.phase != RoomPhase::Unspecified
        {
            let managed = self.managed();
            return self.shown(view, &managed).await.map(Some);
        }
        let mut invitations = self.engine.invitations().into_iter();
        Ok(invitations.find(|invitation| invitation.room == room).map(convert::invitation))
    }

    async fn shown(&mut self, view: view::RoomView, managed: &BTreeSet<String>) -> Result<Room, ClientError> {
        let unread = if view.last_text_seq > view.read_seq {
            self.unread(&view.room, view.read_seq).await?
        } else {
            (0, 0)
        };
        let newest = Part { after: 0, before: u64::MAX, limit: 1, oldest_first: false };
        let newest = self.store.items(&view.room, newest).await?;
        let time_ms = newest.last().map_or(0, |item| item.time_ms);
        let notify = self.notifies.of(&view.room);
        let room = convert::room(view, unread, time_ms, |account| managed.contains(account.as_str()));
        Ok(Room { notify, ..room })
    }

    fn set_notify(&mut self, room: RoomId, notify: Notify) -> Result<Reply, ClientError> {
        self.engine.room(room).ok_or(ErrorCode::NotFound)?;
        self.notifies.set(&self.dir, room, notify)?;
        self.changed_rooms.insert(room);
        Ok(Reply::Done)
    }

    async fn page(&mut self, id: RoomId, cursor: Cursor) -> Result<Page, ClientError> {
        let room = self.engine.room(id).ok_or(ErrorCode::NotFound)?;
        let limit = cursor.limit.clamp(1, PAGE_MAX);
        let oldest_first = cursor.after.is_some();
        let part = Part {
            after: cursor.after.unwrap_or(0),
            before: cursor.before.unwrap_or(u64::MAX),
            limit: limit + 1,
            oldest_first,
        };
        let mut rows = self.store.items(&id, part).await?;
        let mut more = rows.len() > limit as usize;
        if more {
            let surplus = if oldest_first { rows.len() - 1 } else { 0 };
            rows.remove(surplus);
        }
        more |= shorten(&mut rows, oldest_first);
        let (first, last) = (rows.first().map_or(0, |row| row.seq), rows.last().map_or(0, |row| row.seq));
        let changes = self.store.changes(&rows).await?;
        rows.extend(changes);
        rows.sort_by_key(|row| row.seq);
        let at_the_end = cursor.before.is_none() && !(oldest_first && more);
        let queued = if at_the_end { self.engine.queued(id) } else { Vec::new() };
        let items = view::timeline(&self.account, &room, &rows, &queued);
        let messages = items.into_iter().map(|item| convert::message(id, item)).collect();
        let (older, newer) = if oldest_first {
            (cursor.after.is_some_and(|after| after > 0) && first > 0, more)
        } else {
            (more, cursor.before.is_some() && last > 0)
        };
        let span = (last > 0).then_some((first, last));
        Ok(Page { messages, older, newer, span })
    }
}

/// Keeps a page below its bound in bytes; whether something was left out.
fn shorten(rows: &mut Vec<engine::record::MessageRow>, oldest_first: bool) -> bool {
    let mut bytes = 0;
    let sizes: Vec<usize> = rows.iter().map(|row| row.body.len()).collect();
    let mut fits = |size: &usize| {
        bytes += size;
        bytes <= PAGE_BYTES_MAX
    };
    let kept = if oldest_first {
        sizes.iter().take_while(|size| fits(size)).count()
    } else {
        sizes.iter().rev().take_while(|size| fits(size)).count()
    };
    let kept = kept.max(1).min(rows.len());
    let cut = rows.len() - kept;
    if oldest_first {
        rows.truncate(kept);
    } else {
        rows.drain(..cut);
    }
    cut > 0
}
