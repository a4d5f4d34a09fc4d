//! Where the parts of the screen stand, and drawing them. On a narrow screen the rooms give way
//! first, then the members lie over the timeline; on a low one the lines between.

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget as _,
};

use crate::{
    App,
    mode::Mode,
    pane,
    theme::{Signs, Tint},
};

/// From this width on the rooms stand beside the timeline.
const WITH_ROOMS: u16 = 70;
/// From this width on the members do too.
const WITH_MEMBERS: u16 = 100;
/// From this width on they do unasked.
const MEMBERS_UNASKED: u16 = 120;
/// The composer grows to at most so many rows.
const COMPOSER_ROWS: u16 = 8;

/// Where the parts stand; a part that has no place is empty.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Areas {
    pub(crate) rooms: Rect,
    pub(crate) header: Rect,
    pub(crate) trouble: Rect,
    pub(crate) timeline: Rect,
    pub(crate) rule: Rect,
    pub(crate) composer: Rect,
    pub(crate) members: Rect,
    pub(crate) bar: Rect,
}

/// Whether the members are shown.
pub(crate) fn members_shown(app: &App) -> bool {
    app.members.unwrap_or(app.size.0 >= MEMBERS_UNASKED) && app.open_room().is_some()
}

/// What a box may lie over: everything but the bar.
pub(crate) fn screen(app: &App) -> Rect {
    let (columns, rows) = app.size;
    Rect::new(0, 0, columns, rows.saturating_sub(bar_rows(rows)))
}

const fn bar_rows(rows: u16) -> u16 {
    if rows >= 2 { 1 } else { 0 }
}

/// Whether the members are shown over the timeline.
pub(crate) fn members_cover(app: &App) -> bool {
    members_shown(app) && app.size.0 < WITH_MEMBERS
}

/// Where the parts stand.
pub(crate) fn areas(app: &App) -> Areas {
    let (columns, rows) = app.size;
    let rooms = if columns >= WITH_ROOMS { (columns / 4).clamp(20, 32) } else { 0 };
    let beside = members_shown(app) && columns >= WITH_MEMBERS;
    let members = if beside { (columns / 5).clamp(26, 40) } else { 0 };
    let left = if rooms > 0 { rooms + 1 } else { 0 };
    let right = if members > 0 { members + 1 } else { 0 };
    let main = columns.saturating_sub(left + right);
    let bar = bar_rows(rows);
    let rule = u16::from(rows >= 6);
    let header = u16::from(rows >= 5);
    let trouble = match rows {
        0..8 => 0,
        8..14 => u16::from(pane::header::trouble(app).is_some()),
        _ => pane::header::trouble_rows(app, main),
    };
    let written = pane::composer::editor(app).rows(composer_cells_of(main)).rows.len();
    let most = COMPOSER_ROWS.min(rows / 3).max(1);
    let composer = u16::try_from(written).unwrap_or(most).clamp(1, most).min(rows.saturating_sub(bar));
    let body = rows.saturating_sub(bar);
    let timeline = body.saturating_sub(header + trouble + rule + composer);
    let place = |y, height| Rect::new(left, y, main, height);
    Areas {
        rooms: Rect::new(0, 0, rooms, body),
        header: place(0, header),
        trouble: place(header, trouble),
        timeline: place(header + trouble, timeline),
        rule: place(header + trouble + timeline, rule),
        composer: place(header + trouble + timeline + rule, composer),
        members: match (beside, members_shown(app)) {
            (true, _) => Rect::new(columns.saturating_sub(members), 0, members, body),
            (false, true) => {
                let over = main.min(40);
                Rect::new(columns.saturating_sub(over), header + trouble, over, timeline)
            }
            (false, false) => Rect::default(),
        },
        bar: Rect::new(0, body, columns, bar),
    }
}

/// Cells of a row of the composer.
pub(crate) fn composer_cells(app: &App) -> usize {
    composer_cells_of(areas(app).composer.width)
}

/// The prompt before the text and a cell for the cursor behind it are not for the text.
fn composer_cells_of(width: u16) -> usize {
    usize::from(width).saturating_sub(3).max(1)
}

