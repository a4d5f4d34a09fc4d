//! How results look: what a verb returns is plain data, and only this folder turns it into text
//! for a terminal, lines for a pipe, or JSON.

mod file;
mod json;
mod message;
mod paper;
mod peer;
mod person;
mod qr;
mod room;
mod style;
mod table;
mod time;
mod user;

pub(crate) use engine::view::text::{body_lines, line, size};
pub(crate) use file::{FileShown, Rate};
pub(crate) use json::{Fields, plain};
pub(crate) use message::{MessageAlone, MessageShown, SearchHit, level, passed};
pub(crate) use paper::Paper;
pub(crate) use peer::{PeerShown, TrafficShown};
pub(crate) use person::PersonShown;
pub(crate) use qr::qr;
pub(crate) use room::{RoomShown, room_label, short};
pub(crate) use style::{Label, Style, Theme, colour, theme_labels};
pub(crate) use table::{List, Row};
pub(crate) use time::{ago, clock_time, in_future, rfc3339};
pub(crate) use user::UserShown;

/// What a verb returns: it serialises to one JSON object with the fields `FIELDS`, and it can
/// write itself as text.
pub(crate) trait Show: serde::Serialize {
    /// The fields of the JSON object; held against the serialisation by a test.
    const FIELDS: &'static [&'static str];

    /// Writes the text form.
    fn show(&self, paper: &mut Paper);
}
