//! The administrator's side of a node's socket.

use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result};
use wire::{
    WireError, frame,
    proto::{AdminRequest, AdminResponse, admin_request::Request, admin_response::Response},
};

/// An answer takes at most this long; longer means that the node hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks the node of a data directory.
///
/// # Errors
/// What the node refused, as a [`WireError`], anything else if there was no answer.
pub fn ask(data: &Path, request: Request) -> Result<Response> {
    let bytes = frame::encode(&AdminRequest { request: Some(request) })?;
    match ask_raw(data, &bytes)?.response.context("an empty answer")? {
        Response::Error(error) => Err(WireError::from(&error).into()),
        response => Ok(response),
    }
}

/// Writes any bytes to the socket and reads one answer.
///
/// # Errors
/// If there was no answer.
pub fn ask_raw(data: &Path, bytes: &[u8]) -> Result<AdminResponse> {
    let mut socket = UnixStream::connect(data.join("admin.sock")).context("the socket of the node")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(bytes)?;
    socket.shutdown(Shutdown::Write)?;
    let mut decoder = frame::Decoder::default();
    let mut buffer = [0; 4096];
    loop {
        if let Some(answer) = decoder.next()? {
            return Ok(answer);
        }
        let read = socket.read(&mut buffer)?;
        anyhow::ensure!(read > 0, "the node closed the socket without an answer");
        decoder.push(buffer.get(..read).unwrap_or_default());
    }
}
