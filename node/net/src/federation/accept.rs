//! A connection that another node opened: a key, then a hello, then everything else.

use std::time::Duration;

use domain::Input;
use quinn::SendStream;
use tokio::time::{Instant, timeout_at};
use wire::{ErrorCode, PublicKey, limits, proto, proto::peer_request::Request};

use super::connection::PeerConnection;
use crate::{
    close::close, dispatch::Job, framed::FrameReader, media::Media, strangers::Stranger, to_core::ToCore,
};

/// Serves an accepted connection until it ends. The first stream must bring a whole hello within
/// `HEADER_DEADLINE_MS`; until the core has answered it, no second stream can be opened.
pub(crate) async fn accept(connection: quinn::Connection, to_core: ToCore, media: Media, stranger: Stranger) {
    let Some(key) = proved_key(&connection) else {
        return close(&connection, ErrorCode::AuthFailed);
    };
    match hello(&connection).await {
        Ok((hello, bytes, control)) => {
            let peer = PeerConnection::register(connection, (to_core, media), key, None).await;
            let conn = peer.conn();
            peer.frame(bytes, Job::Input(Input::PeerHello { conn, hello })).await;
            peer.run(Some((control, stranger))).await;
        }
        Err(code) => close(&connection, code),
    }
}

/// The key that the other side proved in TLS.
pub(crate) fn proved_key(connection: &quinn::Connection) -> Option<PublicKey> {
    let identity = connection.peer_identity()?;
    let keys = identity.downcast::<Vec<rustls::pki_types::CertificateDer<'static>>>().ok()?;
    tls::peer_key(&keys)
}

async fn hello(connection: &quinn::Connection) -> Result<(proto::PeerHello, usize, SendStream), ErrorCode> {
    let deadline = Instant::now() + Duration::from_millis(limits::HEADER_DEADLINE_MS);
    let control = timeout_at(deadline, connection.accept_bi()).await.map_err(|_| ErrorCode::Timeout)?;
    let (send, receive) = control.map_err(|_| ErrorCode::Unavailable)?;
    let mut reader = FrameReader::new(receive);
    // [LINK-1]
    reader.set_bytes_max(limits::FIRST_FRAME_BYTES_MAX);
    let first: proto::PeerRequest = reader.expect(deadline).await?;
    match first.request {
        Some(Request::Hello(hello)) => Ok((hello, reader.last_bytes(), send)),
        _ => Err(ErrorCode::AuthFailed),
    }
}
