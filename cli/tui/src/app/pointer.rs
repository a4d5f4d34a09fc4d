//! The mouse.

use ratatui::{
    crossterm::event::{MouseButton, MouseEvent, MouseEventKind},
    layout::Position,
};

use super::App;
use crate::{draw, mode::Mode, pane};

/// Rows that one step of the wheel moves.
const WHEEL: usize = 3;

impl App {
    pub(super) fn mouse(&mut self, event: MouseEvent) {
        match event.kind {
            MouseEventKind::ScrollUp => self.scroll(WHEEL, false),
            MouseEventKind::ScrollDown => self.scroll(WHEEL, true),
            MouseEventKind::Down(MouseButton::Left) if matches!(self.mode, Mode::Compose | Mode::Select) => {
                self.click(Position::new(event.column, event.row));
            }
            _ => {}
        }
    }

    fn click(&mut self, at: Position) {
        let areas = draw::areas(self);
        if areas.rooms.contains(at) {
            if let Some(room) = pane::rooms::at(self, areas.rooms, at.y) {
                self.open(room);
            }
        } else if areas.timeline.contains(at)
            && let Some(message) = pane::timeline::at(self, areas.timeline, at.y)
        {
            self.choose(message);
            self.mode = Mode::Select;
        }
    }
}
