//! The keys and the signs.

use client::Level;
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::popup;
use crate::{
    App,
    draw::{put, row},
    key::{BINDINGS, Place},
    text::{clip, fitted},
    theme::{Tint, word},
};

const LEVELS: [(Level, &str); 6] = [
    (Level::Queued, "on this device, not yet with your node"),
    (Level::Accepted, "your node has it on disk and delivers it"),
    (Level::Ordered, "it has its place in the room"),
    (Level::Stored, "every member's domain has it on disk"),
    (Level::Delivered, "it is on a device of everybody"),
    (Level::Read, "everybody has read it"),
];

pub(crate) fn draw(app: &App, rows: usize, screen: Rect, buffer: &mut Buffer) {
    let lines = lines(app, 74);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let area = popup::open(app, "Keys (up, down; Esc closes)", (78, height), screen, buffer);
    let last = lines.len().saturating_sub(usize::from(area.height));
    for (place, line) in lines.into_iter().skip(rows.min(last)).take(usize::from(area.height)).enumerate() {
        put(buffer, row(area, place), line);
    }
}

fn lines(app: &App, cells: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (place, title) in [
        (Place::Any, "Everywhere"),
        (Place::Compose, "While you write"),
        (Place::Select, "While a message is chosen"),
    ] {
        lines.push(app.span(Tint::Heading, format!(" {title}")).into());
        for binding in BINDINGS.iter().filter(|binding| binding.place == place && !binding.says.is_empty()) {
            let keys: Vec<String> = binding.chords.iter().map(ToString::to_string).collect();
            let keys = fitted(&keys.join(", "), 24, app.settings.unicode);
            let says = clip(binding.says, cells.saturating_sub(28), app.settings.unicode);
            lines.push(vec![app.span(Tint::Good, format!("  {keys} ")), app.span(Tint::Plain, says)].into());
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
