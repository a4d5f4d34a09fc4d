//! What was said, from the bottom upwards: only what is seen is laid out.

use client::{Message, MessageId, Standing};
use engine::view::{self, Stamp, arrange};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::message;
use crate::{
    App, draw,
    draw::{put, row},
    feed::{Anchor, Feed, is_said},
    text,
    theme::Tint,
};

/// A row of the timeline.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The message that it belongs to.
    pub(crate) item: Option<usize>,
    pub(crate) line: Line<'static>,
}

/// Where a row is: which line of the arrangement, and which row of it.
type Place = (usize, usize);

/// Where scrolling leads.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    /// The new anchor, if it is another.
    pub(crate) anchor: Option<Anchor>,
    /// There was less to move over than was wished for.
    pub(crate) at_end: bool,
}

/// The timeline of a feed for a width.
struct Sheet<'a> {
    app: &'a App,
    feed: &'a Feed,
    lines: Vec<view::Line>,
    cells: usize,
}

fn stamp(message: &Message) -> Stamp<'_> {
    Stamp {
        sender: message.sender.as_ref(),
        own: message.own,
        seq: message.seq,
        time_ms: message.time_ms,
        said: is_said(message),
    }
}

impl<'a> Sheet<'a> {
    fn new(app: &'a App, cells: u16) -> Option<Self> {
        let feed = app.feed.as_ref()?;
        let lines = arrange(feed.messages.iter().map(stamp), feed.read_to, app.settings.offset_s);
        Some(Self { app, feed, lines, cells: usize::from(cells) })
    }

    fn rows(&self, line: usize) -> Vec<Row> {
        match self.lines.get(line) {
            None => Vec::new(),
            Some(view::Line::Day(day)) => vec![self.rule(Tint::Dim, &day.to_string())],
            Some(view::Line::Unread) => vec![self.rule(Tint::Warning, "new")],
            Some(view::Line::Item { index, named }) => {
                let Some(said) = self.feed.messages.get(*index) else { return Vec::new() };
                let lines = message::rows(self.app, self.feed, said, *named, self.cells);
                lines.into_iter().map(|line| Row { item: Some(*index), line }).collect()
            }
        }
    }

    fn rule(&self, tint: Tint, text: &str) -> Row {
        let sign = self.app.signs().horizontal();
        let text = text::clip(text, self.cells.saturating_sub(4), self.app.settings.unicode);
        let rest = self.cells.saturating_sub(text::width(&text) + 2);
        let (left, right) = (rest / 2, rest - rest / 2);
        let line = format!("{} {text} {}", sign.repeat(left), sign.repeat(right));
        Row { item: None, line: self.app.span(tint, line).into() }
    }

    fn line_of(&self, id: MessageId) -> Option<usize> {
        let index = self.feed.messages.iter().position(|message| message.id == id)?;
        self.lines.iter().position(|line| matches!(line, view::Line::Item { index: at, .. } if *at == index))
    }

    /// The newest row that there is.
    fn bottom(&self) -> Option<Place> {
        let line = self.lines.len().checked_sub(1)?;
        Some((line, self.rows(line).len().saturating_sub(1)))
    }

    /// The last row of the window.
    fn last(&self) -> Option<Place> {
        let held = match self.feed.anchor {
            Anchor::Bottom => None,
            Anchor::At(id, row) => self.line_of(id).map(|line| (line, row)),
        };
        let (line, row) = match held {
            Some(held) => held,
            None => self.bottom()?,
        };
        Some((line, row.min(self.rows(line).len().saturating_sub(1))))
    }

    /// So many places from one upwards, itself included.
    fn upwards(&self, from: Place, count: usize) -> Vec<Place> {
        let mut places = Vec::new();
        for line in (0..=from.0).rev() {
            let rows = if line == from.0 { from.1 + 1 } else { self.rows(line).len() };
            for row in (0..rows).rev() {
                if places.len() == count {
                    return places;
                }
                places.push((line, row));
            }
        }
        places
    }

    /// So many places from one downwards, itself included.
    fn downwards(&self, from: Place, count: usize) -> Vec<Place> {
        let mut places = Vec::new();
        for line in from.0..self.lines.len() {
            let begin = if line == from.0 { from.1 } else { 0 };
            for row in begin..self.rows(line).len() {
                if places.len() == count {
                    return places;
                }
                places.push((line, row));
            }
        }
        places
    }

    /// The anchor that holds a place; `None` if no message does.
    fn anchor(&self, place: Place) -> Option<Anchor> {
        match self.lines.get(place.0)? {
            view::Line::Item { index, .. } => {
                self.feed.messages.get(*index).map(|message| Anchor::At(message.id, place.1))
            }
            _ => None,
        }
    }

    /// The window: the rows that are seen, from the top.
    fn window(&self, height: usize) -> Vec<Row> {
        let Some((last, keep)) = self.last() else { return Vec::new() };
        let mut window: Vec<Row> = Vec::new();
        for line in (0..=last).rev() {
            let mut rows = self.rows(line);
            if line == last {
                rows.truncate(keep + 1);
            }
            window.extend(rows.into_iter().rev());
            if window.len() >= height {
                break;
            }
        }
        window.truncate(height);
        window.reverse();
        window
    }

    /// The end of a window of so many rows that begins at a place.
    fn window_from(&self, first: Place, height: usize) -> Anchor {
        let places = self.downwards(first, height);
        let full = places.len() == height;
        let held = places.iter().rev().find_map(|place| self.anchor(*place));
        held.filter(|_| full).unwrap_or(Anchor::Bottom)
    }
}

