//! One message as rows: time at the left, how far it is at the right.

use client::{Belief, Change, Message, MessageBody, Room};
use engine::view::{clock, mentions, text::size};
use ratatui::text::{Line, Span};

use crate::{
    App,
    feed::{Feed, is_said},
    text::{clip, steady, steady_lines, width, wrap},
    theme::{Tint, word},
};

/// Cells of the time and the blank behind it.
const GUTTER: usize = 6;
/// Cells of the mark at the right of one's own messages, and the blank before it.
const MARK: usize = 4;
/// Rows of a long message before it is asked for.
const ROWS: usize = 24;
/// Rows of the longest.
const ROWS_WHOLE: usize = 2_000;

/// The rows of a message.
pub(crate) fn rows(
    app: &App,
    feed: &Feed,
    message: &Message,
    named: bool,
    cells: usize,
) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    if named {
        rows.push(head(app, message, cells));
    }
    let gutter = if cells < 30 { 0 } else { GUTTER };
    let marks = message.own && is_said(message);
    let mark = if marks { MARK } else { 0 };
    let room = cells.saturating_sub(gutter + mark).max(4);
    let indent = || Span::raw(" ".repeat(gutter));
    if let Some(quoted) = message.reply_to {
        let text = format!("{}{}", app.signs().reply(), quote(app, feed, quoted));
        rows.push(Line::from(vec![indent(), app.span(Tint::Dim, clip(&text, room, app.settings.unicode))]));
    }
    let whole = feed.whole.contains(&message.id);
    let mut body = body(app, message, room, if whole { ROWS_WHOLE } else { ROWS });
    let time = clock(message.time_ms, (app.settings.offset_s)(message.time_ms));
    if let (Some(last), true) = (body.last_mut(), marks) {
        *last = marked(app, feed, message, std::mem::take(last), cells.saturating_sub(gutter));
    }
    for (place, mut line) in body.into_iter().enumerate() {
        let left = if place == 0 && gutter > 0 { app.span(Tint::Dim, format!("{time} ")) } else { indent() };
        line.spans.insert(0, left);
        rows.push(line);
    }
    if !message.reactions.is_empty() {
        let mut spans = vec![indent()];
        spans.extend(reactions(app, message));
        rows.push(Line::from(spans));
    }
    if let Some(code) = message.failed {
        let text = format!("{} not sent: {} ({})", app.signs().failed(), code.meaning(), code.name());
        let text = clip(&text, cells.saturating_sub(gutter), app.settings.unicode);
        rows.push(Line::from(vec![indent(), app.span(Tint::Trouble, text)]));
    }
    if feed.chosen == Some(message.id) {
        let from = usize::from(named);
        for line in rows.iter_mut().skip(from) {
            let missing = cells.saturating_sub(line.spans.iter().map(|span| width(&span.content)).sum());
            line.spans.push(Span::raw(" ".repeat(missing)));
            *line = std::mem::take(line).patch_style(app.style(Tint::Chosen));
        }
    }
    rows
}

/// The sender's name, with what is known of the keys.
fn head(app: &App, message: &Message, cells: usize) -> Line<'static> {
    let Some(sender) = &message.sender else { return Line::default() };
    if message.own {
        return app.span(Tint::Own, "you").into();
    }
    let (sign, tint) = trust(app, sender);
    let name = clip(sender.as_str(), cells.saturating_sub(width(&sign)), app.settings.unicode);
    Line::from(vec![Span::styled(name, app.settings.theme.account(sender.as_str())), app.span(tint, sign)])
}

/// What stands behind an account's name.
pub(crate) fn trust(app: &App, account: &client::Account) -> (String, Tint) {
    let member = app.open_room().and_then(|room| member(room, account));
    if let Some(code) = member.and_then(|member| member.unverified) {
        return (format!(" ! unverified ({})", code.name()), Tint::Warning);
    }
    match app.people.get(account).map(|person| person.belief) {
        Some(Belief::Changed) => (format!(" {} key changed", app.signs().failed()), Tint::Trouble),
        Some(Belief::Verified) => (format!(" {}", app.signs().verified()), Tint::Good),
        _ => (String::new(), Tint::Plain),
    }
}

fn member<'a>(room: &'a Room, account: &client::Account) -> Option<&'a client::Member> {
    room.members.iter().find(|member| member.account == *account)
}

/// The beginning of the message that is answered.
pub(crate) fn quote(app: &App, feed: &Feed, id: client::MessageId) -> String {
    let Some(message) = feed.get(id) else { return "an earlier message".to_owned() };
    let who = match (&message.sender, message.own) {
        (_, true) => "you".to_owned(),
        (Some(sender), false) => sender.local().to_owned(),
        (None, false) => String::new(),
    };
    let text = match &message.body {
        MessageBody::Text(text) => steady(text.lines().next().unwrap_or_default()),
        MessageBody::File(file) => steady(&file.name),
        MessageBody::Deleted => "(taken back)".to_owned(),
        _ => app.signs().dots().to_owned(),
    };
    format!("{who}: {text}")
}

