//! QUIC without the rules: any name, any protocol, any key, any bytes.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use prost::Message;
use quinn::{ConnectionError, crypto::rustls::QuicClientConfig};
use tokio::time::timeout;
use wire::{ErrorCode, Frame, SecretKey, frame};

/// An answer takes at most this long; longer means that the node hangs, or never answers.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A client endpoint on a port of its own.
///
/// # Errors
/// Those of the operating system.
pub fn endpoint() -> std::io::Result<quinn::Endpoint> {
    endpoint_at([127, 0, 0, 1].into())
}

/// The same at another address of this machine.
///
/// # Errors
/// Those of the operating system.
pub fn endpoint_at(address: IpAddr) -> std::io::Result<quinn::Endpoint> {
    quinn::Endpoint::client((address, 0).into())
}

/// Connects with a server name, a protocol and, if wanted, a key.
///
/// # Errors
/// How the handshake ended.
pub async fn connect(
    endpoint: &quinn::Endpoint,
    address: SocketAddr,
    name: &str,
    alpn: &[u8],
    key: Option<&SecretKey>,
) -> Result<quinn::Connection> {
    let crypto = QuicClientConfig::try_from(tls::client_config(key, alpn)?)?;
    let mut config = quinn::ClientConfig::new(Arc::new(crypto));
    let mut transport = quinn::TransportConfig::default();
    transport.keep_alive_interval(Some(Duration::from_secs(10)));
    config.transport_config(Arc::new(transport));
    Ok(timeout(PATIENCE, endpoint.connect_with(config, address, name)?).await??)
}

/// Waits until the other side closes the connection, and says with which error.
///
/// # Errors
/// If it does not, or ends in another way.
pub async fn close_code(connection: &quinn::Connection) -> Result<ErrorCode> {
    match timeout(PATIENCE, connection.closed()).await.context("the connection stays open")? {
        ConnectionError::ApplicationClosed(close) => {
            Ok(ErrorCode::from_code(u32::try_from(close.error_code.into_inner())?))
        }
        other => bail!("the connection ended with {other}"),
    }
}

/// A stream of frames, or of anything else.
#[derive(Debug)]
pub struct RawStream {
    send: quinn::SendStream,
    receive: quinn::RecvStream,
    decoder: frame::Decoder,
}

impl RawStream {
    /// Opens a bidirectional stream.
    ///
    /// # Errors
    /// If the other side does not let it.
    pub async fn open(connection: &quinn::Connection) -> Result<Self> {
        let (send, receive) = timeout(PATIENCE, connection.open_bi()).await??;
        Ok(Self::new(send, receive))
    }

    /// Accepts a bidirectional stream.
    ///
    /// # Errors
    /// If none comes.
    pub async fn accept(connection: &quinn::Connection) -> Result<Self> {
        let (send, receive) = timeout(PATIENCE, connection.accept_bi()).await??;
        Ok(Self::new(send, receive))
    }

    /// Of both directions.
    #[must_use]
    pub fn new(send: quinn::SendStream, receive: quinn::RecvStream) -> Self {
        Self { send, receive, decoder: frame::Decoder::default() }
    }

    /// Writes a well-formed frame of any message.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn write<M: Message>(&mut self, message: &M) -> Result<()> {
        let body = message.encode_to_vec();
        let mut bytes = u32::try_from(body.len())?.to_be_bytes().to_vec();
        bytes.extend_from_slice(&body);
        self.write_bytes(&bytes).await
    }

    /// Writes any bytes.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn write_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(timeout(PATIENCE, self.send.write_all(bytes)).await??)
    }

    /// Says that nothing more follows.
    pub fn finish(&mut self) {
        // It may be stopped or gone, which the next read tells.
        let _ = self.send.finish();
    }

    /// Breaks both directions off.
    pub fn reset(&mut self) {
        // It may be closed already.
        let _ = self.send.reset(0_u32.into());
        let _ = self.receive.stop(0_u32.into());
    }

    /// The next frame, `None` at the end of the stream.
    ///
    /// # Errors
    /// If none comes, or it is not a frame.
    pub async fn read<M: Frame>(&mut self) -> Result<Option<M>> {
        loop {
            if let Some(message) = self.decoder.next()? {
                return Ok(Some(message));
            }
            let read = timeout(PATIENCE, self.receive.read_chunk(65_536, true)).await.context("no answer")?;
            match read? {
                Some(chunk) => self.decoder.push(&chunk.bytes),
                None => return Ok(None),
            }
        }
    }

    /// The next frame, which must be there.
    ///
    /// # Errors
    /// As [`Self::read`], or if the stream ends.
    pub async fn expect<M: Frame>(&mut self) -> Result<M> {
        self.read().await?.context("the stream ended")
    }
}
