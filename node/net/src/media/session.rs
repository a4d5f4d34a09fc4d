//! The media streams of a device: after its hello it may open a few streams beside its session's, each
//! for one blob at a time, one request after the other.

use std::convert::Infallible;

use domain::{MediaAsk, SessionId};
use quinn::{RecvStream, SendStream, VarInt};
use tokio::{sync::oneshot, task::JoinSet, time::timeout};
use wire::{
    Account, BlobId, ErrorCode, RoomId, WireError, limits,
    proto::{
        BeginBlob, BlobPiece, BlobState, GetBlob, MediaRequest, MediaResponse, media_request::Request,
        media_response::Response,
    },
};

use super::{Granted, Media, PRIORITY, asked, busy, check_answer, deadline, hand_over};
use crate::{
    clock::now,
    federation::Command,
    framed::{FrameReader, finish, write},
};

/// A request is a piece and a few words about it.
const REQUEST_BYTES_MAX: usize = limits::MEDIA_PIECE_BYTES_MAX + 1_024;

impl Media {
    /// [MEDIA-5] Serves a device that has proved itself, until its connection is gone.
    pub(crate) async fn serve(&self, connection: &quinn::Connection, session: SessionId) -> Infallible {
        let streams = 1 + limits::MEDIA_STREAMS_PER_SESSION_MAX;
        connection.set_max_concurrent_bi_streams(VarInt::from_u32(u32::try_from(streams).unwrap_or(1)));
        let mut streams = JoinSet::new();
        loop {
            tokio::select! {
                stream = connection.accept_bi() => match stream {
                    Ok((send, receive)) => {
                        let stream = Stream { media: self.clone(), session, begun: None };
                        streams.spawn(stream.run(send, receive));
                    }
                    // Whoever reads the session's stream hears why.
                    Err(_) => std::future::pending().await,
                },
                Some(_) = streams.join_next() => {}
            }
        }
    }
}

/// One media stream.
struct Stream {
    media: Media,
    session: SessionId,
    /// What pieces on this stream are of.
    begun: Option<(Account, BlobId)>,
}

impl Stream {
    async fn run(mut self, mut send: SendStream, receive: RecvStream) {
        // Failing means that the stream is closed, which the first write says too.
        let _ = send.set_priority(PRIORITY);
        let mut reader = FrameReader::new(receive);
        reader.set_bytes_max(REQUEST_BYTES_MAX);
        loop {
            let request = match reader.next::<MediaRequest>().await {
                Ok(Some(request)) => request,
                Ok(None) => return finish(&mut send).await,
                Err(code) => {
                    // After an error in a frame nothing that follows can be understood.
                    if write(&mut send, &refused(code.into())).await.is_ok() {
                        finish(&mut send).await;
                    }
                    return;
                }
            };
            let room = self.media.room().await;
            let response = match &room {
                Ok(_) => match self.answer(request).await {
                    Ok(response) => MediaResponse { response: Some(response) },
                    Err(error) => refused(error),
                },
                Err(error) => refused(*error),
            };
            if hand_over(&mut send, &response).await.is_err() {
                return;
            }
        }
    }

    async fn answer(&mut self, request: MediaRequest) -> Result<Response, WireError> {
        match request.request.ok_or(ErrorCode::Unsupported)? {
            Request::Begin(begin) => self.begin(begin).await,
            Request::Piece(piece) => self.piece(piece).await,
            Request::Get(get) => self.get(get).await.map(Response::Piece),
        }
    }

    async fn begin(&mut self, begin: BeginBlob) -> Result<Response, WireError> {
        self.begun = None;
        let blob = BlobId::try_from(begin.blob.as_ref())?;
        let room = RoomId::try_from(begin.room.as_ref())?;
        let hash = begin.hash.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?;
        let ask = MediaAsk::Put { session: self.session, room: begin.room };
        let Granted::Device(account) = self.media.ask(ask).await? else {
            return Err(ErrorCode::Internal.into());
        };
        let record =
            blobs::Record { blob, room, account: account.clone(), bytes: begin.bytes, hash, begun: now() };
        let state = self.media.on_disk(move |shelf| shelf.begin(record, now())).await?;
        self.begun = Some((account, blob));
        Ok(said(state))
    }

    async fn piece(&self, piece: BlobPiece) -> Result<Response, WireError> {
        let (account, blob) = self.begun.clone().ok_or(ErrorCode::Malformed)?;
        let append =
            move |shelf: &blobs::Shelf| shelf.append((&account, &blob), piece.offset, &piece.bytes, now());
        self.media.on_disk(append).await.map(said)
    }

    // [MEDIA-12]
    async fn get(&self, get: GetBlob) -> Result<BlobPiece, WireError> {
        BlobId::try_from(get.blob.as_ref())?;
        let ask = MediaAsk::Get { session: self.session, get: get.clone() };
        let commands = match self.media.ask(ask).await? {
            Granted::Device(_) => return self.media.read(&get).await,
            Granted::Elsewhere(commands) => commands,
            Granted::Peer => return Err(ErrorCode::Internal.into()),
        };
        let (answer, answered) = oneshot::channel();
        let wanted =
            GetBlob { domain: String::new(), length: u32::try_from(asked(&get)).unwrap_or(1), ..get };
        commands.push_if_read(Command::Fetch(wanted.clone(), answer));
        let piece = match timeout(deadline(), answered).await {
            Ok(Ok(piece)) => piece?,
            // It was not queued, or the connection is gone.
            Ok(Err(_)) => return Err(busy()),
            Err(_) => return Err(ErrorCode::Timeout.into()),
        };
        check_answer(&wanted, &piece)?;
        Ok(piece)
    }
}

const fn said(state: blobs::State) -> Response {
    Response::State(BlobState { received: state.received, complete: state.complete })
}

fn refused(error: WireError) -> MediaResponse {
    MediaResponse { response: Some(Response::Error(error.into())) }
}
