//! A device without the rules: says what it is told to say.

use std::collections::VecDeque;

use anyhow::{Context as _, Result, bail};
use wire::{
    ErrorCode, WireError,
    proto::{
        self, ClientFrame, ClientRequest, NodeFrame, client_frame, client_request::Request,
        client_response::Response, node_frame,
    },
};

use crate::{Node, Person, RawStream, close_code, connect, endpoint_at};

/// A connection to a node with its session stream.
#[derive(Debug)]
pub struct RawDevice {
    connection: quinn::Connection,
    stream: RawStream,
    /// What came while something else was waited for.
    aside: VecDeque<node_frame::Frame>,
    next_id: u64,
}

impl RawDevice {
    /// Connects and opens the session stream; says nothing.
    ///
    /// # Errors
    /// If the node does not let it.
    pub async fn connect(node: &Node) -> Result<Self> {
        Self::connect_from(node, [127, 0, 0, 1].into()).await
    }

    /// As [`Self::connect`], from this address of the machine.
    ///
    /// # Errors
    /// If the node does not let it.
    pub async fn connect_from(node: &Node, from: std::net::IpAddr) -> Result<Self> {
        let name = node.domain().as_str();
        let connection = connect(&endpoint_at(from)?, node.address(), name, tls::ALPN_CLIENT, None).await?;
        let stream = RawStream::open(&connection).await?;
        Ok(Self { connection, stream, aside: VecDeque::new(), next_id: 1 })
    }

    /// A new account of the node's domain, enrolled and with a session.
    ///
    /// # Errors
    /// If the node refuses any of it.
    pub async fn enrolled(node: &Node, local: &str) -> Result<(Person, Self)> {
        let person = Person::new(&format!("{local}@{}", node.domain()))?;
        let code = node.invite(&person.account)?;
        let mut device = Self::connect(node).await?;
        device.enrol(&person, code).await?;
        device.hello(&person).await?;
        Ok((person, device))
    }

    /// A new connection with a session of a person who is enrolled.
    ///
    /// # Errors
    /// If the node refuses it.
    pub async fn again(node: &Node, person: &Person) -> Result<Self> {
        let mut device = Self::connect(node).await?;
        device.hello(person).await?;
        Ok(device)
    }

    /// The connection, for closing it or for opening what must not be opened.
    #[must_use]
    pub const fn connection(&self) -> &quinn::Connection {
        &self.connection
    }

    /// The session stream.
    pub const fn stream(&mut self) -> &mut RawStream {
        &mut self.stream
    }

    /// The 32 bytes that a hello on this connection must be bound to.
    ///
    /// # Errors
    /// If TLS has none.
    pub fn exporter(&self) -> Result<[u8; 32]> {
        let mut exporter = [0; 32];
        self.connection
            .export_keying_material(&mut exporter, identity::session::EXPORTER_LABEL, &[])
            .ok()
            .context("a TLS exporter")?;
        Ok(exporter)
    }

    /// Enrols an account with its invitation code.
    ///
    /// # Errors
    /// What the node refused, as a [`WireError`].
    pub async fn enrol(&mut self, person: &Person, code: [u8; 16]) -> Result<proto::AccountKeys> {
        let request = Request::Enrol(proto::Enrol {
            account: person.account.to_string(),
            proof: Some(proto::enrol::Proof::Code(code.to_vec().into())),
            keys: Some(person.enrolment()?),
        });
        match self.request(request).await? {
            Response::Account(keys) => Ok(keys),
            other => bail!("{other:?} does not answer an enrolment"),
        }
    }

    /// Begins the session.
    ///
    /// # Errors
    /// What the node refused.
    pub async fn hello(&mut self, person: &Person) -> Result<proto::SessionReady> {
        let hello = identity::session::sign(
            &person.device_key,
            &person.account,
            person.device,
            &self.exporter()?,
            net::now(),
        );
        self.send(client_frame::Frame::Hello(hello)).await?;
        match self.next().await? {
            node_frame::Frame::Ready(ready) => Ok(ready),
            other => bail!("{other:?} does not answer a hello"),
        }
    }

