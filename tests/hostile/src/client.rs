//! A device that means harm.

mod enrol;
mod flood;
mod hello;
mod password;
mod request;
