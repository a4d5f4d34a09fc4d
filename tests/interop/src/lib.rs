//! A second implementation of MLS (mls-rs) as a member of our rooms. It knows nothing of this
//! repository: what it needs to take part is what `spec/08-encryption.md` says.

mod ours;
mod room;
mod stranger;
mod visitor;

pub use ours::{binding_bytes, keys, state};
pub use room::{Device, Room, Wish};
pub use stranger::{Made, Stranger, stranger};
pub use visitor::Visitor;
