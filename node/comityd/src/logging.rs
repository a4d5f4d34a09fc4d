//! The log: on stderr, as text for people or as JSON for programs. Nothing secret has a way into
//! it, because secrets have no way into text, and what a stranger sent is never written as it came.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::failure::{Exit, Failure};

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One line of text, coloured on a terminal
    Text,
    /// One JSON object on each line
    Json,
}

impl Format {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Begins the log of this process.
///
/// # Errors
/// `LogLevel`.
pub(crate) fn begin(format: Format, level: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(level).map_err(|_| {
        Failure::new(
            Exit::Usage,
            "LogLevel",
            "the log level cannot be used",
            "give error, warn, info, debug or trace, or parts such as info,net=debug",
        )
    })?;
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Text => builder.with_ansi(terminal).init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}
