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

    /// Takes a token, or says how many milliseconds to wait for one.
    pub(crate) fn take(&mut self, now: Timestamp, per_second: usize, burst: usize) -> Result<(), u64> {
        // A thousandth of a token per millisecond is a token per second.
        let gained = now.since_ms(self.filled).saturating_mul(per_second as u64);
        self.thousandths = self.thousandths.saturating_add(gained).min((burst as u64).saturating_mul(1000));
        self.filled = self.filled.max(now);
        match self.thousandths.checked_sub(1000) {
            Some(rest) => {
                self.thousandths = rest;
                Ok(())
            }
            None => Err((1000 - self.thousandths).div_ceil((per_second as u64).max(1)).max(1)),
        }
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
            assert_eq!(bucket.take(now, 10, 3), Ok(()));
        }
        let wait = bucket.take(now, 10, 3).unwrap_err();
        assert_eq!(wait, 100);
        now = now.plus_ms(wait);
        assert_eq!(bucket.take(now, 10, 3), Ok(()));
        assert_eq!(bucket.take(now, 10, 3), Err(100));
    }
}
