//! What the demo prints: pretty for eyes, one plain line each in a pipe, objects under `--json`.

use std::{cell::Cell, time::Instant};

use crate::{
    context::Context,
    error::CliError,
    output::{Label, Paper, Show},
};

/// One line of the demo.
#[derive(Debug, serde::Serialize)]
pub(super) struct Step {
    kind: &'static str,
    text: String,
    ms: u64,
}

impl Show for Step {
    const FIELDS: &'static [&'static str] = &["kind", "text", "ms"];

    fn show(&self, paper: &mut Paper) {
        let text = &self.text;
        if !paper.terminal() {
            return paper.line(&match self.kind {
                "heading" => format!("== {text}"),
                "verified" => format!("ok {text}"),
                _ => format!("   {text}"),
            });
        }
        match self.kind {
            "heading" => {
                paper.line("");
                paper.line(&paper.paint(Label::Heading, text));
            }
            "verified" => paper.line(&format!("  {} {text}", paper.paint(Label::Good, "✓"))),
            "command" => paper.line(&format!("  {}", paper.paint(Label::Account, text))),
            "detail" => paper.line(&format!("    {}", paper.paint(Label::Dim, text))),
            _ => paper.line(&format!("    {text}")),
        }
    }
}

/// Where the demo is shown.
pub(super) struct Stage<'a> {
    context: &'a Context,
    started: Instant,
    verified: Cell<u32>,
}

impl<'a> Stage<'a> {
    /// From now on.
    pub(super) fn new(context: &'a Context) -> Self {
        Self { context, started: Instant::now(), verified: Cell::new(0) }
    }

    /// A part begins.
    pub(super) fn heading(&self, text: &str) -> Result<(), CliError> {
        self.step("heading", text)
    }

    /// Something that is said.
    pub(super) fn say(&self, text: &str) -> Result<(), CliError> {
        self.step("said", text)
    }

    /// Something for who wants to know more.
    pub(super) fn detail(&self, text: &str) -> Result<(), CliError> {
        self.step("detail", text)
    }

    /// A command to copy.
    pub(super) fn command(&self, text: &str) -> Result<(), CliError> {
        self.step("command", text)
    }

    /// A step that was verified.
    pub(super) fn verified(&self, text: &str) -> Result<(), CliError> {
        self.verified.set(self.verified.get() + 1);
        self.step("verified", text)
    }

    /// A step that is verified if this holds.
    ///
    /// # Errors
    /// `Failed` if it does not.
    pub(super) fn verify(&self, holds: bool, text: &str) -> Result<(), CliError> {
        if holds { self.verified(text) } else { Err(CliError::failed(format!("not verified: {text}"))) }
    }

    /// A line that grows in place while eyes watch.
    pub(super) fn live(&self, text: &str) {
        if self.context.terminal() {
            self.context.live(&format!("    {text}"));
        }
    }

    /// Takes the growing line away.
    pub(super) fn settle(&self) {
        if self.context.terminal() {
            self.context.live("");
        }
    }

    /// How it went.
    pub(super) fn end(&self) -> Result<(), CliError> {
        let seconds = self.started.elapsed().as_secs_f64();
        self.heading(&format!("{} steps verified in {seconds:.1} s", self.verified.get()))
    }

    fn step(&self, kind: &'static str, text: &str) -> Result<(), CliError> {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.context.show(&Step { kind, text: text.to_owned(), ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value =
            serde_json::to_value(Step { kind: "said", text: String::new(), ms: 0 }).expect("serialises");
        let mut fields = Step::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
