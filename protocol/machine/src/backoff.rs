//! When to try a peer again.

use crate::{Entropy, Timestamp};

/// Exponential backoff with jitter whose state can be stored: one quick retry, then doubling.
/// Times are milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    /// Failures since the last contact.
    pub failures: u32,
    /// Not before this time; 0 if at once.
    pub next_ms: u64,
}

impl Backoff {
    /// Takes note of a failure and sets the next time: after the first failure a jittered fraction
    /// of `quick_ms`, later `first_ms` doubled for each failure, at most `max_ms`, each between
    /// half and whole.
    pub fn failed(
        &mut self,
        now: Timestamp,
        quick_ms: u64,
        first_ms: u64,
        max_ms: u64,
        entropy: &mut impl Entropy,
    ) {
        self.failures = self.failures.saturating_add(1);
        let delay = match self.failures {
            1 => quick_ms.min(first_ms),
            n => first_ms.saturating_mul(1 << (n - 1).min(32)).min(max_ms),
        };
        let jitter = u64::from_le_bytes(entropy.array()) % (delay / 2 + 1);
        self.next_ms = now.plus_ms(delay - jitter).as_ms();
    }

    /// Contact: nothing holds the next attempt back.
    pub fn contact(&mut self) {
        *self = Self::default();
    }
}
