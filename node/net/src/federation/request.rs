//! One request and its answer on a stream of their own, in both directions.

use std::time::Duration;

use domain::{Input, RequestId};
use quinn::SendStream;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::{Instant, timeout_at},
};
use wire::{ErrorCode, WireError, limits, proto, proto::peer_response::Response};

use super::connection::PeerConnection;
use crate::{
    dispatch::Job,
    framed::{FrameReader, finish, write},
    media::{self, Pieces},
};

fn deadline() -> Instant {
    Instant::now() + Duration::from_millis(limits::REQUEST_DEADLINE_MS)
}

/// Asks the peer. Whatever happens, the core hears of it once; a request that fails does not end the
/// connection.
pub(super) async fn ask(
    peer: PeerConnection,
    request: RequestId,
    body: proto::PeerRequest,
) -> Result<(), ErrorCode> {
    let until = deadline();
    let answer = timeout_at(until, exchange(&peer, &body, until)).await.unwrap_or(Err(ErrorCode::Timeout));
    let (bytes, answer) = match answer {
        Ok((bytes, answer)) => (bytes, Ok(answer)),
        Err(code) => (0, Err(code)),
    };
    peer.frame(bytes, Job::Input(Input::PeerAnswer { conn: peer.conn(), request, answer })).await;
    Ok(())
}

async fn exchange(
    peer: &PeerConnection,
    body: &proto::PeerRequest,
    until: Instant,
) -> Result<(usize, proto::PeerResponse), ErrorCode> {
    let (mut send, receive) = peer.connection().open_bi().await.map_err(|_| ErrorCode::Unavailable)?;
    write(&mut send, body).await?;
    // Failing means that the stream has been stopped; reading the answer will say so.
    let _ = send.finish();
    let mut reader = FrameReader::new(receive);
    let answer = reader.expect(until).await?;
    Ok((reader.last_bytes(), answer))
}

/// Fetches a piece of a blob from the peer.
pub(super) async fn fetch(
    peer: PeerConnection,
    get: proto::GetBlob,
    pieces: Pieces,
    _permit: OwnedSemaphorePermit,
) -> Result<(), ErrorCode> {
    let until = deadline();
    let body = proto::PeerRequest { request: Some(proto::peer_request::Request::GetBlob(get)) };
    let answer = timeout_at(until, exchange(&peer, &body, until)).await.unwrap_or(Err(ErrorCode::Timeout));
    let piece = match answer.map(|(_, answer)| answer.response) {
        Ok(Some(Response::Piece(piece))) => Ok(piece),
        Ok(Some(Response::Error(error))) => Err(WireError::from(&error)),
        Ok(_) => Err(ErrorCode::Malformed.into()),
        Err(code) => Err(code.into()),
    };
    // Whoever asked may be gone.
    let _ = pieces.send(piece);
    Ok(())
}

/// Gives the peer a piece of a blob. What else goes to the peer goes first.
pub(super) async fn give(
    peer: PeerConnection,
    get: proto::GetBlob,
    mut send: SendStream,
) -> Result<(), ErrorCode> {
    let _ = send.set_priority(media::PRIORITY);
    // Both count until the peer has the piece, or has let it lie.
    let turn = peer.giving();
    let given = match &turn {
        Some(_) => peer.media().give(peer.conn(), &get).await,
        None => Err(media::busy()),
    };
    let (response, _room) = match given {
        Ok((piece, room)) => (Response::Piece(piece), Some(room)),
        Err(error) => (Response::Error(error.into()), None),
    };
    if media::hand_over(&mut send, &proto::PeerResponse { response: Some(response) }).await.is_ok() {
        finish(&mut send).await;
    }
    Ok(())
}

/// Has the core answer the peer. A request that the core has not answered in time is answered with
/// `Timeout`.
pub(super) async fn answer(
    peer: PeerConnection,
    body: proto::PeerRequest,
    bytes: usize,
    mut send: SendStream,
) -> Result<(), ErrorCode> {
    let (answer, answered) = oneshot::channel();
    let request = RequestId(peer.to_core().next_id());
    peer.frame(bytes, Job::PeerRequest(peer.conn(), request, body, answer)).await;
    let response = match timeout_at(deadline(), answered).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => refusal(ErrorCode::Unavailable),
        Err(_) => refusal(ErrorCode::Timeout),
    };
    // The peer may have lost interest in the answer; that harms nobody.
    if write(&mut send, &response).await.is_ok() {
        finish(&mut send).await;
    }
    Ok(())
}

fn refusal(code: ErrorCode) -> proto::PeerResponse {
    proto::PeerResponse { response: Some(Response::Error(code.into())) }
}
