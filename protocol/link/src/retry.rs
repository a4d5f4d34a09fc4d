//! Decides when a peer is tried again, when its absence is shown, and when its items are given up.

use machine::{Backoff, Entropy, Timestamp};
use wire::{ErrorCode, limits};

/// What is known of a peer's presence. Stored, so that a restart neither forgets an absence nor
/// tries everybody at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// When the next attempt may be made.
    pub backoff: Backoff,
    /// Since when the peer has been absent; `None` while it is connected or was never needed.
    pub absent_since: Option<Timestamp>,
    /// The last error; kept until the next contact.
    pub last_error: Option<ErrorCode>,
    /// Whether the rooms concerned were told of this absence.
    pub noticed: bool,
}

impl Retry {
    /// An attempt failed or a connection was lost ([LINK-11]).
    pub fn failed(&mut self, now: Timestamp, error: ErrorCode, entropy: &mut impl Entropy) {
        let (quick, first, max) = (limits::QUICK_RETRY_MS, limits::BACKOFF_FIRST_MS, limits::BACKOFF_MAX_MS);
        self.backoff.failed(now, quick, first, max, entropy);
        self.absent_since.get_or_insert(now);
        self.last_error = Some(error);
    }

    /// The peer was heard, whoever dialled: backoff and absence end at once ([LINK-11]). Tells
    /// whether an absence that was noticed has ended, so that the rooms are told that too.
    pub const fn contact(&mut self) -> bool {
        let ended = self.noticed;
        self.backoff.contact();
        self.absent_since = None;
        self.last_error = None;
        self.noticed = false;
        ended
    }

    /// Whether the peer may be dialled now.
    #[must_use]
    pub const fn is_due(&self, now: Timestamp) -> bool {
        self.backoff.is_due(now, limits::BACKOFF_MAX_MS)
    }

    /// Whether the rooms concerned should now be told that the peer is absent: once in an absence,
    /// after `ABSENT_NOTICE_S` ([LINK-12]). The next call says no.
    pub fn notice(&mut self, now: Timestamp) -> bool {
        let due = !self.noticed && self.notice_at().is_some_and(|at| at <= now);
        self.noticed |= due;
        due
    }

    /// When something falls due next: an attempt, or the notice.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.absent_since?;
        let attempt = Timestamp::from_ms(self.backoff.next_ms);
        let notice = self.notice_at().filter(|_| !self.noticed);
        Some(notice.map_or(attempt, |notice| notice.min(attempt)))
    }

    fn notice_at(&self) -> Option<Timestamp> {
        self.absent_since.map(|since| since.plus_ms(limits::ABSENT_NOTICE_S * 1000))
    }
}

/// Items queued before this time are given up: their senders are told `Undeliverable` ([LINK-13]).
#[must_use]
pub const fn undeliverable_before(now: Timestamp) -> Timestamp {
    Timestamp::from_ms(now.as_ms().saturating_sub(limits::OUTBOX_MAX_AGE_S * 1000))
}

#[cfg(test)]
mod tests {
    use machine::Seeded;

    use super::*;

    const START: Timestamp = Timestamp::from_ms(1_000_000);

    // [LINK-11]
    #[test]
    fn contact_ends_backoff_and_absence_at_once() {
        let (mut retry, mut entropy) = (Retry::default(), Seeded::new(3));
        assert!(retry.is_due(START));
        for _ in 0..5 {
            retry.failed(START, ErrorCode::Timeout, &mut entropy);
        }
        assert!(!retry.is_due(START));
        assert_eq!(retry.absent_since, Some(START));
        assert!(!retry.contact(), "nobody was told, so nobody is told of the end");
        assert_eq!(retry, Retry::default());
        assert!(retry.is_due(START));
    }

    // [LINK-12]
    #[test]
    fn an_absence_is_told_once_and_so_is_its_end() {
        let (mut retry, mut entropy) = (Retry::default(), Seeded::new(3));
        retry.failed(START, ErrorCode::Unavailable, &mut entropy);
        let (early, late) = (START.plus_ms(299_999), START.plus_ms(300_000));
        retry.failed(early, ErrorCode::Unavailable, &mut entropy);
        assert!(!retry.notice(early));
        assert!(retry.notice(late), "an absence counts from its first failure");
        assert!(!retry.notice(late.plus_ms(900_000)));
        assert!(retry.contact());
        assert!(!retry.contact());
    }

    #[test]
    fn it_wakes_for_whatever_comes_first() {
        let (mut retry, mut entropy) = (Retry::default(), Seeded::new(3));
        assert_eq!(retry.wake_at(), None);
        retry.failed(START, ErrorCode::Unavailable, &mut entropy);
        assert_eq!(retry.wake_at(), Some(Timestamp::from_ms(retry.backoff.next_ms)));
        retry.backoff.next_ms = u64::MAX;
        assert_eq!(retry.wake_at(), Some(START.plus_ms(300_000)));
    }

    // [LINK-13]
    #[test]
    fn items_are_given_up_after_seven_days() {
        let week = 7 * 86_400_000;
        assert_eq!(undeliverable_before(Timestamp::from_ms(week + 5)), Timestamp::from_ms(5));
        assert_eq!(undeliverable_before(Timestamp::from_ms(5)), Timestamp::from_ms(0));
    }
}
