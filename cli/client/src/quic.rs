//! The connection to the home node: dialled, the node recognised, and frames carried both ways.
//!
//! Nothing that the node says counts before its TLS key is found in the newest domain document, in
//! a chain from the fingerprint of the invitation over all that were seen.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use identity::{DomainDocument, session};
use quinn::{IdleTimeout, RecvStream, SendStream, TransportConfig, VarInt, crypto::rustls::QuicClientConfig};
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, timeout, timeout_at};
use wire::{ErrorCode, WireError, frame, limits, proto};

use crate::{ClientError, clock, home::Home};

/// The id of the request that fetches the domain's documents: outside what an engine counts.
const DOCUMENTS_REQUEST: u64 = u64::MAX;
/// One read takes at most this much.
const READ_BYTES_MAX: usize = 64 * 1024;
/// An answer, and a frame that has begun, is whole within this time.
const REQUEST_DEADLINE: Duration = Duration::from_millis(limits::REQUEST_DEADLINE_MS);

/// A connection to a node that was recognised.
pub(crate) struct Connection {
    /// The QUIC connection.
    pub(crate) quic: quinn::Connection,
    /// Frames to the node.
    pub(crate) send: SendStream,
    /// Frames from the node.
    pub(crate) frames: FrameReader,
    /// The domain's newest document.
    pub(crate) document: DomainDocument,
    /// Where the node was reached.
    pub(crate) endpoint: String,
    /// Drives the connection; to be kept as long as it.
    pub(crate) socket: quinn::Endpoint,
}

/// The receiving half of the session stream.
pub(crate) struct FrameReader {
    stream: RecvStream,
    decoder: frame::Decoder,
}

impl FrameReader {
    /// The next frame. May be cancelled between frames only by dropping the reader.
    ///
    /// # Errors
    /// Why the stream ended: the node's close code, `Unavailable`, or `Malformed`, also for an end in the
    /// middle of a frame; `Timeout` for a frame that has begun and is not whole in time.
    pub(crate) async fn next(&mut self) -> Result<proto::NodeFrame, WireError> {
        let mut whole_by = None;
        loop {
            if let Some(frame) = self.decoder.next()? {
                return Ok(frame);
            }
            // [SYNC-31]
            if !self.decoder.is_empty() {
                whole_by.get_or_insert_with(|| Instant::now() + REQUEST_DEADLINE);
            }
            let read = self.stream.read_chunk(READ_BYTES_MAX, true);
            let read = match whole_by {
                Some(at) => timeout_at(at, read).await.map_err(|_| ErrorCode::Timeout)?,
                None => read.await,
            };
            match read {
                Ok(Some(chunk)) => self.decoder.push(&chunk.bytes),
                Ok(None) if self.decoder.is_empty() => return Err(ErrorCode::Unavailable.into()),
                Ok(None) => return Err(ErrorCode::Malformed.into()),
                Err(quinn::ReadError::ConnectionLost(lost)) => return Err(close_code(&lost).into()),
                Err(_) => return Err(ErrorCode::Unavailable.into()),
            }
        }
    }
}

impl Connection {
    /// The frame that has to answer what was said last.
    ///
    /// # Errors
    /// As [`FrameReader::next`]; `Timeout` if none comes in time.
    pub(crate) async fn answer(&mut self) -> Result<proto::NodeFrame, WireError> {
        // [SYNC-31]
        timeout(REQUEST_DEADLINE, self.frames.next()).await.map_err(|_| ErrorCode::Timeout)?
    }

    /// Reaches the home node at one of its endpoints and recognises it.
    ///
    /// # Errors
    /// `Unreachable` if no endpoint answers, else why the node was not recognised or refused.
    pub(crate) async fn open(home: &Home) -> Result<Self, ClientError> {
        let mut reasons = Vec::new();
        for endpoint in &home.endpoints {
            match Self::open_at(home, endpoint).await {
                Ok(connection) => return Ok(connection),
                Err(Failure::Dial(reason)) => reasons.push(format!("{endpoint}: {reason}")),
                Err(Failure::Node(error)) => return Err(error),
            }
        }
        let domain = home.account.domain().to_string();
        Err(ClientError::Unreachable { domain, reason: reasons.join("; ") })
    }

    async fn open_at(home: &Home, endpoint: &str) -> Result<Self, Failure> {
        let addresses = tokio::net::lookup_host(endpoint)
            .await
            .map_err(|_| Failure::Dial("the name has no address".to_owned()))?;
        let mut reason = "the name has no address".to_owned();
        for address in addresses {
            match dial(address, home).await {
                Ok((socket, quic)) => {
                    let deadline = Duration::from_millis(limits::HEADER_DEADLINE_MS);
                    return timeout(deadline, recognise(home, endpoint, socket, quic))
                        .await
                        .map_err(|_| Failure::Dial("it does not answer in time".to_owned()))?
                        .map_err(Failure::from_node);
                }
                Err(error) => reason = error,
            }
        }
        Err(Failure::Dial(reason))
    }

    /// Writes one frame.
    ///
    /// # Errors
    /// `Unavailable` if the connection is gone.
    pub(crate) async fn write(&mut self, frame: &proto::ClientFrame) -> Result<(), WireError> {
        write(&mut self.send, frame).await
    }

    /// Asks one thing and waits for the answer; for what happens before a session stands.
    ///
    /// # Errors
    /// What the node refused with, or why the connection ended; `Timeout` if no answer comes in time.
    pub(crate) async fn ask(
        &mut self,
        request: proto::client_request::Request,
    ) -> Result<proto::client_response::Response, WireError> {
        let asked = ask(&mut self.send, &mut self.frames, request);
        timeout(REQUEST_DEADLINE, asked).await.map_err(|_| ErrorCode::Timeout)?
    }

