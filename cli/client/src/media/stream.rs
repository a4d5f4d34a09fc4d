//! One media stream: a request, its answer, and the next.

use std::time::Duration;

use tokio::time::timeout;
use wire::{
    ErrorCode, WireError, frame, limits,
    proto::{
        BeginBlob, BlobPiece, BlobState, GetBlob, MediaRequest, MediaResponse, media_request::Request,
        media_response::Response,
    },
};

use crate::quic::close_code;

/// One read takes at most this much.
const READ_BYTES_MAX: usize = 64 * 1024;

/// A stream beside the session's.
pub(super) struct MediaStream {
    send: quinn::SendStream,
    receive: quinn::RecvStream,
    decoder: frame::Decoder,
}

impl MediaStream {
    /// Opens one.
    ///
    /// # Errors
    /// `Unavailable` if the connection is gone, `Unsupported` if the node grants none.
    pub(super) async fn open(connection: &quinn::Connection) -> Result<Self, WireError> {
        let granted = Duration::from_millis(limits::HEADER_DEADLINE_MS);
        let opened = timeout(granted, connection.open_bi()).await.map_err(|_| ErrorCode::Unsupported)?;
        let (send, receive) = opened.map_err(|lost| close_code(&lost))?;
        // What people write goes first. Failing means that the stream is closed, which a write says too.
        let _ = send.set_priority(-1);
        Ok(Self { send, receive, decoder: frame::Decoder::default() })
    }

    /// Has the node take a blob, or say how far it is.
    ///
    /// # Errors
    /// What the node says; `Unavailable` if the connection is gone, `Timeout`.
    pub(super) async fn begin(&mut self, begin: BeginBlob) -> Result<BlobState, WireError> {
        match self.ask(Request::Begin(begin)).await? {
            Response::State(state) => Ok(state),
            _ => Err(ErrorCode::Malformed.into()),
        }
    }

    /// Gives the node the next piece.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(super) async fn put(&mut self, piece: BlobPiece) -> Result<BlobState, WireError> {
        match self.ask(Request::Piece(piece)).await? {
            Response::State(state) => Ok(state),
            _ => Err(ErrorCode::Malformed.into()),
        }
    }

    /// Has the node give a piece.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(super) async fn get(&mut self, get: GetBlob) -> Result<BlobPiece, WireError> {
        match self.ask(Request::Get(get)).await? {
            Response::Piece(piece) => Ok(piece),
            _ => Err(ErrorCode::Malformed.into()),
        }
    }

    async fn ask(&mut self, request: Request) -> Result<Response, WireError> {
        // A node that has to ask its peer first may take two deadlines.
        let answered = Duration::from_millis(2 * limits::REQUEST_DEADLINE_MS);
        let answer = timeout(answered, self.exchange(request)).await.map_err(|_| ErrorCode::Timeout)??;
        match answer.response.ok_or(ErrorCode::Malformed)? {
            Response::Error(error) => Err(WireError::from(&error)),
            response => Ok(response),
        }
    }

    async fn exchange(&mut self, request: Request) -> Result<MediaResponse, WireError> {
        let bytes = frame::encode(&MediaRequest { request: Some(request) })?;
        self.send.write_chunk(bytes).await.map_err(|_| ErrorCode::Unavailable)?;
        loop {
            if let Some(response) = self.decoder.next()? {
                return Ok(response);
            }
            match self.receive.read_chunk(READ_BYTES_MAX, true).await {
                Ok(Some(chunk)) => self.decoder.push(&chunk.bytes),
                Ok(None) | Err(_) => return Err(ErrorCode::Unavailable.into()),
            }
        }
    }
}
