//! One room on this device: its state, its log, who is in it, and how far they are.

mod commit;
mod invitation;
mod join;
mod joins;
mod log;
mod loss;
mod message;
mod present;
mod progress;
mod pull;
mod rejoin;
mod state;

pub(crate) use commit::roster;
pub(crate) use joins::Joins;
pub(crate) use log::Flow;
pub(crate) use rejoin::Lost;
pub(crate) use state::{Group, Member, Room};
