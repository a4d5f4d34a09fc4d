//! A device that means harm.

mod enrol;
mod hello;
mod request;
