//! Decides how often something may happen.

use machine::Timestamp;

/// A bucket that holds at most `burst` tokens and fills at a steady rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenBucket {
    /// In thousandths of a token.
    thousandths: u64,
    filled: Timestamp,
}

impl TokenBucket {
    /// A full bucket.
    pub(crate) fn new(burst: usize, now: Timestamp) -> Self {
        Self { thousandths: (burst as u64).saturating_mul(1000), filled: now }
    }

    /// Takes so many tokens, or says how many milliseconds to wait for them.
    pub(crate) fn take(
        &mut self,
        cost: usize,
        now: Timestamp,
        per_second: usize,
        burst: usize,
    ) -> Result<(), u64> {
        self.fill(now, per_second, burst);
        let cost = (cost.min(burst) as u64).saturating_mul(1000);
        match self.thousandths.checked_sub(cost) {
            Some(rest) => {
                self.thousandths = rest;
                Ok(())
            }
            None => Err((cost - self.thousandths).div_ceil((per_second as u64).max(1)).max(1)),
        }
    }

    /// Whether it holds all that it may hold, as one that is new.
    pub(crate) fn is_full(&mut self, now: Timestamp, per_second: usize, burst: usize) -> bool {
        self.fill(now, per_second, burst);
        self.thousandths == (burst as u64).saturating_mul(1000)
    }

    fn fill(&mut self, now: Timestamp, per_second: usize, burst: usize) {
        // A thousandth of a token per millisecond is a token per second.
        let gained = now.since_ms(self.filled).saturating_mul(per_second as u64);
        self.thousandths = self.thousandths.saturating_add(gained).min((burst as u64).saturating_mul(1000));
        self.filled = self.filled.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let mut now = Timestamp::from_ms(1_000);
        let mut bucket = TokenBucket::new(3, now);
        for _ in 0..3 {
            assert_eq!(bucket.take(1, now, 10, 3), Ok(()));
        }
        let wait = bucket.take(1, now, 10, 3).unwrap_err();
        assert_eq!(wait, 100);
        now = now.plus_ms(wait);
        assert_eq!(bucket.take(1, now, 10, 3), Ok(()));
        assert_eq!(bucket.take(1, now, 10, 3), Err(100));
    }
}
