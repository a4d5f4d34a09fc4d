//! Who is in the room, and how far their keys may be believed.

use client::{Belief, Member, Role};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::{Clear, Widget as _},
};

use crate::{
    App,
    draw::{ends, put, row},
    text::clip,
    theme::Tint,
};

/// Draws the members; `over` something else, or beside it.
pub(crate) fn draw(app: &App, area: Rect, over: bool, buffer: &mut Buffer) {
    let Some(room) = app.open_room() else { return };
    let area = area.intersection(buffer.area);
    if over {
        Clear.render(area, buffer);
    }
    let cells = usize::from(area.width);
    let count = match room.members.len() {
        1 => " 1 person".to_owned(),
        many => format!(" {many} people"),
    };
    let close = if over { vec![app.span(Tint::Dim, "F2 closes ")] } else { Vec::new() };
    put(buffer, row(area, 0), ends(vec![app.span(Tint::Heading, count)], close, cells));
    let lines = room.members.iter().flat_map(|member| entry(app, member, cells));
    for (place, line) in lines.enumerate() {
        put(buffer, row(area, place + 1), line);
    }
}

fn entry(app: &App, member: &Member, cells: usize) -> Vec<Line<'static>> {
    let signs = app.signs();
    let belief = app.people.get(&member.account).map(|person| person.belief);
    let (sign, tint) = match (member.unverified, belief) {
        (Some(_), _) => ("!", Tint::Warning),
        (None, Some(Belief::Changed)) => (signs.failed(), Tint::Trouble),
        (None, Some(Belief::Verified)) => (signs.verified(), Tint::Good),
        (None, Some(Belief::Own)) => (signs.bullet(), Tint::Dim),
        (None, _) => (" ", Tint::Plain),
    };
    let here = if app.is_here(&member.account) { signs.here() } else { " " };
    let admin = if member.role == Role::Admin { " admin " } else { " " };
    let name = clip(member.account.as_str(), cells.saturating_sub(3 + admin.len()), app.settings.unicode);
    let left = vec![
        app.span(Tint::Good, here),
        app.span(tint, sign),
        Span::raw(" "),
        Span::styled(name, app.settings.theme.account(member.account.as_str())),
    ];
    let mut lines = vec![ends(left, vec![app.span(Tint::Dim, admin)], cells)];
    let mut remark = |tint, text: String| {
        let text = clip(&format!("   {text}"), cells, app.settings.unicode);
        lines.push(app.span(tint, text).into());
    };
    if let Some(code) = member.unverified {
        remark(Tint::Warning, format!("keys not verified: {}", code.name()));
    }
    if member.held {
        remark(Tint::Warning, "not admitted: comity room admit".to_owned());
    }
    if belief == Some(Belief::Changed) {
        remark(Tint::Trouble, "key changed: comity contact show".to_owned());
    }
    if member.managed {
        remark(Tint::Dim, "its organisation can read along".to_owned());
    }
    if member.declined {
        remark(Tint::Dim, "declined the invitation".to_owned());
    }
    lines
}
