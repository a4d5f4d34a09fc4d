//! A domain that means harm.

mod dialled;
mod hello;
mod link;
mod request;
