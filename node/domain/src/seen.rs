//! Looks up what stands under message ids, of submissions and of events: once per drain for all of
//! them, in memory afterwards.

use std::collections::BTreeSet;

use machine::Entropy;
use prost::Message as _;
use room::hub::Repeat;
use store::Store;
use wire::{
    ErrorCode, MessageId, RoomId,
    proto::{Event, EventHead, client_frame, client_request, item, link_frame},
    signed,
};

use crate::{Core, Input, drain::Seen};

type Id = (RoomId, MessageId);

impl<S: Store, E: Entropy> Core<S, E> {
    /// Looks up the ids of all submissions and events in the backlog that were not looked up in this drain.
    pub(crate) fn prefetch(&mut self) {
        let mut ids = BTreeSet::new();
        for input in &self.backlog {
            collect(input, &mut |id| {
                if let Some(id) = id
                    && !self.drain.looked_up.contains(&id)
                {
                    ids.insert(id);
                }
            });
        }
        if !ids.is_empty() {
            let ids: Vec<Id> = ids.into_iter().collect();
            if let Err(error) = self.look_up(&ids) {
                // Each id is asked for again, and its asker is told.
                tracing::warn!(error = error.name(), "message ids could not be looked up");
            }
        }
    }

    /// What stands under a message id, uncommitted decisions of this drain included.
    ///
    /// # Errors
    /// Those of reading the store.
    pub(crate) fn seen(&mut self, room: RoomId, message: MessageId) -> Result<Option<Seen>, ErrorCode> {
        let id = (room, message);
        if !self.drain.looked_up.contains(&id) {
            self.look_up(&[id])?;
        }
        Ok(self.drain.seen.get(&id).cloned())
    }

    fn look_up(&mut self, ids: &[Id]) -> Result<(), ErrorCode> {
        let pending = self.store.pending(ids).map_err(|error| error.code())?;
        let events = self.store.events_by_message(ids).map_err(|error| error.code())?;
        self.drain.looked_up.extend(ids);
        for row in pending {
            self.drain.seen.entry((row.room, row.message)).or_insert(Seen::Pending(row.hash));
        }
        for row in events {
            let head: EventHead = signed::decode(&row.head)?;
            let body_hash = head.body_hash.as_ref().try_into().map_err(|_| ErrorCode::Internal)?;
            let repeat = Repeat { kind: row.kind, epoch: head.epoch, body_hash };
            self.drain.seen.insert((row.room, row.message), Seen::Ordered(repeat));
        }
        Ok(())
    }
}

fn id(room: &[u8], message: &[u8]) -> Option<Id> {
    Some((RoomId::try_from(room).ok()?, MessageId::try_from(message).ok()?))
}

fn id_of_event(event: &Event) -> Option<Id> {
    let head = EventHead::decode(event.head.as_ref()).ok()?;
    id(&head.room, &head.message_id)
}

fn collect(input: &Input, found: &mut impl FnMut(Option<Id>)) {
    match input {
        Input::ClientFrame { frame, .. } => {
            if let Some(client_frame::Frame::Request(request)) = &frame.frame
                && let Some(client_request::Request::Submit(submission)) = &request.request
            {
                found(id(&submission.room, &submission.message_id));
            }
        }
        Input::LinkFrame { frame, .. } => {
            if let Some(link_frame::Frame::Batch(batch)) = &frame.frame {
                for item in &batch.items {
                    match &item.item {
                        Some(item::Item::Submission(submission)) => {
                            found(id(&submission.room, &submission.message_id));
                        }
                        Some(item::Item::Events(run)) => {
                            run.events.iter().for_each(|event| found(id_of_event(event)));
                        }
                        _ => {}
                    }
                }
            }
        }
        _ => {}
    }
}
