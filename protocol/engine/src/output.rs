//! What an engine asks the outside to do.

use machine::{Mark, Timestamp};
use wire::{RoomId, proto::ClientFrame};

use crate::{Notice, Record};

/// What an engine asks the outside to do, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write these records in one transaction, then report the mark with `Input::Persisted`.
    Persist(Mark, Vec<Record>),
    /// Send this frame on the session stream. If there is no session by now, drop it: everything
    /// that matters is sent again on the next one.
    Send(ClientFrame),
    /// Hand in the newest `ROOM_RECALLED_MAX` rows of this room's timeline with `Input::Recalled`: the
    /// room is founded anew, and what was not received goes again.
    Recall(RoomId),
    /// Hand in `Input::Tick` at this time or later. Replaces the time given before.
    WakeAt(Timestamp),
    /// Tell the user. What it says is durable.
    Notify(Notice),
}
