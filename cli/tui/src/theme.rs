//! Colours and signs. Only the sixteen colours that every terminal has, so that its own scheme
//! decides how they look; and whatever a colour says, a sign or a word says too.

use client::Level;
use ratatui::style::{Color, Modifier, Style};

/// Which colours fit the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// Light letters on a dark ground.
    Dark,
    /// Dark letters on a light ground.
    Light,
    /// No colours.
    Mono,
}

/// How things look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// The colours.
    pub palette: Palette,
}

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tint {
    /// Text.
    Plain,
    /// Of less weight.
    Dim,
    /// A heading.
    Heading,
    /// Lines between panes.
    Line,
    /// As it should be.
    Good,
    /// Not as it should be.
    Warning,
    /// Failed.
    Trouble,
    /// The bottom line.
    Bar,
    /// What is chosen.
    Chosen,
    /// What calls the reader by name.
    Mention,
    /// The reader.
    Own,
}

const DARK: [Color; 6] = [
    Color::LightCyan,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightMagenta,
    Color::LightBlue,
    Color::Cyan,
];
const LIGHT: [Color; 6] =
    [Color::Blue, Color::Green, Color::Magenta, Color::Cyan, Color::Red, Color::LightBlue];

impl Theme {
    /// The look of something.
    pub(crate) fn style(self, tint: Tint) -> Style {
        let style = Style::new();
        let coloured = |dark, light| match self.palette {
            Palette::Dark => style.fg(dark),
            Palette::Light => style.fg(light),
            Palette::Mono => style,
        };
        match tint {
            Tint::Plain => style,
            Tint::Dim => match self.palette {
                Palette::Mono => style.add_modifier(Modifier::DIM),
                _ => style.fg(Color::DarkGray),
            },
            Tint::Line => coloured(Color::DarkGray, Color::Gray),
            Tint::Heading => style.add_modifier(Modifier::BOLD),
            Tint::Good => coloured(Color::Green, Color::Green),
            Tint::Warning => coloured(Color::Yellow, Color::Magenta).add_modifier(Modifier::BOLD),
            Tint::Trouble => coloured(Color::LightRed, Color::Red).add_modifier(Modifier::BOLD),
            Tint::Bar => match self.palette {
                Palette::Dark => style.fg(Color::Gray).bg(Color::Black),
                Palette::Light => style.fg(Color::Black).bg(Color::Gray),
                Palette::Mono => style,
            },
            Tint::Chosen => style.add_modifier(Modifier::REVERSED),
            Tint::Mention => coloured(Color::LightYellow, Color::Magenta)
                .add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            Tint::Own => coloured(Color::White, Color::Black).add_modifier(Modifier::BOLD),
        }
    }

    /// The look of an account's name: always the same for the same account.
    pub(crate) fn account(self, account: &str) -> Style {
        let colours = match self.palette {
            Palette::Dark => DARK,
            Palette::Light => LIGHT,
            Palette::Mono => return Style::new().add_modifier(Modifier::BOLD),
        };
        // FNV-1a: spread evenly, the same on every machine.
        let hash = account
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let place = usize::try_from(hash).unwrap_or_default() % colours.len();
        Style::new().fg(colours.get(place).copied().unwrap_or(Color::Reset)).add_modifier(Modifier::BOLD)
    }
}

/// Signs, for terminals with more than ASCII and for those without.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signs {
    pub(crate) unicode: bool,
}

impl Signs {
    const fn pick(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// How far a message is.
    pub(crate) const fn level(self, level: Level) -> &'static str {
        match level {
            Level::Queued => self.pick("…", "..."),
            Level::Accepted => self.pick("↑", "^"),
            Level::Ordered => self.pick("✓", "+"),
            Level::Stored => self.pick("✓·", "+."),
            Level::Delivered => self.pick("✓✓", "++"),
            Level::Read => self.pick("✓✓✓", "+++"),
        }
    }

    pub(crate) const fn failed(self) -> &'static str {
        self.pick("✗", "x")
    }

    pub(crate) const fn verified(self) -> &'static str {
        self.pick("✓", "+")
    }

    pub(crate) const fn vertical(self) -> &'static str {
        self.pick("│", "|")
    }

    pub(crate) const fn horizontal(self) -> &'static str {
        self.pick("─", "-")
    }

    pub(crate) const fn reply(self) -> &'static str {
        self.pick("┌ ", "> ")
    }

    pub(crate) const fn bullet(self) -> &'static str {
        self.pick("•", "*")
    }

    pub(crate) const fn online(self) -> &'static str {
        self.pick("●", "*")
    }

    pub(crate) const fn offline(self) -> &'static str {
        self.pick("○", "o")
    }

    pub(crate) const fn prompt(self) -> &'static str {
        self.pick("› ", "> ")
    }

    pub(crate) const fn dots(self) -> &'static str {
        self.pick("…", "...")
    }

    /// Somebody is here.
    pub(crate) const fn here(self) -> &'static str {
        self.pick("●", "*")
    }

    /// The same, before the name of a room.
    pub(crate) const fn at_hand(self) -> &'static str {
        self.pick("● ", "* ")
    }

    pub(crate) const fn muted(self) -> &'static str {
        self.pick("∅", "0")
    }

    pub(crate) const fn pencil(self) -> &'static str {
        self.pick("✎", "%")
    }
}

/// The word for a level.
pub(crate) const fn word(level: Level) -> &'static str {
    match level {
        Level::Queued => "queued",
        Level::Accepted => "accepted",
        Level::Ordered => "ordered",
        Level::Stored => "stored",
        Level::Delivered => "delivered",
        Level::Read => "read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [Level; 6] =
        [Level::Queued, Level::Accepted, Level::Ordered, Level::Stored, Level::Delivered, Level::Read];

    #[test]
    fn no_two_states_look_the_same_without_colour() {
        for unicode in [true, false] {
            let signs = Signs { unicode };
            let mut marks: Vec<&str> = LEVELS.into_iter().map(|level| signs.level(level)).collect();
            marks.push(signs.failed());
            let all = marks.len();
            marks.sort_unstable();
            marks.dedup();
            assert_eq!(marks.len(), all);
            assert!(unicode || marks.iter().all(|mark| mark.is_ascii()));
            assert!(marks.iter().all(|mark| crate::text::width(mark) <= 3));
        }
    }

    #[test]
    fn without_colours_there_are_none() {
        let theme = Theme { palette: Palette::Mono };
        for tint in [
            Tint::Plain,
            Tint::Dim,
            Tint::Heading,
            Tint::Line,
            Tint::Good,
            Tint::Warning,
            Tint::Trouble,
            Tint::Bar,
            Tint::Chosen,
            Tint::Mention,
            Tint::Own,
        ] {
            let style = theme.style(tint);
            assert_eq!((style.fg, style.bg), (None, None), "{tint:?}");
        }
        assert_eq!(theme.account("alice@acme.test").fg, None);
    }
}