fn sheet(app: &App) -> Option<(Sheet<'_>, usize)> {
    let area = draw::areas(app).timeline;
    Some((Sheet::new(app, area.width)?, usize::from(area.height)))
}

/// Where scrolling by so many rows leads.
pub(crate) fn scrolled(app: &App, rows: usize, down: bool) -> Moved {
    let none = Moved { anchor: None, at_end: true };
    let Some((sheet, height)) = sheet(app) else { return none };
    let Some(last) = sheet.last() else { return none };
    if down {
        let places = sheet.downwards(last, rows + 1);
        let held = places.iter().rev().find_map(|place| sheet.anchor(*place));
        let at_end = places.len() <= rows || sheet.downwards(last, rows + 2).len() == places.len();
        let anchor = if at_end { Some(Anchor::Bottom) } else { held };
        return Moved { anchor, at_end };
    }
    let places = sheet.upwards(last, height + rows);
    let shift = places.len().saturating_sub(height).min(rows);
    let anchor =
        if shift == 0 { None } else { places.iter().skip(shift).find_map(|place| sheet.anchor(*place)) };
    Moved { anchor, at_end: places.len() < height + rows }
}

/// Moves the window so that the chosen message is in it.
pub(crate) fn show_chosen(app: &mut App) {
    let anchor = chosen_anchor(app, false);
    if let (Some(feed), Some(anchor)) = (&mut app.feed, anchor) {
        feed.anchor = anchor;
    }
}

/// Moves the window so that the chosen message is in the middle of it.
pub(crate) fn centre_chosen(app: &mut App) {
    let anchor = chosen_anchor(app, true);
    if let (Some(feed), Some(anchor)) = (&mut app.feed, anchor) {
        feed.anchor = anchor;
    }
}

fn chosen_anchor(app: &App, centre: bool) -> Option<Anchor> {
    let (sheet, height) = sheet(app)?;
    let line = sheet.line_of(sheet.feed.chosen?)?;
    let rows = sheet.rows(line).len();
    if centre {
        let above = sheet.upwards((line, 0), height / 2);
        return Some(sheet.window_from(above.last().copied()?, height));
    }
    let last = sheet.last()?;
    let seen = sheet.upwards(last, height);
    let first = (line, 0);
    let end = (line, rows.saturating_sub(1));
    match (seen.contains(&first), seen.contains(&end)) {
        (true, true) => None,
        _ if rows >= height || line < last.0 => Some(sheet.window_from(first, height)),
        _ if Some(end) == sheet.bottom() => Some(Anchor::Bottom),
        _ => sheet.anchor(end),
    }
}

/// The message in this row of the screen.
pub(crate) fn at(app: &App, area: Rect, y: u16) -> Option<MessageId> {
    let sheet = Sheet::new(app, area.width)?;
    let window = sheet.window(usize::from(area.height));
    let offset = usize::from(area.height).saturating_sub(window.len());
    let row = usize::from(y.checked_sub(area.y)?).checked_sub(offset)?;
    let message = sheet.feed.messages.get(window.get(row)?.item?)?;
    is_said(message).then_some(message.id)
}

pub(crate) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let Some(sheet) = Sheet::new(app, area.width) else { return draw_empty(app, area, buffer) };
    let window = sheet.window(usize::from(area.height));
    let offset = usize::from(area.height).saturating_sub(window.len());
    for (place, drawn) in window.into_iter().enumerate() {
        put(buffer, row(area, offset + place), drawn.line);
    }
    if sheet.feed.loaded && sheet.feed.messages.is_empty() {
        put(buffer, row(area, 0), app.span(Tint::Dim, " nothing was said here yet").into());
    }
    if sheet.feed.newer || sheet.feed.anchor != Anchor::Bottom {
        let more = app.span(Tint::Warning, " more below: Alt-G ");
        let wide = u16::try_from(text::width(&more.content)).unwrap_or(0).min(area.width);
        let last = area.bottom().saturating_sub(1);
        put(buffer, Rect::new(area.right() - wide, last, wide, 1).intersection(area), more.into());
    }
}

/// What stands where there is no timeline.
fn draw_empty(app: &App, area: Rect, buffer: &mut Buffer) {
    let lines: Vec<String> = match app.open_room() {
        Some(room) if room.standing == Standing::Invited => {
            let who = room.inviter.as_ref().map(|account| text::steady(account.as_str())).unwrap_or_default();
            let what = match room.kind {
                client::RoomKind::Direct => "wants to write to you",
                client::RoomKind::Group => "invites you to a group",
            };
            vec![format!("{who} {what}."), String::new(), "Ctrl-Y accepts, Ctrl-X declines.".to_owned()]
        }
        Some(_) => Vec::new(),
        None if app.status.is_none() => vec!["reading what this device has".to_owned()],
        None => vec![
            "There is no room yet.".to_owned(),
            String::new(),
            "Ctrl-K and an account (bob@umbrella.example) writes to somebody;".to_owned(),
            "Ctrl-K and #name makes a group. F1 shows all keys.".to_owned(),
        ],
    };
    let cells = usize::from(area.width).saturating_sub(1);
    let wrapped = lines.iter().flat_map(|line| {
        text::wrap(line, cells).into_iter().map(|range| line.get(range).unwrap_or_default().trim_end())
    });
    for (place, line) in wrapped.enumerate() {
        put(buffer, row(area, place + 1), app.span(Tint::Plain, format!(" {line}")).into());
    }
}
