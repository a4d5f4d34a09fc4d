//! What keys do, mode by mode.

use client::{Outgoing, Standing};
use ratatui::crossterm::event::KeyEvent;

use super::App;
use crate::{
    Deed,
    composer::Purpose,
    draw,
    effect::Effect,
    key::Action,
    mode::{Mode, Opening, Question},
    notice::Tone,
    pane,
};

impl App {
    pub(super) fn act(&mut self, action: Action, armed: bool) {
        if let Mode::Opening(_) = self.mode {
            return self.act_opening(action);
        }
        match action {
            Action::PageUp | Action::PageDown if matches!(self.mode, Mode::Help(_) | Mode::Log(_)) => {
                let page = usize::from(self.size.1).saturating_sub(4).max(1);
                self.turn(page, action == Action::PageDown);
            }
            Action::Quit => self.quit(),
            Action::Interrupt => self.interrupt(armed),
            Action::Redraw => self.do_it(Effect::Redraw),
            Action::Help => self.mode = Mode::Help(0),
            Action::Log => {
                self.notices.unseen = 0;
                self.notices.hush();
                self.mode = Mode::Log(0);
            }
            Action::Switch => self.mode = Mode::switch(),
            Action::Search => self.mode = Mode::search(),
            Action::Members => {
                self.members = Some(!draw::members_shown(self));
            }
            Action::NextRoom | Action::PreviousRoom => {
                if let Some(room) = self.rooms.next(action == Action::NextRoom) {
                    self.open(room);
                }
            }
            Action::NextUnread => match self.rooms.next_unread() {
                Some(room) => self.open(room),
                None => self.say(Tone::Remark, "everything is read"),
            },
            Action::PageUp | Action::PageDown => {
                let rows = usize::from(draw::areas(self).timeline.height).saturating_sub(2).max(1);
                self.scroll(rows, action == Action::PageDown);
            }
            Action::Newest => self.go_to_bottom(),
            Action::Notify => self.next_notify(),
            Action::Accept => self.answer(true),
            Action::Decline => self.answer(false),
            Action::Yes | Action::No => self.answered(action == Action::Yes),
            other => self.act_here(other),
        }
    }

    fn act_here(&mut self, action: Action) {
        match &mut self.mode {
            Mode::Compose => self.act_composing(action),
            Mode::Select => self.act_selecting(action),
            Mode::React(..) => self.act_reacting(action),
            Mode::Switch(_) | Mode::Search(_) => self.act_finding(action),
            Mode::Help(_) | Mode::Log(_) => match action {
                Action::Up | Action::Down => self.turn(1, action == Action::Down),
                _ => self.mode = Mode::Compose,
            },
            Mode::Ask(_) | Mode::Opening(_) => {}
        }
    }

    /// Goes so many rows up or down in what is shown over everything, as far as there is something.
    fn turn(&mut self, page: usize, down: bool) {
        let last = pane::last_row(self);
        if let Mode::Help(rows) | Mode::Log(rows) = &mut self.mode {
            let at = (*rows).min(last);
            *rows = if down { (at + page).min(last) } else { at.saturating_sub(page) };
        }
    }

    fn act_composing(&mut self, action: Action) {
        match action {
            Action::Send => self.send(),
            Action::NewLine => {
                self.composer.editor.insert("\n");
                self.tell_typing();
            }
            Action::Up | Action::Down => {
                let cells = draw::composer_cells(self);
                let down = action == Action::Down;
                if !self.composer.editor.row(cells, down) {
                    self.composer.look_back(!down);
                }
            }
            Action::Complete => self.complete(),
            Action::EditLast => {
                let own = self.feed.as_ref().and_then(|feed| feed.own_last()).cloned();
                match own {
                    Some(message) => self.edit(&message),
                    None => self.say(Tone::Remark, "there is no message of yours to change"),
                }
            }
            Action::ReplyLast => {
                let other = self.feed.as_ref().and_then(|feed| feed.other_last()).map(|message| message.id);
                match other {
                    Some(message) => self.composer.reply(message),
                    None => self.say(Tone::Remark, "there is nothing to answer"),
                }
            }
            Action::Back => {
                self.notices.hush();
                if !self.composer.give_up() {
                    if draw::members_cover(self) {
                        self.members = Some(false);
                    } else {
                        self.select();
                    }
                }
            }
            _ => {}
        }
    }

