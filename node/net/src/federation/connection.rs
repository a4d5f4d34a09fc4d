//! One connection to a peer, from its registration with the core to its end.

use std::{sync::Arc, time::Duration};

use domain::{ConnId, Input, StreamId};
use quinn::{RecvStream, SendStream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::Instant,
};
use wire::{
    DomainName, ErrorCode, PublicKey, limits, proto,
    proto::{peer_request::Request, peer_response::Response},
};

use super::{Command, link_stream, request};
use crate::{
    close::{close, reason},
    dispatch::Job,
    framed::{FrameReader, finish, write},
    media::{self, Media},
    outgoing::{Next, Outgoing},
    strangers::Stranger,
    to_core::{Share, ToCore},
    transport,
};

/// Commands that may wait on one connection: a hello, a link, and everything that the core may have
/// asked of one peer.
const COMMANDS_MAX: usize = 2 + 2 * limits::PEER_REQUESTS_PER_PEER_MAX;

/// A connection that the core knows.
#[derive(Clone, Debug)]
pub(super) struct PeerConnection {
    connection: quinn::Connection,
    to_core: ToCore,
    media: Media,
    conn: ConnId,
    commands: Arc<Outgoing<Command>>,
    share: Share,
    /// [MEDIA-13] Pieces of blobs that are being fetched, and given.
    fetches: Arc<Semaphore>,
    gives: Arc<Semaphore>,
}

/// The control stream of a connection that the other side opened, and its place among the strangers
/// until it is accepted.
type Control = (SendStream, Stranger);

/// What the task of a stream leaves behind: an error ends the whole connection.
type StreamEnd = Result<(), ErrorCode>;

impl PeerConnection {
    pub(super) async fn register(
        connection: quinn::Connection,
        (to_core, media): (ToCore, Media),
        key: PublicKey,
        dialled: Option<DomainName>,
    ) -> Self {
        let conn = ConnId(to_core.next_id());
        let commands = Arc::new(Outgoing::new(COMMANDS_MAX));
        tracing::debug!(conn = conn.0, dialled = dialled.is_some(), "a connection to a node stands");
        to_core.job(Job::PeerConnected(conn, key, dialled, Arc::clone(&commands))).await;
        let share = Share::new(limits::INPUT_SHARE_PEER_BYTES_MAX);
        let pieces = || Arc::new(Semaphore::new(limits::MEDIA_FETCHES_PER_PEER_MAX));
        Self { connection, to_core, media, conn, commands, share, fetches: pieces(), gives: pieces() }
    }

    pub(super) const fn conn(&self) -> ConnId {
        self.conn
    }

    pub(super) const fn to_core(&self) -> &ToCore {
        &self.to_core
    }

    pub(super) const fn media(&self) -> &Media {
        &self.media
    }

