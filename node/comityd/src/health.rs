//! What machines ask a node over HTTP: does it live, is it ready, how is it doing. Read only, on an
//! address of its own, for a supervisor and a metrics collector on the same machine or network; no
//! name of a person and nothing of a conversation is ever told here ([ADMIN-5]).

mod metrics;
mod page;

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use net::AdminPort;
use tokio::{
    net::TcpListener,
    sync::{Mutex, Semaphore, watch},
    time::timeout,
};
use wire::proto::{self, AdminRequest, admin_request, admin_response::Response as Answer};

use crate::failure::{Exit, Failure};

/// Questions at one time; another waits.
const CONNECTIONS_MAX: usize = 16;
/// A connection that sends no whole head of a request for so long is closed.
const HEAD: Duration = Duration::from_secs(5);
/// A connection is closed after so long, whatever it asks.
const WHOLE: Duration = Duration::from_secs(30);
/// A core that does not answer for so long is not well.
const CORE: Duration = Duration::from_secs(5);
/// What the core has said is told for so long: however often is asked, its store is read once.
const FRESH: Duration = Duration::from_secs(1);
const STUCK: &str = "stuck: the core does not answer";

/// How far the process is.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// The database is being opened.
    Starting,
    /// It serves.
    Serving(AdminPort),
    /// It ends in good order.
    Draining,
}

/// What the answers are made from.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    /// How far the process is.
    pub(crate) stage: watch::Receiver<Stage>,
    /// The data directory, for the space on its disk.
    pub(crate) data: PathBuf,
    /// The last second since 1970 in which the newest domain document is in force.
    pub(crate) document_expires: u64,
    /// What was told last.
    pub(crate) told: Told,
}

/// The last report, and when it was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told(Arc<Mutex<Last>>);

type Last = Option<(Instant, Arc<Report>)>;

/// How the core says it is doing.
#[derive(Debug)]
struct Report {
    status: proto::AdminStatus,
    peers: Vec<proto::PeerState>,
}

/// Opens the address.
///
/// # Errors
/// `PortUnavailable`.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(
            Exit::Failed,
            "PortUnavailable",
            format!("{address} (TCP): {error}"),
            "choose another `health.listen` in comity.toml, or stop the program that has the port \
             (`ss -ltnp` shows it)",
        )
    })
}

/// Answers until the task is ended.
pub(crate) async fn serve(listener: TcpListener, health: Health) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let health = Arc::new(health);
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, for example: it may be better in a moment.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let health = Arc::clone(&health);
        tokio::spawn(async move {
            let answer = service_fn(|request: Request<Incoming>| {
                let health = Arc::clone(&health);
                async move { Ok::<_, Infallible>(page::answer(&health, &request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(TokioIo::new(stream), answer);
            // Whoever asks badly or leaves early is told by HTTP, and is no matter for the log.
            let _ = timeout(WHOLE, connection).await;
            drop(place);
        });
    }
}

/// Asks the core for what it can say without its store.
///
/// # Errors
/// Nothing is told but that it does not answer.
pub(crate) async fn echo(port: &AdminPort) -> Result<(), ()> {
    let request = admin_request::Request::ShowDomain(proto::ShowDomain {});
    port.ask(AdminRequest { request: Some(request) }).await.map(drop).map_err(drop)
}

impl Health {
    fn port(&self) -> Result<AdminPort, &'static str> {
        match self.stage.borrow().clone() {
            Stage::Starting => Err("starting: the database is being opened"),
            Stage::Draining => Err("draining: the node is ending in good order"),
            Stage::Serving(port) => Ok(port),
        }
    }

    /// Has the core answer, if it serves.
    async fn alive(&self) -> Result<(), &'static str> {
        let Ok(port) = self.port() else { return Ok(()) };
        timeout(CORE, echo(&port)).await.ok().and_then(Result::ok).ok_or(STUCK)
    }

    /// How the core says it is doing, unless it does not serve or does not answer in time. Whoever asks
    /// while another is answered, or soon after, is told the same.
    async fn report(&self) -> Result<Arc<Report>, &'static str> {
        let port = self.port()?;
        let tell = async {
            let mut told = self.told.0.lock().await;
            if let Some((_, report)) = told.as_ref().filter(|(made, _)| made.elapsed() < FRESH) {
                return Some(Arc::clone(report));
            }
            let report = Arc::new(Report::of(&port).await?);
            *told = Some((Instant::now(), Arc::clone(&report)));
            Some(report)
        };
        timeout(CORE, tell).await.ok().flatten().ok_or(STUCK)
    }
}

impl Report {
    async fn of(port: &AdminPort) -> Option<Self> {
        let status = admin_request::Request::Status(proto::AdminStatusRequest {});
        let peers = admin_request::Request::ListPeers(proto::ListPeers {});
        let (status, peers) = (
            port.ask(AdminRequest { request: Some(status) }).await.ok()?.response?,
            port.ask(AdminRequest { request: Some(peers) }).await.ok()?.response?,
        );
        match (status, peers) {
            (Answer::Status(status), Answer::Peers(peers)) => Some(Self { status, peers: peers.peers }),
            _ => None,
        }
    }
}
