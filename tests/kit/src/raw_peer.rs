//! A domain without the rules: has keys and documents like any other, and says what it is told.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context as _, Result, bail};
use identity::{DomainDocument, DomainKeys, fingerprint};
use machine::{Entropy as _, Timestamp};
use quinn::crypto::rustls::QuicServerConfig;
use tokio::time::timeout;
use wire::{
    DomainName, ErrorCode, WireError,
    proto::{
        self, Item, LinkFrame, PeerHello, PeerRequest, PeerResponse, link_frame, peer_request::Request,
        peer_response::Response,
    },
};

use crate::{Node, RawStream, SystemEntropy, connect, raw::PATIENCE};

/// A domain made of keys, one document and a UDP port.
#[derive(Debug)]
pub struct RawPeer {
    domain: DomainName,
    /// Its keys; public, so that a test can sign anything.
    pub keys: DomainKeys,
    /// Its documents, oldest first, as a hello presents them.
    pub documents: Vec<proto::Signed>,
    endpoint: quinn::Endpoint,
    /// Which run of its process it pretends to be.
    pub instance: [u8; 16],
}

impl RawPeer {
    /// A new domain that listens on a port of its own.
    ///
    /// # Errors
    /// If the name is malformed or there is no port.
    pub fn new(domain: &str) -> Result<Self> {
        let domain: DomainName = domain.parse()?;
        let keys = DomainKeys::generate(&mut SystemEntropy);
        let alpns = [tls::ALPN_CLIENT, tls::ALPN_FEDERATION];
        let crypto = QuicServerConfig::try_from(tls::server_config(&keys.tls, &alpns)?)?;
        let config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
        let endpoint = quinn::Endpoint::server(config, ([127, 0, 0, 1], 0).into())?;
        let listens = endpoint.local_addr()?.to_string().parse()?;
        let document = keys.first_document(&domain, &[listens], net::now())?;
        Ok(Self {
            domain,
            keys,
            documents: vec![document.signed().clone()],
            endpoint,
            instance: SystemEntropy.array(),
        })
    }

    /// The domain.
    #[must_use]
    pub const fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.endpoint.local_addr()?)
    }

    /// The fingerprint of its root key.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        fingerprint(&self.keys.root.public())
    }

    /// Its newest document.
    ///
    /// # Errors
    /// If there is none that holds.
    pub fn document(&self) -> Result<DomainDocument> {
        Ok(DomainDocument::parse(self.documents.last().context("a document")?)?)
    }

    /// Has a node's administrator pin this domain.
    ///
    /// # Errors
    /// If the node refuses.
    pub fn pinned_by(&self, node: &Node) -> Result<()> {
        crate::pin(node, &self.domain, self.address()?, &self.fingerprint())
    }

    /// An honest hello to a node, as a start for a dishonest one.
    #[must_use]
    pub fn hello(&self, to: &DomainName, now: Timestamp) -> PeerHello {
        PeerHello {
            from: self.domain.to_string(),
            to: to.to_string(),
            time_ms: now.as_ms(),
            documents: self.documents.clone(),
            known_seq: 0,
            refused: None,
            instance: self.instance.to_vec().into(),
        }
    }

    /// Connects to a node with this domain's TLS key and says nothing.
    ///
    /// # Errors
    /// If the handshake fails.
    pub async fn dial(&self, node: &Node) -> Result<quinn::Connection> {
        let name = node.domain().as_str();
        let key = Some(&self.keys.tls);
        connect(&self.endpoint, node.address(), name, tls::ALPN_FEDERATION, key).await
    }

    /// Waits for a connection from a node.
    ///
    /// # Errors
    /// If none comes.
    pub async fn accept(&self) -> Result<quinn::Connection> {
        Ok(self.incoming().await?.accept()?.await?)
    }

    /// Waits for somebody who wants to connect.
    ///
    /// # Errors
    /// If nobody comes.
    pub async fn incoming(&self) -> Result<quinn::Incoming> {
        timeout(PATIENCE, self.endpoint.accept()).await?.context("a closed endpoint")
    }

    /// Connects to a node that has this domain pinned, with honest hellos.
    ///
    /// # Errors
    /// If the node refuses.
    pub async fn establish(&self, node: &Node) -> Result<quinn::Connection> {
        let connection = self.dial(node).await?;
        let hello = Request::Hello(self.hello(node.domain(), net::now()));
        match ask(&connection, hello).await? {
            Response::Hello(PeerHello { refused: None, .. }) => Ok(connection),
            other => bail!("{other:?} refuses an honest hello"),
        }
    }

    /// Waits for a connection from a node and for its hello, which is not answered.
    ///
    /// # Errors
    /// If none comes, or something else than a hello.
    pub async fn dialled(&self) -> Result<(quinn::Connection, RawStream)> {
        let connection = self.accept().await?;
        let mut control = RawStream::accept(&connection).await?;
        match control.expect::<PeerRequest>().await?.request {
            Some(Request::Hello(_)) => Ok((connection, control)),
            other => bail!("{other:?} is no hello"),
        }
    }

    /// Waits for a connection from a node, and answers its hello honestly.
    ///
    /// # Errors
    /// As [`Self::dialled`].
    pub async fn meet(&self, node: &Node) -> Result<quinn::Connection> {
        let (connection, mut control) = self.dialled().await?;
        let hello = Response::Hello(self.hello(node.domain(), net::now()));
        control.write(&PeerResponse { response: Some(hello) }).await?;
        control.finish();
        Ok(connection)
    }

    /// Waits for the link stream of a node, and for its opening.
    ///
    /// # Errors
    /// If something else comes.
    pub async fn linked(connection: &quinn::Connection) -> Result<(RawStream, proto::LinkOpen)> {
        let mut stream = RawStream::accept(connection).await?;
        match stream.expect::<PeerRequest>().await?.request {
            Some(Request::Link(LinkFrame { frame: Some(link_frame::Frame::Open(open)) })) => {
                Ok((stream, open))
            }
            other => bail!("{other:?} opens no link"),
        }
    }

    /// Opens a link stream with a new outbox id, numbering from 1, and waits for the answer.
    ///
    /// # Errors
    /// If the node does not resume.
    pub async fn open_link(&self, connection: &quinn::Connection) -> Result<RawLink> {
        let open = proto::LinkOpen { outbox_id: SystemEntropy.array::<16>().to_vec().into(), first: 1 };
        let mut stream = RawStream::open(connection).await?;
        let frame = LinkFrame { frame: Some(link_frame::Frame::Open(open)) };
        stream.write(&PeerRequest { request: Some(Request::Link(frame)) }).await?;
        match stream.expect::<LinkFrame>().await?.frame {
            Some(link_frame::Frame::Resume(resume)) => Ok(RawLink { stream, sent: resume.received }),
            other => bail!("{other:?} does not resume a link"),
        }
    }
}

