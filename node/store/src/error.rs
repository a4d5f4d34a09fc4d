//! What may go wrong in a store.

use wire::ErrorCode;

/// Why a store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No space. Nothing of the batch was written; reading goes on; a later commit may succeed.
    #[error("the disk is full")]
    Full,
    /// Another process wrote a row that this batch presumed unchanged. Nothing was written.
    #[error("another process was first")]
    Conflict,
    /// The device failed while making data durable. What is on disk is unknown: the process must
    /// end and recover by starting again (DESIGN section 8).
    #[error("the storage device failed: {0}")]
    Failed(String),
    /// A row does not decode: the store was damaged or written by something else.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

impl StoreError {
    /// The error that a client or peer is told.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Full => ErrorCode::StorageFull,
            Self::Conflict | Self::Failed(_) => ErrorCode::Unavailable,
            Self::Damaged(_) => ErrorCode::Internal,
        }
    }
}
