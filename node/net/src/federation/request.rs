//! One request and its answer on a stream of their own, in both directions.

use std::time::Duration;

use domain::{Input, RequestId};
use quinn::SendStream;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};
use wire::{ErrorCode, limits, proto, proto::peer_response::Response};

use super::connection::PeerConnection;
use crate::{
    dispatch::Job,
    framed::{FrameReader, finish, write},
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
