//! Going from room to room, and up and down in one.

use client::{RoomId, Standing};

use super::App;
use crate::{
    Deed,
    effect::Effect,
    feed::{Anchor, Feed},
    mode::Mode,
    pane::timeline,
};

impl App {
    /// Shows a room.
    pub(super) fn open(&mut self, room: RoomId) {
        self.mode = Mode::Compose;
        if self.rooms.open_id() == Some(room) {
            return;
        }
        self.stop_typing();
        self.composer.move_to(self.rooms.open_id(), room);
        self.rooms.set_open(room);
        self.feed = None;
        self.open_feed(room);
    }

    /// Begins to read what was said in a room, unless one is only invited.
    pub(super) fn open_feed(&mut self, room: RoomId) {
        let Some(known) = self.rooms.get(room).filter(|room| room.standing != Standing::Invited) else {
            return;
        };
        let mut feed = Feed::new(room, known.read_seq);
        let wish = feed.read_newest();
        self.feed = Some(feed);
        self.read_part(wish);
    }

    /// Shows a message among its neighbours.
    pub(super) fn open_at(&mut self, room: RoomId, seq: u64) {
        self.open(room);
        if let Some(feed) = &self.feed
            && let Some(held) =
                feed.messages.iter().find(|message| message.seq == seq).map(|message| message.id)
        {
            self.choose(held);
        } else {
            self.read_part(Some(Feed::read_around(seq)));
        }
        self.mode = Mode::Select;
    }

    pub(super) fn choose(&mut self, message: client::MessageId) {
        if let Some(feed) = &mut self.feed {
            feed.chosen = Some(message);
        }
        timeline::show_chosen(self);
    }

    /// Up or down by so many rows.
    pub(super) fn scroll(&mut self, rows: usize, down: bool) {
        let moved = timeline::scrolled(self, rows, down);
        let Some(feed) = &mut self.feed else { return };
        if let Some(anchor) = moved.anchor {
            feed.anchor = anchor;
        }
        let wish = if down && feed.anchor == Anchor::Bottom {
            feed.read_newer()
        } else if !down && moved.at_end {
            feed.read_older()
        } else {
            None
        };
        self.read_part(wish);
    }

    /// Down to the newest.
    pub(super) fn go_to_bottom(&mut self) {
        let wish = self.feed.as_mut().and_then(Feed::go_to_bottom);
        self.read_part(wish);
    }

    /// Typing ends because the text was sent or left.
    pub(super) fn stop_typing(&mut self) {
        if let Some(room) = self.typing.stop() {
            self.do_it(Effect::Do(Deed::Typing(room, false)));
        }
    }

    /// A key was pressed while writing: the others are told now and then.
    pub(super) fn tell_typing(&mut self) {
        if self.composer.editor.is_empty() {
            return self.stop_typing();
        }
        let connected = self.status.as_ref().is_some_and(|status| status.connected);
        let Some(room) = self.open_room() else { return };
        let id = room.id;
        let heard = connected && room.standing == Standing::Member && room.members.len() > 1;
        if heard && self.typing.key(id, self.now) {
            self.do_it(Effect::Do(Deed::Typing(id, true)));
        }
    }
}
