//! A device that means harm.

mod enrol;
mod flood;
mod hello;
mod request;
