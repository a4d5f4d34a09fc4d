//! The sync stream: entries in the order of their positions, each handled by itself, so that one
//! that makes no sense does not stop those after it (promise 7).

use machine::Entropy;
use prost::Message as _;
use wire::{
    ErrorCode, RoomId, WireError,
    proto::{Entry, Event, EventHead, Page, entry},
};

use crate::{Engine, Notice};

impl<E: Entropy> Engine<E> {
    pub(crate) fn page(&mut self, page: Page) {
        for entry in page.entries {
            let position = entry.position;
            self.entry(entry);
            if position > self.cursor.position {
                self.cursor.position = position;
                self.stage.cursor = true;
            }
        }
        if page.caught_up {
            self.catch_up();
        }
    }

    fn catch_up(&mut self) {
        let Some(session) = self.session.as_mut() else { return };
        if !std::mem::replace(&mut session.caught_up, true) {
            self.stage.notify(Notice::CaughtUp);
            self.resubmit();
            let rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
            for room in &rooms {
                self.with_room(*room, Self::settle_soon);
            }
            self.touched.extend(rooms);
        }
    }

    fn entry(&mut self, entry: Entry) {
        match entry.entry {
            Some(entry::Entry::Event(event)) => self.event(&event),
            Some(entry::Entry::Invitation(invitation)) => self.invited(&invitation),
            Some(entry::Entry::Join(join)) => self.join(join),
            Some(entry::Entry::Refused(refused)) => {
                let error = refused.error.as_ref().map(WireError::from);
                match refused.message_id.as_ref().try_into() {
                    Ok(message) => {
                        let error = error.unwrap_or_else(|| ErrorCode::Internal.into());
                        self.submit_failed(message, error, true);
                    }
                    Err(error) => self.passed(error),
                }
            }
            Some(entry::Entry::Progress(progress)) => self.progress(&progress),
            Some(entry::Entry::PeerState(state)) => {
                self.stage.notify(Notice::PeerState(state.clone()));
                self.peer_moved(&state);
            }
            Some(entry::Entry::Presence(presence)) => self.presence(&presence),
            Some(entry::Entry::Left(left)) => self.left(&left),
            None => self.passed(ErrorCode::Unsupported),
        }
    }

    fn event(&mut self, event: &Event) {
        let place = EventHead::decode(event.head.clone())
            .map_err(|_| ErrorCode::Malformed)
            .and_then(|head| Ok((RoomId::try_from(head.room.as_ref())?, head.seq)));
        match place {
            Ok((room, seq)) => {
                self.with_room(room, |engine, room| engine.pushed(room, seq, event));
                self.touched.insert(room);
            }
            Err(error) => self.passed(error),
        }
    }
}
