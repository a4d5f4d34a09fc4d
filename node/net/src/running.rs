//! A node from its port to its end.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use blobs::Shelf;
use domain::{AdminId, Authenticator, Core, Input};
use machine::{Entropy, Timestamp};
use store::Store;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};
use wire::{DomainName, ErrorCode, SecretKey, limits, proto};

use crate::{
    clock::now,
    core,
    dispatch::Job,
    endpoint::{self, Acceptor},
    federation::Dialler,
    judge::Judge,
    media::Media,
    strangers::Strangers,
    to_core::{self, ToCore},
};

/// What the network side of a node has to know.
#[derive(Debug)]
pub struct NetConfig {
    /// The domain that is served; a connection that asks for another is `Misdirected`.
    pub domain: DomainName,
    /// The UDP address; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The key that this node proves in TLS, listed in the domain document.
    pub tls_key: SecretKey,
    /// The blobs of this domain.
    pub shelf: Arc<Shelf>,
}

/// Why a node has no port.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The operating system refused.
    #[error("cannot listen on {listen}: {source}")]
    Port {
        /// On which address.
        listen: SocketAddr,
        /// What it said.
        source: std::io::Error,
    },
    /// TLS could not be set up.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The cryptographic provider lacks the cipher of QUIC's first packets.
    #[error("TLS: no cipher for the first packets")]
    Cipher,
}

/// A port that is open and not served yet.
#[derive(Debug)]
pub struct Bound {
    endpoint: quinn::Endpoint,
    dialling: quinn::ClientConfig,
    domain: DomainName,
    shelf: Arc<Shelf>,
}

impl Bound {
    /// Opens the port. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(config: &NetConfig) -> Result<Self, BindError> {
        let dialling = endpoint::dialling(config)?;
        let endpoint = endpoint::bind(config)?;
        Ok(Self { endpoint, dialling, domain: config.domain.clone(), shelf: Arc::clone(&config.shelf) })
    }

    /// The address that is listened on.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    /// Makes the core on a thread of its own, where a store may block, and serves. Passwords are judged
    /// by `authenticator`.
    ///
    /// # Errors
    /// Those of `make`; the port is closed then.
    pub async fn serve<S, E, F, Failed>(
        self,
        make: F,
        authenticator: Arc<dyn Authenticator>,
    ) -> Result<Running, Failed>
    where
        S: Store,
        E: Entropy,
        F: FnOnce() -> Result<Core<S, E>, Failed> + Send + 'static,
        Failed: Send + 'static,
    {
        let (to_core, jobs) = to_core::queue();
        let (wake, wakes) = watch::channel(Timestamp::from_ms(u64::MAX));
        let (made, outcome) = oneshot::channel();
        let (ended, end) = oneshot::channel();
        std::thread::spawn(move || {
            match make() {
                Ok(core) => {
                    // Failing to tell means that the caller gave up waiting; the queue is closed then.
                    let _ = made.send(Ok(()));
                    core::run(core, jobs, &wake);
                }
                Err(error) => {
                    let _ = made.send(Err(error));
                }
            }
            let _ = ended.send(());
        });
        match outcome.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(error),
            // The thread ends the process if it fails.
            Err(_) => std::process::abort(),
        }
        let judge = Judge::new(authenticator, to_core.clone());
        Ok(self.run(to_core, judge, wakes, end).await)
    }

    async fn run(
        self,
        to_core: ToCore,
        judge: Judge,
        wakes: watch::Receiver<Timestamp>,
        end: oneshot::Receiver<()>,
    ) -> Running {
        let draining = Arc::new(AtomicBool::new(false));
        let strangers = Arc::new(Strangers::default());
        let media = Media::new(self.shelf, to_core.clone());
        let ours = (to_core.clone(), media.clone());
        let dialler = Dialler::new(self.endpoint.clone(), self.dialling, ours, Arc::clone(&strangers));
        to_core.job(Job::Outside(dialler, judge)).await;
        to_core.input(Input::Tick).await;
        let timer = tokio::spawn(tick(wakes, to_core.clone()));
        let acceptor = Acceptor {
            endpoint: self.endpoint.clone(),
            domain: self.domain,
            to_core: to_core.clone(),
            media,
            strangers,
            draining: Arc::clone(&draining),
        };
        let acceptor = tokio::spawn(acceptor.run());
        Running { endpoint: self.endpoint, to_core, draining, tasks: [timer, acceptor], end }
    }
}

