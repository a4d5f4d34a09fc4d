//! Files of rooms that are saved on this machine.

use std::path::PathBuf;

use client::{BlobId, ErrorCode, Message, MessageBody, RoomId, Transfer};

use super::App;
use crate::{effect::Effect, input::Fault, notice::Tone, text::steady};

/// Files that are saved at the same time.
const SAVES_MAX: usize = 8;

/// A file that is being saved.
#[derive(Debug)]
pub(crate) struct Saving {
    room: RoomId,
    seq: u64,
    /// What its sender calls it; safe to show.
    pub(crate) name: String,
    /// How far it is, in hundredths.
    pub(crate) percent: u64,
}

impl App {
    /// Begins to save the file of a message.
    pub(super) fn save(&mut self, message: &Message) {
        let MessageBody::File(file) = &message.body else {
            return self.say(Tone::Remark, "there is no file in this message");
        };
        if message.seq == 0 {
            return self.say(Tone::Remark, "it is still on its way: wait until it is ordered");
        }
        if self.saving.contains_key(&file.blob) {
            return self.say(Tone::Remark, "it is being saved");
        }
        if self.saving.len() >= SAVES_MAX {
            return self.say(Tone::Remark, "other files are being saved: wait until one is here");
        }
        let (room, seq, blob) = (message.room, message.seq, file.blob);
        self.saving.insert(blob, Saving { room, seq, name: steady(&file.name), percent: 0 });
        self.notices.hush();
        self.do_it(Effect::Save { room, seq, blob });
    }

    /// A part of a file has come, or gone.
    pub(super) fn transferred(&mut self, step: &Transfer) {
        if let Some(saving) = self.saving.get_mut(&step.blob).filter(|_| !step.upload) {
            saving.percent = step.done.saturating_mul(100) / step.total.max(1);
        }
    }

    /// What came of it.
    pub(super) fn saved(&mut self, blob: BlobId, outcome: Result<PathBuf, Fault>) {
        let Some(Saving { room, seq, name, .. }) = self.saving.remove(&blob) else { return };
        let fault = match outcome {
            Ok(path) => return self.say(Tone::Remark, &format!("saved: {}", path.display())),
            Err(fault) => fault,
        };
        let text = match fault.code {
            Some(ErrorCode::Conflict) => format!(
                "{name} is not saved, there is a file of this name: comity file get {} {seq} --output ANOTHER",
                self.rooms.word(room)
            ),
            Some(ErrorCode::NotFound) => format!("{name} is kept no more: ask its sender to send it again"),
            _ => format!("cannot save {name}: {}", fault.text),
        };
        self.say(Tone::Trouble, &text);
    }
}
