//! The names of DESIGN section 1 as checked types: a value exists only if it is well-formed
//! (`spec/01-names.md`).

mod account;
mod domain;
mod endpoint;
mod id;

pub use account::Account;
pub use domain::DomainName;
pub use endpoint::Endpoint;
pub use id::{BlobId, DeviceId, MessageId, RoomId};

#[cfg(test)]
mod tests;