    /// Writes one frame.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn send(&mut self, frame: client_frame::Frame) -> Result<()> {
        self.stream.write(&ClientFrame { frame: Some(frame) }).await
    }

    /// Writes a request without waiting for its answer, and returns its id.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn send_request(&mut self, request: Request) -> Result<u64> {
        let id = self.next_id;
        self.next_id += 1;
        let request = ClientRequest { id, request: Some(request) };
        self.send(client_frame::Frame::Request(request)).await?;
        Ok(id)
    }

    /// Asks and waits for the answer; other frames that come meanwhile are kept for [`Self::next`].
    ///
    /// # Errors
    /// What the node refused, as a [`WireError`].
    pub async fn request(&mut self, request: Request) -> Result<Response> {
        let id = self.send_request(request).await?;
        self.response(id).await
    }

    /// Waits for the answer to a request that was sent.
    ///
    /// # Errors
    /// What the node refused, as a [`WireError`].
    pub async fn response(&mut self, id: u64) -> Result<Response> {
        let answers = |frame: &node_frame::Frame| match frame {
            node_frame::Frame::Response(response) => response.id == id,
            _ => false,
        };
        let frame = match self.aside.iter().position(answers) {
            Some(at) => self.aside.remove(at).context("it is there")?,
            None => loop {
                let frame = self.read().await?;
                if answers(&frame) {
                    break frame;
                }
                self.aside.push_back(frame);
            },
        };
        let node_frame::Frame::Response(response) = frame else { bail!("not a response") };
        match response.response.context("an empty response")? {
            Response::Error(error) => Err(WireError::from(&error).into()),
            response => Ok(response),
        }
    }

    /// The error of a request that must be refused.
    ///
    /// # Errors
    /// If it is not.
    pub async fn refused(&mut self, request: Request) -> Result<ErrorCode> {
        match self.request(request).await {
            Ok(response) => bail!("{response:?} is no refusal"),
            Err(error) => Ok(error.downcast::<WireError>()?.code),
        }
    }

    /// The next frame of the node.
    ///
    /// # Errors
    /// If none comes.
    pub async fn next(&mut self) -> Result<node_frame::Frame> {
        match self.aside.pop_front() {
            Some(frame) => Ok(frame),
            None => self.read().await,
        }
    }

    async fn read(&mut self) -> Result<node_frame::Frame> {
        self.stream.expect::<NodeFrame>().await?.frame.context("an empty frame")
    }

    /// Begins the sync stream after a position.
    ///
    /// # Errors
    /// What the node refused.
    pub async fn subscribe(&mut self, store_id: &[u8], after: u64) -> Result<()> {
        let request = proto::Subscribe { store_id: store_id.to_vec().into(), after };
        self.request(Request::Subscribe(request)).await?;
        Ok(())
    }

    /// The next entry of the sync stream that `pick` wants; others are passed over.
    ///
    /// # Errors
    /// If none comes.
    pub async fn entry<T>(
        &mut self,
        mut pick: impl FnMut(&proto::entry::Entry) -> Option<T>,
    ) -> Result<(u64, T)> {
        loop {
            let node_frame::Frame::Page(page) = self.next().await? else { continue };
            let mut entries = page.entries.into_iter();
            while let Some(entry) = entries.next() {
                let Some(picked) = entry.entry.as_ref().and_then(&mut pick) else { continue };
                let rest = proto::Page { entries: entries.collect(), caught_up: page.caught_up };
                if !rest.entries.is_empty() {
                    self.aside.push_front(node_frame::Frame::Page(rest));
                }
                return Ok((entry.position, picked));
            }
        }
    }

    /// Waits until the node closes the connection, and says with which error.
    ///
    /// # Errors
    /// If it does not.
    pub async fn closed(&self) -> Result<ErrorCode> {
        close_code(&self.connection).await
    }
}
