//! What the user wants: stored before anything is sent, derived again whenever it must be, and
//! finished once (rule R4).

mod add;
mod change;
mod command;
mod found;
mod message;
mod outcome;
mod queue;
mod rejoin;
mod stale;
mod typing;
mod worker;

pub(crate) use queue::Intents;
pub(crate) use stale::last_epoch;
