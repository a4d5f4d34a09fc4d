//! What may happen to a node.

use bytes::Bytes;
use wire::{DomainName, ErrorCode, PublicKey, proto};

use crate::{AdminId, ConnId, MediaId, Network, ProofId, RequestId, SessionId, StreamId, Verdict};

/// One thing that happened. The driver gives the inputs of one stream or connection in the order in
/// which they happened; between streams there is no order.
#[derive(Clone, Debug)]
pub enum Input {
    /// A client opened its session stream. `exporter` is 32 bytes of the TLS exporter with the label
    /// `EXPORTER-comity-session` and an empty context.
    SessionOpened {
        /// The new session.
        session: SessionId,
        /// What a `SessionHello` on it must be bound to.
        exporter: [u8; 32],
        /// Where it comes from, as the handshake proved.
        network: Network,
    },
    /// A frame from a client.
    ClientFrame {
        /// On which session.
        session: SessionId,
        /// The frame, decoded.
        frame: proto::ClientFrame,
    },
    /// The session's stream or connection is gone. Also after [`crate::Output::CloseSession`].
    SessionClosed {
        /// Which.
        session: SessionId,
    },
    /// A federation connection stands: TLS proved that the other side holds `key`. On a connection
    /// that this node dialled the core sends its hello at once; otherwise it waits for theirs.
    PeerConnected {
        /// The new connection.
        conn: ConnId,
        /// The key that TLS proved.
        key: PublicKey,
        /// Whom this node dialled; `None` if the other side did.
        dialled: Option<DomainName>,
    },
    /// The hello that came on the control stream, or the answer to ours.
    PeerHello {
        /// On which connection.
        conn: ConnId,
        /// The hello.
        hello: proto::PeerHello,
    },
    /// The peer opened a link stream: the first frame on it was a `PeerRequest` with `link.open`.
    LinkOpened {
        /// On which connection.
        conn: ConnId,
        /// The stream's new name.
        stream: StreamId,
        /// What it said.
        open: proto::LinkOpen,
    },
    /// A later frame on a link stream, ours or theirs. The first frame on ours is a `LinkResume`;
    /// the core learns the name of its own stream from it.
    LinkFrame {
        /// On which connection.
        conn: ConnId,
        /// On which stream.
        stream: StreamId,
        /// The frame.
        frame: proto::LinkFrame,
    },
    /// A request on a stream of its own.
    PeerRequest {
        /// On which connection.
        conn: ConnId,
        /// Names the answer.
        request: RequestId,
        /// What is asked: `get_domain`, `get_account`, `claim_key_packages` or `pull_events`.
        body: proto::PeerRequest,
    },
    /// The answer to an [`crate::Output::PeerRequest`], or why there is none.
    PeerAnswer {
        /// On which connection.
        conn: ConnId,
        /// Which request.
        request: RequestId,
        /// The answer.
        answer: Result<proto::PeerResponse, ErrorCode>,
    },
    /// A federation connection ended, whoever ended it. Its streams and requests are gone with it.
    PeerGone {
        /// Which.
        conn: ConnId,
        /// Why: the close code, or `Unavailable` if it was lost.
        error: ErrorCode,
    },
    /// An [`crate::Output::Dial`] came to nothing.
    DialFailed {
        /// Whom it was to reach.
        domain: DomainName,
        /// Why.
        error: ErrorCode,
    },
    /// A request on the administrator's socket.
    Admin {
        /// Names the answer.
        id: AdminId,
        /// The request.
        request: proto::AdminRequest,
        /// Which user asks; `None` if it is the node itself.
        uid: Option<u32>,
    },
    /// The answer to an [`crate::Output::Prove`].
    Proved {
        /// Which question.
        proof: ProofId,
        /// The answer.
        verdict: Verdict,
    },
    /// A question about a blob. Ends in [`crate::Output::Media`] with the same name.
    Media {
        /// Names the answer.
        id: MediaId,
        /// The question.
        ask: MediaAsk,
    },
    /// The time of the last [`crate::Output::WakeAt`] has come. More often does no harm.
    Tick,
    /// The process is to end: sessions and peers are told `Draining`; what is accepted by then is
    /// durable.
    Drain,
}

/// What is to be known before a blob is taken or given (`spec/09-media.md`).
#[derive(Clone, Debug)]
pub enum MediaAsk {
    /// A device wants to put a blob into a room.
    Put {
        /// Which device's session.
        session: SessionId,
        /// The room, as the device says.
        room: Bytes,
    },
    /// A device wants a piece of a blob.
    Get {
        /// Which device's session.
        session: SessionId,
        /// What it wants.
        get: proto::GetBlob,
    },
    /// A peer wants a piece of a blob of this domain.
    Give {
        /// On which connection.
        conn: ConnId,
        /// The room, as the peer says.
        room: Bytes,
    },
}
