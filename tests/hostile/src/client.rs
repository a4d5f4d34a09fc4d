//! A device that means harm.

mod enrol;
mod flood;
mod hello;
mod media;
mod password;
mod request;
