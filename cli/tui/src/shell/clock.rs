//! The time, and the reader's clock on the wall.

use std::{
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};

use jiff::{Timestamp, tz::TimeZone};

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// By how many seconds this machine's clock is ahead of UTC at a time in milliseconds since 1970.
#[must_use]
pub fn local_offset_s(time_ms: u64) -> i32 {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    let Some(time) = i64::try_from(time_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()) else {
        return 0;
    };
    ZONE.get_or_init(TimeZone::system).to_offset(time).seconds()
}
