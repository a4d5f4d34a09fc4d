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

use crate::{App, mode::Mode};

/// How many rows what is shown over everything can go down or up.
pub(crate) fn last_row(app: &App) -> usize {
    match app.mode {
        Mode::Help(_) => help::last_row(app),
        Mode::Log(_) => log::last_row(app),
        _ => 0,
    }
}