    /// A place among the pieces that are being given to this peer, if one is free.
    pub(super) fn giving(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.gives).try_acquire_owned().ok()
    }

    /// Has the core decide what came in a frame of so many bytes.
    pub(super) async fn frame(&self, bytes: usize, job: Job) {
        self.to_core.frame(&self.share, bytes, 0, job).await;
    }

    pub(super) const fn connection(&self) -> &quinn::Connection {
        &self.connection
    }

    /// Serves until either side ends it. `control` is where the answer to their hello goes, if this
    /// side was dialled.
    pub(super) async fn run(self, mut control: Option<Control>) {
        let mut streams = JoinSet::new();
        let error = loop {
            tokio::select! {
                next = self.commands.next() => match next {
                    Next::Frames(commands) => for command in commands {
                        self.start(command, &mut control, &mut streams);
                    },
                    Next::End(code) => {
                        flush(&mut streams).await;
                        break code;
                    }
                },
                stream = self.connection.accept_bi() => match stream {
                    Ok((send, receive)) => {
                        streams.spawn(serve(self.clone(), send, receive));
                    }
                    Err(error) => break reason(&error),
                },
                Some(end) = streams.join_next() => match end {
                    Ok(Ok(())) => {}
                    Ok(Err(code)) => break code,
                    Err(_) => break ErrorCode::Internal,
                },
            }
        };
        tracing::debug!(conn = self.conn.0, error = error.name(), "a connection to a node ended");
        close(&self.connection, error);
        streams.shutdown().await;
        self.to_core.input(Input::PeerGone { conn: self.conn, error }).await;
    }

    fn start(&self, command: Command, control: &mut Option<Control>, streams: &mut JoinSet<StreamEnd>) {
        let peer = self.clone();
        let started = match command {
            Command::Hello(hello) => match control.take() {
                Some(control) => streams.spawn(answer_hello(peer, control, hello)),
                None => streams.spawn(say_hello(peer, hello)),
            },
            Command::OpenLink(open) => streams.spawn(link_stream::open(peer, open)),
            Command::Request(id, body) => streams.spawn(request::ask(peer, id, body)),
            Command::Fetch(get, pieces) => match Arc::clone(&self.fetches).try_acquire_owned() {
                Ok(permit) => streams.spawn(request::fetch(peer, get, pieces, permit)),
                Err(_) => {
                    // Whoever asked may be gone.
                    let _ = pieces.send(Err(media::busy()));
                    return;
                }
            },
        };
        // It ends with the connection, with all the others.
        drop(started);
    }
}

/// What was ended by the core has a moment to reach the other side.
async fn flush(streams: &mut JoinSet<StreamEnd>) {
    let until = Instant::now() + Duration::from_millis(limits::GOODBYE_MS);
    while let Ok(Some(_)) = tokio::time::timeout_at(until, streams.join_next()).await {}
}

/// A stream that the peer opened.
async fn serve(peer: PeerConnection, send: SendStream, receive: RecvStream) -> StreamEnd {
    let mut reader = FrameReader::new(receive);
    let deadline = Instant::now() + Duration::from_millis(limits::HEADER_DEADLINE_MS);
    let first: proto::PeerRequest = reader.expect(deadline).await?;
    match first.request {
        Some(Request::Link(proto::LinkFrame { frame: Some(proto::link_frame::Frame::Open(open)) })) => {
            let stream = StreamId(peer.to_core.next_id());
            link_stream::run(peer, stream, Some(open), reader, send).await
        }
        Some(Request::Hello(_) | Request::Link(_)) | None => Err(ErrorCode::Malformed),
        Some(Request::GetBlob(get)) => request::give(peer, get, send).await,
        Some(_) => request::answer(peer, first, reader.last_bytes(), send).await,
    }
}

async fn answer_hello(peer: PeerConnection, control: Control, hello: proto::PeerHello) -> StreamEnd {
    let (mut control, stranger) = control;
    let accepted = hello.refused.is_none();
    let response = proto::PeerResponse { response: Some(Response::Hello(hello)) };
    write(&mut control, &response).await?;
    if accepted {
        stranger.meet_peer();
        transport::widen(&peer.connection);
    }
    finish(&mut control).await;
    Ok(())
}

async fn say_hello(peer: PeerConnection, hello: proto::PeerHello) -> StreamEnd {
    let deadline = Instant::now() + Duration::from_millis(limits::HEADER_DEADLINE_MS);
    let (mut send, receive) = peer.connection.open_bi().await.map_err(|error| reason(&error))?;
    write(&mut send, &proto::PeerRequest { request: Some(Request::Hello(hello)) }).await?;
    let mut reader = FrameReader::new(receive);
    reader.set_bytes_max(limits::FIRST_FRAME_BYTES_MAX);
    let answer: proto::PeerResponse = reader.expect(deadline).await?;
    match answer.response {
        Some(Response::Hello(hello)) => {
            let hello = Job::Input(Input::PeerHello { conn: peer.conn, hello });
            peer.frame(reader.last_bytes(), hello).await;
            transport::widen(&peer.connection);
            Ok(())
        }
        _ => Err(ErrorCode::Malformed),
    }
}
