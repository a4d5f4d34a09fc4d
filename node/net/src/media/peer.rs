//! Pieces of this domain's blobs for a peer that has members in their rooms.

use domain::{ConnId, MediaAsk};
use wire::{
    ErrorCode, WireError,
    proto::{BlobPiece, GetBlob},
};

use super::{Granted, Media};

impl Media {
    /// [MEDIA-13] A piece for the peer on this connection.
    ///
    /// # Errors
    /// `NotFound` if it may not have it, or if there is none; else as `blobs::Shelf::read`.
    pub(crate) async fn give(&self, conn: ConnId, get: &GetBlob) -> Result<BlobPiece, WireError> {
        let _room = self.room().await?;
        match self.ask(MediaAsk::Give { conn, room: get.room.clone() }).await? {
            Granted::Peer => self.read(get).await,
            Granted::Device(_) | Granted::Elsewhere(_) => Err(ErrorCode::Internal.into()),
        }
    }
}
