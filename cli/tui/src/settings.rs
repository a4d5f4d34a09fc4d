//! What a person chose before the screen opened.

use crate::Theme;

/// What a person chose before the screen opened.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The colours.
    pub theme: Theme,
    /// Signs beyond ASCII may be used: delivery marks, lines, bullets.
    pub unicode: bool,
    /// The mouse scrolls and chooses; the terminal's own selection then needs Shift.
    pub mouse: bool,
    /// This account shows that it is here.
    pub presence: bool,
    /// There is a desktop that can be told: the session has a bus.
    pub desktop: bool,
    /// A notification may show what was said, not only by whom and where.
    pub notify_text: bool,
    /// By how many seconds the reader's clock is ahead of UTC at a time in milliseconds since 1970.
    pub offset_s: fn(u64) -> i32,
}
