//! Frames over one QUIC stream: read with a deadline on every frame that was begun, written many
//! at a time.

use std::{collections::VecDeque, time::Duration};

use bytes::{Bytes, BytesMut};
use prost::Message;
use quinn::{ReadError, RecvStream, SendStream};
use tokio::time::{Instant, timeout_at};
use wire::{ErrorCode, Frame, frame, limits};

/// One read takes at most this much, which bounds what a decoder holds beside its frame.
const READ_BYTES_MAX: usize = 64 * 1024;
/// Frames are put together up to about this size before they are written.
const WRITE_BYTES: usize = 64 * 1024;

/// The receiving half of a stream of frames.
#[derive(Debug)]
pub(crate) struct FrameReader {
    stream: RecvStream,
    decoder: frame::Decoder,
}

impl FrameReader {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self { stream, decoder: frame::Decoder::default() }
    }

    /// Sets the most bytes that a frame may have, from the next one on.
    pub(crate) const fn set_bytes_max(&mut self, bytes_max: usize) {
        self.decoder.set_bytes_max(bytes_max);
    }

    /// How many bytes the message of the last frame had.
    pub(crate) const fn last_bytes(&self) -> usize {
        self.decoder.last_bytes()
    }

    /// The next frame, `None` at the end of the stream. A frame that has begun must be whole within
    /// `REQUEST_DEADLINE_MS`; between frames a stream may rest for ever.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`, also for an end in the middle of a frame; `Timeout`; `Unavailable`
    /// if the connection or the stream is gone.
    pub(crate) async fn next<M: Frame>(&mut self) -> Result<Option<M>, ErrorCode> {
        let mut deadline = None;
        loop {
            if let Some(message) = self.decoder.next()? {
                return Ok(Some(message));
            }
            if !self.decoder.is_empty() {
                let whole = Duration::from_millis(limits::REQUEST_DEADLINE_MS);
                deadline.get_or_insert_with(|| Instant::now() + whole);
            }
            let read = self.stream.read_chunk(READ_BYTES_MAX, true);
            let read = match deadline {
                Some(at) => timeout_at(at, read).await.map_err(|_| ErrorCode::Timeout)?,
                None => read.await,
            };
            match read {
                Ok(Some(chunk)) => self.decoder.push(&chunk.bytes),
                Ok(None) if self.decoder.is_empty() => return Ok(None),
                Ok(None) => return Err(ErrorCode::Malformed),
                Err(ReadError::IllegalOrderedRead) => return Err(ErrorCode::Internal),
                Err(_) => return Err(ErrorCode::Unavailable),
            }
        }
    }

    /// As [`Self::next`], for a frame that must be there at `at`.
    ///
    /// # Errors
    /// As [`Self::next`]; `Malformed` if the stream ends first.
    pub(crate) async fn expect<M: Frame>(&mut self, at: Instant) -> Result<M, ErrorCode> {
        let frame = timeout_at(at, self.next()).await.map_err(|_| ErrorCode::Timeout)??;
        frame.ok_or(ErrorCode::Malformed)
    }
}

/// Writes encoded frames in order, small ones put together into few large writes. Holds no memory
/// between calls.
///
/// # Errors
/// `Unavailable` if the connection is gone.
pub(crate) async fn write_all(stream: &mut SendStream, mut frames: VecDeque<Bytes>) -> Result<(), ErrorCode> {
    while let Some(frame) = frames.pop_front() {
        let chunk = match frames.front() {
            Some(next) if frame.len() + next.len() <= WRITE_BYTES => join(frame, &mut frames),
            _ => frame,
        };
        stream.write_chunk(chunk).await.map_err(|_| ErrorCode::Unavailable)?;
    }
    Ok(())
}

fn join(first: Bytes, frames: &mut VecDeque<Bytes>) -> Bytes {
    let mut joined = BytesMut::with_capacity(WRITE_BYTES);
    joined.extend_from_slice(&first);
    while let Some(next) = frames.pop_front_if(|next| joined.len() + next.len() <= WRITE_BYTES) {
        joined.extend_from_slice(&next);
    }
    joined.freeze()
}

/// Writes one frame.
///
/// # Errors
/// As [`write_all`].
pub(crate) async fn write<M: Message>(stream: &mut SendStream, message: &M) -> Result<(), ErrorCode> {
    let bytes = frame::encode(message)?;
    stream.write_chunk(bytes).await.map_err(|_| ErrorCode::Unavailable)
}

/// Ends a stream and waits a moment until the other side has everything: closing a connection
/// throws away what is still under way.
pub(crate) async fn finish(stream: &mut SendStream) {
    if stream.finish().is_ok() {
        let delivered = Duration::from_millis(limits::GOODBYE_MS);
        // Either way the connection is closed next.
        let _ = tokio::time::timeout(delivered, stream.stopped()).await;
    }
}
