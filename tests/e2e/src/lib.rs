//! What the tests of the real programs share: three domains with a conversation across them, a load
//! that notes what was acknowledged and what arrived, and a disk that a test can fill.

mod conversation;
mod small_disk;

pub use conversation::{Conversation, Told};
pub use small_disk::SmallDisk;
