//! `comity util`: completion for shells and tables for scripts.

use clap::CommandFactory as _;

use crate::{
    args::Args,
    context::Context,
    error::{CliError, exit},
    examples::{self, Example},
    output::{Label, List, Paper, Row},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("For bash", "comity util completion bash > ~/.local/share/bash-completion/completions/comity")];

/// The verbs for shells and scripts.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Print a completion script for a shell
    #[command(after_help = examples::help(EXAMPLES))]
    Completion {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print what each exit code says
    ExitCodes,
    /// Print every error of the protocol with its number and exit code
    Errors,
}

/// An exit code.
#[derive(Debug, serde::Serialize)]
struct ExitCode {
    code: u8,
    meaning: &'static str,
}

impl Row for ExitCode {
    const FIELDS: &'static [&'static str] = &["code", "meaning"];
    const COLUMNS: &'static [&'static str] = &["CODE", "MEANING"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        vec![(Label::Id, self.code.to_string()), (Label::Heading, self.meaning.to_owned())]
    }
}

/// An error of the protocol.
#[derive(Debug, serde::Serialize)]
struct ProtocolError {
    name: &'static str,
    number: u32,
    exit: u8,
    retryable: bool,
    meaning: &'static str,
    hint: &'static str,
}

impl Row for ProtocolError {
    const FIELDS: &'static [&'static str] = &["name", "number", "exit", "retryable", "meaning", "hint"];
    const COLUMNS: &'static [&'static str] = &["NAME", "NUMBER", "EXIT", "RETRY", "MEANING"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        let retry = if self.retryable { "yes" } else { "no" };
        vec![
            (Label::Heading, self.name.to_owned()),
            (Label::Id, format!("{:#x}", self.number)),
            (Label::Dim, self.exit.to_string()),
            (Label::Dim, retry.to_owned()),
            (Label::Dim, self.meaning.to_owned()),
        ]
    }
}

pub(crate) fn run(context: &Context, verb: &Verb) -> Result<(), CliError> {
    match verb {
        Verb::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "comity", &mut script);
            use std::io::Write as _;
            std::io::stdout().write_all(&script)?;
            Ok(())
        }
        Verb::ExitCodes => {
            context.check_fields(ExitCode::FIELDS)?;
            let rows = exit::ALL.iter().map(|(code, meaning)| ExitCode { code: *code, meaning }).collect();
            context.list(&List { rows, empty: "" })
        }
        Verb::Errors => {
            context.check_fields(ProtocolError::FIELDS)?;
            let row = |code: &client::ErrorCode| ProtocolError {
                name: code.name(),
                number: code.code(),
                exit: code.exit(),
                retryable: code.retryable(),
                meaning: code.meaning(),
                hint: code.hint(),
            };
            let rows = client::ErrorCode::ALL.iter().map(row).collect();
            context.list(&List { rows, empty: "" })
        }
    }
}
