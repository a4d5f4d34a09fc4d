//! The parts of the screen, one file each.

pub(crate) mod bar;
pub(crate) mod composer;
pub(crate) mod header;
pub(crate) mod help;
pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod members;
pub(crate) mod message;
pub(crate) mod popup;
pub(crate) mod rooms;
pub(crate) mod timeline;