    fn send(&mut self) {
        let Some(room) = self.open_room() else {
            return self.say(Tone::Remark, "there is no room to write to: Ctrl-K finds or makes one");
        };
        let (id, standing, problem) = (room.id, room.standing, room.problem);
        match standing {
            Standing::Member | Standing::Joining | Standing::Rejoining | Standing::Refused => {}
            Standing::Invited => return self.say(Tone::Remark, "accept the invitation first: Ctrl-Y"),
            Standing::Left => return self.say(Tone::Warning, "you are not in this room any more"),
            Standing::Paused => {
                let why = problem.map(|code| format!(": {} ({})", code.meaning(), code.name()));
                let text = format!("this room is paused{}", why.unwrap_or_default());
                return self.say(Tone::Warning, &text);
            }
        }
        if let Some(what) = self.composer.send() {
            self.stop_typing();
            self.go_to_bottom();
            if let Some(feed) = &mut self.feed {
                // Who answers has read.
                feed.read_to = feed.other_seq();
            }
            self.do_it(Effect::Send { room: id, what });
        }
    }

    pub(super) fn quit(&mut self) {
        self.stop_typing();
        self.do_it(Effect::Quit);
    }

    fn interrupt(&mut self, armed: bool) {
        if !matches!(self.mode, Mode::Compose) {
            self.mode = Mode::Compose;
        } else if !self.composer.editor.is_empty() || self.composer.purpose != Purpose::New {
            self.composer.give_up();
            self.composer.editor.clear();
            self.stop_typing();
        } else if armed {
            self.quit();
        } else {
            self.armed = true;
            self.say(Tone::Remark, "Ctrl-C once more ends; what waits is sent the next time");
        }
    }

    fn answer(&mut self, accept: bool) {
        let Some(room) = self.open_room().filter(|room| room.standing == Standing::Invited) else {
            return self.say(Tone::Remark, "there is no invitation here");
        };
        let id = room.id;
        if accept {
            self.do_it(Effect::Do(Deed::Answer(id, true)));
            self.say(Tone::Remark, "accepting");
        } else {
            self.mode = Mode::Ask(Question::Decline(id));
        }
    }

    fn answered(&mut self, yes: bool) {
        let Mode::Ask(question) = std::mem::replace(&mut self.mode, Mode::Compose) else { return };
        if !yes {
            self.before_paste = None;
            return;
        }
        match question {
            Question::Decline(room) => self.do_it(Effect::Do(Deed::Answer(room, false))),
            Question::SendFiles(room, files) => self.send_files(room, files),
            Question::Delete(message) => {
                let found = self.feed.as_ref().and_then(|feed| feed.get(message)).cloned();
                let Some(message) = found else { return };
                match message.intent.filter(|_| message.seq == 0) {
                    Some(intent) => {
                        let sent = client::Sent { room: message.room, intent };
                        self.do_it(Effect::Do(Deed::Cancel(sent)));
                    }
                    None => {
                        let what = Outgoing::Delete { target: message.id };
                        self.do_it(Effect::Send { room: message.room, what });
                    }
                }
            }
        }
    }

    /// Begins to change a message of one's own.
    pub(super) fn edit(&mut self, message: &client::Message) {
        if message.seq == 0 {
            return self.say(Tone::Remark, "it is still on its way: wait until it is ordered");
        }
        self.composer.edit(message);
    }

    /// A key that means nothing by itself goes into the text that is being written.
    pub(super) fn type_on(&mut self, key: KeyEvent) {
        match &mut self.mode {
            Mode::Compose => {
                self.notices.hush();
                if self.composer.editor.key(key) {
                    self.tell_typing();
                }
            }
            Mode::React(_, editor) | Mode::Opening(Opening { editor, .. }) => {
                editor.key(key);
            }
            Mode::Switch(finder) => {
                if finder.editor.key(key) {
                    finder.place = 0;
                }
            }
            Mode::Search(search) => {
                search.editor.key(key);
            }
            Mode::Ask(Question::SendFiles(..)) => self.write_on(key),
            Mode::Select | Mode::Ask(_) | Mode::Help(_) | Mode::Log(_) => {}
        }
    }

    /// Several characters at once are never keys.
    pub(super) fn paste(&mut self, text: &str) {
        match &mut self.mode {
            Mode::React(_, editor) => editor.insert(&text.replace('\n', "")),
            Mode::Switch(finder) => finder.editor.insert(&text.replace('\n', "")),
            Mode::Search(search) => search.editor.insert(&text.replace('\n', " ")),
            Mode::Opening(opening) => opening.editor.insert(text),
            Mode::Ask(Question::SendFiles(..)) => {
                self.leave_text();
                self.paste_written(text);
            }
            Mode::Compose => self.paste_written(text),
            Mode::Select | Mode::Ask(_) | Mode::Help(_) | Mode::Log(_) => {}
        }
    }
}
