//! Decides what happens next: a queue of happenings by simulated time, first come first served.

use std::collections::BTreeMap;

/// Happenings in order of their time; those of one instant in the order in which they were put in.
#[derive(Debug)]
pub struct Schedule<T> {
    queue: BTreeMap<(u64, u64), T>,
    put: u64,
    now_ms: u64,
}

impl<T> Schedule<T> {
    /// An empty schedule that begins at this time, in milliseconds since 1970.
    #[must_use]
    pub const fn new(now_ms: u64) -> Self {
        Self { queue: BTreeMap::new(), put: 0, now_ms }
    }

    /// The simulated time, in milliseconds since 1970.
    #[must_use]
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Puts something in, not before now.
    pub fn at(&mut self, time_ms: u64, what: T) {
        self.put += 1;
        self.queue.insert((time_ms.max(self.now_ms), self.put), what);
    }

    /// Takes out the next one if it is due by `until_ms`, and sets the time to its own. Otherwise the
    /// time becomes `until_ms`.
    pub fn next(&mut self, until_ms: u64) -> Option<T> {
        match self.queue.first_entry() {
            Some(entry) if entry.key().0 <= until_ms => {
                self.now_ms = entry.key().0;
                Some(entry.remove())
            }
            _ => {
                self.now_ms = self.now_ms.max(until_ms);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_forward_and_ties_keep_their_order() {
        let mut schedule = Schedule::new(5);
        for (time, what) in [(9, "c"), (7, "a"), (1, "now"), (7, "b")] {
            schedule.at(time, what);
        }
        let drained: Vec<_> = std::iter::from_fn(|| schedule.next(8)).collect();
        assert_eq!(drained, ["now", "a", "b"]);
        assert_eq!(schedule.now_ms(), 8);
        assert_eq!(schedule.next(100), Some("c"));
        assert_eq!(schedule.now_ms(), 9);
    }
}
