//! Boxes in which something is chosen: a room, a message that was looked for, a reaction, yes or no.

use client::MessageBody;
use engine::view::{Day, clock};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::popup;
use crate::{
    App,
    draw::{ends, put, row},
    editor::Editor,
    mode::{Choice, Finder, QUICK, Question, Search},
    room_list::label,
    text::{clip, fitted, steady, width, wrap},
    theme::Tint,
};

/// Columns of a box with a question.
const COLUMNS: u16 = 70;

/// Where the cursor stands in a line that is typed.
type Cursor = Option<(u16, u16)>;

/// The line that is typed.
fn typed(app: &App, editor: &Editor, area: Rect, buffer: &mut Buffer) -> Cursor {
    let cells = usize::from(area.width).saturating_sub(3).max(1);
    let rows = editor.rows(cells);
    let (at, column) = rows.cursor;
    let text = rows.rows.get(at).cloned().unwrap_or_default();
    put(buffer, row(area, 0), vec![app.span(Tint::Good, app.signs().prompt()), Span::raw(text)].into());
    let column = u16::try_from(column.min(cells)).unwrap_or(0);
    (area.width > 3 && area.height > 0).then_some((area.x + 2 + column, area.y))
}

/// The lines under it, with the chosen one in sight.
fn entries(app: &App, lines: Vec<Line<'static>>, place: usize, area: Rect, buffer: &mut Buffer) {
    let height = usize::from(area.height);
    let first = (place + 1).saturating_sub(height);
    for (at, mut line) in lines.into_iter().enumerate().skip(first).take(height) {
        if at == place {
            let cells = usize::from(area.width);
            let used: usize = line.spans.iter().map(|span| width(&span.content)).sum();
            line.spans.push(Span::raw(" ".repeat(cells.saturating_sub(used))));
            line = line.patch_style(app.style(Tint::Chosen));
        }
        put(buffer, row(area, at - first), line);
    }
}

fn below(area: Rect, rows: u16) -> Rect {
    Rect::new(area.x, area.y + rows.min(area.height), area.width, area.height.saturating_sub(rows))
}

pub(crate) fn draw_switch(app: &App, finder: &Finder, screen: Rect, buffer: &mut Buffer) -> Cursor {
    let area =
        popup::open(app, "Go to a room, or write to ACCOUNT, or make #GROUP", (60, 16), screen, buffer);
    let cells = usize::from(area.width);
    let lines = app.choices(finder).iter().map(|choice| choice_line(app, choice, cells)).collect();
    entries(app, lines, finder.place, below(area, 1), buffer);
    typed(app, &finder.editor, area, buffer)
}

fn choice_line(app: &App, choice: &Choice, cells: usize) -> Line<'static> {
    match choice {
        Choice::Room(id) => {
            let Some(room) = app.rooms.get(*id) else { return Line::default() };
            let mut right = Vec::new();
            if room.mentions > 0 {
                right.push(app.span(Tint::Mention, format!("@{} ", room.mentions)));
            }
            if room.unread > 0 {
                right.push(app.span(Tint::Good, format!("{} ", room.unread)));
            }
            ends(vec![app.span(Tint::Plain, format!(" {}", label(room)))], right, cells)
        }
        Choice::Direct(account) => app.span(Tint::Plain, format!(" write to {account}")).into(),
        Choice::Create(name) => app.span(Tint::Plain, format!(" make the group #{}", steady(name))).into(),
    }
}

