//! A domain that means harm.

mod hello;
mod link;
mod request;
