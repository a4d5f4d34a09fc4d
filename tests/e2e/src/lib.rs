//! What the tests of the real programs share: three domains with a conversation across them, a load
//! that notes what was acknowledged and what arrived, command lines that are killed, a disk that a test
//! can fill, and people at their terminals.

mod conversation;
mod desk;
mod pipe;
mod small_disk;

pub mod picture;

pub use conversation::{Conversation, Told};
pub use desk::Office;
pub use pipe::{Pipe, Piped};
pub use small_disk::SmallDisk;
