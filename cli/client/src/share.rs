//! Programs of one device side by side: the first that opens the directory owns it and serves the
//! others over a Unix socket inside it; when it ends, one of the others takes over, if it can unlock
//! the directory. Only the owner has the keys.

mod begun;
mod frames;
#[cfg(fuzzing)]
pub mod fuzzing;
mod guest;
mod server;
#[cfg(test)]
mod tests;

pub(crate) use server::Served;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    net::UnixStream,
    sync::{broadcast, mpsc, oneshot},
    time::Instant,
};

use crate::{
    ClientError,
    device::{DeviceDir, Ownership, is_device},
    driver::{self, Owned},
    request::{Ask, Reply, Request},
    seal::{self, SealedDir, Unlock},
    view::Happening,
};

pub(crate) use begun::Begun;

/// How long the owner may take to serve its socket after it has the directory.
const OWNER_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How often to look whether another program has unlocked a device that is locked.
const LOOK_WHILE_LOCKED: Duration = Duration::from_millis(200);
/// How often to look whether an owner that serves as many as it can has a place again.
const LOOK_WHILE_CROWDED: Duration = Duration::from_secs(1);
/// A path of a Unix socket may have this many bytes on every system that we know.
const SOCKET_PATH_MAX: usize = 100;

/// With what a handle begins.
pub(crate) enum Opening {
    /// With what unlocks the directory.
    Unlock(Unlock),
    /// With a directory that was unlocked.
    Open(SealedDir),
}

/// One handle of the client, as the task sees it that serves it.
pub(crate) struct Handle {
    dir: DeviceDir,
    opening: Opening,
    asks: mpsc::Receiver<Ask>,
    own_asks: mpsc::WeakSender<Ask>,
    happenings: broadcast::Sender<Happening>,
    locked: bool,
    waiting_since: Instant,
}

/// What comes next.
enum Step {
    Now,
    LookAgain,
    LookLater,
    Failed(ClientError),
    Closed(Option<oneshot::Sender<()>>),
}

/// Serves one handle of the client until it is closed, as owner or as guest, whichever it can be.
/// `begun` hears once whether that worked.
pub(crate) async fn serve(mut handle: Handle, begun: oneshot::Sender<Result<(), ClientError>>) {
    let mut begun = Begun::first(begun);
    loop {
        match handle.step(&mut begun).await {
            Step::Now => {}
            Step::LookAgain => tokio::time::sleep(LOOK_AGAIN).await,
            Step::LookLater => tokio::time::sleep(LOOK_WHILE_CROWDED).await,
            Step::Closed(done) => {
                if let Some(done) = done {
                    let _ = done.send(());
                }
                return;
            }
            Step::Failed(error) => {
                let shut = matches!(
                    error,
                    ClientError::Locked | ClientError::WrongPassphrase | ClientError::Keyring(_)
                );
                if !begun.is_awaited() && !shut {
                    return tracing::error!(%error, "the device cannot be reached any more");
                }
                if begun.fail(error) {
                    return;
                }
                handle.lock(&mut begun);
            }
        }
    }
}

impl Handle {
    /// A handle that has neither owner nor guest's place yet.
    pub(crate) fn new(
        dir: DeviceDir,
        opening: Opening,
        asks: (mpsc::WeakSender<Ask>, mpsc::Receiver<Ask>),
        happenings: broadcast::Sender<Happening>,
    ) -> Self {
        let (own_asks, asks) = asks;
        Self { dir, opening, asks, own_asks, happenings, locked: false, waiting_since: Instant::now() }
    }

    /// Forgets with what the device could be unlocked, and says that it is locked.
    fn lock(&mut self, begun: &mut Begun) {
        self.opening = Opening::Unlock(Unlock::Stored);
        self.locked = true;
        if begun.locked() {
            // Nobody may be listening.
            let _ = self.happenings.send(Happening::Locked);
        }
    }

    async fn step(&mut self, begun: &mut Begun) -> Step {
        if self.locked
            && let Some(step) = self.rest(begun).await
        {
            return step;
        }
        if !is_device(self.dir.dir()) {
            return Step::Failed(ClientError::NoDevice(self.dir.dir().to_owned()));
        }
        if !self.locked {
            match self.dir.own() {
                Ok(Some(ownership)) => return self.own(ownership, begun).await,
                Ok(None) => {}
                Err(error) => return Step::Failed(error),
            }
        }
        match connect(&self.dir).await {
            Ok(stream) => self.visit(stream, begun).await,
            Err(()) => self.unheard(begun),
        }
    }

