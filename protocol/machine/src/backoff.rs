//! When to try a peer again.

use crate::{Entropy, Timestamp};

/// Exponential backoff with jitter whose state can be stored ([LINK-11]): a single failure gets one
/// quick retry, then the delay doubles from the first to the longest. Times are milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    /// Failures since the last contact.
    pub failures: u32,
    /// Not before this time; 0 if at once.
    pub next_ms: u64,
}

impl Backoff {
    /// Takes note of a failure and sets the next time. After the first failure the delay is at most
    /// `quick_ms` and `first_ms`; after the n-th it is `first_ms` doubled n − 2 times, at most
    /// `max_ms`. Each is drawn between half and whole, so that those who failed together do not
    /// come back together.
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
            n => first_ms.saturating_mul(1 << (n - 2).min(32)),
        }
        .min(max_ms);
        let jitter = u64::from_le_bytes(entropy.array()) % (delay / 2 + 1);
        self.next_ms = now.plus_ms(delay - jitter).as_ms();
    }

    /// Whether an attempt may be made. A stored time that lies further ahead than any delay can
    /// reach was written under a wrong clock and holds nothing back.
    #[must_use]
    pub const fn is_due(&self, now: Timestamp, max_ms: u64) -> bool {
        self.next_ms <= now.as_ms() || self.next_ms > now.as_ms().saturating_add(max_ms)
    }

    /// Contact, in either direction: nothing holds the next attempt back.
    pub const fn contact(&mut self) {
        self.failures = 0;
        self.next_ms = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seeded;

    const QUICK: u64 = 15_000;
    const FIRST: u64 = 1_000;
    const MAX: u64 = 240_000;

    fn delays(seed: u64, count: usize) -> Vec<u64> {
        let (mut backoff, mut entropy) = (Backoff::default(), Seeded::new(seed));
        let mut now = Timestamp::from_ms(1_000_000);
        (0..count)
            .map(|_| {
                backoff.failed(now, QUICK, FIRST, MAX, &mut entropy);
                let delay = backoff.next_ms - now.as_ms();
                now = Timestamp::from_ms(backoff.next_ms);
                delay
            })
            .collect()
    }

    // [LINK-11]
    #[test]
    fn one_quick_retry_then_doubling_up_to_the_longest() {
        for seed in 0..200 {
            let delays = delays(seed, 40);
            assert!(delays[0] <= QUICK.min(FIRST));
            for (failure, delay) in delays.iter().enumerate().skip(1) {
                let whole = (FIRST << (failure - 1).min(20)).min(MAX);
                assert!((whole / 2..=whole).contains(delay), "failure {failure}: {delay} of {whole}");
            }
        }
    }

    #[test]
    fn those_who_failed_together_do_not_come_back_together() {
        let tenth: std::collections::BTreeSet<u64> = (0..100).map(|seed| delays(seed, 10)[9]).collect();
        assert!(tenth.len() > 90);
    }

    #[test]
    fn contact_ends_it_at_once() {
        let mut backoff = Backoff::default();
        let now = Timestamp::from_ms(5);
        for _ in 0..9 {
            backoff.failed(now, QUICK, FIRST, MAX, &mut Seeded::new(1));
        }
        assert!(!backoff.is_due(now, MAX));
        backoff.contact();
        assert!(backoff.is_due(now, MAX));
        assert_eq!(backoff, Backoff::default());
    }

    #[test]
    fn a_clock_that_was_wrong_does_not_hold_a_peer_back_for_ever() {
        let mut backoff = Backoff::default();
        backoff.failed(Timestamp::from_ms(1 << 50), QUICK, FIRST, MAX, &mut Seeded::new(1));
        assert!(backoff.is_due(Timestamp::from_ms(1_000), MAX));
    }
}
