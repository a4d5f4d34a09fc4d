//! Files: encrypted into a spool of the device's directory and sent from there; fetched, decrypted and
//! saved beside where they shall be, and moved there when everything about them is right.

mod download;
mod line;
mod save;
mod spool;
mod stream;
mod upload;

pub(crate) use download::{Download, fetch};
pub(crate) use line::Line;
pub(crate) use spool::Spool;
pub(crate) use upload::send;
