//! What was said in passing, to be looked at again.

use engine::view::clock;
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{bar::tint, popup};
use crate::{
    App,
    draw::{put, row},
    text::wrap,
    theme::Tint,
};

/// Columns and rows of the box.
const SIZE: (u16, u16) = (100, 24);

pub(crate) fn draw(app: &App, rows: usize, screen: Rect, buffer: &mut Buffer) {
    let area = popup::open(app, "Warnings and what else was said (Esc closes)", SIZE, screen, buffer);
    let lines = lines(app, usize::from(area.width));
    let last = lines.len().saturating_sub(usize::from(area.height));
    for (place, line) in lines.into_iter().skip(rows.min(last)).take(usize::from(area.height)).enumerate() {
        put(buffer, row(area, place), line);
    }
}

/// How many rows one can go down.
pub(crate) fn last_row(app: &App) -> usize {
    let width = usize::from(app.size.0.min(SIZE.0));
    let inside = if width < 10 { width } else { width - 2 };
    lines(app, inside).len().saturating_sub(popup::rows_inside(app, SIZE))
}

fn lines(app: &App, width: usize) -> Vec<Line<'static>> {
    let cells = width.saturating_sub(7).max(8);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for notice in app.notices.all().rev() {
        let time = clock(notice.time_ms, (app.settings.offset_s)(notice.time_ms));
        for (place, range) in wrap(&notice.text, cells).into_iter().enumerate() {
            let left = if place == 0 { format!("{time} ") } else { " ".repeat(6) };
            let text = notice.text.get(range).unwrap_or_default().to_owned();
            lines.push(vec![app.span(Tint::Dim, left), app.span(tint(notice.tone), text)].into());
        }
    }
    if lines.is_empty() {
        lines.push(app.span(Tint::Dim, " nothing so far").into());
    }
    lines
}
