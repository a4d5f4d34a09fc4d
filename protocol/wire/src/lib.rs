//! Names, frames, signed bytes, errors and limits: everything that two programs must agree on
//! before they can say anything to each other. This crate decides what is well-formed; it knows no
//! rule of rooms or identities, no socket and no clock.

pub mod error;
pub mod frame;
pub mod key;
pub mod limits;
pub mod name;
pub mod proto;
pub mod shape;
pub mod signed;
pub mod text;

pub use error::{ErrorCode, WireError};
pub use key::{PublicKey, SecretKey};
pub use name::{Account, BlobId, DeviceId, DomainName, Endpoint, MessageId, RoomId};
pub use shape::Frame;
