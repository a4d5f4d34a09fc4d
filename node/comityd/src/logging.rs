//! The log: on stderr, as text for people or as JSON for programs. Nothing secret has a way into
//! it, because secrets have no way into text, and what a stranger sent is never written as it came.

mod line;
mod traces;

use std::io::IsTerminal as _;

use hyper::Uri;
use tokio::runtime::Handle;
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, fmt, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

use traces::Traces;

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

/// A log that has begun.
pub(crate) struct Log {
    level: reload::Handle<EnvFilter, Registry>,
    traces: Option<Traces>,
}

impl Log {
    /// Logs at this level from now on.
    pub(crate) fn set_level(&self, level: &str) {
        if let Ok(filter) = EnvFilter::try_new(level) {
            // The only error is that there is no log any more.
            let _ = self.level.reload(filter);
        }
    }

    /// Gives the collector of traces what it has not had yet, within seconds.
    pub(crate) fn end(&self) {
        if let Some(traces) = &self.traces {
            traces.end();
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

/// Begins the log of this process. Traces are made if the log has a place for their names, or a
/// collector wants them.
pub(crate) fn begin(format: Format, level: &str, collector: Option<Uri>, runtime: &Handle) -> Log {
    let (filter, level) = reload::Layer::new(EnvFilter::new(level));
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        Format::Text => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
        Format::Json => layer.event_format(line::Json).boxed(),
    };
    let traces = (format == Format::Json || collector.is_some()).then(|| Traces::begin(collector, runtime));
    let registry = tracing_subscriber::registry().with(layer.with_filter(filter));
    registry.with(traces.as_ref().map(Traces::layer)).init();
    Log { level, traces }
}
