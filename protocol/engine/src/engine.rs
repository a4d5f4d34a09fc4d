//! The engine: one device of one account, all its rooms.

use machine::{Entropy, Machine, Timestamp};
use wire::{ErrorCode, RoomId};

use crate::{
    Input, Output, Snapshot,
    record::{ContactRow, IntentRow},
    view::{InvitationView, RoomView},
};

/// One device of one account, all its rooms. See the crate's documentation for the loop.
pub struct Engine<E> {
    entropy: E,
}

impl<E: Entropy> Engine<E> {
    /// An engine over what the store holds.
    ///
    /// # Errors
    /// `Malformed` if the store gives back what this program cannot have written.
    pub fn open(
        keys: crate::device::DeviceKeys,
        snapshot: Snapshot,
        entropy: E,
        now: Timestamp,
    ) -> Result<Self, ErrorCode> {
        let _ = (keys, snapshot, entropy, now);
        Err(ErrorCode::Internal)
    }

    /// Every room, in no particular order of interest.
    #[must_use]
    pub fn rooms(&self) -> Vec<RoomView> {
        Vec::new()
    }

    /// One room.
    #[must_use]
    pub fn room(&self, room: RoomId) -> Option<RoomView> {
        let _ = room;
        None
    }

    /// Invitations that wait for an answer.
    #[must_use]
    pub fn invitations(&self) -> Vec<InvitationView> {
        Vec::new()
    }

    /// What is queued for a room, in order: the tail of its timeline.
    #[must_use]
    pub fn queued(&self, room: RoomId) -> Vec<IntentRow> {
        let _ = room;
        Vec::new()
    }

    /// The accounts whose keys were seen.
    #[must_use]
    pub fn contacts(&self) -> Vec<ContactRow> {
        Vec::new()
    }

    /// Everything that the node has stored for this device was here at some moment of this session.
    #[must_use]
    pub fn caught_up(&self) -> bool {
        false
    }
}

impl<E: Entropy> Machine for Engine<E> {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Timestamp, input: Input) {
        let _ = (now, input, &mut self.entropy);
    }

    fn poll(&mut self) -> Option<Output> {
        None
    }
}
