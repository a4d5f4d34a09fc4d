//! Reads what stands in the clear around a message, without any group.

use openmls::prelude::{ContentType, MlsMessageBodyIn, MlsMessageIn, ProtocolMessage};
use prost::Message as _;
use tls_codec::Deserialize as _;
use wire::{
    ErrorCode, MessageId, RoomId, limits,
    proto::{EventKind, MessageBinding},
};

use crate::reader::Reader;

const PUBLIC_MESSAGE: u16 = 1;
const PRIVATE_MESSAGE: u16 = 2;
const CONTENT_APPLICATION: u8 = 1;
const CONTENT_PROPOSAL: u8 = 2;
const CONTENT_COMMIT: u8 = 3;

/// The outside of an MLS message, as far as everybody may read it. Nothing of it is authenticated
/// yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Framing {
    /// The group id.
    pub room: RoomId,
    /// The epoch in which it was made.
    pub epoch: u64,
    /// The authenticated data.
    pub binding: MessageBinding,
}

/// Reads the framing of the body of a commit, proposal or message event.
///
/// # Errors
/// `TooLarge` by kind before anything is read. `Malformed` if it is not exactly one MLS message of
/// this kind in the required wire format (commits and proposals `PublicMessage`, messages
/// `PrivateMessage` with application content), or its authenticated data is no binding to the log of
/// the room that is its group. `Unsupported` for another protocol version.
pub fn framing(kind: EventKind, body: &[u8]) -> Result<Framing, ErrorCode> {
    read(kind, body).and_then(|framing| framing.travels(false))
}

/// Reads the framing of the body of an `Ephemeral`.
///
/// # Errors
/// As [`framing`] of a message; `Malformed` too if it is bound to the log.
pub fn ephemeral_framing(body: &[u8]) -> Result<Framing, ErrorCode> {
    read(EventKind::Message, body).and_then(|framing| framing.travels(true))
}

impl Framing {
    // [MLS-12] A message is for the log or for those who listen now. Whoever carries it could pass the
    // one off as the other, and its key is spent with the first.
    fn travels(self, ephemeral: bool) -> Result<Self, ErrorCode> {
        (self.binding.ephemeral == ephemeral).then_some(self).ok_or(ErrorCode::Malformed)
    }
}

fn read(kind: EventKind, body: &[u8]) -> Result<Framing, ErrorCode> {
    let (wire_format, content) = expected(kind, body)?;
    let mut reader = Reader::new(body);
    // [MLS-1]
    if reader.u16()? != 1 {
        return Err(ErrorCode::Unsupported);
    }
    // [MLS-2]
    if reader.u16()? != wire_format {
        return Err(ErrorCode::Malformed);
    }
    let group = reader.bytes()?;
    let epoch = reader.u64()?;
    if wire_format == PRIVATE_MESSAGE {
        content_type(&mut reader, content)?;
        let data = reader.bytes()?;
        let (_sender_data, _ciphertext) = (reader.bytes()?, reader.bytes()?);
        reader.end()?;
        return bound(group, epoch, data);
    }
    // A member names its leaf; the other kinds of sender that are allowed have no number.
    if reader.u8()? == 1 {
        reader.u32()?;
    }
    let data = reader.bytes()?;
    content_type(&mut reader, content)?;
    let framing = bound(group, epoch, data)?;
    // The rest of a handshake has many forms; the whole parser decides whether this is one.
    parse(body)?;
    Ok(framing)
}

/// Parses and checks the framing, and gives what OpenMLS processes.
pub(crate) fn open(kind: EventKind, body: &[u8]) -> Result<(Framing, ProtocolMessage), ErrorCode> {
    let framing = framing(kind, body)?;
    Ok((framing, message(kind, body)?))
}

/// As [`open`], of the body of an `Ephemeral`.
pub(crate) fn open_ephemeral(body: &[u8]) -> Result<(Framing, ProtocolMessage), ErrorCode> {
    let framing = ephemeral_framing(body)?;
    Ok((framing, message(EventKind::Message, body)?))
}

fn message(kind: EventKind, body: &[u8]) -> Result<ProtocolMessage, ErrorCode> {
    let (_, content) = expected(kind, body)?;
    let message = match parse(body)? {
        MlsMessageBodyIn::PublicMessage(message) => ProtocolMessage::from(message),
        MlsMessageBodyIn::PrivateMessage(message) => ProtocolMessage::from(message),
        _ => return Err(ErrorCode::Malformed),
    };
    let agrees = match message.content_type() {
        ContentType::Application => content == CONTENT_APPLICATION,
        ContentType::Proposal => content == CONTENT_PROPOSAL,
        ContentType::Commit => content == CONTENT_COMMIT,
    };
    agrees.then_some(message).ok_or(ErrorCode::Malformed)
}

/// [MLS-12] Decodes the authenticated data; it has one encoding and names this room.
pub(crate) fn bound(group: &[u8], epoch: u64, data: &[u8]) -> Result<Framing, ErrorCode> {
    let room = RoomId::try_from(group)?;
    let binding = MessageBinding::decode(data).map_err(|_| ErrorCode::Malformed)?;
    MessageId::try_from(binding.message_id.as_ref())?;
    if binding.room.as_ref() != room.as_bytes() || binding.encode_to_vec() != data {
        return Err(ErrorCode::Malformed);
    }
    Ok(Framing { room, epoch, binding })
}

/// [MLS-12] The authenticated data of a message with this binding to this room.
pub(crate) fn authenticated_data(room: &RoomId, binding: &MessageBinding) -> Result<Vec<u8>, ErrorCode> {
    MessageId::try_from(binding.message_id.as_ref())?;
    if binding.room.as_ref() != room.as_bytes() {
        return Err(ErrorCode::Malformed);
    }
    Ok(binding.encode_to_vec())
}

fn expected(kind: EventKind, body: &[u8]) -> Result<(u16, u8), ErrorCode> {
    let (wire_format, content, bytes_max) = match kind {
        EventKind::Commit => (PUBLIC_MESSAGE, CONTENT_COMMIT, limits::COMMIT_BYTES_MAX),
        EventKind::Proposal => (PUBLIC_MESSAGE, CONTENT_PROPOSAL, limits::PROPOSAL_BYTES_MAX),
        EventKind::Message => (PRIVATE_MESSAGE, CONTENT_APPLICATION, limits::MESSAGE_BYTES_MAX),
        EventKind::Founding | EventKind::Notice | EventKind::Unspecified => {
            return Err(ErrorCode::Malformed);
        }
    };
    if body.len() > bytes_max {
        return Err(ErrorCode::TooLarge);
    }
    Ok((wire_format, content))
}

fn content_type(reader: &mut Reader<'_>, content: u8) -> Result<(), ErrorCode> {
    (reader.u8()? == content).then_some(()).ok_or(ErrorCode::Malformed)
}

fn parse(body: &[u8]) -> Result<MlsMessageBodyIn, ErrorCode> {
    let message = MlsMessageIn::tls_deserialize_exact(body).map_err(|_| ErrorCode::Malformed)?;
    Ok(message.extract())
}
