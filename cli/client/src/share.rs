//! Programs of one device side by side: the first that opens the directory owns it and serves the
//! others over a Unix socket inside it; when it ends, one of the others takes over.

mod frames;
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
    device::{DeviceDir, is_device},
    driver,
    request::Ask,
    view::Happening,
};

/// How long the owner may take to serve its socket after it has the directory.
const OWNER_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// A path of a Unix socket may have this many bytes on every system that we know.
const SOCKET_PATH_MAX: usize = 100;

/// Serves one handle of the client until it is closed, as owner or as guest, whichever it can be.
/// `begun` hears once whether that worked.
pub(crate) async fn serve(
    dir: DeviceDir,
    mut asks: mpsc::Receiver<Ask>,
    happenings: broadcast::Sender<Happening>,
    begun: oneshot::Sender<Result<(), ClientError>>,
    own_asks: mpsc::WeakSender<Ask>,
) {
    let mut begun = Some(begun);
    let mut waiting_since = Instant::now();
    let mut missed = false;
    loop {
        if std::mem::take(&mut missed) {
            // What happened between the two owners was told to nobody. Nobody may be listening.
            let _ = happenings.send(Happening::Missed);
        }
        if !is_device(dir.dir()) {
            return refuse(begun, ClientError::NoDevice(dir.dir().to_owned()));
        }
        match dir.own() {
            Ok(Some(ownership)) => {
                let served = server::Served::start(&dir, own_asks.clone(), happenings.clone());
                let done = driver::own(&dir, ownership, &mut asks, &happenings, begun.take(), served).await;
                if let Some(done) = done {
                    let _ = done.send(());
                }
                return;
            }
            Ok(None) => {}
            Err(error) => return refuse(begun, error),
        }
        match connect(&dir).await {
            Ok(stream) => match guest::run(stream, &mut asks, &happenings, &mut begun).await {
                guest::End::Closed(done) => {
                    if let Some(done) = done {
                        let _ = done.send(());
                    }
                    return;
                }
                guest::End::OwnerGone => {
                    waiting_since = Instant::now();
                    missed = true;
                }
                guest::End::Refused(error) => return refuse(begun, error),
            },
            Err(()) if waiting_since.elapsed() > OWNER_WITHIN && begun.is_some() => {
                return refuse(begun, ClientError::Owner("does not answer"));
            }
            Err(()) => {}
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn refuse(begun: Option<oneshot::Sender<Result<(), ClientError>>>, error: ClientError) {
    match begun {
        Some(begun) => {
            // The opener may have gone away.
            let _ = begun.send(Err(error));
        }
        None => tracing::error!(%error, "the device cannot be reached any more"),
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
