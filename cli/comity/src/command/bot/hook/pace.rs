//! How many in a minute: a bucket that fills evenly and holds a quarter of a minute's worth.

use std::time::{Duration, Instant};

/// Allows so many in a minute, with short bursts.
#[derive(Debug)]
pub(super) struct Pace {
    every: Duration,
    most: Duration,
    /// The time up to which everything is taken.
    taken_to: Option<Instant>,
}

impl Pace {
    /// So many in a minute.
    pub(super) fn new(per_minute: u32) -> Self {
        let every = Duration::from_secs(60) / per_minute.max(1);
        Self { every, most: (every * (per_minute / 4).max(1)), taken_to: None }
    }

    /// Takes one.
    ///
    /// # Errors
    /// How long to wait for the next one.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let taken_to = self.taken_to.map_or(now, |to| to.max(now)) + self.every;
        let ahead = taken_to.saturating_duration_since(now);
        if ahead > self.most {
            return Err(ahead.saturating_sub(self.most));
        }
        self.taken_to = Some(taken_to);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_an_even_pace_and_what_was_refused_costs_nothing() {
        let mut pace = Pace::new(60);
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert_eq!((0..100).filter(|_| pace.take(at(0)).is_ok()).count(), 15);
        assert_eq!(pace.take(at(0)), Err(Duration::from_secs(1)));
        assert_eq!((0..100).filter(|_| pace.take(at(3)).is_ok()).count(), 3);
        assert_eq!((0..100).filter(|_| pace.take(at(600)).is_ok()).count(), 15, "no more after a rest");
        let mut slow = Pace::new(1);
        assert!(slow.take(at(0)).is_ok() && slow.take(at(0)).is_err() && slow.take(at(60)).is_ok());
    }
}