pub(crate) fn draw_search(app: &App, search: &Search, screen: Rect, buffer: &mut Buffer) -> Cursor {
    let area = popup::open(app, "Search everything that this device has", (100, 30), screen, buffer);
    let cells = usize::from(area.width);
    let current = search.editor.text().trim() == search.words && !search.words.is_empty();
    let state = match (current, search.done, search.hits.len()) {
        (false, ..) => "Enter searches".to_owned(),
        (true, false, count) => format!("{count} so far{}", app.signs().dots()),
        (true, true, 0) => "nothing found".to_owned(),
        (true, true, count) => format!("{count} found; Enter goes there"),
    };
    put(
        buffer,
        row(area, 1),
        app.span(Tint::Dim, clip(&format!("  {state}"), cells, app.settings.unicode)).into(),
    );
    let lines = search.hits.iter().map(|hit| {
        let offset = (app.settings.offset_s)(hit.message.time_ms);
        let day = Day::of(hit.message.time_ms, offset);
        let when =
            format!("{:04}-{:02}-{:02} {}", day.year, day.month, day.day, clock(hit.message.time_ms, offset));
        let who = hit.message.sender.as_ref().map(|sender| sender.local().to_owned()).unwrap_or_default();
        let text = match &hit.message.body {
            MessageBody::Text(text) => steady(&text.replace('\n', " ")),
            _ => String::new(),
        };
        let room = fitted(&steady(&hit.called), (cells / 5).clamp(8, 24), app.settings.unicode);
        let who = fitted(&who, 8, app.settings.unicode);
        let mut line =
            vec![app.span(Tint::Dim, format!(" {when} ")), app.span(Tint::Heading, format!("{room} {who} "))];
        let used: usize = line.iter().map(|span| width(&span.content)).sum();
        line.push(Span::raw(clip(&text, cells.saturating_sub(used), app.settings.unicode)));
        Line::from(line)
    });
    entries(app, lines.collect(), search.place, below(area, 2), buffer);
    typed(app, &search.editor, area, buffer)
}

pub(crate) fn draw_react(app: &App, editor: &Editor, screen: Rect, buffer: &mut Buffer) -> Cursor {
    let area = popup::open(app, "React: a number or anything short, then Enter", (56, 5), screen, buffer);
    let quick: Vec<String> =
        QUICK.iter().enumerate().map(|(n, emoji)| format!("{} {emoji}", n + 1)).collect();
    put(buffer, row(area, 2), app.span(Tint::Plain, format!("  {}", quick.join("  "))).into());
    typed(app, editor, area, buffer)
}

pub(crate) fn draw_question(app: &App, question: &Question, screen: Rect, buffer: &mut Buffer) {
    let columns = COLUMNS.min(screen.width);
    let mut lines = Vec::new();
    let (title, text, answers) = match question {
        Question::Delete(_) => {
            ("Sure?", "Take this message back, for everybody?".to_owned(), " y yes   n no")
        }
        Question::Decline(_) => ("Sure?", "Decline this invitation?".to_owned(), " y yes   n no"),
        Question::SendFiles(room, files) => {
            let cells = usize::from(columns).saturating_sub(6);
            for file in files {
                // Where it is says what it is as much as its name does.
                let path = steady(&file.to_string_lossy());
                let rows = wrap(&path, cells).into_iter().filter_map(|range| path.get(range));
                lines.extend(rows.map(|row| format!("   {row}")));
            }
            let these = if files.len() == 1 { "this file" } else { "these files" };
            let room = app.rooms.get(*room).map(|room| steady(&room.called())).unwrap_or_default();
            ("Files", format!("Send {these} to {room}?"), " Ctrl-Y send   Esc leave the text")
        }
    };
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(4);
    let area = popup::open(app, title, (columns, rows), screen, buffer);
    // On a screen too small for all names the answers are more important.
    let fit = usize::from(area.height).saturating_sub(2);
    if lines.len() > fit {
        lines.truncate(fit.saturating_sub(1));
        lines.push(format!("   {}", app.signs().dots()));
    }
    lines.insert(0, format!(" {text}"));
    for (at, line) in (0..).zip(&lines) {
        let line = clip(line, usize::from(area.width), app.settings.unicode);
        put(buffer, row(area, at), app.span(Tint::Plain, line).into());
    }
    put(buffer, row(area, lines.len()), app.span(Tint::Dim, answers.to_owned()).into());
}
