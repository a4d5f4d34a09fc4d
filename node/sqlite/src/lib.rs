//! The store of a domain in one directory: SQLite, bundled, one writing connection whose every
//! commit is one fsync, one reading connection, and a lock that keeps a second process out.

mod accounts;
mod connection;
mod copy;
mod head;
mod lock;
mod log;
mod migrate;
mod open;
mod outage;
mod peers;
mod plan;
mod reader;
mod restored;
mod rooms;
mod rows;
mod statement;
mod writer;

pub use copy::{Contents, copy, found_schema, inspect, schema};
pub use open::{OpenError, Sqlite};
pub use restored::Restored;
