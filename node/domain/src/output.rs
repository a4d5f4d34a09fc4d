//! What a node asks its driver to do.

use bytes::Bytes;
use machine::{Mark, Timestamp};
use store::Batch;
use wire::{Account, DomainName, ErrorCode, WireError, proto};

use crate::{AdminId, ConnId, MediaId, ProofId, Question, RequestId, SessionId, StreamId};

/// One thing to do. What concerns a session, connection or stream that is gone is dropped silently.
#[derive(Clone, Debug)]
pub enum Output {
    /// Commit this batch now, then call [`crate::Core::persisted`] with the mark, or
    /// [`crate::Core::failed`].
    Persist(Mark, Batch),
    /// Write to a client.
    ToSession {
        /// To which session.
        session: SessionId,
        /// A whole encoded frame (length and `NodeFrame`); the same bytes may go to many sessions.
        frame: Bytes,
        /// Whether the device relies on it. What it does not rely on is dropped if it reads slowly.
        stored: bool,
    },
    /// A session's hello was accepted: it is not a stranger's any more.
    SessionProved {
        /// Which.
        session: SessionId,
    },
    /// End a session after what was written before has been sent.
    CloseSession {
        /// Which.
        session: SessionId,
        /// The close code of the connection.
        code: ErrorCode,
    },
    /// Connect to a peer, trying the endpoints in order. Ends in [`crate::Input::PeerConnected`] or
    /// [`crate::Input::DialFailed`].
    Dial {
        /// Whom.
        domain: DomainName,
        /// `host:port`, in order of preference.
        endpoints: Vec<String>,
    },
    /// Write a hello on the control stream (as `PeerRequest` by the side that dialled, as
    /// `PeerResponse` by the other).
    ToPeer {
        /// On which connection.
        conn: ConnId,
        /// The hello.
        hello: proto::PeerHello,
    },
    /// Open a link stream: write a `PeerRequest` with `link.open`, then read `LinkFrame`s from it.
    OpenLink {
        /// On which connection.
        conn: ConnId,
        /// What to say first.
        open: proto::LinkOpen,
    },
    /// Write to a link stream.
    ToLink {
        /// On which connection.
        conn: ConnId,
        /// On which stream.
        stream: StreamId,
        /// A whole encoded frame (length and `LinkFrame`).
        frame: Bytes,
    },
    /// Ask a peer on a stream of its own. Ends in [`crate::Input::PeerAnswer`] with the same name, at
    /// the latest `REQUEST_DEADLINE_MS` later.
    PeerRequest {
        /// On which connection.
        conn: ConnId,
        /// Names the answer.
        request: RequestId,
        /// What is asked.
        body: proto::PeerRequest,
    },
    /// Answer a peer's request and finish its stream.
    PeerResponse {
        /// On which connection.
        conn: ConnId,
        /// Which request.
        request: RequestId,
        /// The answer.
        response: proto::PeerResponse,
    },
    /// End a federation connection after what was written before has been sent.
    ClosePeer {
        /// Which.
        conn: ConnId,
        /// The close code.
        code: ErrorCode,
    },
    /// Answer an administrator.
    ToAdmin {
        /// Which request.
        id: AdminId,
        /// The answer.
        response: proto::AdminResponse,
    },
    /// Have the [`crate::Authenticator`] answer. Ends in [`crate::Input::Proved`] with the same name.
    Prove {
        /// Names the answer.
        proof: ProofId,
        /// What is asked.
        question: Question,
    },
    /// Answer a question about a blob.
    Media {
        /// Which question.
        id: MediaId,
        /// What it comes to.
        answer: Result<MediaGrant, WireError>,
    },
    /// Feed [`crate::Input::Tick`] at this time; replaces the time given before.
    WakeAt(Timestamp),
}

/// What may be done about a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaGrant {
    /// It is this account's to put here, or to have from here.
    Device(Account),
    /// It is the peer's to have from here.
    Peer,
    /// It is at the peer on this connection, which is to be asked.
    Elsewhere(ConnId),
}
