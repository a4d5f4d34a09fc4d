//! The rules of rooms, as functions of plain values: how a log is numbered, chained and checked,
//! what a hub orders and refuses, who may change what, what a follower applies and what a home node
//! accepts (`spec/05-rooms.md`). Nothing here stores, sends or reads a clock; the same functions
//! serve the hub, the followers and the clients, so that they cannot disagree.

pub mod chain;
pub mod direct;
#[cfg(test)]
mod example;
pub mod follower;
pub mod home;
pub mod hub;
pub mod policy;
pub mod state;
pub mod submission;

pub use chain::{CheckedEvent, LogHead};
pub use direct::{check_group, direct_room, group_room};
pub use policy::{Change, Outcome, Roster};
pub use state::State;
pub use submission::Request;
