//! What a hostile node needs: submissions kept from the log, entries out of nowhere, events signed
//! after any head.

use bytes::Bytes;
use engine::{Command, Target};
use room::{LogHead, chain};
use wire::{
    MessageId, RoomId,
    proto::{
        Entry, Event, EventKind, NodeFrame, Page, Submission, client_frame, client_request, entry, node_frame,
    },
};

use super::World;

impl World {
    /// What a device would submit for a text, kept from the node.
    pub fn unsent(&mut self, phone: usize, room: RoomId, text: &str) -> Submission {
        self.order(phone, Command::Send { target: Target::Room(room), text: text.into(), reply_to: None });
        let frames = self.phones[phone].drain(self.now);
        let submitted = frames.into_iter().find_map(|frame| match frame.frame {
            Some(client_frame::Frame::Request(request)) => match request.request {
                Some(client_request::Request::Submit(submission)) => Some(submission),
                _ => None,
            },
            _ => None,
        });
        submitted.expect("a submission")
    }

    /// Shows an entry to one device alone.
    pub fn push(&mut self, phone: usize, entry: entry::Entry) {
        let page = Page { entries: vec![Entry { position: 0, entry: Some(entry) }], caught_up: false };
        let frame = NodeFrame { frame: Some(node_frame::Frame::Page(page)) };
        self.phones[phone].inbox.push_back(frame);
        self.run();
    }

    /// An event as the hub signs it, after any head that it likes.
    pub fn sealed(
        &self,
        room: RoomId,
        after: &LogHead,
        what: (EventKind, MessageId, &Bytes),
    ) -> (Event, LogHead) {
        let hub = &self.node.rooms[&room];
        let (kind, message, body) = what;
        let draft = chain::Draft {
            room: &room,
            hub: &hub.view.state.hub,
            epoch: hub.view.epoch,
            kind,
            message: &message,
            body,
            time_ms: self.now.as_ms(),
        };
        chain::seal(after, &draft, &self.node.domains[&hub.view.state.hub].0.event)
    }
}