    /// Nothing was heard of the owner yet.
    fn unheard(&self, begun: &Begun) -> Step {
        if self.waiting_since.elapsed() >= OWNER_WITHIN && begun.is_awaited() {
            return Step::Failed(ClientError::Owner("does not answer"));
        }
        Step::LookAgain
    }

    /// While the device is locked: answers so, until somebody unlocks it. `None` to look whether
    /// another program has.
    async fn rest(&mut self, begun: &mut Begun) -> Option<Step> {
        let ask = tokio::select! {
            ask = self.asks.recv() => ask,
            () = tokio::time::sleep(LOOK_WHILE_LOCKED) => return None,
        };
        match ask {
            None => Some(Step::Closed(None)),
            Some(Ask::Close(done)) => Some(Step::Closed(Some(done))),
            Some(Ask::Unlock(unlock, answer)) => {
                self.opening = Opening::Unlock(unlock);
                self.locked = false;
                self.waiting_since = Instant::now();
                begun.again(answer);
                None
            }
            Some(Ask::Request(request, answer)) => {
                let done = if request == Request::Lock { Ok(Reply::Done) } else { Err(ClientError::Locked) };
                // The asker may have gone away.
                let _ = answer.send(done);
                Some(Step::Now)
            }
        }
    }

    async fn own(&mut self, ownership: Ownership, begun: &mut Begun) -> Step {
        // What unlocks is not kept: the owner has the keys until it ends.
        let opening = std::mem::replace(&mut self.opening, Opening::Unlock(Unlock::Stored));
        let opened = match opening {
            Opening::Open(opened) => Ok(opened),
            Opening::Unlock(unlock) => seal::unlock(&self.dir, &unlock).await,
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return Step::Failed(error),
        };
        let served = server::Served::start(&self.dir, self.own_asks.clone(), self.happenings.clone());
        match driver::own(opened, ownership, &mut self.asks, &self.happenings, begun, served).await {
            Owned::Closed(done) => Step::Closed(done),
            Owned::Failed(error) => Step::Failed(error),
            Owned::Locked(answer) => {
                // Those who watch have heard it already.
                begun.locked();
                self.lock(begun);
                let _ = answer.send(Ok(Reply::Done));
                Step::Now
            }
        }
    }

    async fn visit(&mut self, stream: UnixStream, begun: &mut Begun) -> Step {
        self.locked = false;
        let until = if begun.is_awaited() { self.waiting_since } else { Instant::now() } + OWNER_WITHIN;
        match guest::run((stream, until), &mut self.asks, &self.happenings, begun, &self.own_asks).await {
            guest::End::Closed(done) => Step::Closed(done),
            guest::End::OwnerGone => {
                self.waiting_since = Instant::now();
                // What happens between the two owners is told to nobody. Nobody may be listening.
                let _ = self.happenings.send(Happening::Missed);
                Step::LookAgain
            }
            guest::End::Unheard => self.unheard(begun),
            guest::End::Crowded if begun.is_awaited() => Step::Failed(ClientError::Crowded),
            // It had a place with another owner, and gets one as soon as there is one.
            guest::End::Crowded => Step::LookLater,
            guest::End::Locked => {
                self.lock(begun);
                Step::Now
            }
            guest::End::Refused(error) => Step::Failed(error),
        }
    }
}

async fn connect(dir: &DeviceDir) -> Result<UnixStream, ()> {
    let address = SocketPath::of(dir).map_err(|_| ())?;
    UnixStream::connect(&address.path).await.map_err(|_| ())
}

/// Where the socket of a directory is: its path, or a short way to the same file where the path is
/// longer than a socket's may be.
struct SocketPath {
    path: PathBuf,
    _directory: Option<Arc<std::fs::File>>,
}

impl SocketPath {
    fn of(dir: &DeviceDir) -> std::io::Result<Self> {
        use std::os::{fd::AsRawFd as _, unix::ffi::OsStrExt as _};
        let path = dir.path("socket");
        if path.as_os_str().as_bytes().len() <= SOCKET_PATH_MAX {
            return Ok(Self { path, _directory: None });
        }
        let directory = Arc::new(std::fs::File::open(dir.dir())?);
        let path = PathBuf::from(format!("/proc/self/fd/{}/socket", directory.as_raw_fd()));
        Ok(Self { path, _directory: Some(directory) })
    }
}
