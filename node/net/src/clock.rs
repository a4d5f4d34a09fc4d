//! The machine's clock, read here and nowhere else in a node.

use std::time::{SystemTime, UNIX_EPOCH};

use machine::Timestamp;

/// Now, by the clock of this machine; 0 if it stands before 1970.
#[must_use]
pub fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
