//! The bottom line: what was said in passing, else how this device stands.

use ratatui::{buffer::Buffer, layout::Rect, text::Span};

use crate::{
    App,
    draw::{ends, put},
    notice::Tone,
    text::{clip, width},
    theme::Tint,
};

/// Cells of the name of a file that is being saved.
const NAME_CELLS: usize = 24;

pub(crate) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let cells = usize::from(area.width);
    let bar = app.style(Tint::Bar);
    let line = match app.notices.current(app.now) {
        Some(notice) => {
            let tint = tint(notice.tone);
            let text = clip(&format!(" {}", notice.text), cells, app.settings.unicode);
            ends(vec![app.span(tint, text)], Vec::new(), cells)
        }
        None => {
            let left = standing(app);
            let used: usize = left.iter().map(|span| width(&span.content)).sum();
            ends(left, keys(app, cells.saturating_sub(used)), cells)
        }
    };
    buffer.set_style(area.intersection(buffer.area), bar);
    put(buffer, area, line);
}

/// The look of something that was said.
pub(crate) const fn tint(tone: Tone) -> Tint {
    match tone {
        Tone::Remark => Tint::Plain,
        Tone::Warning => Tint::Warning,
        Tone::Trouble => Tint::Trouble,
    }
}

/// Whether the device is connected, why not, and what waits on it.
fn standing(app: &App) -> Vec<Span<'static>> {
    let Some(status) = &app.status else { return vec![Span::raw(" ")] };
    let mut spans = vec![Span::raw(format!(" {}  ", status.account))];
    let signs = app.signs();
    let (tint, text) = match (status.connected, status.caught_up) {
        (true, true) => (Tint::Good, format!("{} connected", signs.online())),
        (true, false) => (Tint::Warning, format!("{} catching up", signs.online())),
        (false, _) => (Tint::Trouble, format!("{} offline", signs.offline())),
    };
    spans.push(app.span(tint, text));
    if status.unsent > 0 {
        let why = if status.connected { "" } else { ", sent when there is a session" };
        spans.push(app.span(Tint::Warning, format!("  {} queued here{why}", status.unsent)));
    }
    match app.saving.values().next() {
        Some(one) if app.saving.len() == 1 => {
            let name = clip(&one.name, NAME_CELLS, app.settings.unicode);
            spans.push(app.span(Tint::Plain, format!("  saving {name} {} %", one.percent)));
        }
        Some(_) => spans.push(app.span(Tint::Plain, format!("  saving {} files", app.saving.len()))),
        None => {}
    }
    if app.notices.unseen > 0 {
        spans.push(app.span(Tint::Warning, format!("  !{} (F3)", app.notices.unseen)));
    }
    spans
}

/// As many keys as there is room for.
fn keys(app: &App, cells: usize) -> Vec<Span<'static>> {
    const TEXTS: [&str; 3] = [
        "  F1 help  ^K rooms  ^F search  F2 people  Esc choose a message  ^Q end ",
        "  F1 help  ^K rooms  ^Q end ",
        "  F1 help ",
    ];
    let fits = TEXTS.into_iter().find(|text| width(text) <= cells);
    vec![app.span(Tint::Dim, fits.unwrap_or(" F1 "))]
}
