//! Answers one report after the other: the path, then the secret, then the size, then the rest, so
//! that a refusal is cheap. Connections, time and bytes are bounded.

use std::{
    collections::VecDeque,
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use client::{Client, ClientError, ErrorCode, Outgoing, RoomId};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Bytes, Incoming},
    header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

use super::{
    pace::{Guesses, Pace},
    refusal::Refusal,
    shape::{Report, Shape},
    token::Token,
};
use crate::error::CliError;

/// Connections at one time; another waits.
const CONNECTIONS_MAX: usize = 16;
/// Bytes of a report.
const BODY_BYTES_MAX: usize = 262_144;
/// A connection that sends no whole head of a request for so long is closed.
const HEAD: Duration = Duration::from_secs(5);
/// A body that is not whole after so long is refused.
const BODY: Duration = Duration::from_secs(10);
/// A connection is closed after so long.
const WHOLE: Duration = Duration::from_secs(60);
/// Wrong secrets of one minute from one address; after more, none from there gets its answer.
const WRONG_PER_MINUTE: u32 = 60;
/// Deliveries of GitHub that are remembered, so that one that is repeated is posted once.
const DELIVERIES_KEPT: usize = 256;
/// An id of a delivery is shorter.
const DELIVERY_BYTES_MAX: usize = 64;

/// Where reports go.
#[derive(Debug)]
pub(super) struct Hook {
    client: Client,
    room: RoomId,
    token: Token,
    good: Mutex<Pace>,
    wrong: Mutex<Guesses>,
    deliveries: Mutex<VecDeque<Vec<u8>>>,
}

/// What came of a report, with how long to wait if that is known.
type Outcome = Result<&'static str, (Refusal, Option<Duration>)>;

impl Hook {
    pub(super) fn new(client: Client, room: RoomId, token: Token, per_minute: u32) -> Self {
        Self {
            client,
            room,
            good: Mutex::new(Pace::new(per_minute)),
            wrong: Mutex::new(Guesses::new(WRONG_PER_MINUTE, token.is_guessable())),
            token,
            deliveries: Mutex::new(VecDeque::new()),
        }
    }

    /// One report.
    async fn report<B>(&self, request: Request<B>, from: IpAddr) -> Outcome
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let shape = Shape::of(head.uri.path()).ok_or((Refusal::NotFound, None))?;
        if head.method != Method::POST {
            return Err((Refusal::BadMethod, None));
        }
        let header = |name: &str| head.headers.get(name).map(HeaderValue::as_bytes);
        if shape != Shape::Github {
            let bears = || self.token.bears(header(AUTHORIZATION.as_str()));
            self.judge(from, Refusal::BadToken, bears)?;
        }
        let limited = Limited::new(body, BODY_BYTES_MAX);
        let body = match timeout(BODY, limited.collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                return Err((Refusal::TooLarge, None));
            }
            Ok(Err(_)) | Err(_) => return Err((Refusal::Incomplete, None)),
        };
        if shape == Shape::Github {
            let signs = || self.token.signs(header("x-hub-signature-256"), &body);
            self.judge(from, Refusal::BadSignature, signs)?;
        }
        let event = header("x-github-event").and_then(|event| str::from_utf8(event).ok());
        let text = match shape.read(&body, event).map_err(|refusal| (refusal, None))? {
            Report::Post(text) => text,
            Report::Nothing(why) => return Ok(why),
        };
        if shape == Shape::Github && self.is_repeated(&head.headers) {
            return Ok("it was posted before");
        }
        lock(&self.good).take(Instant::now()).map_err(|wait| (Refusal::RateLimited, Some(wait)))?;
        self.post(text).await?;
        if shape == Shape::Github {
            self.remember(&head.headers);
        }
        Ok("posted")
    }

    /// A wrong secret costs its sender, not those who know the right one.
    fn judge(
        &self,
        from: IpAddr,
        refusal: Refusal,
        is_right: impl FnOnce() -> bool,
    ) -> Result<(), (Refusal, Option<Duration>)> {
        match lock(&self.wrong).judge(from, Instant::now(), is_right) {
            Ok(true) => Ok(()),
            Ok(false) => Err((refusal, None)),
            Err(wait) => Err((Refusal::RateLimited, Some(wait))),
        }
    }

    async fn post(&self, text: String) -> Result<(), (Refusal, Option<Duration>)> {
        match self.client.send(self.room, Outgoing::text(text)).await {
            Ok(_) => Ok(()),
            Err(ClientError::Refused(error))
                if matches!(error.code, ErrorCode::Forbidden | ErrorCode::NotFound) =>
            {
                Err((Refusal::RoomClosed, None))
            }
            Err(_) => Err((Refusal::Unavailable, None)),
        }
    }

    fn is_repeated(&self, headers: &HeaderMap) -> bool {
        delivery(headers).is_some_and(|id| lock(&self.deliveries).iter().any(|known| known == id))
    }

    fn remember(&self, headers: &HeaderMap) {
        if let Some(id) = delivery(headers) {
            let mut deliveries = lock(&self.deliveries);
            if deliveries.len() >= DELIVERIES_KEPT {
                deliveries.pop_front();
            }
            deliveries.push_back(id.to_vec());
        }
    }
}

fn delivery(headers: &HeaderMap) -> Option<&[u8]> {
    let id = headers.get("x-github-delivery")?.as_bytes();
    (id.len() <= DELIVERY_BYTES_MAX).then_some(id)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers until the device is closed.
///
/// # Errors
/// None that ends it before: a bad connection is its own matter.
pub(super) async fn serve(listener: TcpListener, hook: Hook) -> Result<(), CliError> {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let hook = Arc::new(hook);
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return Ok(()) };
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of file descriptors, for example: it may be better in a moment.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let hook = Arc::clone(&hook);
        tokio::spawn(async move {
            let answer = service_fn(|request: Request<Incoming>| {
                let hook = Arc::clone(&hook);
                async move { Ok::<_, Infallible>(page(hook.report(request, peer.ip()).await)) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(TokioIo::new(stream), answer);
            // Whoever asks badly or leaves early is told by HTTP.
            let _ = timeout(WHOLE, connection).await;
            drop(place);
        });
    }
}

fn page(outcome: Outcome) -> Response<Full<Bytes>> {
    let (status, body) = match &outcome {
        Ok(said) => (StatusCode::OK, serde_json::json!({"posted": *said == "posted", "message": said})),
        Err((refusal, _)) => {
            let error = serde_json::json!({"name": refusal.name(), "message": refusal.message()});
            (refusal.status(), serde_json::json!({"error": error}))
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match outcome {
        Err((Refusal::BadMethod, _)) => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        Err((Refusal::RateLimited, Some(wait))) => {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
        }
        _ => {}
    }
    response
}
