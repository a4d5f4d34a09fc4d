//! The frames on the directory's socket: four bytes of length, most significant first, then JSON.
//! The length is checked before anything is allocated.

use std::io;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::{
    request::{Failure, Reply, Request},
    view::Happening,
};

/// Two programs that speak different versions do not speak.
pub(super) const VERSION: u32 = 3;
/// What a guest may send at once: a text of 64 KiB in its longest escape, and its envelope.
pub(super) const REQUEST_BYTES_MAX: usize = 524_288;
/// What an owner may answer at once: a page of messages in its longest escape.
pub(super) const REPLY_BYTES_MAX: usize = 4_194_304;

/// From a guest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FromGuest {
    /// First of all.
    Hello { version: u32 },
    /// A question; the number comes back with the answer.
    Ask { id: u64, request: Request },
}

/// From the owner.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FromOwner {
    /// The answer to a hello.
    Hello { version: u32 },
    /// The answer to a question.
    Answer { id: u64, result: Result<Reply, Failure> },
    /// Something happened.
    Happening(Happening),
    /// Why the connection is closed: an error of `spec/errors.toml`.
    Goodbye(u32),
}

/// Why a frame could not be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// Longer than the limit.
    TooLarge,
    /// Not JSON of a known form.
    Malformed,
    /// The other side is gone.
    Gone,
}

/// Reads one frame.
pub(super) async fn read<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
) -> Result<T, ReadError> {
    let length = stream.read_u32().await.map_err(|_| ReadError::Gone)?;
    let length = usize::try_from(length).map_err(|_| ReadError::TooLarge)?;
    if length > bytes_max {
        return Err(ReadError::TooLarge);
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.map_err(|_| ReadError::Gone)?;
    serde_json::from_slice(&bytes).map_err(|_| ReadError::Malformed)
}

/// Writes one frame.
pub(super) async fn write<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&body);
    stream.write_all(&frame).await
}
