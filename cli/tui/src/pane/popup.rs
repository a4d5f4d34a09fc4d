//! A box over the rest of the screen.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    symbols,
    widgets::{Block, Clear, Widget as _},
};

use crate::{App, draw, text::clip, theme::Tint};

const ASCII: symbols::border::Set<'static> = symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// The rows inside a box that [`open`] draws on the whole of this screen.
pub(crate) fn rows_inside(app: &App, (columns, rows): (u16, u16)) -> usize {
    let screen = draw::screen(app);
    let (width, height) = (columns.min(screen.width), rows.min(screen.height));
    usize::from(if height < 4 || width < 10 { height } else { height - 2 })
}

/// Draws a box of at most this size in the middle of the screen and returns its inside. On a screen
/// that is too small for a border it has none.
pub(crate) fn open(
    app: &App,
    title: &str,
    (columns, rows): (u16, u16),
    screen: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let screen = screen.intersection(buffer.area);
    let width = columns.min(screen.width);
    let height = rows.min(screen.height);
    let area = Rect::new(
        screen.x + (screen.width - width) / 2,
        screen.y + (screen.height - height) / 2,
        width,
        height,
    );
    Clear.render(area, buffer);
    if area.height < 4 || area.width < 10 {
        return area;
    }
    let set = if app.settings.unicode { symbols::border::PLAIN } else { ASCII };
    let title = clip(&format!(" {title} "), usize::from(width).saturating_sub(2), app.settings.unicode);
    let block = Block::bordered()
        .border_set(set)
        .border_style(app.style(Tint::Line))
        .title(app.span(Tint::Heading, title));
    let inside = block.inner(area);
    block.render(area, buffer);
    inside
}
