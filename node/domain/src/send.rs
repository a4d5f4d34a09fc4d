//! What waits for the batch it was derived from, and what its asker is told if that is never
//! written.

use bytes::Bytes;
use tracing::Span;
use wire::{
    DomainName, ErrorCode, WireError, frame,
    proto::{
        AdminResponse, ClientResponse, LinkOpen, NodeFrame, PeerHello, PeerRequest, PeerResponse,
        admin_response, client_response, node_frame, peer_response,
    },
};

use crate::{
    AdminId, ConnId, MediaGrant, MediaId, Output, ProofId, Question, RequestId, SessionId, StreamId,
};

/// An output that is held back until what it was derived from is durable.
#[derive(Clone, Debug)]
pub(crate) enum Send {
    /// An encoded `NodeFrame` that tells of a state.
    Push(SessionId, Bytes),
    /// An encoded `NodeFrame` that may be lost ([SYNC-23]).
    Passing(SessionId, Bytes),
    /// The session's hello was accepted.
    Proved(SessionId),
    /// An encoded `NodeFrame` about the session itself.
    Control(SessionId, Bytes),
    /// The answer to the request with this id, and the span of the request.
    Response(SessionId, u64, client_response::Response, Span),
    Close(SessionId, ErrorCode),
    Dial(DomainName, Vec<String>),
    Hello(ConnId, PeerHello),
    OpenLink(ConnId, LinkOpen),
    Link(ConnId, StreamId, Bytes),
    Ask(ConnId, RequestId, PeerRequest),
    Answer(ConnId, RequestId, peer_response::Response),
    ClosePeer(ConnId, ErrorCode),
    Admin(AdminId, admin_response::Response),
    /// Whether a secret proves an account: asked when the try is on disk.
    Prove(ProofId, Question),
    Media(MediaId, Result<MediaGrant, WireError>),
}

impl Send {
    /// The output, or `None` if a frame is larger than a frame may be, which its maker's limits
    /// exclude.
    pub(crate) fn into_output(self) -> Option<Output> {
        Some(match self {
            Self::Push(session, frame) | Self::Control(session, frame) => {
                Output::ToSession { session, frame, stored: true }
            }
            Self::Passing(session, frame) => Output::ToSession { session, frame, stored: false },
            Self::Proved(session) => Output::SessionProved { session },
            Self::Response(session, id, response, span) => {
                span.in_scope(|| tracing::debug!(error = error_of(&response), "answered"));
                Output::ToSession { session, frame: response_frame(id, response)?, stored: true }
            }
            Self::Close(session, code) => Output::CloseSession { session, code },
            Self::Dial(domain, endpoints) => Output::Dial { domain, endpoints },
            Self::Hello(conn, hello) => Output::ToPeer { conn, hello },
            Self::OpenLink(conn, open) => Output::OpenLink { conn, open },
            Self::Link(conn, stream, frame) => Output::ToLink { conn, stream, frame },
            Self::Ask(conn, request, body) => Output::PeerRequest { conn, request, body },
            Self::Answer(conn, request, response) => {
                Output::PeerResponse { conn, request, response: PeerResponse { response: Some(response) } }
            }
            Self::ClosePeer(conn, code) => Output::ClosePeer { conn, code },
            Self::Prove(proof, question) => Output::Prove { proof, question },
            Self::Admin(id, response) => {
                Output::ToAdmin { id, response: AdminResponse { response: Some(response) } }
            }
            Self::Media(id, answer) => Output::Media { id, answer },
        })
    }

    /// What goes out instead when the batch could not be written: an error to whoever asked, nothing
    /// for what only tells of a state that is no more.
    pub(crate) fn unwritten(self, code: ErrorCode) -> Option<Self> {
        match self {
            Self::Response(session, id, _, span) => {
                Some(Self::Response(session, id, client_response::Response::Error(code.into()), span))
            }
            Self::Answer(conn, request, _) => {
                Some(Self::Answer(conn, request, peer_response::Response::Error(code.into())))
            }
            Self::Admin(id, _) => Some(Self::Admin(id, admin_response::Response::Error(code.into()))),
            Self::Media(id, _) => Some(Self::Media(id, Err(code.into()))),
            Self::Proved(_) | Self::Control(..) | Self::Close(..) | Self::Dial(..) | Self::ClosePeer(..) => {
                Some(self)
            }
            Self::Push(..)
            | Self::Passing(..)
            | Self::Hello(..)
            | Self::OpenLink(..)
            | Self::Link(..)
            | Self::Ask(..)
            | Self::Prove(..) => None,
        }
    }
}

/// What a device is refused with.
fn error_of(response: &client_response::Response) -> Option<&'static str> {
    match response {
        client_response::Response::Error(error) => Some(WireError::from(error).code.name()),
        _ => None,
    }
}

fn response_frame(id: u64, response: client_response::Response) -> Option<Bytes> {
    let response = ClientResponse { id, response: Some(response) };
    node_frame(node_frame::Frame::Response(response)).or_else(|| {
        let response = ClientResponse {
            id,
            response: Some(client_response::Response::Error(ErrorCode::TooLarge.into())),
        };
        node_frame(node_frame::Frame::Response(response))
    })
}

/// One frame to a client, encoded.
pub(crate) fn node_frame(frame: node_frame::Frame) -> Option<Bytes> {
    frame::encode(&NodeFrame { frame: Some(frame) }).ok()
}
