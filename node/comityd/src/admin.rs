//! The administrator's socket: requests of `admin.proto` from the user that runs the node.

use std::{fs, path::Path, sync::Arc, time::Duration};

use bytes::BytesMut;
use net::AdminPort;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::timeout,
};
use wire::{ErrorCode, frame, limits, proto, proto::admin_response::Response};

use crate::failure::{Exit, Failure};

/// Administrators at one time; another waits.
const CONNECTIONS_MAX: usize = 8;
/// A connection that asks nothing for so long is closed.
const IDLE: Duration = Duration::from_millis(limits::IDLE_TIMEOUT_MS);

/// Opens the socket. Whoever calls holds the directory's lock, so a socket that stands there is what
/// a killed process left behind.
///
/// # Errors
/// `FileUnusable`, `SocketPathTooLong`.
pub(crate) fn bind(path: &Path) -> Result<UnixListener, Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Failure::io(path, &error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidInput => Failure::new(
            Exit::Usage,
            "SocketPathTooLong",
            format!("{} is too long for the name of a socket", path.display()),
            "choose a data directory with a shorter path (at most about 95 bytes)",
        ),
        _ => Failure::io(path, &error),
    })?;
    // The directory is closed to others, so nobody came in between.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(|error| Failure::io(path, &error))?;
    Ok(listener)
}

/// Serves until the task is ended.
pub(crate) async fn serve(listener: UnixListener, port: AdminPort) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, for example: it may be better in a moment.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let port = port.clone();
        tokio::spawn(async move {
            if let Err(error) = converse(stream, &port).await {
                tracing::debug!(%error, "an administrator's connection ended");
            }
            drop(place);
        });
    }
}

/// Answers requests one after the other. [ADMIN-1] Only the user that runs the node, or root, is
/// answered; everybody else gets `AuthFailed`.
async fn converse(mut stream: UnixStream, port: &AdminPort) -> Result<(), ErrorCode> {
    let peer = stream.peer_cred().map_err(|_| ErrorCode::AuthFailed)?.uid();
    if peer != 0 && peer != rustix::process::geteuid().as_raw() {
        return refuse(&mut stream, ErrorCode::AuthFailed).await;
    }
    let mut decoder = frame::Decoder::default();
    decoder.set_bytes_max(limits::ADMIN_FRAME_BYTES_MAX);
    loop {
        match decoder.next::<proto::AdminRequest>() {
            Ok(Some(request)) => {
                let response = port.ask_as(Some(peer), request).await.unwrap_or_else(error);
                write(&mut stream, &response).await?;
            }
            Ok(None) => {
                let mut bytes = BytesMut::with_capacity(4096);
                let read =
                    timeout(IDLE, stream.read_buf(&mut bytes)).await.map_err(|_| ErrorCode::Timeout)?;
                match read {
                    Ok(0) if decoder.is_empty() => return Ok(()),
                    Ok(0) => return refuse(&mut stream, ErrorCode::Malformed).await,
                    Ok(_) => decoder.push(&bytes),
                    Err(_) => return Err(ErrorCode::Unavailable),
                }
            }
            // [ADMIN-2] What cannot be read is answered with its error, and then the connection ends.
            Err(code) => return refuse(&mut stream, code).await,
        }
    }
}

fn error(code: ErrorCode) -> proto::AdminResponse {
    proto::AdminResponse { response: Some(Response::Error(code.into())) }
}

async fn refuse(stream: &mut UnixStream, code: ErrorCode) -> Result<(), ErrorCode> {
    write(stream, &error(code)).await?;
    // What was sent and not read would turn the close into a reset that swallows the answer.
    let mut rest = BytesMut::with_capacity(4096);
    let drained = async {
        while stream.read_buf(&mut rest).await.is_ok_and(|read| read > 0) {
            rest.clear();
        }
    };
    let _ = timeout(Duration::from_millis(limits::GOODBYE_MS), drained).await;
    Err(code)
}

async fn write(stream: &mut UnixStream, response: &proto::AdminResponse) -> Result<(), ErrorCode> {
    let bytes = frame::encode(response).or_else(|code| frame::encode(&error(code)))?;
    stream.write_all(&bytes).await.map_err(|_| ErrorCode::Unavailable)
}
