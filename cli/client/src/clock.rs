//! The clock and the randomness of this process, for machines that take both as arguments.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use machine::{Entropy, Timestamp};

/// The time by this machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// How long from now until a time; nothing if it has passed.
pub(crate) fn until(at: Timestamp) -> Duration {
    Duration::from_millis(at.since_ms(now()))
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::expect_used, reason = "without randomness no key may be made, and nothing else helps")]
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives randomness");
    }
}
