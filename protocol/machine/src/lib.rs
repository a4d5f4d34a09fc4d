//! The one shape of every machine in this repository: `handle(now, input)`, then `poll()` until it
//! is empty. Time and randomness are arguments. Nothing here, or in any crate of `protocol/`, may
//! touch a socket, a clock, a disk, a thread or a global source of randomness.

mod backoff;
mod barrier;
mod entropy;
mod time;

pub use backoff::Backoff;
pub use barrier::{Barrier, Mark, Step};
pub use entropy::{Entropy, Seeded};
pub use time::Timestamp;

/// A state machine that decides and never does.
pub trait Machine {
    /// What may happen to it.
    type Input;
    /// What it asks the outside to do.
    type Output;

    /// Takes note of an input at the time `now`.
    fn handle(&mut self, now: Timestamp, input: Self::Input);

    /// The next thing to do, in order, or `None` until the next input.
    fn poll(&mut self) -> Option<Self::Output>;
}
