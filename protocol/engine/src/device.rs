//! This device: how it comes to be one of an account's, and the key packages by which it is added
//! to rooms.

mod key_packages;
mod login;

pub(crate) use key_packages::Packages;
pub use login::{Enrolment, Login};
pub use mls::DeviceKeys;
