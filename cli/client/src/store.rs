//! What a device keeps on disk: the engine's records in one SQLite file, written by one connection
//! in transactions that are durable before anything is sent or shown (rule R3), and sealed.

mod messages;
mod open;
mod records;
mod sealed;

pub(crate) use messages::Part;
pub(crate) use open::Store;

#[cfg(test)]
mod tests;
