//! The rooms at the left: invitations first, then the newest.

use client::{Notify, Room, RoomId, Standing};
use ratatui::{buffer::Buffer, layout::Rect, text::Span};

use crate::{
    App,
    draw::{ends, put, row},
    room_list::label,
    text,
    theme::Tint,
};

/// Which room is the first that is shown, so that the open one is among them.
fn first(app: &App, rows: usize) -> usize {
    let rooms = app.rooms.all();
    let open = app.rooms.open_id().and_then(|open| rooms.iter().position(|room| room.id == open));
    open.map_or(0, |open| (open + 1).saturating_sub(rows))
}

/// The room in this row of the screen.
pub(crate) fn at(app: &App, area: Rect, y: u16) -> Option<RoomId> {
    let place = usize::from(y.checked_sub(area.y + 1)?);
    let rows = usize::from(area.height.saturating_sub(1));
    app.rooms.all().get(first(app, rows) + place).map(|room| room.id)
}

pub(crate) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.width == 0 || area.height == 0 {
        return;
    }
    let cells = usize::from(area.width);
    let unread = app.rooms.unread();
    let count = if unread > 0 { format!("{unread} unread ") } else { String::new() };
    let title = ends(vec![app.span(Tint::Heading, " Rooms")], vec![app.span(Tint::Dim, count)], cells);
    put(buffer, row(area, 0), title);
    let rows = usize::from(area.height - 1);
    for (place, room) in app.rooms.all().iter().skip(first(app, rows)).take(rows).enumerate() {
        let open = app.rooms.open_id() == Some(room.id);
        let mut line = entry(app, room, cells);
        if open {
            line = line.patch_style(app.style(Tint::Chosen));
        }
        put(buffer, row(area, place + 1), line);
    }
    if app.rooms.all().is_empty() {
        put(buffer, row(area, 1), app.span(Tint::Dim, " none yet: Ctrl-K").into());
    }
}

fn entry(app: &App, room: &Room, cells: usize) -> ratatui::text::Line<'static> {
    let mut badges: Vec<Span<'static>> = Vec::new();
    if app.composer.has_draft(room.id) {
        badges.push(app.span(Tint::Dim, format!(" {}", app.signs().pencil())));
    }
    if room.notify == Notify::None {
        badges.push(app.span(Tint::Dim, format!(" {}", app.signs().muted())));
    }
    if room.problem.is_some() || room.members.iter().any(|member| member.unverified.is_some()) {
        badges.push(app.span(Tint::Warning, " !"));
    }
    if room.mentions > 0 {
        badges.push(app.span(Tint::Plain, " "));
        badges.push(app.span(Tint::Mention, format!("@{}", room.mentions)));
    }
    if room.unread > 0 {
        let tint = if room.notify == Notify::None { Tint::Dim } else { Tint::Good };
        badges.push(app.span(tint, format!(" {}", room.unread)));
    }
    let tint = match room.standing {
        Standing::Invited => Tint::Warning,
        Standing::Left => Tint::Dim,
        Standing::Paused | Standing::Refused => Tint::Trouble,
        _ if room.unread > 0 => Tint::Heading,
        Standing::Joining | Standing::Rejoining | Standing::Member => Tint::Plain,
    };
    let state = match room.standing {
        Standing::Invited => "? ",
        Standing::Left => "- ",
        Standing::Joining | Standing::Rejoining => "~ ",
        Standing::Paused | Standing::Refused => "! ",
        Standing::Member if room.peer.as_ref().is_some_and(|peer| app.is_here(peer)) => app.signs().at_hand(),
        Standing::Member => "",
    };
    badges.push(Span::raw(" "));
    let taken: usize = badges.iter().map(|span| text::width(&span.content)).sum();
    let name =
        text::clip(&format!(" {state}{}", label(room)), cells.saturating_sub(taken), app.settings.unicode);
    ends(vec![app.span(tint, name)], badges, cells)
}
