//! What is being written, and over it what it will be and who else is writing.

use client::{Account, MessageBody, Standing};
use ratatui::{buffer::Buffer, layout::Rect, text::Span};

use super::message::quote;
use crate::{
    App,
    composer::Purpose,
    draw::{put, row},
    editor::Editor,
    mode::Mode,
    text::{clip, width},
    theme::Tint,
};

/// The line between timeline and text: an answer to what, and who types.
pub(crate) fn draw_rule(app: &App, area: Rect, buffer: &mut Buffer) {
    let cells = usize::from(area.width);
    let sign = app.signs().horizontal();
    let (tint, text) = match (purpose(app), typing(app)) {
        (Some(purpose), _) => (Tint::Warning, purpose),
        (None, Some(typing)) => (Tint::Dim, typing),
        (None, None) => (Tint::Dim, String::new()),
    };
    let mut spans = Vec::new();
    let mut used = 0;
    if !text.is_empty() {
        let text = format!(" {} ", clip(&text, cells.saturating_sub(4), app.settings.unicode));
        used = 1 + width(&text);
        spans.push(app.span(Tint::Line, sign));
        spans.push(app.span(tint, text));
    }
    spans.push(app.span(Tint::Line, sign.repeat(cells.saturating_sub(used))));
    put(buffer, area, spans.into());
}

/// What is being written at the moment.
pub(crate) const fn editor(app: &App) -> &Editor {
    match &app.mode {
        Mode::Opening(opening) => &opening.editor,
        _ => &app.composer.editor,
    }
}

fn purpose(app: &App) -> Option<String> {
    if let Mode::Opening(opening) = &app.mode {
        let dots = app.signs().dots();
        return Some(format!("to {}: opening{dots}  (Esc: not)", opening.called));
    }
    if let Mode::Select = app.mode {
        let chosen = app.feed.as_ref().and_then(|feed| feed.chosen());
        if chosen.is_some_and(|message| matches!(message.body, MessageBody::File(_))) {
            return Some("s save it  o all of it  Esc back".to_owned());
        }
        return Some("r answer  e change  d take back  + react  o all of it  Esc back".to_owned());
    }
    let quoted = |id| app.feed.as_ref().map_or_else(String::new, |feed| quote(app, feed, id));
    match app.composer.purpose {
        Purpose::New => None,
        Purpose::Reply(id) => Some(format!("answering {}  (Esc: not)", quoted(id))),
        Purpose::Edit(_) => Some("changing your message  (Esc: not)".to_owned()),
    }
}

fn typing(app: &App) -> Option<String> {
    let who: Vec<&Account> = app.typing.in_room(app.rooms.open_id()?, app.now).collect();
    match who.as_slice() {
        [] => None,
        [one] => Some(format!("{} is typing{}", one.local(), app.signs().dots())),
        [one, two] => Some(format!("{} and {} are typing{}", one.local(), two.local(), app.signs().dots())),
        [one, rest @ ..] => {
            Some(format!("{} and {} others are typing{}", one.local(), rest.len(), app.signs().dots()))
        }
    }
}

/// Draws the text and says where the cursor is.
pub(crate) fn draw(app: &App, area: Rect, buffer: &mut Buffer) -> Option<(u16, u16)> {
    if area.width < 4 || area.height == 0 {
        return None;
    }
    let standing = app.open_room().map(|room| room.standing);
    let opening = matches!(app.mode, Mode::Opening(_));
    let can_write = !opening
        && matches!(standing, Some(standing) if !matches!(standing, Standing::Invited | Standing::Left | Standing::Paused));
    let prompt = app.span(if can_write { Tint::Good } else { Tint::Dim }, app.signs().prompt());
    let cells = usize::from(area.width) - 3;
    let rows = editor(app).rows(cells);
    let height = usize::from(area.height);
    let first = (rows.cursor.0 + 1).saturating_sub(height);
    for (place, text) in rows.rows.iter().skip(first).take(height).enumerate() {
        let left = if first + place == 0 { prompt.clone() } else { Span::raw("  ") };
        put(buffer, row(area, place), vec![left, Span::raw(text.clone())].into());
    }
    if app.composer.editor.is_empty() && can_write && app.mode.place() == crate::key::Place::Compose {
        let hint = vec![prompt, app.span(Tint::Dim, "write; Enter sends, Alt-Enter begins a line")];
        put(buffer, area, hint.into());
    }
    let column = u16::try_from(rows.cursor.1.min(cells)).unwrap_or(0);
    let line = u16::try_from(rows.cursor.0 - first).unwrap_or(0);
    Some((area.x + 2 + column, area.y + line))
}
