//! Frames: four bytes of length, most significant first, then one protobuf message
//! (`spec/02-frames.md`). The length is checked before anything is allocated.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use prost::Message;

use crate::shape::{self, Frame};
use crate::{ErrorCode, limits};

/// Appends a frame to `out`.
///
/// # Errors
/// `TooLarge` if the message exceeds `FRAME_BYTES_MAX`; `out` is unchanged then.
pub fn encode_into<M: Message>(message: &M, out: &mut BytesMut) -> Result<(), ErrorCode> {
    let bytes = message.encoded_len();
    // [FRAME-2]
    if bytes > limits::FRAME_BYTES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    out.reserve(4 + bytes);
    out.put_u32(u32::try_from(bytes).map_err(|_| ErrorCode::TooLarge)?);
    message.encode(out).map_err(|_| ErrorCode::Internal)
}

/// One frame as bytes.
///
/// # Errors
/// As [`encode_into`].
pub fn encode<M: Message>(message: &M) -> Result<Bytes, ErrorCode> {
    let mut out = BytesMut::new();
    encode_into(message, &mut out)?;
    Ok(out.freeze())
}

/// Takes frames out of a stream of bytes. Holds at most one frame and what one read adds to it.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    bytes_max: usize,
    last_bytes: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { buffer: BytesMut::new(), bytes_max: limits::FRAME_BYTES_MAX, last_bytes: 0 }
    }
}

impl Decoder {
    /// Sets the most bytes that the message of a frame may have, from the next frame on; never more
    /// than `FRAME_BYTES_MAX`. Who is still unknown gets little.
    pub const fn set_bytes_max(&mut self, bytes_max: usize) {
        self.bytes_max =
            if bytes_max < limits::FRAME_BYTES_MAX { bytes_max } else { limits::FRAME_BYTES_MAX };
    }

    /// Adds bytes that were read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` until more bytes are pushed.
    ///
    /// # Errors
    /// `TooLarge` if the length exceeds `FRAME_BYTES_MAX` (or the lower bound that was set),
    /// `Malformed` if the message is not well-formed. The stream cannot be used after an error.
    #[expect(clippy::should_implement_trait, reason = "which message comes next, the caller says")]
    pub fn next<M: Frame>(&mut self) -> Result<Option<M>, ErrorCode> {
        // [FRAME-1]
        let Some(header) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let bytes = usize::try_from(u32::from_be_bytes(*header)).map_err(|_| ErrorCode::TooLarge)?;
        if bytes > self.bytes_max {
            return Err(ErrorCode::TooLarge);
        }
        if self.buffer.len() < 4 + bytes {
            return Ok(None);
        }
        self.buffer.advance(4);
        self.last_bytes = bytes;
        let body = self.buffer.split_to(bytes).freeze();
        if self.buffer.is_empty() {
            // A resting stream must not hold on to the memory of its last frame.
            self.buffer = BytesMut::new();
        }
        decode(body).map(Some)
    }

    /// How many bytes the message of the last frame had: what is decoded may hold on to all of them.
    #[must_use]
    pub const fn last_bytes(&self) -> usize {
        self.last_bytes
    }

    /// Whether no part of a frame is waiting for its rest.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }
}

/// Decodes the message of one frame, after a check of its shape ([`shape::check`]). A few unknown
/// fields are ignored.
///
/// # Errors
/// `TooLarge` or `Malformed`.
pub fn decode<M: Frame>(bytes: Bytes) -> Result<M, ErrorCode> {
    // [FRAME-3]
    shape::check(M::SHAPE, &bytes)?;
    M::decode(bytes).map_err(|_| ErrorCode::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto;

    fn message(number: u64) -> proto::BatchAck {
        proto::BatchAck { received: number, answers: Vec::new() }
    }

    #[test]
    fn frames_come_out_as_they_went_in_however_the_bytes_arrive() {
        let mut stream = BytesMut::new();
        for number in [0, 1, u64::MAX] {
            encode_into(&message(number), &mut stream).expect("a frame");
        }
        for step in 1..=stream.len() {
            let mut decoder = Decoder::default();
            let mut seen = Vec::new();
            for chunk in stream.chunks(step) {
                decoder.push(chunk);
                while let Some(message) = decoder.next::<proto::BatchAck>().expect("well-formed") {
                    seen.push(message.received);
                }
            }
            assert_eq!(seen, [0, 1, u64::MAX], "in steps of {step}");
            assert!(decoder.is_empty());
        }
    }

    // [FRAME-1] [FRAME-2]
    #[test]
    fn a_length_beyond_the_limit_is_refused_before_its_bytes_arrive() {
        let over = u32::try_from(limits::FRAME_BYTES_MAX).expect("small") + 1;
        for length in [over, u32::MAX] {
            let mut decoder = Decoder::default();
            decoder.push(&length.to_be_bytes());
            assert_eq!(decoder.next::<proto::BatchAck>(), Err(ErrorCode::TooLarge));
        }
        let mut decoder = Decoder::default();
        decoder.push(&(over - 1).to_be_bytes());
        assert_eq!(decoder.next::<proto::BatchAck>(), Ok(None));
        assert!(!decoder.is_empty());
    }

    // [FRAME-2]
    #[test]
    fn a_message_beyond_the_limit_is_not_sent() {
        let large = proto::Event { body: vec![0; limits::FRAME_BYTES_MAX].into(), ..proto::Event::default() };
        let mut out = BytesMut::from("before".as_bytes());
        assert_eq!(encode_into(&large, &mut out), Err(ErrorCode::TooLarge));
        assert_eq!(out, "before");
    }

    // [FRAME-3]
    #[test]
    fn a_frame_holds_one_message_and_nothing_behind_it() {
        let mut bytes = message(5).encode_to_vec();
        bytes.push(0);
        assert_eq!(decode::<proto::BatchAck>(bytes.into()), Err(ErrorCode::Malformed));
    }
}
