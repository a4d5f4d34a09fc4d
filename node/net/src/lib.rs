//! The network side of a node: one UDP port on which devices and peers arrive, and the thread that
//! runs the domain's core. This crate moves frames, bounds what is held for each connection, and
//! decides nothing about what a frame means.

mod clock;
mod framed;
mod outgoing;
mod transport;

pub use clock::now;
