//! What the device says, and what came of what was asked for.

use client::{FileInfo, Happening, Message, MessageBody, Room, RoomId, Standing};
use engine::view::mentions;

use super::App;
use crate::{Deed, effect::Effect, feed::Feed, input::Fault, mode::Mode, notice::Tone, text::file_name};

impl App {
    pub(super) fn happening(&mut self, happening: Happening) {
        match happening {
            Happening::Message(message) => self.message(&message),
            Happening::Delivery { room, intent, level, failed, .. } => {
                if let Some(feed) = self.feed.as_mut().filter(|feed| feed.room == room)
                    && !feed.delivered(intent, level, failed)
                {
                    self.read_newest();
                }
                if let Some(code) = failed {
                    let text = format!("a message was not sent: {} ({})", code.meaning(), code.name());
                    self.say(Tone::Trouble, &text);
                }
            }
            Happening::Room(room) => self.room_changed(room),
            Happening::Read { room, .. } => {
                if self.rooms.open_id() == Some(room) {
                    self.read_newest();
                }
            }
            Happening::Typing { room, account, active } => self.typing.other(room, account, active, self.now),
            Happening::Warning(text) => {
                self.say(Tone::Warning, &text);
                self.read_people();
            }
            Happening::Connected(connected) => {
                if let Some(status) = &mut self.status {
                    status.connected = connected;
                    status.caught_up &= connected;
                    status.present.clear();
                }
                self.show_presence();
                self.read_status();
            }
            Happening::CaughtUp | Happening::Missed => self.read_all(),
            Happening::Unlocked => {
                self.show_presence();
                self.read_all();
            }
            // The shell ends the screen.
            Happening::Locked => {}
            Happening::Peer(_) => self.read_status(),
            Happening::Presence { account, here } => {
                if let Some(status) = &mut self.status {
                    let name = account.to_string();
                    status.present.retain(|present| *present != name);
                    status.present.extend(here.then_some(name));
                }
            }
            Happening::Transfer(step) => self.transferred(&step),
        }
    }

    fn message(&mut self, message: &Message) {
        if let Some(sender) = &message.sender {
            self.typing.other(message.room, sender.clone(), false, self.now);
        }
        self.count(message);
        self.disturb(message);
        let Some(feed) = self.feed.as_mut().filter(|feed| feed.room == message.room) else { return };
        let target = match &message.body {
            MessageBody::Edit { target, .. }
            | MessageBody::Delete { target }
            | MessageBody::Reaction { target, .. } => feed.get(*target).map(|message| message.seq),
            _ => None,
        };
        match target {
            Some(seq) if seq > 0 => {
                let wish = Feed::read_one(seq);
                self.read_part(Some(wish));
            }
            _ => self.read_newest(),
        }
    }

    /// Counts it as unread; the device does the same, and says so whenever the room changes.
    fn count(&mut self, message: &Message) {
        let me = self.me().cloned();
        let Some(room) = self.rooms.get(message.room) else {
            return self.read_rooms();
        };
        let mut room = room.clone();
        room.time_ms = room.time_ms.max(message.time_ms);
        room.seq = room.seq.max(message.seq);
        if let MessageBody::Text(text) | MessageBody::File(FileInfo { caption: text, .. }) = &message.body
            && !message.own
            && message.seq > room.read_seq
        {
            room.unread += 1;
            let called = me.is_some_and(|me| !mentions(text, &me).is_empty());
            room.mentions += u64::from(called);
        }
        self.rooms.update(room);
    }

    fn room_changed(&mut self, room: Room) {
        let before = self.rooms.get(room.id).map(|before| before.standing);
        let (id, standing) = (room.id, room.standing);
        let new_members = self.rooms.get(id).is_none_or(|before| before.members != room.members);
        self.rooms.update(room);
        if before != Some(Standing::Invited) && standing == Standing::Invited {
            self.say(Tone::Remark, "somebody invites you: Alt-A shows it");
            self.disturb_invited(id);
        }
        if self.rooms.open_id() == Some(id) {
            if self.feed.is_none() {
                self.open_feed(id);
            }
            self.read_newest();
        }
        if new_members {
            self.read_people();
        }
    }

