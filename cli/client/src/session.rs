//! Keeps a session with the home node: dials, proves the device, carries frames, and tries again
//! with jittered backoff when it falls.

use engine::device::DeviceKeys;
use identity::session;
use machine::{Backoff, Entropy as _};
use tokio::sync::mpsc;
use wire::{
    ErrorCode, WireError,
    proto::{ClientFrame, NodeFrame, SessionReady, client_frame, node_frame},
};

use crate::{
    ClientError,
    clock::{self, SystemEntropy},
    home::Home,
    quic::{self, Connection},
    seal::SealedDir,
};

/// Frames between the socket and the engine; beyond it the reader stops reading.
const FRAMES_WAITING_MAX: usize = 256;
const FIRST_RETRY_MS: u64 = 250;
const LAST_RETRY_MS: u64 = 30_000;
const STORE_ID_BYTES: usize = 16;

/// What the keeper of the session tells the driver.
pub(crate) enum SessionEvent {
    /// A session stands: frames may be sent.
    Up {
        /// What the node said.
        ready: SessionReady,
        /// Where it was reached.
        endpoint: String,
        /// Frames for this session only.
        frames: mpsc::Sender<ClientFrame>,
        /// The connection, for what has streams of its own.
        connection: quinn::Connection,
    },
    /// A frame came.
    Frame(NodeFrame),
    /// The session fell or could not be made.
    Down(ClientError),
}

/// Events of sessions, one after the other, until the receiver is dropped. `close` ends the one
/// that stands in good order.
pub(crate) fn keep(
    dir: SealedDir,
    mut home: Home,
    keys: DeviceKeys,
) -> (mpsc::Receiver<SessionEvent>, Keeper) {
    let (events, receiver) = mpsc::channel(FRAMES_WAITING_MAX);
    let task = tokio::spawn(async move {
        let mut backoff = Backoff::default();
        loop {
            let outcome = run(&dir, &mut home, &keys, &events, &mut backoff).await;
            if events.send(SessionEvent::Down(outcome)).await.is_err() {
                return;
            }
            backoff.failed(clock::now(), FIRST_RETRY_MS, FIRST_RETRY_MS, LAST_RETRY_MS, &mut SystemEntropy);
            let spread = u64::from(SystemEntropy.array::<1>()[0]);
            tokio::time::sleep(clock::until(machine::Timestamp::from_ms(backoff.next_ms).plus_ms(spread)))
                .await;
        }
    });
    (receiver, Keeper { task })
}

/// The task that keeps sessions; ends when dropped.
pub(crate) struct Keeper {
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    dir: &SealedDir,
    home: &mut Home,
    keys: &DeviceKeys,
    events: &mpsc::Sender<SessionEvent>,
    backoff: &mut Backoff,
) -> ClientError {
    match session(dir, home, keys, events, backoff).await {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn session(
    dir: &SealedDir,
    home: &mut Home,
    keys: &DeviceKeys,
    events: &mpsc::Sender<SessionEvent>,
    backoff: &mut Backoff,
) -> Result<std::convert::Infallible, ClientError> {
    let mut connection = Connection::open(home).await?;
    home.remember(dir, &connection.document)?;
    let hello =
        session::sign(&keys.secret, &keys.account, keys.device, &connection.exporter()?, clock::now());
    connection.write(&ClientFrame { frame: Some(client_frame::Frame::Hello(hello)) }).await?;
    let ready = match connection.answer().await?.frame {
        // The name is kept, and told with every subscription.
        Some(node_frame::Frame::Ready(ready)) if ready.store_id.len() == STORE_ID_BYTES => ready,
        Some(node_frame::Frame::Goodbye(error)) => return Err(WireError::from(&error).into()),
        _ => return Err(ErrorCode::Malformed.into()),
    };
    backoff.contact();
    let (sender, outgoing) = mpsc::channel(FRAMES_WAITING_MAX);
    let up = SessionEvent::Up {
        ready,
        endpoint: connection.endpoint.clone(),
        frames: sender,
        connection: connection.quic.clone(),
    };
    events.send(up).await.map_err(|_| ClientError::Closed)?;
    let Connection { quic, send, mut frames, socket: _socket, .. } = connection;
    let writer = write(send, quic.clone(), outgoing);
    let reader = async {
        loop {
            let frame = match frames.next().await {
                Ok(frame) => frame,
                Err(error) => return ClientError::from(error),
            };
            if events.send(SessionEvent::Frame(frame)).await.is_err() {
                return ClientError::Closed;
            }
        }
    };
    let error = tokio::select! { error = reader => error, error = writer => error };
    quic.close(quinn::VarInt::from_u32(0), b"");
    Err(error)
}

/// Writes frames, as many at once as are waiting; ends the stream in good order when the driver
/// drops its end.
async fn write(
    mut send: quinn::SendStream,
    quic: quinn::Connection,
    mut frames: mpsc::Receiver<ClientFrame>,
) -> ClientError {
    let mut buffer = bytes::BytesMut::new();
    let mut batch = Vec::with_capacity(64);
    loop {
        if frames.recv_many(&mut batch, 64).await == 0 {
            let _ = send.finish();
            // The node has everything, or is gone: either way there is nothing to wait for.
            let _ = tokio::time::timeout(std::time::Duration::from_millis(500), send.stopped()).await;
            return ClientError::Closed;
        }
        for frame in batch.drain(..) {
            if let Err(code) = wire::frame::encode_into(&frame, &mut buffer) {
                return code.into();
            }
        }
        if send.write_chunk(buffer.split().freeze()).await.is_err() {
            let lost = quic.close_reason().map_or(ErrorCode::Unavailable, |lost| quic::close_code(&lost));
            return lost.into();
        }
    }
}
