//! A line of the log as one JSON object.

use std::fmt;

use opentelemetry::trace::{TraceContextExt as _, TraceId};
use serde_json::{Map, Value};
use tracing::{
    Event, Span, Subscriber,
    field::{Field, Visit},
};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

/// `timestamp`, `level`, `target`, `message`, the event's own fields beside them, and `trace_id` if the
/// line belongs to a trace.
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let Fields(mut line) = fields;
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        for (name, value) in [
            ("timestamp", Some(time)),
            ("level", Some(event.metadata().level().to_string())),
            ("target", Some(event.metadata().target().to_owned())),
            ("trace_id", trace_id()),
        ] {
            if let Some(value) = value {
                line.insert(name.to_owned(), Value::String(value));
            }
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// The trace of the current span, in hexadecimal digits.
fn trace_id() -> Option<String> {
    let id = Span::current().context().span().span_context().trace_id();
    (id != TraceId::INVALID).then(|| id.to_string())
}

struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}
