//! What a device keeps on disk: the engine's records in one SQLite file, written by one connection
//! in transactions that are durable before anything is sent or shown (rule R3), and sealed.

mod messages;
mod open;
pub(crate) mod plain;
mod records;
mod sealed;

/// The database.
pub(crate) const FILE: &str = "device.db";
/// What was written to it last, while it is open.
pub(crate) const LOG: &str = "device.db-wal";
/// Where that is found.
pub(crate) const INDEX: &str = "device.db-shm";

pub(crate) use messages::Part;
pub(crate) use open::Store;

#[cfg(test)]
mod tests;
