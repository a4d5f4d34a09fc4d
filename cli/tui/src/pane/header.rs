//! The line over the timeline: which room this is; and under it, if so, what is wrong with it.

use client::{ErrorCode, PeerView, Standing};
use engine::view::clock;
use ratatui::{buffer::Buffer, layout::Rect, text::Span};

use crate::{
    App,
    draw::{ends, put, row},
    room_list::label,
    text::{self, steady},
    theme::Tint,
};

/// Rows that what is wrong may take.
const ROWS: u16 = 3;

pub(crate) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let cells = usize::from(area.width);
    let Some(room) = app.open_room() else {
        return put(buffer, area, app.span(Tint::Heading, " Comity").into());
    };
    let mut right = Vec::new();
    let unverified = room.members.iter().filter(|member| member.unverified.is_some()).count();
    if unverified > 0 {
        right.push(app.span(Tint::Warning, format!(" ! {unverified} unverified")));
    }
    if room.behind {
        right.push(app.span(Tint::Dim, " catching up"));
    }
    match room.members.len() {
        0 | 1 => {}
        count => right.push(app.span(Tint::Dim, format!(" {count} people"))),
    }
    right.push(Span::raw(" "));
    let taken: usize = right.iter().map(|span| text::width(&span.content)).sum();
    let name = text::clip(&format!(" {}", label(room)), cells.saturating_sub(taken), app.settings.unicode);
    let mut left = vec![app.span(Tint::Heading, name)];
    if !room.topic.is_empty() {
        left.push(app.span(Tint::Dim, format!("  {}", steady(&room.topic))));
    }
    put(buffer, area, ends(left, right, cells));
}

pub(crate) fn draw_trouble(app: &App, area: Rect, buffer: &mut Buffer) {
    let Some(trouble) = trouble(app) else { return };
    let height = usize::from(area.height);
    let cells = usize::from(area.width);
    for (place, range) in text::wrap(&trouble, cells.saturating_sub(4)).into_iter().take(height).enumerate() {
        // The last row that has a place says how it goes on, as far as it can.
        let end = if place + 1 == height { trouble.len() } else { range.end };
        let left = if place == 0 { " ! " } else { "   " };
        let line = format!("{left}{}", trouble.get(range.start..end).unwrap_or_default().trim_end());
        let line = text::clip(&line, cells, app.settings.unicode);
        put(buffer, row(area, place), app.span(Tint::Warning, line).into());
    }
}

/// Rows that it needs, to a bound.
pub(crate) fn trouble_rows(app: &App, width: u16) -> u16 {
    let rows = trouble(app).map_or(0, |text| text::wrap(&text, usize::from(width).saturating_sub(4)).len());
    u16::try_from(rows).unwrap_or(ROWS).min(ROWS)
}

/// What is wrong with the session or with the open room, in one sentence.
pub(crate) fn trouble(app: &App) -> Option<String> {
    if let Some(offline) = offline(app) {
        return Some(offline);
    }
    let room = app.open_room()?;
    match (room.standing, room.problem) {
        (Standing::Paused, Some(code)) => {
            return Some(format!("paused: {} ({})", code.meaning(), code.name()));
        }
        (Standing::Refused, Some(code)) => {
            return Some(format!("not founded: {} ({})", code.meaning(), code.name()));
        }
        (Standing::Rejoining, code) => {
            let why = code.map(|code| format!(" ({})", code.name())).unwrap_or_default();
            return Some(format!(
                "could not follow{why}, and is coming back by itself; what you write waits"
            ));
        }
        (_, Some(ErrorCode::ForkedLog)) => {
            return Some(
                "a member has seen another history of this room: its hub tells people different things"
                    .to_owned(),
            );
        }
        (_, Some(code)) => return Some(format!("{} ({})", code.meaning(), code.name())),
        (Standing::Joining, None) => return Some("being made or joined; what you write waits".to_owned()),
        (Standing::Left, None) => {
            return Some("you are out of this room; what was said stays readable".to_owned());
        }
        _ => {}
    }
    if let Some(held) = room.members.iter().find(|member| member.held) {
        let id = room.id.to_string().chars().take(8).collect::<String>();
        return Some(format!(
            "what you write waits: the keys of {0} have not passed; comity room admit {id} {0} says that it may read",
            held.account
        ));
    }
    let peer = app.troubles(room).max_by_key(|peer| (peer.absent_since_ms > 0, peer.queued))?;
    Some(waits(app, peer))
}

/// Why there is no session with the node.
fn offline(app: &App) -> Option<String> {
    let status = app.status.as_ref().filter(|status| !status.connected)?;
    let why = steady(status.problem.as_deref()?);
    Some(format!("no session with {}: {why}", steady(&status.endpoint)))
}

/// What waits for a domain, why, and what happens next.
fn waits(app: &App, peer: &PeerView) -> String {
    let at = |time| clock(time, (app.settings.offset_s)(time));
    let mut text = match peer.absent_since_ms {
        0 => format!("{}: {}", peer.domain, steady(&peer.phase)),
        since => format!("{} is away since {}", peer.domain, at(since)),
    };
    if peer.queued > 0 {
        text.push_str(&format!(", {} waiting for it", peer.queued));
    }
    if let Some(code) = peer.last_error {
        text.push_str(&format!(": {}", code.meaning()));
    }
    if peer.next_retry_ms > app.now {
        text.push_str(&format!("; tried again in {} s", (peer.next_retry_ms - app.now).div_ceil(1_000)));
    }
    text
}
