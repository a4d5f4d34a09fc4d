//! Traces: each gets an id, which the lines of the log have, and goes to a collector if the
//! configuration names one (OTLP over HTTP). What a collector gets is the names, fields and times of
//! spans, in which there is no account, room or message.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Uri, client::conn::http1};
use hyper_util::rt::TokioIo;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use tokio::{net::TcpStream, runtime::Handle, time::timeout};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{FilterFn, filter_fn},
    registry::LookupSpan,
};

/// Spans that wait for the collector; one more is dropped.
const WAITING_MAX: usize = 2_048;
/// Spans of one request to it.
const REQUEST_MAX: usize = 512;
/// How long a span waits for others.
const EVERY: Duration = Duration::from_secs(5);
/// How long the collector may take for a request.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take for all that waits at the end of the process.
const LAST: Duration = Duration::from_secs(2);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What makes traces.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Makes traces from now on, and has a thread of its own tell the collector, if there is one.
    pub(super) fn begin(collector: Option<Uri>, runtime: &Handle) -> Self {
        let builder = SdkTracerProvider::builder()
            .with_resource(Resource::builder_empty().with_service_name("comityd").build());
        let exporter = collector.and_then(|collector| {
            let client = Client { runtime: runtime.clone(), failing: AtomicBool::new(false) };
            let exporter = SpanExporter::builder()
                .with_http()
                .with_http_client(client)
                .with_endpoint(collector.to_string())
                .with_timeout(PATIENCE)
                // What fails is said once and dropped: what comes after is newer.
                .with_retry_policy(RetryPolicy::disabled());
            // Its address is one, and there is a client: nothing is left that could be wrong but the
            // variables that the exporter reads by itself.
            exporter.build().inspect_err(|error| tracing::error!(%error, "traces are not sent")).ok()
        });
        let Some(exporter) = exporter else {
            // Ids only.
            return Self(builder.with_sampler(Sampler::AlwaysOff).build());
        };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING_MAX)
            .with_max_export_batch_size(REQUEST_MAX)
            .with_scheduled_delay(EVERY)
            .build();
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        Self(builder.with_sampler(Sampler::AlwaysOn).with_span_processor(processor).build())
    }

    /// The layer that makes a trace of each outermost span.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let wanted: FilterFn =
            filter_fn(|metadata| metadata.is_span() && metadata.target() == domain::TRACE_TARGET);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("comityd"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_context_activation(false)
            .with_filter(wanted.with_max_level_hint(LevelFilter::DEBUG))
    }

    /// Gives the collector what waits.
    pub(super) fn end(&self) {
        // A collector that does not answer keeps nobody from ending.
        let _ = self.0.shutdown_with_timeout(LAST);
    }
}

/// Sends what the exporter has made.
#[derive(Debug)]
struct Client {
    runtime: Handle,
    /// Whether the last request came to nothing.
    failing: AtomicBool,
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.runtime.spawn(async { timeout(PATIENCE, send(request)).await });
        let outcome = match sent.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(late)) => Err(late.into()),
            Err(ended) => Err(ended.into()),
        };
        let error = match &outcome {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(response.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        match (error, &self.failing) {
            (Some(error), failing) if !failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(error, "the collector does not take traces; they are dropped");
            }
            (None, failing) if failing.swap(false, Ordering::Relaxed) => {
                tracing::info!("the collector takes traces again");
            }
            _ => {}
        }
        outcome
    }
}

async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (mut parts, body) = request.into_parts();
    let host = parts.uri.host().ok_or("no host")?;
    let address = (host.trim_matches(['[', ']']), parts.uri.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let authority = parts.uri.authority().map(ToString::to_string).unwrap_or_default();
    parts.headers.insert(hyper::header::HOST, authority.parse()?);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse()?;
    let answer = sender.send_request(Request::from_parts(parts, Full::new(body))).await?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
    connection.abort();
    Ok(Response::from_parts(parts, body))
}
