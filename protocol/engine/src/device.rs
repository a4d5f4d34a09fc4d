//! This device: how it comes to be one of an account's.

mod login;

pub use login::{DeviceKeys, Enrolment, Login};
