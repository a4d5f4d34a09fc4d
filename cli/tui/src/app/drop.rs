//! Files that are dragged onto the terminal: their paths are pasted as any text is, and if they are
//! those of files, the reader is asked whether to send them instead.

use std::path::PathBuf;

use client::{RoomId, Standing};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::App;
use crate::{
    Deed, Effect, dropped,
    mode::{Mode, Question},
    notice::Tone,
};

impl App {
    /// Text was pasted into what is being written.
    pub(super) fn paste_written(&mut self, text: &str) {
        let before = self.composer.editor.clone();
        self.composer.editor.insert(text);
        self.tell_typing();
        self.before_paste = None;
        let member = self.open_room().filter(|room| room.standing == Standing::Member);
        let Some(room) = member.map(|room| room.id) else { return };
        let readings = dropped::readings(text);
        if !readings.is_empty() {
            self.before_paste = Some((before, self.composer.editor.clone()));
            self.do_it(Effect::Look { room, readings });
        }
    }

    /// What was pasted means files that are there. Whoever has gone on meanwhile meant text.
    pub(super) fn dropped(&mut self, room: RoomId, files: Vec<PathBuf>) {
        let untouched = self.before_paste.as_ref().is_some_and(|(_, pasted)| *pasted == self.composer.editor);
        let composing = matches!(self.mode, Mode::Compose);
        if !files.is_empty() && untouched && composing && self.rooms.open_id() == Some(room) {
            self.mode = Mode::Ask(Question::SendFiles(room, files));
        } else {
            self.before_paste = None;
        }
    }

    /// Whoever goes on writing meant text: the question goes, and the key is a part of it.
    pub(super) fn write_on(&mut self, key: KeyEvent) {
        let held = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        if !held && matches!(key.code, KeyCode::Char(_) | KeyCode::Backspace | KeyCode::Delete) {
            self.leave_text();
            self.type_on(key);
        }
    }

    /// What was pasted stays text.
    pub(super) fn leave_text(&mut self) {
        self.mode = Mode::Compose;
        self.before_paste = None;
    }

    /// The answer was yes: the paths are taken out of what is being written.
    pub(super) fn send_files(&mut self, room: RoomId, files: Vec<PathBuf>) {
        if let Some((before, pasted)) = self.before_paste.take()
            && pasted == self.composer.editor
        {
            self.composer.editor = before;
        }
        self.stop_typing();
        let says = match files.len() {
            1 => "sending the file".to_owned(),
            count => format!("sending {count} files"),
        };
        self.say(Tone::Remark, &says);
        for file in files {
            self.do_it(Effect::Do(Deed::PutFile(room, file)));
        }
    }
}
