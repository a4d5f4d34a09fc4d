//! The log: on stderr, as text for people or as JSON for programs. Nothing secret has a way into
//! it, because secrets have no way into text, and what a stranger sent is never written as it came.

use std::io::IsTerminal as _;

use tracing_subscriber::{
    EnvFilter, Registry, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One line of text, coloured on a terminal.
    Text,
    /// One JSON object on each line.
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

/// The level of a log that has begun.
pub(crate) struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Logs at this level from now on.
    pub(crate) fn set(&self, level: &str) {
        if let Ok(filter) = EnvFilter::try_new(level) {
            // The only error is that there is no log any more.
            let _ = self.0.reload(filter);
        }
    }
}

/// The level, if it can be used: each part is a level, or a part of the program with one. A word
/// that is no level would be taken for a part of the program, and silence all others.
pub(crate) fn checked_level(level: &str) -> Option<String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let usable = |part: &str| LEVELS.contains(&part.rsplit('=').next().unwrap_or_default());
    (level.split(',').all(usable) && EnvFilter::try_new(level).is_ok()).then(|| level.to_owned())
}

/// Begins the log of this process.
pub(crate) fn begin(format: Format, level: &str) -> Level {
    let (filter, handle) = reload::Layer::new(EnvFilter::new(level));
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        Format::Text => registry.with(layer.with_ansi(std::io::stderr().is_terminal())).init(),
        Format::Json => registry.with(layer.json().flatten_event(true)).init(),
    }
    Level(handle)
}
