//! Times for people and for programs.

/// Milliseconds since 1970 as RFC 3339 in UTC, to the millisecond.
pub(crate) fn rfc3339(ms: u64) -> String {
    let (days, in_day) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = civil(days);
    let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (second, milli) = (in_day / 1_000 % 60, in_day % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// How long ago, in the largest whole unit: `250ms`, `12s`, `5m`, `3h`, `2d`.
pub(crate) fn ago(now_ms: u64, then_ms: u64) -> String {
    span(now_ms.saturating_sub(then_ms))
}

/// How long until then, in the largest whole unit.
pub(crate) fn in_future(now_ms: u64, then_ms: u64) -> String {
    span(then_ms.saturating_sub(now_ms))
}

/// The time of day in UTC, to the second.
pub(crate) fn clock_time(ms: u64) -> String {
    let in_day = ms % 86_400_000;
    format!("{:02}:{:02}:{:02}Z", in_day / 3_600_000, in_day / 60_000 % 60, in_day / 1_000 % 60)
}

fn span(ms: u64) -> String {
    match ms / 1_000 {
        0 => format!("{ms}ms"),
        s @ 1..=119 => format!("{s}s"),
        s @ 120..=7_199 => format!("{}m", s / 60),
        s @ 7_200..=172_799 => format!("{}h", s / 3_600),
        s => format!("{}d", s / 86_400),
    }
}

/// Days since 1970 as year, month and day of the Gregorian calendar (Hinnant's algorithm).
const fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_391_999_999), "2026-11-22T23:59:59.999Z");
        assert_eq!(rfc3339(4_102_444_800_000), "2100-01-01T00:00:00.000Z");
    }

    #[test]
    fn spans_are_read_at_a_glance() {
        assert_eq!(ago(500, 900), "0ms");
        assert_eq!(ago(900, 500), "400ms");
        assert_eq!(ago(61_000, 0), "61s");
        assert_eq!(ago(86_400_000 * 3, 0), "3d");
    }
}
