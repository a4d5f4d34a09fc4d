//! The UDP port: who may begin a handshake, and to whom a finished one belongs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use quinn::{
    Incoming,
    crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig},
};
use tokio::{task::JoinSet, time::timeout};
use wire::{DomainName, ErrorCode, limits};

use crate::{
    BindError, NetConfig,
    close::close,
    federation,
    media::Media,
    reset::ResetKey,
    session,
    strangers::{Stranger, Strangers, Verdict},
    to_core::ToCore,
    transport,
};

/// Bytes kept of a connection that nobody has accepted yet, and of all of them together.
const INCOMING_BYTES: u64 = 64 * 1024;
const INCOMING_BYTES_TOTAL: u64 = 16 * 1024 * 1024;

/// Opens the port.
pub(crate) fn bind(config: &NetConfig) -> Result<quinn::Endpoint, BindError> {
    let crypto = tls::server_config(&config.tls_key, &[tls::ALPN_CLIENT, tls::ALPN_FEDERATION])?;
    let crypto = QuicServerConfig::try_from(crypto).map_err(|_| BindError::Cipher)?;
    let mut server = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    server
        .transport_config(transport::accepted())
        .max_incoming(limits::CONNECTIONS_INCOMING_MAX)
        .incoming_buffer_size(INCOMING_BYTES)
        .incoming_buffer_size_total(INCOMING_BYTES_TOTAL);
    let reset = ResetKey::of(&config.tls_key);
    let marks = reset.connection_ids();
    let mut endpoint = quinn::EndpointConfig::new(Arc::new(reset));
    endpoint.cid_generator(move || Box::new(quinn_proto::HashedConnectionIdGenerator::from_key(marks)));
    let port = |source| BindError::Port { listen: config.listen, source };
    let socket = std::net::UdpSocket::bind(config.listen).map_err(port)?;
    quinn::Endpoint::new(endpoint, Some(server), socket, Arc::new(quinn::TokioRuntime)).map_err(port)
}

/// How this node dials its peers.
pub(crate) fn dialling(config: &NetConfig) -> Result<quinn::ClientConfig, BindError> {
    let crypto = tls::client_config(Some(&config.tls_key), tls::ALPN_FEDERATION)?;
    let crypto = QuicClientConfig::try_from(crypto).map_err(|_| BindError::Cipher)?;
    let mut client = quinn::ClientConfig::new(Arc::new(crypto));
    client.transport_config(transport::dialled());
    Ok(client)
}

/// Takes connections until the endpoint is closed.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pub(crate) endpoint: quinn::Endpoint,
    pub(crate) domain: DomainName,
    pub(crate) to_core: ToCore,
    pub(crate) media: Media,
    pub(crate) strangers: Arc<Strangers>,
    /// Set when the node is ending: nobody new is let in.
    pub(crate) draining: Arc<AtomicBool>,
}

impl Acceptor {
    pub(crate) async fn run(self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                incoming = self.endpoint.accept() => match incoming {
                    Some(incoming) => self.admit(incoming, &mut connections),
                    None => return,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// Refuses what is over a bound, at the price of one packet: whoever is refused is told so, and may
    /// try again. Makes an address prove itself when strangers pile up, so that a forged one cannot make
    /// this node work.
    fn admit(&self, incoming: Incoming, connections: &mut JoinSet<()>) {
        let full = self.endpoint.open_connections() >= limits::CONNECTIONS_MAX;
        if full || self.draining.load(Ordering::Relaxed) {
            return incoming.refuse();
        }
        let address = incoming.remote_address().ip();
        match self.strangers.admit(address, incoming.remote_address_validated()) {
            Verdict::Admit(stranger) => {
                let ours = (self.to_core.clone(), self.media.clone());
                connections.spawn(admitted(incoming, stranger, self.domain.clone(), ours));
            }
            Verdict::Prove => {
                if let Err(error) = incoming.retry() {
                    error.into_incoming().refuse();
                }
            }
            Verdict::Refuse => incoming.refuse(),
        }
    }
}

async fn admitted(
    incoming: Incoming,
    stranger: Stranger,
    domain: DomainName,
    (to_core, media): (ToCore, Media),
) {
    let deadline = Duration::from_millis(limits::HEADER_DEADLINE_MS);
    let Ok(connecting) = incoming.accept() else { return };
    let Ok(Ok(connection)) = timeout(deadline, connecting).await else { return };
    match protocol(&connection, &domain) {
        Ok(Protocol::Client) => session::accept(connection, to_core, media, stranger).await,
        // Boxed, so that the task of a device is not as large as that of a peer.
        Ok(Protocol::Federation) => Box::pin(federation::accept(connection, to_core, media, stranger)).await,
        Err(code) => close(&connection, code),
    }
}

/// What a connection is for, by its ALPN.
enum Protocol {
    Client,
    Federation,
}

/// The name that the other side asked for must be ours, and the protocol one of the two.
fn protocol(connection: &quinn::Connection, domain: &DomainName) -> Result<Protocol, ErrorCode> {
    let data = connection.handshake_data().and_then(|data| data.downcast::<HandshakeData>().ok());
    let data = data.ok_or(ErrorCode::Internal)?;
    let ours = data.server_name.is_some_and(|name| name.eq_ignore_ascii_case(domain.as_str()));
    if !ours {
        return Err(ErrorCode::Misdirected);
    }
    match data.protocol.as_deref() {
        Some(alpn) if alpn == tls::ALPN_CLIENT => Ok(Protocol::Client),
        Some(alpn) if alpn == tls::ALPN_FEDERATION => Ok(Protocol::Federation),
        _ => Err(ErrorCode::Unsupported),
    }
}
