//! What machines ask a node over HTTP: does it live, is it ready, how is it doing. Read only, on an
//! address of its own, for a supervisor and a metrics collector on the same machine or network; no
//! name of a person and nothing of a conversation is ever told here ([ADMIN-5]).

mod metrics;
mod page;

use std::{convert::Infallible, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use net::AdminPort;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
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
}

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

impl Health {
    /// Has the core say how it is doing, unless it does not serve or does not answer in time.
    async fn report(&self) -> Result<Report, &'static str> {
        let stage = self.stage.borrow().clone();
        let port = match stage {
            Stage::Starting => return Err("starting: the database is being opened"),
            Stage::Draining => return Err("draining: the node is ending in good order"),
            Stage::Serving(port) => port,
        };
        let ask = async {
            let status = admin_request::Request::Status(proto::AdminStatusRequest {});
            let peers = admin_request::Request::ListPeers(proto::ListPeers {});
            let (status, peers) = (
                port.ask(AdminRequest { request: Some(status) }).await.ok()?.response?,
                port.ask(AdminRequest { request: Some(peers) }).await.ok()?.response?,
            );
            match (status, peers) {
                (Answer::Status(status), Answer::Peers(peers)) => Some(Report { status, peers: peers.peers }),
                _ => None,
            }
        };
        timeout(CORE, ask).await.ok().flatten().ok_or("stuck: the core does not answer")
    }
}
