//! Blobs on their way through a node: between a device and this domain's shelf, and from the domain that
//! keeps one. Each piece is a request of its own and is held whole in memory while it passes, so that no
//! slow reader fills the windows of a connection; how many pieces there are at a time is bounded.

mod peer;
mod session;

use std::{sync::Arc, time::Duration};

use blobs::Shelf;
use domain::{MediaAsk, MediaId};
use quinn::{SendStream, VarInt};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};
use wire::{
    Account, BlobId, ErrorCode, RoomId, WireError, limits,
    proto::{BlobPiece, GetBlob},
};

use crate::{
    clock::now, dispatch::Job, federation::Command, framed::write, outgoing::Outgoing, to_core::ToCore,
};

/// Pieces give way to everything else on a connection.
pub(crate) const PRIORITY: i32 = -1;
/// When somebody may ask again who met a bound on what is done at the same time.
const BUSY_MS: u64 = 250;

/// What serves blobs; one for a node.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    shelf: Arc<Shelf>,
    to_core: ToCore,
    memory: Arc<Semaphore>,
}

/// What the core has allowed.
#[derive(Debug)]
pub(crate) enum Granted {
    /// The account may put it here, or have it from here.
    Device(Account),
    /// The peer may have it from here.
    Peer,
    /// The peer behind this queue is to be asked.
    Elsewhere(Arc<Outgoing<Command>>),
}

/// Where the core's word about a blob is awaited.
pub(crate) type Grants = oneshot::Sender<Result<Granted, WireError>>;

/// Where a piece is awaited.
pub(crate) type Pieces = oneshot::Sender<Result<BlobPiece, WireError>>;

impl Media {
    pub(crate) fn new(shelf: Arc<Shelf>, to_core: ToCore) -> Self {
        let memory = Arc::new(Semaphore::new(limits::MEDIA_MEMORY_BYTES_MAX));
        Self { shelf, to_core, memory }
    }

    async fn ask(&self, ask: MediaAsk) -> Result<Granted, WireError> {
        let (answer, answered) = oneshot::channel();
        let id = MediaId(self.to_core.next_id());
        self.to_core.job(Job::Media(id, ask, answer)).await;
        match timeout(deadline(), answered).await {
            Ok(Ok(granted)) => granted,
            Ok(Err(_)) => Err(ErrorCode::Unavailable.into()),
            Err(_) => Err(ErrorCode::Timeout.into()),
        }
    }

    /// Memory for one piece, for as long as the permit lives.
    ///
    /// # Errors
    /// `RateLimited` if there is none for as long as a request may take.
    async fn room(&self) -> Result<OwnedSemaphorePermit, WireError> {
        let bytes = u32::try_from(limits::MEDIA_PIECE_BYTES_MAX).unwrap_or(u32::MAX);
        match timeout(deadline(), Arc::clone(&self.memory).acquire_many_owned(bytes)).await {
            Ok(Ok(room)) => Ok(room),
            // Nobody closes it.
            Ok(Err(_)) => Err(ErrorCode::Unavailable.into()),
            Err(_) => Err(busy()),
        }
    }

    /// Does what waits for the disk on a thread where waiting is allowed.
    async fn on_disk<T: Send + 'static, E: From<ErrorCode> + Send + 'static>(
        &self,
        work: impl FnOnce(&Shelf) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let shelf = Arc::clone(&self.shelf);
        let done = tokio::task::spawn_blocking(move || work(&shelf)).await;
        done.unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
    }

    async fn read(&self, get: &GetBlob) -> Result<BlobPiece, WireError> {
        let (room, blob) = (RoomId::try_from(get.room.as_ref())?, BlobId::try_from(get.blob.as_ref())?);
        let (offset, length) = (get.offset, asked(get));
        let read = self.on_disk(move |shelf| shelf.read((&room, &blob), offset, length, now())).await;
        read.map_err(|code: ErrorCode| code.into())
    }
}

/// Writes an answer that holds memory. One that is not read for as long as a request may take is taken
/// back, and the stream is of no more use.
///
/// # Errors
/// `Timeout`, and those of writing.
pub(crate) async fn hand_over<M: wire::Frame>(send: &mut SendStream, answer: &M) -> Result<(), ErrorCode> {
    timeout(deadline(), write(send, answer)).await.unwrap_or_else(|_| {
        // Failing means that the stream is closed already.
        let _ = send.reset(VarInt::from_u32(ErrorCode::Timeout.code()));
        Err(ErrorCode::Timeout)
    })
}

/// How many bytes are asked for at most.
fn asked(get: &GetBlob) -> usize {
    usize::try_from(get.length).unwrap_or(usize::MAX).clamp(1, limits::MEDIA_PIECE_BYTES_MAX)
}

/// [MEDIA-13] Whether a piece can be the answer to what was asked.
///
/// # Errors
/// `Malformed`.
pub(crate) fn check_answer(get: &GetBlob, piece: &BlobPiece) -> Result<(), ErrorCode> {
    let bytes = piece.bytes.len();
    let end = get.offset.checked_add(bytes as u64);
    let good = piece.offset == get.offset
        && (1..=asked(get)).contains(&bytes)
        && media::is_blob_bytes(piece.total)
        && end.is_some_and(|end| end <= piece.total);
    if good { Ok(()) } else { Err(ErrorCode::Malformed) }
}

const fn deadline() -> Duration {
    Duration::from_millis(limits::REQUEST_DEADLINE_MS)
}

/// Too much is done at the same time.
pub(crate) const fn busy() -> WireError {
    WireError { code: ErrorCode::RateLimited, retry_after_ms: BUSY_MS, value: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [MEDIA-13]
    #[test]
    fn a_piece_that_was_not_asked_for_is_not_passed_on() {
        let total = media::Plan::of(10).expect("small").blob_bytes();
        let get = GetBlob { offset: 100, length: 50, ..GetBlob::default() };
        let piece = |offset, bytes: usize, total| BlobPiece { offset, bytes: vec![1; bytes].into(), total };
        assert_eq!(check_answer(&get, &piece(100, 50, total)), Ok(()));
        assert_eq!(check_answer(&get, &piece(100, 1, total)), Ok(()));
        for wrong in [
            piece(99, 50, total),
            piece(100, 0, total),
            piece(100, 51, total),
            piece(100, 50, 120),
            piece(100, 50, total + 1),
            piece(100, 50, u64::MAX),
        ] {
            assert_eq!(check_answer(&get, &wrong), Err(ErrorCode::Malformed), "{wrong:?}");
        }
        let all = GetBlob { length: u32::MAX, ..get };
        let large = piece(
            100,
            limits::MEDIA_PIECE_BYTES_MAX + 1,
            media::Plan::of(1 << 20).expect("small").blob_bytes(),
        );
        assert_eq!(check_answer(&all, &large), Err(ErrorCode::Malformed));
    }
}
