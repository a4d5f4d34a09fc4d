//! What the shell is asked to do.

use std::path::PathBuf;

use client::{Account, BlobId, Cursor, Outgoing, RoomId};

/// Which part of a timeline a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The newest messages.
    Newest,
    /// Those before the oldest that is shown.
    Older,
    /// Those after the newest that is shown.
    Newer,
    /// Those around a message, which is then chosen.
    Around(u64),
    /// One message with what was changed about it.
    One,
}

/// Something that is done beside the screen, one after another or at the same time, as the shell
/// sees fit; only [`Effect::Send`]s stay in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the rooms.
    Rooms,
    /// Read the state of the device.
    Status,
    /// Ask the node how it stands with other domains, then read the state of the device.
    Peers,
    /// Read whose keys are known.
    People,
    /// Read messages.
    Page {
        /// Of which room.
        room: RoomId,
        /// Which part that is.
        part: Part,
        /// The same as seqs.
        cursor: Cursor,
    },
    /// Look for a text in everything that this device has.
    Find {
        /// What to look for.
        words: String,
        /// Comes back with what is found: an older search is of no interest.
        round: u64,
    },
    /// Send to a room.
    Send {
        /// Where.
        room: RoomId,
        /// What.
        what: Outgoing,
    },
    /// See which of these are files: the first list of which all are.
    Look {
        /// To which room they might be sent.
        room: RoomId,
        /// What a pasted text may mean.
        readings: Vec<Vec<PathBuf>>,
    },
    /// Save the file of a message into the directory of this program.
    Save {
        /// Of which room.
        room: RoomId,
        /// The message's seq.
        seq: u64,
        /// Its encrypted bytes; comes back with what came of it.
        blob: BlobId,
    },
    /// Something else that changes something.
    Do(Deed),
    /// Make somebody aware who looks elsewhere. Safe to show.
    Notify {
        /// Who, and where.
        title: String,
        /// What was said, if that may be shown.
        body: String,
    },
    /// Draw everything anew, whatever the screen shows.
    Redraw,
    /// Put the screen back as it was and end.
    Quit,
}

/// Something that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Everything up to this seq was read.
    MarkRead(RoomId, u64),
    /// This account types, or stopped.
    Typing(RoomId, bool),
    /// Accept an invitation, or decline it.
    Answer(RoomId, bool),
    /// Open the direct room with somebody.
    Direct(Account),
    /// Make a group with this name.
    Create(String),
    /// Keep what of a room may disturb.
    Notify(RoomId, client::Notify),
    /// Show that this account is here.
    Presence,
    /// Send this file to a room.
    PutFile(RoomId, PathBuf),
    /// Give up a message that is not ordered yet, by its lasting name.
    Cancel(client::Sent),
}