/// A link stream of a raw peer.
#[derive(Debug)]
pub struct RawLink {
    stream: RawStream,
    sent: u64,
}

impl RawLink {
    /// The stream, for writing what no honest opener writes.
    pub const fn stream(&mut self) -> &mut RawStream {
        &mut self.stream
    }

    /// Sends items as one batch under the next numbers, and returns the number of the last.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn send(&mut self, items: impl IntoIterator<Item = proto::item::Item>) -> Result<u64> {
        let mut numbered = Vec::new();
        for item in items {
            self.sent += 1;
            numbered.push(Item { number: self.sent, item: Some(item) });
        }
        self.write(proto::Batch { items: numbered, settled: 0 }).await?;
        Ok(self.sent)
    }

    /// Sends any batch.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn write(&mut self, batch: proto::Batch) -> Result<()> {
        self.stream.write(&LinkFrame { frame: Some(link_frame::Frame::Batch(batch)) }).await
    }

    /// Waits until everything up to `number` is acknowledged, and returns the refusals among it.
    ///
    /// # Errors
    /// If the node says something else.
    pub async fn acknowledged(&mut self, number: u64) -> Result<Vec<(u64, ErrorCode)>> {
        let mut refusals = Vec::new();
        loop {
            let Some(link_frame::Frame::Ack(ack)) = self.stream.expect::<LinkFrame>().await?.frame else {
                bail!("an answerer acknowledges and says nothing else");
            };
            for answer in ack.answers {
                let error = answer.error.context("an answer is an error")?;
                refusals.push((answer.number, ErrorCode::from_code(error.code)));
            }
            if ack.received >= number {
                return Ok(refusals);
            }
        }
    }
}

/// One request on a stream of its own.
///
/// # Errors
/// What the node refused, as a [`WireError`].
pub async fn ask(connection: &quinn::Connection, request: Request) -> Result<Response> {
    let mut stream = RawStream::open(connection).await?;
    stream.write(&PeerRequest { request: Some(request) }).await?;
    stream.finish();
    match stream.expect::<PeerResponse>().await?.response.context("an empty response")? {
        Response::Error(error) => Err(WireError::from(&error).into()),
        response => Ok(response),
    }
}
