//! What happens to the screen.

use std::path::PathBuf;

use client::{BlobId, ClientError, ErrorCode, Happening, Message, Page, Person, Room, RoomId, Status};
use ratatui::crossterm::event::{KeyEvent, MouseEvent};

use crate::{Deed, Part};

/// What happens.
#[derive(Debug)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// Several characters at once.
    Paste(String),
    /// The mouse.
    Mouse(MouseEvent),
    /// The screen has so many columns and rows.
    Resize(u16, u16),
    /// The terminal is looked at, or not.
    Focus(bool),
    /// The time that [`crate::App::wake_at`] asked for has come.
    Tick,
    /// Something happened to the device.
    Happening(Happening),
    /// The rooms were read.
    Rooms(Result<Vec<Room>, Fault>),
    /// The state of the device was read.
    Status(Result<Status, Fault>),
    /// Whose keys are known was read.
    People(Result<Vec<Person>, Fault>),
    /// Messages were read.
    Page(RoomId, Part, Result<Page, Fault>),
    /// Something was found; with the number of the search, and whether that is all.
    Found(u64, Vec<Hit>, bool),
    /// What was pasted while this room lay open means these files, which are there.
    Dropped(RoomId, Vec<PathBuf>),
    /// A file is on this machine, there, or is not.
    Saved(BlobId, Result<PathBuf, Fault>),
    /// A message is on the device's disk, or is not: then with its text.
    Sent(RoomId, Result<(), (Fault, String)>),
    /// What came of a deed; a room if it made one.
    Done(Deed, Result<Option<RoomId>, Fault>),
}

/// A message that was looked for.
#[derive(Clone, Debug)]
pub struct Hit {
    /// What its room is called. Foreign.
    pub called: String,
    /// The message.
    pub message: Message,
}

/// Why something failed, in our own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The protocol's error, if that is what it was.
    pub code: Option<ErrorCode>,
    /// A sentence.
    pub text: String,
}

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Self {
        let code = error.code();
        let text = match code {
            Some(code) => format!("{} ({})", code.meaning(), code.name()),
            None => error.to_string(),
        };
        Self { code, text }
    }
}
