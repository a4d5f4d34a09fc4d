//! A long-lived stream of batches or of their acknowledgements.

use std::sync::Arc;

use domain::{Input, StreamId};
use quinn::SendStream;
use wire::{ErrorCode, limits, proto, proto::peer_request::Request};

use super::{Frames, connection::PeerConnection};
use crate::{
    close::reason,
    dispatch::Job,
    framed::{FrameReader, finish, write, write_all},
    outgoing::Next,
};

/// Opens a link stream of our own.
pub(super) async fn open(peer: PeerConnection, open: proto::LinkOpen) -> Result<(), ErrorCode> {
    let opened = peer.connection().open_bi().await;
    let (mut send, receive) = opened.map_err(|error| reason(&error))?;
    let frame = proto::LinkFrame { frame: Some(proto::link_frame::Frame::Open(open)) };
    write(&mut send, &proto::PeerRequest { request: Some(Request::Link(frame)) }).await?;
    let stream = StreamId(peer.to_core().next_id());
    run(peer, stream, None, FrameReader::new(receive), send).await
}

/// Moves frames both ways until the connection ends. `opened` is what the peer said first, if the
/// stream is the peer's.
pub(super) async fn run(
    peer: PeerConnection,
    stream: StreamId,
    opened: Option<proto::LinkOpen>,
    reader: FrameReader,
    send: SendStream,
) -> Result<(), ErrorCode> {
    // The core holds back batches long before that.
    let frames = Arc::new(Frames::new(limits::LINK_STREAM_BYTES_MAX));
    peer.to_core().job(Job::LinkStream(peer.conn(), stream, opened, Arc::clone(&frames))).await;
    tokio::select! {
        end = read(&peer, stream, reader) => end,
        end = forward(&frames, send) => end,
    }
}

async fn read(peer: &PeerConnection, stream: StreamId, mut reader: FrameReader) -> Result<(), ErrorCode> {
    let conn = peer.conn();
    while let Some(frame) = reader.next().await? {
        peer.frame(reader.last_bytes(), Job::Input(Input::LinkFrame { conn, stream, frame })).await;
    }
    // The peer sends nothing more; the close of the connection says why.
    std::future::pending().await
}

async fn forward(frames: &Frames, mut send: SendStream) -> Result<(), ErrorCode> {
    loop {
        match frames.next().await {
            Next::Frames(frames) => write_all(&mut send, frames).await?,
            // The core does not know that this stream cannot go on: it has to hear so.
            Next::End(code @ ErrorCode::Quota) => return Err(code),
            Next::End(_) => {
                finish(&mut send).await;
                return Ok(());
            }
        }
    }
}
