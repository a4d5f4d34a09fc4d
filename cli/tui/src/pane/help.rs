//! The keys and the signs.

use client::Level;
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::popup;
use crate::{
    App,
    draw::{put, row},
    key::{BINDINGS, Place},
    text::{fitted, wrap},
    theme::{Tint, word},
};

/// Columns of the box.
const COLUMNS: u16 = 78;
/// Cells of the keys, where there is room.
const KEYS: usize = 24;

const LEVELS: [(Level, &str); 6] = [
    (Level::Queued, "on this device, not yet with your node"),
    (Level::Accepted, "your node has it on disk and delivers it"),
    (Level::Ordered, "it has its place in the room"),
    (Level::Stored, "every member's domain has it on disk"),
    (Level::Delivered, "it is on a device of everybody"),
    (Level::Read, "everybody has read it"),
];

pub(crate) fn draw(app: &App, rows: usize, screen: Rect, buffer: &mut Buffer) {
    let lines = lines(app, cells(app));
    let area = popup::open(app, "Keys (up, down, PgUp, PgDn; Esc closes)", size(lines.len()), screen, buffer);
    let last = lines.len().saturating_sub(usize::from(area.height));
    for (place, line) in lines.into_iter().skip(rows.min(last)).take(usize::from(area.height)).enumerate() {
        put(buffer, row(area, place), line);
    }
}

/// How many rows one can go down.
pub(crate) fn last_row(app: &App) -> usize {
    let count = lines(app, cells(app)).len();
    count.saturating_sub(popup::rows_inside(app, size(count)))
}

fn size(lines: usize) -> (u16, u16) {
    (COLUMNS, u16::try_from(lines + 2).unwrap_or(u16::MAX))
}

/// Cells of a line inside the box.
fn cells(app: &App) -> usize {
    usize::from(app.size.0.min(COLUMNS)).saturating_sub(2)
}

fn lines(app: &App, cells: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let keys_cells = KEYS.min(cells / 3).max(1);
    let says_cells = cells.saturating_sub(keys_cells + 3).max(1);
    for (place, title) in [
        (Place::Any, "Everywhere"),
        (Place::Compose, "While you write"),
        (Place::Select, "While a message is chosen"),
    ] {
        lines.push(app.span(Tint::Heading, format!(" {title}")).into());
        for binding in BINDINGS.iter().filter(|binding| binding.place == place && !binding.says.is_empty()) {
            let keys: Vec<String> = binding.chords.iter().map(ToString::to_string).collect();
            let (keys, says) = (pieces(&keys.join(", "), keys_cells), pieces(binding.says, says_cells));
            for place in 0..keys.len().max(says.len()) {
                let piece = |of: &[String]| of.get(place).cloned().unwrap_or_default();
                let keys = fitted(&piece(&keys), keys_cells, app.settings.unicode);
                let says = app.span(Tint::Plain, piece(&says));
                lines.push(vec![app.span(Tint::Good, format!("  {keys} ")), says].into());
            }
        }
        lines.push(Line::default());
    }
    lines.push(app.span(Tint::Heading, " How far your message is").into());
    for (level, says) in LEVELS {
        let sign = fitted(app.signs().level(level), 4, app.settings.unicode);
        lines.push(app.span(Tint::Plain, format!("  {sign}{:<11}{says}", word(level))).into());
    }
    lines.push(
        app.span(Tint::Plain, format!("  {}   failed     it will not be sent", app.signs().failed())).into(),
    );
    lines.push(Line::default());
    lines.push(app.span(Tint::Heading, " Behind a name").into());
    for (sign, says) in [
        (app.signs().verified(), "you have compared the key with its owner"),
        ("!", "the keys could not be verified: take nothing for granted"),
        (app.signs().failed(), "the key has changed: comity contact show ACCOUNT"),
    ] {
        lines.push(app.span(Tint::Plain, format!("  {sign}   {says}")).into());
    }
    lines
}

/// A text in rows of so many cells.
fn pieces(text: &str, cells: usize) -> Vec<String> {
    let rows = wrap(text, cells).into_iter().filter_map(|range| text.get(range));
    rows.map(|row| row.trim_end().to_owned()).collect()
}
