//! Choosing a message and doing something with it.

use client::{Message, MessageBody, Outgoing};

use super::App;
use crate::{
    effect::Effect,
    key::Action,
    mode::{Mode, QUICK, Question},
    notice::Tone,
    pane::timeline,
};

impl App {
    /// Begins to choose, with the newest.
    pub(super) fn select(&mut self) {
        let Some(feed) = &mut self.feed else { return };
        feed.chosen = None;
        if feed.choose(false) {
            self.mode = Mode::Select;
            timeline::show_chosen(self);
        } else {
            self.say(Tone::Remark, "there is no message to choose");
        }
    }

    pub(super) fn act_selecting(&mut self, action: Action) {
        match action {
            Action::Up | Action::Down => {
                let down = action == Action::Down;
                let Some(feed) = &mut self.feed else { return };
                let moved = feed.choose(down);
                let wish = match (moved, down) {
                    (true, _) => None,
                    (false, false) => feed.read_older(),
                    (false, true) => feed.read_newer(),
                };
                self.read_part(wish);
                timeline::show_chosen(self);
            }
            Action::Oldest => {
                let Some(feed) = &mut self.feed else { return };
                while feed.choose(false) {}
                let wish = feed.read_older();
                self.read_part(wish);
                timeline::show_chosen(self);
            }
            Action::Back => self.stop_selecting(),
            _ => self.act_on_chosen(action),
        }
    }

    fn stop_selecting(&mut self) {
        self.mode = Mode::Compose;
        if let Some(feed) = &mut self.feed {
            feed.chosen = None;
        }
    }

    fn act_on_chosen(&mut self, action: Action) {
        let Some(message) = self.feed.as_ref().and_then(|feed| feed.chosen()).cloned() else {
            return self.stop_selecting();
        };
        let is_text = matches!(message.body, MessageBody::Text(_));
        match action {
            Action::Whole => {
                if let Some(feed) = &mut self.feed {
                    match feed.whole.iter().position(|id| *id == message.id) {
                        Some(place) => drop(feed.whole.remove(place)),
                        None => feed.whole.push(message.id),
                    }
                }
                timeline::show_chosen(self);
            }
            Action::Save => self.save(&message),
            _ if !is_text => self.say(Tone::Remark, "nothing can be done with this one"),
            Action::Reply | Action::React if message.seq == 0 => {
                self.say(Tone::Remark, "it is still on its way: wait until it is ordered");
            }
            Action::Reply => {
                self.composer.reply(message.id);
                self.stop_selecting();
            }
            Action::React => self.mode = Mode::react(message.id),
            Action::Edit | Action::Delete if !message.own => {
                self.say(Tone::Remark, "only its author can do that");
            }
            Action::Edit => {
                self.edit(&message);
                self.stop_selecting();
            }
            Action::Delete => self.mode = Mode::Ask(Question::Delete(message.id)),
            _ => {}
        }
    }

    pub(super) fn act_reacting(&mut self, action: Action) {
        let Mode::React(target, editor) = std::mem::replace(&mut self.mode, Mode::Select) else { return };
        let typed = editor.text().trim();
        let quick = typed.parse::<usize>().ok().and_then(|number| QUICK.get(number.wrapping_sub(1)));
        let emoji = quick.map_or(typed, |quick| *quick).to_owned();
        if action != Action::Choose || emoji.is_empty() {
            return;
        }
        let Some(message) = self.feed.as_ref().and_then(|feed| feed.get(target)).cloned() else { return };
        let remove = self.reacted(&message, &emoji);
        self.do_it(Effect::Send { room: message.room, what: Outgoing::React { target, emoji, remove } });
        self.stop_selecting();
    }

    /// Whether the reader has given this reaction.
    pub(crate) fn reacted(&self, message: &Message, emoji: &str) -> bool {
        let Some(me) = self.me() else { return false };
        let given = message.reactions.iter().find(|reaction| reaction.emoji == emoji);
        given.is_some_and(|reaction| reaction.by.iter().any(|name| name == me.as_str()))
    }
}
