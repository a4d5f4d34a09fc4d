//! Making somebody aware who looks elsewhere: seldom, and of nothing that a room may not disturb with.

use client::{Message, MessageBody, Notify, Room, RoomId, Standing};
use engine::view::mentions;

use super::App;
use crate::{
    Deed,
    effect::Effect,
    notice::Tone,
    room_list::label,
    text::{clip, steady},
};

/// A room disturbs once in this time.
const APART_MS: u64 = 10_000;
/// Cells of what is shown of a text.
const TEXT_CELLS: usize = 120;

impl App {
    /// Somebody said something.
    pub(super) fn disturb(&mut self, message: &Message) {
        let text = match &message.body {
            MessageBody::Text(text) => text,
            MessageBody::File(file) if file.caption.is_empty() => &file.name,
            MessageBody::File(file) => &file.caption,
            _ => return,
        };
        let caught_up = self.status.as_ref().is_some_and(|status| status.caught_up);
        let looking = self.focused && self.rooms.open_id() == Some(message.room);
        let Some(room) = self.rooms.get(message.room).filter(|_| caught_up && !looking && !message.own)
        else {
            return;
        };
        let named = self.me().is_some_and(|me| !mentions(text, me).is_empty());
        let may = match room.notify {
            Notify::All => true,
            Notify::Mentions => named,
            Notify::None => false,
        };
        if !may || message.seq <= room.read_seq {
            return;
        }
        let who = message.sender.as_ref().map(|sender| sender.to_string()).unwrap_or_default();
        let title = match &room.peer {
            Some(_) => who,
            None => format!("{who} in {}", label(room)),
        };
        let body = if self.settings.notify_text {
            clip(&steady(&text.replace('\n', " ")), TEXT_CELLS, self.settings.unicode)
        } else {
            String::new()
        };
        self.notify(message.room, title, body);
    }

    /// Somebody invites.
    pub(super) fn disturb_invited(&mut self, room: RoomId) {
        let invited = |room: &&Room| room.standing == Standing::Invited;
        let Some(room) = self.rooms.get(room).filter(invited) else { return };
        let who = room.inviter.as_ref().map(ToString::to_string).unwrap_or_default();
        let (id, title) = (room.id, format!("{who} invites you"));
        self.notify(id, title, String::new());
    }

    fn notify(&mut self, room: RoomId, title: String, body: String) {
        self.disturbed.retain(|_, at| *at + APART_MS > self.now);
        if !self.disturbed.contains_key(&room) {
            self.disturbed.insert(room, self.now);
            self.do_it(Effect::Notify { title, body });
        }
    }

    /// The open room may disturb with something else from now on.
    pub(super) fn next_notify(&mut self) {
        let Some(room) = self.open_room().filter(|room| room.standing != Standing::Invited) else { return };
        let (id, next, says) = match room.notify {
            Notify::All => (room.id, Notify::Mentions, "only what names you disturbs"),
            Notify::Mentions => (room.id, Notify::None, "nothing of this room disturbs"),
            Notify::None => (room.id, Notify::All, "everything said here disturbs"),
        };
        self.do_it(Effect::Do(Deed::Notify(id, next)));
        self.say(Tone::Remark, says);
    }
}
