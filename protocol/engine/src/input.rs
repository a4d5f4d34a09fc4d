//! What may happen to an engine.

use machine::Mark;
use wire::{
    RoomId,
    proto::{NodeFrame, SessionReady},
};

use crate::{Command, CommandId, record::MessageRow};

/// What may happen to an engine.
#[derive(Clone, Debug)]
pub enum Input {
    /// A session stands: the driver has sent its `SessionHello` and this came back.
    Connected(SessionReady),
    /// The session is gone. Requests that were not answered are repeated on the next one.
    Disconnected,
    /// A frame of the session stream, after the `SessionReady`.
    Frame(NodeFrame),
    /// What the user wants. The id is the driver's own and comes back in notices.
    Command(CommandId, Command),
    /// The rows that `Output::Recall` asked for, ascending.
    Recalled(RoomId, Vec<MessageRow>),
    /// Every `Persist` up to this mark is durable.
    Persisted(Mark),
    /// A `Persist` could not be written. The engine is of no use from here on: open a new one from
    /// the store.
    Failed,
    /// Time has passed.
    Tick,
}
