//! The network side of a node: one UDP port on which devices and peers arrive, and the thread that
//! runs the domain's core. This crate moves frames, bounds what is held for each connection, and
//! decides nothing about what a frame means.
//!
//! ```text
//! UDP port ─ endpoint ─┬─ session (one task for each device) ──┐
//!                      └─ federation (one for each peer) ──────┤ to_core: bounded queue
//!                                                              ▼
//!              outgoing (one bounded queue for each stream) ◀─ core (one thread) ─ commit
//! ```

mod clock;
mod close;
mod core;
mod dispatch;
mod endpoint;
mod federation;
mod framed;
mod judge;
mod media;
mod outgoing;
mod reset;
mod running;
mod session;
mod strangers;
mod to_core;
mod transport;

pub use clock::now;
pub use running::{AdminPort, BindError, Bound, NetConfig, Running};