/// Feeds a tick at the time that the core asked for last, and once a minute in any case: the clock of
/// the machine may be set while this waits.
async fn tick(mut wakes: watch::Receiver<Timestamp>, to_core: ToCore) {
    const LONGEST: Duration = Duration::from_secs(60);
    loop {
        let at = *wakes.borrow_and_update();
        let wait = Duration::from_millis(at.since_ms(now())).min(LONGEST);
        tokio::select! {
            () = tokio::time::sleep(wait) => to_core.input(Input::Tick).await,
            // Waiting has taken note of the change: the time is read anew before the next wait.
            changed = wakes.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        }
        if wait.is_zero() {
            // The core has had its tick; until it asks for something new, once a minute will do.
            if let Ok(Err(_)) = tokio::time::timeout(LONGEST, wakes.changed()).await {
                return;
            }
        }
    }
}

/// A node that serves.
#[derive(Debug)]
pub struct Running {
    endpoint: quinn::Endpoint,
    to_core: ToCore,
    draining: Arc<AtomicBool>,
    tasks: [JoinHandle<()>; 2],
    end: oneshot::Receiver<()>,
}

/// Where an administrator's requests go.
#[derive(Clone, Debug)]
pub struct AdminPort(ToCore);

impl AdminPort {
    /// Has the core answer the node itself.
    ///
    /// # Errors
    /// `Draining` if the node ended before it answered.
    pub async fn ask(&self, request: proto::AdminRequest) -> Result<proto::AdminResponse, ErrorCode> {
        self.ask_as(None, request).await
    }

    /// Has the core answer a user of the machine.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn ask_as(
        &self,
        uid: Option<u32>,
        request: proto::AdminRequest,
    ) -> Result<proto::AdminResponse, ErrorCode> {
        let (answer, answered) = oneshot::channel();
        self.0.job(Job::Admin(AdminId(self.0.next_id()), request, uid, answer)).await;
        answered.await.map_err(|_| ErrorCode::Draining)
    }
}

impl Running {
    /// The address that is listened on.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    /// For the administrator's socket.
    #[must_use]
    pub fn admin(&self) -> AdminPort {
        AdminPort(self.to_core.clone())
    }

    /// Ends in good order, within `DRAIN_MS`: nobody new is let in, sessions and peers are told
    /// `Draining` after what was queued for them, the core decides and commits what it has taken, and
    /// the store is closed.
    pub async fn drain(self) {
        self.draining.store(true, Ordering::Relaxed);
        self.to_core.input(Input::Drain).await;
        let told = async {
            while self.endpoint.open_connections() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let deadline = Duration::from_millis(limits::DRAIN_MS);
        let _ = tokio::time::timeout(deadline / 2, told).await;
        self.endpoint.close(quinn::VarInt::from_u32(ErrorCode::Draining.code()), &[]);
        self.to_core.job(Job::Stop).await;
        if tokio::time::timeout(deadline / 2, self.end).await.is_err() {
            tracing::warn!("the core did not end in time");
        }
        let _ =
            tokio::time::timeout(Duration::from_millis(limits::GOODBYE_MS), self.endpoint.wait_idle()).await;
        for task in self.tasks {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever time the timer was waiting for when a new one came, the new one counts.
    #[tokio::test]
    async fn a_time_that_is_asked_for_while_another_runs_out_is_not_lost() {
        for _ in 0..20 {
            let (to_core, mut jobs) = to_core::queue();
            let (wake, wakes) = watch::channel(now());
            let timer = tokio::spawn(tick(wakes, to_core));
            // The timer begins to wait for the first time.
            tokio::task::yield_now().await;
            let at = now().plus_ms(20);
            wake.send_replace(at);
            let told = async {
                while now() < at {
                    jobs.next().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(10), told).await.expect("a tick at the new time");
            timer.abort();
        }
    }
}
