//! Asks a running node over its socket, as its administrator.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use wire::{
    WireError, frame,
    proto::{AdminRequest, AdminResponse, admin_request::Request, admin_response::Response},
};

use crate::{
    data::DataDir,
    failure::{Exit, Failure},
};

/// A node that is well answers far sooner.
const PATIENCE: Duration = Duration::from_secs(20);

/// The answer of the node of a data directory.
///
/// # Errors
/// `NodeNotRunning`, `PermissionDenied`, `NodeSilent`; `NodeRefused` with the error that it gave.
pub(crate) fn ask(data: &DataDir, request: Request) -> Result<Response, Failure> {
    let socket = UnixStream::connect(data.socket()).map_err(|error| {
        if error.kind() == std::io::ErrorKind::PermissionDenied {
            return Failure::io(&data.socket(), &error);
        }
        let what = format!("no node runs on {}: {error}", data.path().display());
        Failure::new(Exit::Unknown, "NodeNotRunning", what, "`comityd run`, or `systemctl start comityd`")
    })?;
    let response = converse(socket, request).map_err(|error| {
        let what = format!("the node does not answer: {error}");
        Failure::new(Exit::Unknown, "NodeSilent", what, "look into its log; restart it if it is stuck")
    })?;
    match response.response {
        Some(Response::Error(error)) => {
            let error = WireError::from(&error);
            let what = format!("the node refused: {}", error.code.meaning());
            Err(Failure::new(Exit::Unknown, "NodeRefused", what, error.code.hint()))
        }
        Some(response) => Ok(response),
        None => Err(Failure::new(
            Exit::Unknown,
            "NodeSilent",
            "the node's answer is empty",
            "update both programs",
        )),
    }
}

fn converse(mut socket: UnixStream, request: Request) -> std::io::Result<AdminResponse> {
    let bad = |error: wire::ErrorCode| std::io::Error::other(error.name());
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.write_all(&frame::encode(&AdminRequest { request: Some(request) }).map_err(bad)?)?;
    let mut decoder = frame::Decoder::default();
    let mut buffer = [0; 4096];
    loop {
        if let Some(answer) = decoder.next().map_err(bad)? {
            return Ok(answer);
        }
        let read = socket.read(&mut buffer)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        decoder.push(buffer.get(..read).unwrap_or_default());
    }
}
