//! The encrypted files that accounts of this domain have put into rooms: how many a domain keeps, for
//! how long, and where. [`Shelf`] decides, a [`Store`] holds the bytes; [`Directory`] is the one of a
//! single machine. Nothing here can read a blob.

mod directory;
mod record;
mod shelf;
mod store;

pub use directory::Directory;
pub use record::Record;
pub use shelf::{Allowance, Shelf, State, Usage};
pub use store::{Found, Loaded, Store};
