//! Pieces of this domain's blobs for a peer that has members in their rooms.

use domain::{ConnId, MediaAsk};
use tokio::sync::OwnedSemaphorePermit;
use wire::{
    ErrorCode, WireError,
    proto::{BlobPiece, GetBlob},
};

use super::{Granted, Media};

impl Media {
    /// [MEDIA-13] A piece for the peer on this connection, and its memory until it is handed over.
    ///
    /// # Errors
    /// `NotFound` if it may not have it, or if there is none; `RateLimited` if there is no memory; else as
    /// `blobs::Shelf::read`.
    pub(crate) async fn give(
        &self,
        conn: ConnId,
        get: &GetBlob,
    ) -> Result<(BlobPiece, OwnedSemaphorePermit), WireError> {
        let room = self.room().await?;
        match self.ask(MediaAsk::Give { conn, room: get.room.clone() }).await? {
            Granted::Peer => self.read(get).await.map(|piece| (piece, room)),
            Granted::Device(_) | Granted::Elsewhere(_) => Err(ErrorCode::Internal.into()),
        }
    }
}
