//! Colours by what a thing is, never by how it should look; none outside a terminal. How it looks
//! is the theme's, which the settings may change.

use anstyle::{AnsiColor, Style as Ansi};

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// A room or message id.
    Id,
    /// An account.
    Account,
    /// A domain.
    Domain,
    /// Something good that was verified.
    Good,
    /// A warning.
    Warning,
    /// An error.
    Error,
    /// Less important.
    Dim,
    /// A heading.
    Heading,
}

/// Every label with the key of the settings that colours it.
pub(crate) const fn theme_labels() -> [(Label, &'static str); 8] {
    [
        (Label::Id, "theme.id"),
        (Label::Account, "theme.account"),
        (Label::Domain, "theme.domain"),
        (Label::Good, "theme.good"),
        (Label::Warning, "theme.warning"),
        (Label::Error, "theme.error"),
        (Label::Dim, "theme.dim"),
        (Label::Heading, "theme.heading"),
    ]
}

/// What a word for a colour looks like; `None` if it is none.
pub(crate) fn colour(word: &str) -> Option<Ansi> {
    use AnsiColor::*;
    let colour = match word {
        "plain" => return Some(Ansi::new()),
        "bold" => return Some(Ansi::new().bold()),
        "dim" => return Some(Ansi::new().dimmed()),
        "black" => Black,
        "red" => Red,
        "green" => Green,
        "yellow" => Yellow,
        "blue" => Blue,
        "magenta" => Magenta,
        "cyan" => Cyan,
        "white" => White,
        "bright-black" => BrightBlack,
        "bright-red" => BrightRed,
        "bright-green" => BrightGreen,
        "bright-yellow" => BrightYellow,
        "bright-blue" => BrightBlue,
        "bright-magenta" => BrightMagenta,
        "bright-cyan" => BrightCyan,
        "bright-white" => BrightWhite,
        _ => return None,
    };
    Some(Ansi::new().fg_color(Some(colour.into())))
}

/// How each label looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Theme([Ansi; 8]);

impl Default for Theme {
    fn default() -> Self {
        let fg = |colour: AnsiColor| Ansi::new().fg_color(Some(colour.into()));
        Self([
            fg(AnsiColor::Magenta),
            fg(AnsiColor::Cyan),
            fg(AnsiColor::Blue),
            fg(AnsiColor::Green),
            fg(AnsiColor::Yellow),
            fg(AnsiColor::Red).bold(),
            Ansi::new().dimmed(),
            Ansi::new().bold(),
        ])
    }
}

impl Theme {
    /// Gives a label another look.
    pub(crate) fn set(&mut self, label: Label, look: Ansi) {
        if let Some(place) = self.0.get_mut(label as usize) {
            *place = look;
        }
    }

    fn look(&self, label: Label) -> Ansi {
        self.0.get(label as usize).copied().unwrap_or_default()
    }
}

/// Whether colours are written, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    colour: bool,
    theme: Theme,
}

impl Style {
    /// With or without colours.
    #[cfg(test)]
    pub(crate) fn new(colour: bool) -> Self {
        Self { colour, theme: Theme::default() }
    }

    /// With or without the colours of a theme.
    pub(crate) const fn themed(colour: bool, theme: Theme) -> Self {
        Self { colour, theme }
    }

    /// Black on white, if colours are on: for what is read by a camera.
    pub(crate) fn black_on_white(self, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let ansi =
            Ansi::new().fg_color(Some(AnsiColor::Black.into())).bg_color(Some(AnsiColor::BrightWhite.into()));
        format!("{}{text}{}", ansi.render(), ansi.render_reset())
    }

    /// Whether colours are on.
    pub(crate) const fn is_coloured(self) -> bool {
        self.colour
    }

    /// The text, coloured by its label if colours are on.
    pub(crate) fn paint(self, label: Label, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let ansi = self.theme.look(label);
        format!("{}{text}{}", ansi.render(), ansi.render_reset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_changes_one_label_and_no_other() {
        let mut theme = Theme::default();
        theme.set(Label::Id, colour("bright-red").expect("a colour"));
        let (plain, themed) = (Style::new(true), Style::themed(true, theme));
        assert_ne!(plain.paint(Label::Id, "x"), themed.paint(Label::Id, "x"));
        for (label, _) in theme_labels().into_iter().filter(|(label, _)| *label != Label::Id) {
            assert_eq!(plain.paint(label, "x"), themed.paint(label, "x"), "{label:?}");
        }
        assert!(colour("mauve").is_none());
    }

    #[test]
    fn colour_is_written_only_when_it_is_on() {
        assert_eq!(Style::new(false).paint(Label::Error, "x"), "x");
        assert!(Style::new(true).paint(Label::Error, "x").contains("\x1b["));
        assert_eq!(Style::new(true).paint(Label::Error, ""), "");
    }
}