fn body(app: &App, message: &Message, cells: usize, rows_max: usize) -> Vec<Line<'static>> {
    let dim = |text: String| -> Vec<Line<'static>> {
        wrap(&text, cells)
            .into_iter()
            .map(|range| app.span(Tint::Dim, text.get(range).unwrap_or_default().trim_end()).into())
            .collect()
    };
    match &message.body {
        MessageBody::Text(text) => written(app, message, text, cells, rows_max),
        MessageBody::File(file) => {
            let how = match message.seq {
                0 => String::new(),
                seq => format!(
                    ", saved by s when it is chosen, or by: comity file get {} {seq}",
                    app.rooms.word(message.room)
                ),
            };
            let mut rows = dim(format!("file {} ({}){how}", steady(&file.name), size(file.size)));
            rows.extend(written(app, message, &file.caption, cells, rows_max));
            rows
        }
        MessageBody::Deleted => dim("(taken back)".to_owned()),
        MessageBody::Unreadable(why) => {
            let text = clip(&format!("! cannot be read: {}", steady(why)), cells, app.settings.unicode);
            vec![app.span(Tint::Warning, text).into()]
        }
        MessageBody::Renamed { name, topic } => {
            let topic = if topic.is_empty() { String::new() } else { format!(" ({})", steady(topic)) };
            let who = message.sender.as_ref().map(ToString::to_string).unwrap_or_default();
            dim(format!("{} {who} called the room #{}{topic}", app.signs().bullet(), steady(name)))
        }
        MessageBody::Changed { change, accounts } => {
            dim(format!("{} {}", app.signs().bullet(), changed(*change, accounts)))
        }
        MessageBody::Edit { .. } | MessageBody::Delete { .. } | MessageBody::Reaction { .. } => Vec::new(),
    }
}

/// How a room changed, in words.
fn changed(change: Change, accounts: &[String]) -> String {
    let who = accounts.iter().map(|account| steady(account)).collect::<Vec<_>>().join(", ");
    match change {
        Change::Founded => "the room was made".to_owned(),
        Change::Added => format!("{who} joined"),
        Change::Removed => format!("{who} was removed"),
        Change::Left => format!("{who} left"),
        Change::Roles => format!("admins are now {who}"),
        Change::Declined => format!("{who} declined the invitation"),
        Change::Rejoined if who.is_empty() => "a device came back that could not follow".to_owned(),
        Change::Rejoined => format!(
            "a device came back that could not follow; what was said meanwhile is lost; new here: {who}"
        ),
        Change::Refounded => "this room was lost by its hub and founded anew".to_owned(),
        Change::Gone => "this room was lost by its hub: nothing can be said here any more".to_owned(),
        Change::Nack => format!("a device of {who} could not follow"),
    }
}

/// The text itself, with names that call the reader set off.
fn written(app: &App, message: &Message, text: &str, cells: usize, rows_max: usize) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    let mut left_out = 0;
    for line in steady_lines(text) {
        if rows.len() >= rows_max {
            left_out += 1;
            continue;
        }
        let called = match app.me().filter(|_| !message.own) {
            Some(me) => mentions(&line, me),
            None => Vec::new(),
        };
        for range in wrap(&line, cells) {
            if rows.len() >= rows_max {
                left_out += 1;
                continue;
            }
            rows.push(highlighted(app, &line, range, &called));
        }
    }
    if left_out > 0 {
        let text = format!("{} {left_out} more lines: Esc, then o shows them", app.signs().dots());
        rows.push(app.span(Tint::Dim, clip(&text, cells, app.settings.unicode)).into());
    }
    if message.edited {
        let last = rows.last_mut().filter(|last| width_of(last) + 9 <= cells);
        let edited = app.span(Tint::Dim, " (edited)");
        match last {
            Some(last) => last.spans.push(edited),
            None => rows.push(edited.into()),
        }
    }
    rows
}

fn width_of(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| width(&span.content)).sum()
}

fn highlighted(
    app: &App,
    line: &str,
    range: std::ops::Range<usize>,
    called: &[std::ops::Range<usize>],
) -> Line<'static> {
    let shown = line.get(range.clone()).unwrap_or_default().trim_end();
    let end = range.start + shown.len();
    let mut spans = Vec::new();
    let mut at = range.start;
    let mut push = |from: usize, to: usize, tint| {
        if let Some(part) = line.get(from..to).filter(|part| !part.is_empty()) {
            spans.push(app.span(tint, part));
        }
    };
    for name in called.iter().filter(|name| name.start < end && name.end > range.start) {
        let (from, to) = (name.start.max(range.start), name.end.min(end));
        push(at, from, Tint::Plain);
        push(from, to, Tint::Mention);
        at = to;
    }
    push(at, end, Tint::Plain);
    Line::from(spans)
}

/// A last row with the mark at its right end; the newest own message says it in a word too.
fn marked(app: &App, feed: &Feed, message: &Message, line: Line<'static>, cells: usize) -> Line<'static> {
    let (sign, tint) = match (message.failed, message.level) {
        (Some(_), _) => (app.signs().failed(), Tint::Trouble),
        (None, Some(level)) => {
            let tint = if level == client::Level::Read { Tint::Good } else { Tint::Dim };
            (app.signs().level(level), tint)
        }
        (None, None) => return line,
    };
    let newest = feed.own_last().is_some_and(|last| last.id == message.id);
    let said = message.level.filter(|_| newest && message.failed.is_none()).map(word).unwrap_or_default();
    let used = width_of(&line);
    let mut right = format!("{said} {sign}");
    if used + width(&right) + 2 > cells {
        right = sign.to_owned();
    }
    let gap = cells.saturating_sub(used + width(&right));
    let mut line = line;
    line.spans.push(Span::raw(" ".repeat(gap)));
    line.spans.push(app.span(tint, right));
    line
}

fn reactions(app: &App, message: &Message) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for reaction in message.reactions.iter().take(12) {
        let tint = if app.reacted(message, &reaction.emoji) { Tint::Heading } else { Tint::Dim };
        let emoji = clip(&steady(&reaction.emoji), 16, app.settings.unicode);
        spans.push(app.span(tint, format!("{emoji} {}  ", reaction.by.len())));
    }
    spans
}