impl App {
    /// The signs that this terminal has.
    pub(crate) const fn signs(&self) -> Signs {
        Signs { unicode: self.settings.unicode }
    }

    /// The look of something.
    pub(crate) fn style(&self, tint: Tint) -> Style {
        self.settings.theme.style(tint)
    }

    /// A piece of a line.
    pub(crate) fn span(&self, tint: Tint, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.style(tint))
    }

    /// Puts the state on a screen.
    pub fn draw(&self, frame: &mut Frame<'_>) {
        let areas = areas(self);
        let buffer = frame.buffer_mut();
        pane::rooms::draw(self, areas.rooms, buffer);
        vertical(self, areas.rooms, areas.rooms.right(), buffer);
        pane::header::draw(self, areas.header, buffer);
        pane::header::draw_trouble(self, areas.trouble, buffer);
        pane::timeline::draw(self, areas.timeline, buffer);
        pane::composer::draw_rule(self, areas.rule, buffer);
        let mut cursor = pane::composer::draw(self, areas.composer, buffer);
        if areas.members.width > 0 {
            let beside = areas.members.y == 0 && areas.members.width < areas.header.width;
            pane::members::draw(self, areas.members, !beside, buffer);
            if beside {
                vertical(self, areas.members, areas.members.x.saturating_sub(1), buffer);
            }
        }
        pane::bar::draw(self, areas.bar, buffer);
        let screen = screen(self);
        match &self.mode {
            Mode::Compose | Mode::Select | Mode::Opening(_) => {}
            Mode::React(_, editor) => cursor = pane::list::draw_react(self, editor, screen, buffer),
            Mode::Ask(question) => {
                cursor = None;
                pane::list::draw_question(self, question, screen, buffer);
            }
            Mode::Switch(finder) => cursor = pane::list::draw_switch(self, finder, screen, buffer),
            Mode::Search(search) => cursor = pane::list::draw_search(self, search, screen, buffer),
            Mode::Help(rows) => {
                cursor = None;
                pane::help::draw(self, *rows, screen, buffer);
            }
            Mode::Log(rows) => {
                cursor = None;
                pane::log::draw(self, *rows, screen, buffer);
            }
        }
        if let Some((x, y)) = cursor {
            frame.set_cursor_position((x, y));
        }
    }
}

fn vertical(app: &App, beside: Rect, x: u16, buffer: &mut Buffer) {
    if beside.width == 0 {
        return;
    }
    for y in beside.top()..beside.bottom() {
        put(buffer, Rect::new(x, y, 1, 1), Line::from(app.span(Tint::Line, app.signs().vertical())));
    }
}

/// Draws one line of text, as far as it has a place.
pub(crate) fn put(buffer: &mut Buffer, area: Rect, line: Line<'_>) {
    let area = area.intersection(buffer.area);
    if area.width > 0 && area.height > 0 {
        line.render(area, buffer);
    }
}

/// The row of an area.
pub(crate) fn row(area: Rect, row: usize) -> Rect {
    let offset = u16::try_from(row).unwrap_or(u16::MAX);
    let height = u16::from(offset < area.height);
    Rect::new(area.x, area.y.saturating_add(offset), area.width, height)
}

/// Two pieces at both ends of a row; what stands on the left gives way.
pub(crate) fn ends(left: Vec<Span<'static>>, right: Vec<Span<'static>>, cells: usize) -> Line<'static> {
    let width =
        |spans: &[Span<'_>]| spans.iter().map(|span| crate::text::width(&span.content)).sum::<usize>();
    let room = cells.saturating_sub(width(&right));
    let mut spans = Vec::new();
    let mut used = 0;
    for span in left {
        let wide = crate::text::width(&span.content);
        if used + wide > room {
            let text = crate::text::clip(&span.content, room.saturating_sub(used), false);
            used += crate::text::width(&text);
            spans.push(Span::styled(text, span.style));
            break;
        }
        used += wide;
        spans.push(span);
    }
    spans.push(Span::raw(" ".repeat(room.saturating_sub(used))));
    spans.extend(right);
    Line::from(spans)
}
