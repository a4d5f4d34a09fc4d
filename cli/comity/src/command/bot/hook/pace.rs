//! How many in a minute: a bucket that fills evenly and holds a quarter of a minute's worth; and wrong
//! secrets, of which each sender has such a bucket.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Senders of wrong secrets that are remembered.
const SENDERS_MAX: usize = 1_024;

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

    /// Whether there is one to take.
    ///
    /// # Errors
    /// How long to wait for the next one.
    fn has(&self, now: Instant) -> Result<(), Duration> {
        Self { taken_to: self.taken_to, ..*self }.take(now)
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

/// Wrong secrets, by where they come from. Behind a proxy many have one address: whoever guesses there
/// must not shut out those who know the secret. So one that is beyond guessing is always compared, and
/// any is if it comes over loopback, where to hold up guessers is for the proxy.
#[derive(Debug)]
pub(super) struct Guesses {
    per_minute: u32,
    guessable: bool,
    from: HashMap<IpAddr, Pace>,
}

impl Guesses {
    /// So many in a minute from one address, of a secret that might be guessed or not.
    pub(super) fn new(per_minute: u32, guessable: bool) -> Self {
        Self { per_minute, guessable, from: HashMap::new() }
    }

    /// Whether the secret is right, if this sender may guess now; a right one costs nothing.
    ///
    /// # Errors
    /// How long to wait. It was not the right one, or nothing was compared.
    pub(super) fn judge(
        &mut self,
        from: IpAddr,
        now: Instant,
        is_right: impl FnOnce() -> bool,
    ) -> Result<bool, Duration> {
        let sender = network(from);
        if self.guessable
            && !sender.is_loopback()
            && let Some(pace) = self.from.get(&sender)
        {
            pace.has(now)?;
        }
        if is_right() {
            return Ok(true);
        }
        if self.from.len() >= SENDERS_MAX && !self.from.contains_key(&sender) {
            self.from.retain(|_, pace| pace.taken_to.is_some_and(|to| to > now));
            // So many at once are no accident: one of them may begin anew.
            let one = self.from.keys().next().copied().filter(|_| self.from.len() >= SENDERS_MAX);
            one.map(|one| self.from.remove(&one));
        }
        let pace = self.from.entry(sender).or_insert_with(|| Pace::new(self.per_minute));
        pace.take(now).map(|()| false)
    }
}

/// Whoever has one address of IPv6 has the 2^64 around it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into())
        }
        address => address,
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

    #[test]
    fn who_has_guessed_too_often_is_not_heard_even_if_right_and_others_are() {
        let mut guesses = Guesses::new(60, true);
        let now = Instant::now();
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let mut judge = |from: &str, right: bool| guesses.judge(address(from), now, || right);
        for guessing in ["192.0.2.1", "2001:db8::1"] {
            assert_eq!((0..100).filter(|_| judge(guessing, false) == Ok(false)).count(), 15);
            assert!(judge(guessing, true).is_err(), "{guessing}: a right guess at any rate");
        }
        assert!(judge("2001:db8::2", true).is_err(), "the same network");
        for other in ["192.0.2.2", "2001:db8:0:1::1"] {
            assert_eq!(judge(other, true), Ok(true));
        }
        for proxy in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!((0..100).any(|_| judge(proxy, false).is_err()));
            assert_eq!(judge(proxy, true), Ok(true));
        }
        for n in 0..5_000_u32 {
            let _ = guesses.judge(IpAddr::V4(n.into()), now, || false);
        }
        assert_eq!(guesses.from.len(), SENDERS_MAX);
    }

    #[test]
    fn whoever_guesses_at_what_cannot_be_guessed_shuts_out_nobody() {
        let mut guesses = Guesses::new(60, false);
        let now = Instant::now();
        let proxy: IpAddr = "192.0.2.1".parse().expect("an address");
        let held = (0..100).filter(|_| guesses.judge(proxy, now, || false).is_err()).count();
        assert_eq!(held, 85, "he himself is held up");
        assert_eq!(guesses.judge(proxy, now, || true), Ok(true), "another behind the same proxy");
        assert!(guesses.judge(proxy, now, || false).is_err());
    }
}
