//! Talks to a node's administrative socket, which stands in its data directory and which only the
//! node's owner may open.

use std::{io, path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::timeout,
};
use wire::{WireError, frame, proto};

use crate::error::CliError;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Asks the node that owns `data` one thing.
///
/// # Errors
/// `Unreachable` if no node runs there, what the node refused with, or a storage error if the
/// directory may not be read.
pub(crate) async fn ask(
    data: &Path,
    what: &str,
    request: proto::admin_request::Request,
) -> Result<proto::admin_response::Response, CliError> {
    let mut stream = connect(data).await?;
    let request = proto::AdminRequest { request: Some(request) };
    let bytes = frame::encode(&request).map_err(|code| CliError::wire(what, code.into()))?;
    stream.write_all(&bytes).await?;
    let response = timeout(ANSWER_WITHIN, read(&mut stream, what))
        .await
        .map_err(|_| CliError::unreachable(format!("{what}: the node does not answer")))??;
    match response.response {
        Some(proto::admin_response::Response::Error(error)) => {
            Err(CliError::wire(what, WireError::from(&error)))
        }
        Some(response) => Ok(response),
        None => Err(CliError::failed(format!("{what}: the node answers with something unknown"))
            .hint("update comity to the node's version")),
    }
}

/// An answer of another kind than was asked for.
pub(crate) fn unexpected(what: &str) -> CliError {
    CliError::failed(format!("{what}: the node answers with something else"))
        .hint("update comity to the node's version")
}

async fn connect(data: &Path) -> Result<UnixStream, CliError> {
    let socket = data.join("admin.sock");
    UnixStream::connect(&socket).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused if data.is_dir() => {
            CliError::unreachable(format!("no node runs on {}", data.display()))
                .hint(format!("start it: comityd run --data {}", data.display()))
        }
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            CliError::not_found(format!("there is no data directory {}", data.display()))
                .hint("give with --data, or COMITY_DATA, what `comityd run` was given")
        }
        _ => CliError::storage(format!("cannot open {}", socket.display()))
            .cause(error.to_string())
            .hint("run it as the user that runs comityd, for example: sudo -u comity comity ..."),
    })
}

async fn read(stream: &mut UnixStream, what: &str) -> Result<proto::AdminResponse, CliError> {
    let mut decoder = frame::Decoder::default();
    let mut buffer = vec![0; 65_536];
    loop {
        if let Some(response) = decoder.next().map_err(|code| CliError::wire(what, code.into()))? {
            return Ok(response);
        }
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Err(CliError::unreachable(format!("{what}: the node hung up before it answered")));
        }
        decoder.push(buffer.get(..read).unwrap_or_default());
    }
}
