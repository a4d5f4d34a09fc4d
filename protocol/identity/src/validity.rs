//! Times in statements: whole seconds since 1970, compared with a clock that may be off by
//! `CLOCK_SKEW_MS`.

use machine::Timestamp;
use wire::{ErrorCode, limits};

/// [ID-4] Something is in force from `not_before`, less the skew that is allowed between clocks.
///
/// # Errors
/// `AuthFailed` if it is not in force yet.
pub(crate) fn begun(not_before: u64, now: Timestamp) -> Result<(), ErrorCode> {
    let latest = now.plus_ms(limits::CLOCK_SKEW_MS).as_s();
    if not_before <= latest { Ok(()) } else { Err(ErrorCode::AuthFailed) }
}

/// [ID-4] Something is in force up to and including the second `not_after`.
pub(crate) fn over(not_after: u64, now: Timestamp) -> bool {
    now.as_s() > not_after
}