    /// 32 bytes that only the two ends of this TLS session know.
    ///
    /// # Errors
    /// `Internal` if TLS does not give them.
    pub(crate) fn exporter(&self) -> Result<[u8; 32], ErrorCode> {
        let mut bytes = [0; 32];
        self.quic
            .export_keying_material(&mut bytes, session::EXPORTER_LABEL, &[])
            .map_err(|_| ErrorCode::Internal)?;
        Ok(bytes)
    }
}

enum Failure {
    /// Another endpoint may do better.
    Dial(String),
    /// The node answered, and that is that.
    Node(ClientError),
}

impl Failure {
    fn from_node(error: ClientError) -> Self {
        match error.code() {
            Some(code @ (ErrorCode::Unavailable | ErrorCode::Timeout | ErrorCode::Draining)) => {
                Self::Dial(code.meaning().to_owned())
            }
            _ => Self::Node(error),
        }
    }
}

async fn dial(address: SocketAddr, home: &Home) -> Result<(quinn::Endpoint, quinn::Connection), String> {
    let local: SocketAddr = match address {
        SocketAddr::V4(_) => ([0; 4], 0).into(),
        SocketAddr::V6(_) => ([0u16; 8], 0).into(),
    };
    let socket = quinn::Endpoint::client(local).map_err(|error| format!("no local socket: {error}"))?;
    let config = config().map_err(|error| format!("TLS cannot be used: {error}"))?;
    let connecting = socket
        .connect_with(config, address, home.account.domain().as_str())
        .map_err(|error| error.to_string())?;
    let deadline = Duration::from_millis(limits::HEADER_DEADLINE_MS);
    match timeout(deadline, connecting).await {
        Ok(Ok(quic)) => Ok((socket, quic)),
        Ok(Err(quinn::ConnectionError::ApplicationClosed(close))) => {
            Err(code_of(close.error_code).meaning().to_owned())
        }
        Ok(Err(_)) => Err("no handshake".to_owned()),
        Err(_) => Err("nothing answers".to_owned()),
    }
}

fn config() -> Result<quinn::ClientConfig, String> {
    let tls = tls::client_config(None, tls::ALPN_CLIENT).map_err(|error| error.to_string())?;
    let quic = QuicClientConfig::try_from(tls).map_err(|error| error.to_string())?;
    let mut config = quinn::ClientConfig::new(Arc::new(quic));
    let idle = u32::try_from(limits::IDLE_TIMEOUT_MS).unwrap_or(u32::MAX);
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .keep_alive_interval(Some(Duration::from_millis(limits::IDLE_TIMEOUT_MS / 3)))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(idle))));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

async fn recognise(
    home: &Home,
    endpoint: &str,
    socket: quinn::Endpoint,
    quic: quinn::Connection,
) -> Result<Connection, ClientError> {
    let (mut send, receive) = quic.open_bi().await.map_err(|lost| close_code(&lost))?;
    let mut frames = FrameReader { stream: receive, decoder: frame::Decoder::default() };
    let wanted = proto::GetDomain { domain: home.account.domain().to_string(), after_seq: home.seq() };
    let request = proto::client_request::Request::GetDomain(wanted);
    let response = ask(&mut send, &mut frames, request).await?;
    let proto::client_response::Response::Domain(documents) = response else {
        return Err(ErrorCode::Malformed.into());
    };
    let key = quic
        .peer_identity()
        .and_then(|identity| identity.downcast::<Vec<CertificateDer<'static>>>().ok())
        .and_then(|certificates| tls::peer_key(&certificates))
        .ok_or(ErrorCode::AuthFailed)?;
    let document = home
        .recognise(&documents.documents, &key, clock::now())
        .map_err(|code| home.unrecognised(code, &documents.documents))?;
    Ok(Connection { quic, send, frames, document, endpoint: endpoint.to_owned(), socket })
}

async fn ask(
    send: &mut SendStream,
    frames: &mut FrameReader,
    request: proto::client_request::Request,
) -> Result<proto::client_response::Response, WireError> {
    use proto::{client_frame, client_response::Response, node_frame};
    let request = proto::ClientRequest { id: DOCUMENTS_REQUEST, request: Some(request) };
    write(send, &proto::ClientFrame { frame: Some(client_frame::Frame::Request(request)) }).await?;
    match frames.next().await?.frame {
        Some(node_frame::Frame::Response(response)) if response.id == DOCUMENTS_REQUEST => {
            match response.response {
                Some(Response::Error(error)) => Err(WireError::from(&error)),
                Some(response) => Ok(response),
                None => Err(ErrorCode::Malformed.into()),
            }
        }
        Some(node_frame::Frame::Goodbye(error)) => Err(WireError::from(&error)),
        _ => Err(ErrorCode::Malformed.into()),
    }
}

async fn write(send: &mut SendStream, frame: &proto::ClientFrame) -> Result<(), WireError> {
    let bytes = frame::encode(frame)?;
    send.write_chunk(bytes).await.map_err(|error| match error {
        quinn::WriteError::ConnectionLost(lost) => close_code(&lost).into(),
        _ => ErrorCode::Unavailable.into(),
    })
}

/// The protocol's word for the end of a connection.
pub(crate) fn close_code(lost: &quinn::ConnectionError) -> ErrorCode {
    match lost {
        quinn::ConnectionError::ApplicationClosed(close) => code_of(close.error_code),
        _ => ErrorCode::Unavailable,
    }
}

fn code_of(code: VarInt) -> ErrorCode {
    u32::try_from(code.into_inner()).map_or(ErrorCode::Internal, |code| match code {
        0 => ErrorCode::Unavailable,
        code => ErrorCode::from_code(code),
    })
}
