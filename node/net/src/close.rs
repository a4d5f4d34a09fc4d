//! Close codes: the numbers of `spec/errors.toml` as QUIC application codes, and 0 for an end in good
//! order.

use quinn::{ConnectionError, VarInt};
use rustls::AlertDescription;
use wire::ErrorCode;

/// Closes with the number of an error. No text: nobody shows what a peer wrote.
pub(crate) fn close(connection: &quinn::Connection, code: ErrorCode) {
    connection.close(VarInt::from_u32(code.code()), &[]);
}

/// The error that an ended connection stands for.
pub(crate) fn reason(error: &ConnectionError) -> ErrorCode {
    match error {
        ConnectionError::ApplicationClosed(close) => {
            u32::try_from(close.error_code.into_inner()).map_or(ErrorCode::Internal, |code| match code {
                0 => ErrorCode::Unavailable,
                code => ErrorCode::from_code(code),
            })
        }
        ConnectionError::TimedOut => ErrorCode::Timeout,
        ConnectionError::VersionMismatch => ErrorCode::Unsupported,
        ConnectionError::ConnectionClosed(close) if close.error_code == no_common_protocol() => {
            ErrorCode::Unsupported
        }
        _ => ErrorCode::Unavailable,
    }
}

fn no_common_protocol() -> quinn::TransportErrorCode {
    quinn::TransportErrorCode::crypto(u8::from(AlertDescription::NoApplicationProtocol))
}
