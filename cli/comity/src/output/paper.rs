//! What text output is written on: lines with labels, for a terminal or for a pipe.

use super::{Label, Style};

/// A page of text in the making.
#[derive(Debug)]
pub(crate) struct Paper {
    text: String,
    style: Style,
    terminal: bool,
    now_ms: u64,
}

impl Paper {
    /// An empty page. `terminal`: aligned for eyes; otherwise one record to a line. `now_ms` is
    /// the time against which ages are shown.
    pub(crate) const fn new(style: Style, terminal: bool, now_ms: u64) -> Self {
        Self { text: String::new(), style, terminal, now_ms }
    }

    /// Whether eyes read this.
    pub(crate) const fn terminal(&self) -> bool {
        self.terminal
    }

    /// The time of writing, milliseconds since 1970.
    pub(crate) const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Text with a label, to be put into a line. The text must be ours or sanitised.
    pub(crate) fn paint(&self, label: Label, text: &str) -> String {
        self.style.paint(label, text)
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Adds a name and its value: aligned on a terminal, tab-separated in a pipe.
    pub(crate) fn pair(&mut self, name: &str, value: &str) {
        let line = if self.terminal {
            format!("{}{value}", self.paint(Label::Dim, &format!("{name:<13} ")))
        } else {
            format!("{name}\t{value}")
        };
        self.line(&line);
    }

    /// The finished text.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}
