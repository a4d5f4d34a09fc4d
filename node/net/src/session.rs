//! One device: its session stream, from the first frame to the last.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{Input, SessionId};
use quinn::SendStream;
use tokio::time::{Instant, timeout_at};
use wire::{ErrorCode, limits, proto, proto::client_frame::Frame};

use crate::{
    close::close,
    dispatch::Job,
    framed::{FrameReader, finish, write_all},
    outgoing::{Next, Outgoing},
    to_core::ToCore,
};

/// How long a connection may stay without a `SessionHello`, for asking who the domain is and for
/// enrolling.
const HELLO_DEADLINE: Duration = Duration::from_millis(2 * limits::REQUEST_DEADLINE_MS);

/// Frames that may wait for one device. What the core sends unasked is bounded by its window; answers
/// are bounded because a device that does not read them is not read either.
const FRAMES_MAX: usize = 16 * limits::SESSION_QUEUE_MAX;

/// Serves an accepted connection until it ends. The core hears of it only when a whole first frame
/// has come, so that a connection which says nothing costs nothing there.
pub(crate) async fn accept(connection: quinn::Connection, to_core: ToCore) {
    let (reader, send, first) = match first_frame(&connection).await {
        Ok(begun) => begun,
        Err(code) => return close(&connection, code),
    };
    let mut exporter = [0; 32];
    if connection.export_keying_material(&mut exporter, identity::session::EXPORTER_LABEL, &[]).is_err() {
        return close(&connection, ErrorCode::Internal);
    }
    let session = SessionId(to_core.next_id());
    let outgoing = Arc::new(Outgoing::new(FRAMES_MAX));
    to_core.job(Job::SessionOpened(session, exporter, Arc::clone(&outgoing))).await;
    let end = tokio::select! {
        end = read(session, first, reader, &to_core, &outgoing) => end,
        end = forward(&outgoing, send) => end,
    };
    match end {
        End::Left => connection.close(quinn::VarInt::from_u32(0), &[]),
        End::Refused(code) => close(&connection, code),
    }
    to_core.input(Input::SessionClosed { session }).await;
}

/// How a session came to its end.
enum End {
    /// The device finished its stream.
    Left,
    /// This node, or the loss of the connection, ended it.
    Refused(ErrorCode),
}

impl From<ErrorCode> for End {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(code)
    }
}

async fn first_frame(
    connection: &quinn::Connection,
) -> Result<(FrameReader, SendStream, proto::ClientFrame), ErrorCode> {
    let deadline = Instant::now() + Duration::from_millis(limits::HEADER_DEADLINE_MS);
    let stream = timeout_at(deadline, connection.accept_bi()).await.map_err(|_| ErrorCode::Timeout)?;
    let (send, receive) = stream.map_err(|_| ErrorCode::Unavailable)?;
    let mut reader = FrameReader::new(receive);
    reader.set_bytes_max(limits::FIRST_FRAME_BYTES_MAX);
    let first = reader.expect(deadline).await?;
    Ok((reader, send, first))
}

async fn read(
    session: SessionId,
    first: proto::ClientFrame,
    mut reader: FrameReader,
    to_core: &ToCore,
    outgoing: &Outgoing<Bytes>,
) -> End {
    let hello_until = Instant::now() + HELLO_DEADLINE;
    let mut frame = first;
    loop {
        let greeted = matches!(frame.frame, Some(Frame::Hello(_)));
        to_core.input(Input::ClientFrame { session, frame }).await;
        if greeted {
            break;
        }
        frame = match timeout_at(hello_until, reader.next()).await {
            Ok(Ok(Some(next))) => next,
            Ok(Ok(None)) => return End::Left,
            Ok(Err(code)) => return code.into(),
            Err(_) => return ErrorCode::Timeout.into(),
        };
    }
    reader.set_bytes_max(limits::FRAME_BYTES_MAX);
    loop {
        match reader.next().await {
            Ok(Some(frame)) => to_core.input(Input::ClientFrame { session, frame }).await,
            Ok(None) => return End::Left,
            Err(code) => return code.into(),
        }
        outgoing.shorter_than(limits::SESSION_QUEUE_MAX).await;
    }
}

async fn forward(outgoing: &Outgoing<Bytes>, mut send: SendStream) -> End {
    loop {
        match outgoing.next().await {
            Next::Frames(frames) => {
                if let Err(code) = write_all(&mut send, frames).await {
                    return code.into();
                }
            }
            Next::End(code) => {
                finish(&mut send).await;
                return code.into();
            }
        }
    }
}
