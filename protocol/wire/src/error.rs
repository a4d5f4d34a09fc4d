//! The closed list of errors, and the form in which one travels.

use crate::proto;

include!(concat!(env!("OUT_DIR"), "/errors.rs"));

impl ErrorCode {
    /// The number in frames and QUIC close codes.
    #[must_use]
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The error with this number; a number from a newer peer that is not in the list is
    /// `Internal`, for it cannot be acted on.
    #[must_use]
    pub fn from_code(code: u32) -> Self {
        Self::ALL.iter().copied().find(|error| error.code() == code).unwrap_or(Self::Internal)
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name(), self.meaning())
    }
}

impl std::error::Error for ErrorCode {}

/// An error with the numbers that some of them carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub struct WireError {
    /// Which error.
    pub code: ErrorCode,
    /// Milliseconds to wait before a retry; 0 if not known.
    pub retry_after_ms: u64,
    /// `StaleEpoch`: the current epoch. `ClockSkew`: the answering clock in milliseconds.
    pub value: u64,
}

impl WireError {
    /// An error that carries a number.
    #[must_use]
    pub const fn with_value(code: ErrorCode, value: u64) -> Self {
        Self { code, retry_after_ms: 0, value }
    }
}

impl From<ErrorCode> for WireError {
    fn from(code: ErrorCode) -> Self {
        Self { code, retry_after_ms: 0, value: 0 }
    }
}

impl From<WireError> for proto::Error {
    fn from(error: WireError) -> Self {
        Self { code: error.code.code(), retry_after_ms: error.retry_after_ms, value: error.value }
    }
}

impl From<ErrorCode> for proto::Error {
    fn from(code: ErrorCode) -> Self {
        WireError::from(code).into()
    }
}

impl From<&proto::Error> for WireError {
    fn from(error: &proto::Error) -> Self {
        Self {
            code: ErrorCode::from_code(error.code),
            retry_after_ms: error.retry_after_ms,
            value: error.value,
        }
    }
}
