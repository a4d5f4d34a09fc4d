//! What the tests of the real programs share: three domains with a conversation across them, a load
//! that notes what was acknowledged and what arrived, command lines that are killed, a disk that a test
//! can fill, people at their terminals, and organisations with machines of their own.

mod conversation;
mod desk;
mod machine;
mod organisation;
mod pipe;
mod small_disk;

pub mod picture;

pub use conversation::{Conversation, Told};
pub use desk::{Office, meet};
pub use machine::Machine;
pub use organisation::Organisation;
pub use pipe::{Pipe, Piped};
pub use small_disk::SmallDisk;
