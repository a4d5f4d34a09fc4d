//! The owner's side of the directory's socket. A guest that sends something else than a frame of a
//! known form is told the error's number and closed; the others do not notice.

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc, time::Duration};

use tokio::{
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::{Semaphore, broadcast, mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};
use wire::{ErrorCode, limits};

use super::{
    SocketPath,
    frames::{self, FromGuest, FromOwner, REQUEST_BYTES_MAX, ReadError, VERSION},
};
use crate::{
    ClientError,
    device::DeviceDir,
    request::{Ask, Failure, Request},
    view::Happening,
};

/// Programs that are served at the same time.
const GUESTS_MAX: usize = 32;
/// Questions of one guest that wait for their answers.
const QUESTIONS_MAX: usize = 64;

/// Programs that are told at the same time that they cannot be; who comes on top is cut off.
const REFUSED_MAX: usize = 32;

/// How long guests may take to go away when the device is locked.
const GO_WITHIN: Duration = Duration::from_millis(500);

/// While it lives, guests are served.
pub(crate) struct Served {
    ends: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
    dir: DeviceDir,
}

impl Served {
    /// Begins to listen. A directory in which no socket can be made is used without guests.
    pub(super) fn start(
        dir: &DeviceDir,
        asks: mpsc::WeakSender<Ask>,
        happenings: broadcast::Sender<Happening>,
    ) -> Option<Self> {
        match listen(dir) {
            Ok(listener) => {
                let (ends, ended) = oneshot::channel();
                let task = tokio::spawn(accept(listener, asks, happenings, ended));
                Some(Self { ends: Some(ends), task, dir: dir.clone() })
            }
            Err(error) => {
                tracing::warn!(%error, "other programs of this device cannot be served");
                None
            }
        }
    }
}

impl Served {
    /// Takes no more guests, and waits until those who were told that the device is locked are gone.
    pub(crate) async fn end(mut self) {
        drop(self.ends.take());
        // Those who do not go are cut off.
        let _ = timeout(GO_WITHIN, &mut self.task).await;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
        // A socket that stays behind refuses connections, which a guest knows how to read.
        let _ = self.dir.remove("socket");
    }
}

fn listen(dir: &DeviceDir) -> Result<UnixListener, ClientError> {
    dir.remove("socket")?;
    let listen = || {
        let address = SocketPath::of(dir)?;
        let listener = UnixListener::bind(&address.path)?;
        // Until here it is the directory that keeps others out: it was found to be 0700.
        fs::set_permissions(dir.path("socket"), fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    listen().map_err(|error: std::io::Error| ClientError::storage(dir.path("socket"), error))
}

async fn accept(
    listener: UnixListener,
    asks: mpsc::WeakSender<Ask>,
    happenings: broadcast::Sender<Happening>,
    mut ended: oneshot::Receiver<()>,
) {
    let (mut guests, mut refused) = (JoinSet::new(), JoinSet::new());
    loop {
        tokio::select! {
            _ = &mut ended => break,
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                if guests.len() < GUESTS_MAX {
                    guests.spawn(serve(stream, asks.clone(), happenings.subscribe()));
                } else if refused.len() < REFUSED_MAX {
                    refused.spawn(turn_away(stream));
                }
            }
            Some(_) = guests.join_next() => {}
            Some(_) = refused.join_next() => {}
        }
    }
    while guests.join_next().await.is_some() {}
}

async fn serve(stream: UnixStream, asks: mpsc::WeakSender<Ask>, happenings: broadcast::Receiver<Happening>) {
    let (mut reader, writer) = stream.into_split();
    let (answers, outgoing) = mpsc::channel(QUESTIONS_MAX);
    let writing = tokio::spawn(write(writer, outgoing, happenings));
    let error = match greet(&mut reader).await {
        Ok(()) => {
            // The writer only fails when the guest is gone, and then reading ends as well.
            let _ = answers.send(FromOwner::Hello { version: VERSION }).await;
            listen_to(&mut reader, &asks, &answers).await
        }
        Err(error) => error,
    };
    if let Some(code) = error {
        let _ = answers.send(FromOwner::Goodbye(code.code())).await;
    }
    drop(answers);
    // What was asked is still answered, to a guest that has only closed its sending half.
    let _ = writing.await;
}

/// A guest for whom there is no place is told so.
async fn turn_away(stream: UnixStream) {
    let (mut reader, mut writer) = stream.into_split();
    let code = match greet(&mut reader).await {
        Ok(()) => ErrorCode::RateLimited,
        Err(Some(code)) => code,
        Err(None) => return,
    };
    // It is short enough for the socket's own buffer, and the guest may have gone away.
    let _ = frames::write(&mut writer, &FromOwner::Goodbye(code.code())).await;
}

async fn greet(reader: &mut tokio::net::unix::OwnedReadHalf) -> Result<(), Option<ErrorCode>> {
    let deadline = Duration::from_millis(limits::HEADER_DEADLINE_MS);
    match timeout(deadline, frames::read(reader, REQUEST_BYTES_MAX)).await {
        Ok(Ok(FromGuest::Hello { version: VERSION })) => Ok(()),
        Ok(Ok(FromGuest::Hello { .. })) => Err(Some(ErrorCode::Unsupported)),
        Ok(Ok(FromGuest::Ask { .. })) => Err(Some(ErrorCode::Malformed)),
        Ok(Err(error)) => Err(code(&error)),
        Err(_) => Err(Some(ErrorCode::Timeout)),
    }
}

async fn listen_to(
    reader: &mut tokio::net::unix::OwnedReadHalf,
    asks: &mpsc::WeakSender<Ask>,
    answers: &mpsc::Sender<FromOwner>,
) -> Option<ErrorCode> {
    let room = Arc::new(Semaphore::new(QUESTIONS_MAX));
    loop {
        let (id, request) = match frames::read(reader, REQUEST_BYTES_MAX).await {
            Ok(FromGuest::Ask { id, request }) => (id, request),
            Ok(FromGuest::Hello { .. }) => return Some(ErrorCode::Malformed),
            Err(error) => return code(&error),
        };
        let Ok(permit) = room.clone().acquire_owned().await else { return Some(ErrorCode::Internal) };
        let Some(asks) = asks.upgrade() else { return Some(ErrorCode::Unavailable) };
        let answers = answers.clone();
        tokio::spawn(async move {
            // An owner that ends says nothing false: the guest sees the connection end.
            let Some(result) = put(&asks, request).await else { return };
            let result = result.map_err(|error| Failure::from(&error));
            // The guest may have gone away.
            let _ = answers.send(FromOwner::Answer { id, result }).await;
            drop(permit);
        });
    }
}

/// What the owner answers; `None` if it ends before.
async fn put(
    asks: &mpsc::Sender<Ask>,
    request: Request,
) -> Option<Result<crate::request::Reply, ClientError>> {
    let (answer, answered) = oneshot::channel();
    asks.send(Ask::Request(request, answer)).await.ok()?;
    answered.await.ok()
}

async fn write(
    mut writer: OwnedWriteHalf,
    mut answers: mpsc::Receiver<FromOwner>,
    mut happenings: broadcast::Receiver<Happening>,
) {
    let mut greeted = false;
    loop {
        let message = tokio::select! {
            answer = answers.recv() => match answer {
                Some(answer) => answer,
                None => return,
            },
            happening = happenings.recv(), if greeted => match happening {
                Ok(happening) => FromOwner::Happening(happening),
                Err(broadcast::error::RecvError::Lagged(_)) => FromOwner::Happening(Happening::Missed),
                Err(broadcast::error::RecvError::Closed) => return,
            },
        };
        greeted |= matches!(message, FromOwner::Hello { .. });
        if frames::write(&mut writer, &message).await.is_err() {
            return;
        }
    }
}

const fn code(error: &ReadError) -> Option<ErrorCode> {
    match error {
        ReadError::TooLarge => Some(ErrorCode::TooLarge),
        ReadError::Malformed => Some(ErrorCode::Malformed),
        ReadError::Gone => None,
    }
}
