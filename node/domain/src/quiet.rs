//! How often something is said that anybody can cause.

use machine::Timestamp;

/// At most one line in so long.
const EVERY_MS: u64 = 1_000;

/// Lines of one kind for the operator, who must not be flooded with them.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    said: Option<Timestamp>,
    kept_back: u64,
}

impl Quiet {
    /// Whether a line may be written now, and then how many were kept back before it.
    pub(crate) fn may_say(&mut self, now: Timestamp) -> Option<u64> {
        if self.said.is_some_and(|said| now.since_ms(said) < EVERY_MS) {
            self.kept_back = self.kept_back.saturating_add(1);
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.kept_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_that_counts_the_others() {
        let now = Timestamp::from_ms(5_000);
        let mut quiet = Quiet::default();
        assert_eq!(quiet.may_say(now), Some(0));
        for _ in 0..1_000 {
            assert_eq!(quiet.may_say(now.plus_ms(EVERY_MS - 1)), None);
        }
        assert_eq!(quiet.may_say(now.plus_ms(EVERY_MS)), Some(1_000));
        assert_eq!(quiet.may_say(now.plus_ms(2 * EVERY_MS)), Some(0));
    }
}
