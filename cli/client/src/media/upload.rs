//! Sends a spooled blob to the home node, over lost connections and restarts of either side.

use std::time::Duration;

use tokio::sync::broadcast;
use wire::{
    BlobId, ErrorCode, RoomId, WireError, limits,
    proto::{self, BeginBlob, BlobPiece},
};

use super::{
    line::{Line, Patience},
    spool::{Spool, plan},
    stream::MediaStream,
};
use crate::{
    ClientError,
    view::{Happening, Transfer},
};

/// Sends the blob of this file; returns when the node has it whole.
///
/// # Errors
/// What the node refuses it with; `Undeliverable` if nothing went on for `patience`; `Storage`.
pub(crate) async fn send(
    spool: &Spool,
    room: RoomId,
    file: &proto::File,
    (mut line, happenings): (Line, broadcast::Sender<Happening>),
    patience: Duration,
) -> Result<(), ClientError> {
    let blob = BlobId::try_from(file.blob.as_ref())?;
    let total = plan(file)?.blob_bytes();
    let mut patience = Patience::new(patience);
    let mut damaged = false;
    loop {
        let tell = |done| {
            // Nobody may be listening.
            let _ = happenings.send(Happening::Transfer(Transfer { room, blob, upload: true, done, total }));
        };
        let outcome = attempt(spool, (room, blob), (file, total), &mut line, &mut patience, tell).await;
        match outcome {
            Ok(()) => return Ok(()),
            // What the node had kept of an interrupted piece was not what it was sent: once more from the
            // beginning, for the node has forgotten it.
            Err(ClientError::Refused(error)) if error.code == ErrorCode::BadSignature && !damaged => {
                damaged = true;
            }
            Err(ClientError::Refused(error)) => patience.again(error).await.map_err(given_up)?,
            Err(error) => return Err(error),
        }
    }
}

fn given_up(error: WireError) -> WireError {
    match error.code {
        ErrorCode::Unavailable | ErrorCode::Timeout => ErrorCode::Undeliverable.into(),
        _ => error,
    }
}

async fn attempt(
    spool: &Spool,
    (room, blob): (RoomId, BlobId),
    (file, total): (&proto::File, u64),
    line: &mut Line,
    patience: &mut Patience,
    tell: impl Fn(u64),
) -> Result<(), ClientError> {
    let connection = line.connection(patience).await?;
    let mut stream = MediaStream::open(&connection).await?;
    let begin =
        BeginBlob { room: room.to_bytes(), blob: blob.to_bytes(), bytes: total, hash: file.hash.clone() };
    let mut state = stream.begin(begin).await?;
    while !state.complete {
        tell(state.received);
        let bytes = spool.read(&blob, state.received, limits::MEDIA_PIECE_BYTES_MAX)?;
        if bytes.is_empty() {
            return Err(ErrorCode::Malformed.into());
        }
        let end = state.received + bytes.len() as u64;
        state = stream.put(BlobPiece { offset: state.received, bytes: bytes.into(), total: 0 }).await?;
        if state.received != end {
            return Err(ErrorCode::Malformed.into());
        }
        patience.refresh();
    }
    tell(total);
    Ok(())
}
