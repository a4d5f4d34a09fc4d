//! Colours by what a thing is, never by how it should look; none outside a terminal.

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

/// Whether colours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    colour: bool,
}

impl Style {
    /// With or without colours.
    pub(crate) const fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// The text, coloured by its label if colours are on.
    pub(crate) fn paint(self, label: Label, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let ansi = match label {
            Label::Id => Ansi::new().fg_color(Some(AnsiColor::Magenta.into())),
            Label::Account => Ansi::new().fg_color(Some(AnsiColor::Cyan.into())),
            Label::Domain => Ansi::new().fg_color(Some(AnsiColor::Blue.into())),
            Label::Good => Ansi::new().fg_color(Some(AnsiColor::Green.into())),
            Label::Warning => Ansi::new().fg_color(Some(AnsiColor::Yellow.into())),
            Label::Error => Ansi::new().bold().fg_color(Some(AnsiColor::Red.into())),
            Label::Dim => Ansi::new().dimmed(),
            Label::Heading => Ansi::new().bold(),
        };
        format!("{}{text}{}", ansi.render(), ansi.render_reset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_written_only_when_it_is_on() {
        assert_eq!(Style::new(false).paint(Label::Error, "x"), "x");
        assert!(Style::new(true).paint(Label::Error, "x").contains("\x1b["));
        assert_eq!(Style::new(true).paint(Label::Error, ""), "");
    }
}
