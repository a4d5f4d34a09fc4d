//! The four pages, and what else a web server must be able to say.

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Bytes},
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};

use super::{Health, Stage, metrics};

const TEXT: &str = "text/plain; charset=utf-8";

/// Answers one request.
pub(super) async fn answer<B: Body>(health: &Health, request: &Request<B>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n".into());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/livez" => verdict(alive(health).await),
        "/readyz" => verdict(ready(health).await),
        "/startupz" => verdict(started(health)),
        "/metrics" => page(StatusCode::OK, metrics::CONTENT_TYPE, metrics::render(health).await),
        _ => page(StatusCode::NOT_FOUND, TEXT, "/livez /readyz /startupz /metrics\n".into()),
    }
}

/// Whether restarting the process would help: not while it starts or ends by itself.
async fn alive(health: &Health) -> Result<(), String> {
    health.alive().await.map_err(str::to_owned)
}

/// Whether it takes messages.
async fn ready(health: &Health) -> Result<(), String> {
    let report = health.report().await.map_err(str::to_owned)?;
    match report.status.storage_full {
        true => Err("full: the disk has no space; nothing is accepted until it has".into()),
        false => Ok(()),
    }
}

fn started(health: &Health) -> Result<(), String> {
    match *health.stage.borrow() {
        Stage::Starting => Err("starting: the database is being opened".into()),
        Stage::Serving(_) | Stage::Draining => Ok(()),
    }
}

fn verdict(well: Result<(), String>) -> Response<Full<Bytes>> {
    match well {
        Ok(()) => page(StatusCode::OK, TEXT, "ok\n".into()),
        Err(why) => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{why}\n")),
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
