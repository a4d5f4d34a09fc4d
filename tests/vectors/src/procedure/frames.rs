//! Frames and their messages (`spec/02-frames.md`).

use prost::Message as _;
use serde_json::{Value, json};
use wire::{ErrorCode, frame, proto};

use super::{Outcome, named};
use crate::field::{self, Read};

/// A message of a named type: accepted, it is given back as this encoder writes it.
pub(super) fn frame(input: &Value) -> Read<Outcome> {
    let bytes = field::bytes(input, "bytes")?;
    let name = field::text(input, "message")?;
    let again = again(name, bytes).ok_or_else(|| anyhow::anyhow!("no message {name:?} here"))?;
    Ok(named(again.map(|bytes| json!({ "bytes": field::hex(bytes) }))))
}

macro_rules! again {
    ($name:expr, $bytes:expr; $($message:ident),*) => {
        match $name {
            $(stringify!($message) => {
                Some(frame::decode::<proto::$message>($bytes.into()).map(|message| message.encode_to_vec()))
            })*
            _ => None,
        }
    };
}

fn again(name: &str, bytes: Vec<u8>) -> Option<Result<Vec<u8>, ErrorCode>> {
    again!(name, bytes; ClientFrame, NodeFrame, PeerRequest, PeerResponse, LinkFrame, PeerHello, Error, BatchAck,
        Answer, KeyPackageUpload, SetContactPolicy, GetAccount)
}

/// A stream of frames whose messages are `BatchAck`, in the pieces in which it arrives.
pub(super) fn stream(input: &Value) -> Read<Outcome> {
    let mut decoder = frame::Decoder::default();
    decoder.push(&field::bytes(input, "bytes")?);
    let mut received = Vec::new();
    let outcome = loop {
        match decoder.next::<proto::BatchAck>() {
            Ok(Some(ack)) => received.push(ack.received),
            Ok(None) => break Ok(json!({ "received": received, "complete": decoder.is_empty() })),
            Err(error) => break Err(error),
        }
    };
    Ok(named(outcome))
}
