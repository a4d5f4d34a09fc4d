//! One device: its session stream, from the first frame to the last.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{Input, SessionId};
use quinn::SendStream;
use tokio::time::{Instant, timeout_at};
use wire::{
    ErrorCode, limits, proto,
    proto::{client_frame::Frame, client_request::Request},
};

use crate::{
    close::close,
    dispatch::Job,
    framed::{FrameReader, finish, write_all},
    media::Media,
    outgoing::{Next, Outgoing},
    strangers::Stranger,
    to_core::{Share, ToCore},
};

/// Serves an accepted connection until it ends. The core hears of it only when a whole first frame
/// has come, so that a connection which says nothing costs nothing there.
pub(crate) async fn accept(connection: quinn::Connection, to_core: ToCore, media: Media, stranger: Stranger) {
    let (reader, send, first) = match first_frame(&connection).await {
        Ok(begun) => begun,
        Err(code) => return close(&connection, code),
    };
    let mut exporter = [0; 32];
    if connection.export_keying_material(&mut exporter, identity::session::EXPORTER_LABEL, &[]).is_err() {
        return close(&connection, ErrorCode::Internal);
    }
    let session = SessionId(to_core.next_id());
    // [SYNC-8]
    let outgoing = Arc::new(Outgoing::new(limits::SESSION_MEMORY_BYTES_MAX));
    to_core.job(Job::SessionOpened(session, exporter, Arc::clone(&outgoing), stranger)).await;
    let share = Share::new(limits::INPUT_SHARE_BYTES_MAX);
    let bulk = (&connection, &media);
    let reading = Reading { session, reader, to_core: &to_core, share, outgoing: &outgoing, bulk };
    let end = tokio::select! {
        end = reading.run(first) => end,
        end = forward(&outgoing, send) => end,
        code = overdue(&outgoing) => code.into(),
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

/// The receiving half of a session.
struct Reading<'a> {
    session: SessionId,
    reader: FrameReader,
    to_core: &'a ToCore,
    share: Share,
    outgoing: &'a Outgoing<Bytes>,
    /// Where its media streams come in, and who serves them.
    bulk: (&'a quinn::Connection, &'a Media),
}

impl Reading<'_> {
    async fn run(mut self, first: proto::ClientFrame) -> End {
        let hello_until = Instant::now() + Duration::from_millis(limits::HELLO_DEADLINE_MS);
        let hello = timeout_at(hello_until, self.until_hello(first)).await;
        if let Some(end) = hello.unwrap_or_else(|_| Some(ErrorCode::Timeout.into())) {
            return end;
        }
        // If the hello is refused, the core ends the session, and this wait with it.
        self.outgoing.known().await;
        self.reader.set_bytes_max(limits::FRAME_BYTES_MAX);
        let (connection, media) = self.bulk;
        let session = self.session;
        // Boxed, so that it costs a session no more than it must.
        let bulk = Box::pin(media.serve(connection, session));
        tokio::select! {
            end = self.frames() => end,
            never = bulk => match never {},
        }
    }

    async fn frames(&mut self) -> End {
        loop {
            match self.reader.next().await {
                Ok(Some(frame)) => self.pass_on(frame).await,
                Ok(None) => return End::Left,
                Err(code) => return code.into(),
            }
        }
    }

    // [SYNC-4] A few small requests, then who it is.
    async fn until_hello(&mut self, first: proto::ClientFrame) -> Option<End> {
        let mut frame = first;
        let mut requests = 0;
        loop {
            match frame.frame {
                Some(Frame::Request(_)) if requests >= limits::REQUESTS_BEFORE_HELLO_MAX => {
                    return Some(ErrorCode::Quota.into());
                }
                Some(Frame::Request(_)) => requests += 1,
                _ => {}
            }
            let greeted = matches!(frame.frame, Some(Frame::Hello(_)));
            self.pass_on(frame).await;
            if greeted {
                return None;
            }
            frame = match self.reader.next().await {
                Ok(Some(next)) => next,
                Ok(None) => return Some(End::Left),
                Err(code) => return Some(code.into()),
            };
        }
    }

    /// Has the core decide a frame, and waits until there is room for what comes of the next one.
    async fn pass_on(&mut self, frame: proto::ClientFrame) {
        let (bytes, answer) = (self.reader.last_bytes(), answer_bytes(&frame));
        let job = Job::Input(Input::ClientFrame { session: self.session, frame });
        self.to_core.frame(&self.share, bytes, answer, job).await;
        self.outgoing.eased().await;
    }
}

/// How large the answer to a frame may become, if it is more than a little larger than the frame.
const fn answer_bytes(frame: &proto::ClientFrame) -> usize {
    match &frame.frame {
        Some(Frame::Request(request)) => match &request.request {
            Some(Request::PullEvents(_) | Request::ClaimKeyPackages(_) | Request::GetGroup(_)) => {
                limits::BATCH_BYTES_MAX
            }
            Some(Request::GetDomain(_) | Request::GetAccount(_) | Request::PeerStates(_)) => {
                limits::FIRST_FRAME_BYTES_MAX
            }
            _ => 0,
        },
        _ => 0,
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

/// Waits until the end of a session was ordered and its device has had a moment to read the rest: one
/// that does not read would hold on to it for ever.
async fn overdue(outgoing: &Outgoing<Bytes>) -> ErrorCode {
    let code = outgoing.ended().await;
    tokio::time::sleep(Duration::from_millis(limits::GOODBYE_MS)).await;
    code
}
