//! What a hub orders and what it refuses, one file for each kind of submission.

mod commit;
mod founding;
mod message;
mod notice;
mod proposal;
mod rejoin;
mod repeat;
mod standing;

pub use commit::{CommitEffects, Observation, commit_again, order_commit};
pub use founding::{Founded, FoundingLeaf, order_founding};
pub use message::order_message;
pub use notice::{declined, order_nack};
pub use proposal::{LeaveEffects, leave_again, order_proposal};
pub use rejoin::may_rejoin;
pub use repeat::{Repeat, repeat};
pub use standing::{RoomView, Standing, origin};

#[cfg(test)]
mod tests;
