//! A room that is being made: what is written meanwhile is for it, and goes nowhere else.

use client::RoomId;

use super::App;
use crate::{
    Deed,
    effect::Effect,
    key::Action,
    mode::{Mode, Opening},
    notice::Tone,
};

impl App {
    /// Has a room made, and takes what is typed from now on for it.
    pub(super) fn begin_opening(&mut self, deed: Deed, called: String) {
        self.stop_typing();
        self.mode = Mode::opening(deed.clone(), called);
        self.do_it(Effect::Do(deed));
    }

    pub(super) fn act_opening(&mut self, action: Action) {
        match action {
            Action::Quit => self.quit(),
            Action::Redraw => self.do_it(Effect::Redraw),
            Action::Back | Action::Interrupt => {
                if self.give_up_opening() {
                    self.say(Tone::Remark, "not sent; the arrow up brings back what you wrote");
                }
            }
            Action::NewLine => {
                if let Mode::Opening(opening) = &mut self.mode {
                    opening.editor.insert("\n");
                }
            }
            _ => {
                if let Mode::Opening(opening) = &self.mode {
                    let text = format!("{} is not open yet: wait, or Esc gives it up", opening.called);
                    self.say(Tone::Remark, &text);
                }
            }
        }
    }

    /// The room is there: goes to it with what was written to it, unless the reader has given it up.
    pub(super) fn opened(&mut self, deed: &Deed, room: RoomId) {
        let Some(opening) = self.take_opening(deed) else { return };
        self.open(room);
        if self.composer.editor.is_empty() {
            self.composer.editor = opening.editor;
        } else if !opening.editor.is_empty() {
            self.composer.editor.insert(opening.editor.text());
        }
    }

    /// The room cannot be made. Whether something that was written to it waits in the history.
    pub(super) fn not_opened(&mut self, deed: &Deed) -> bool {
        self.take_opening(deed).is_some_and(|opening| self.keep_written(&opening))
    }

    fn take_opening(&mut self, deed: &Deed) -> Option<Opening> {
        match std::mem::replace(&mut self.mode, Mode::Compose) {
            Mode::Opening(opening) if opening.deed == *deed => Some(opening),
            other => {
                self.mode = other;
                None
            }
        }
    }

    fn give_up_opening(&mut self) -> bool {
        match std::mem::replace(&mut self.mode, Mode::Compose) {
            Mode::Opening(opening) => self.keep_written(&opening),
            _ => false,
        }
    }

    fn keep_written(&mut self, opening: &Opening) -> bool {
        let written = !opening.editor.text().trim().is_empty();
        if written {
            self.composer.remember(opening.editor.text().to_owned());
        }
        written
    }
}