    pub(super) fn take_rooms(&mut self, rooms: Result<Vec<Room>, Fault>) {
        if self.reading.rooms.end() {
            self.read_rooms();
        }
        let Some(rooms) = self.taken(rooms) else { return };
        self.rooms.set(rooms);
        if self.rooms.open_id().is_none() && !matches!(self.mode, Mode::Opening(_)) {
            let first = self.rooms.all().iter().find(|room| room.standing != Standing::Invited);
            if let Some(room) = first.or_else(|| self.rooms.all().first()).map(|room| room.id) {
                self.open(room);
            }
        } else if self.feed.is_none()
            && let Some(open) = self.rooms.open_id()
        {
            self.open_feed(open);
        }
    }

    pub(super) fn take_sent(&mut self, room: RoomId, outcome: Result<(), (Fault, String)>) {
        match outcome {
            Ok(()) => {
                if self.rooms.open_id() == Some(room) {
                    self.read_newest();
                }
            }
            Err((fault, text)) => {
                self.say(Tone::Trouble, &format!("not sent: {}", fault.text));
                if self.rooms.open_id() == Some(room) && self.composer.editor.is_empty() {
                    self.composer.editor.set(&text);
                }
            }
        }
        self.read_status();
    }

    pub(super) fn take_done(&mut self, deed: &Deed, outcome: Result<Option<RoomId>, Fault>) {
        match (deed, outcome) {
            (Deed::Typing(..) | Deed::Presence, _) => {}
            (Deed::MarkRead(..), Ok(_)) => {}
            (Deed::MarkRead(room, seq), Err(_)) => {
                // It is told again with the next message, or when the room is opened again.
                if self.marked.get(room) == Some(seq) {
                    self.marked.remove(room);
                }
            }
            (_, Err(fault)) => {
                let what = match deed {
                    Deed::Answer(_, true) => "cannot accept".to_owned(),
                    Deed::Answer(_, false) => "cannot decline".to_owned(),
                    Deed::Notify(..) => "cannot keep that".to_owned(),
                    Deed::Direct(account) => format!("cannot write to {account}"),
                    Deed::Create(name) => format!("cannot make #{name}"),
                    Deed::PutFile(_, path) => format!("cannot send {}", file_name(path)),
                    _ => "cannot give it up".to_owned(),
                };
                let kept = match self.not_opened(deed) {
                    true => "; the arrow up brings back what you wrote",
                    false => "",
                };
                self.say(Tone::Trouble, &format!("{what}: {}{kept}", fault.text));
            }
            (_, Ok(room)) => {
                self.read_rooms();
                self.read_newest();
                if let Some(room) = room {
                    self.opened(deed, room);
                }
                match deed {
                    Deed::Answer(_, true) => {
                        self.say(Tone::Remark, "accepted: the room opens as soon as you are let in")
                    }
                    Deed::Answer(_, false) => self.say(Tone::Remark, "declined"),
                    Deed::PutFile(_, path) => {
                        self.say(Tone::Remark, &format!("{} is with your node", file_name(path)));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Everything that is on the screen has been read.
    pub(super) fn mark_seen(&mut self) {
        let looking = self.focused
            && matches!(self.mode, Mode::Compose | Mode::Select | Mode::React(..) | Mode::Ask(_));
        let Some(feed) = self.feed.as_ref().filter(|feed| looking && feed.loaded && !feed.newer) else {
            return;
        };
        if feed.anchor != crate::feed::Anchor::Bottom {
            return;
        }
        let (room, seq) = (feed.room, feed.other_seq());
        let Some(known) = self.rooms.get(room).filter(|room| room.standing == Standing::Member) else {
            return;
        };
        let told = self.marked.get(&room).copied().unwrap_or_default().max(known.read_seq);
        if seq > told {
            self.marked.insert(room, seq);
            let mut known = known.clone();
            (known.unread, known.mentions, known.read_seq) = (0, 0, seq);
            self.rooms.update(known);
            self.do_it(Effect::Do(Deed::MarkRead(room, seq)));
        }
    }
}
