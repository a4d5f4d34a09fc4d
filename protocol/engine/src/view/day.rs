//! Days of the calendar, for the lines between them and the clock beside a message.

/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;

/// A moment on a clock on the wall. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The year.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Day {
    /// The day of a time in milliseconds since 1970, where the clock is `offset_s` seconds ahead of
    /// UTC.
    #[must_use]
    pub fn of(time_ms: u64, offset_s: i32) -> Self {
        // Howard Hinnant's civil_from_days: eras of 400 years that begin on the first of March.
        let days = local(time_ms, offset_s).div_euclid(DAY_MS) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month: u8::try_from(month).unwrap_or(1), day: u8::try_from(day).unwrap_or(1) }
    }

    fn days(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let month = i64::from(self.month);
        let shifted = if month > 2 { month - 3 } else { month + 9 };
        let of_year = (153 * shifted + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let weekday = usize::try_from(self.days().rem_euclid(7)).ok().and_then(|day| WEEKDAYS.get(day));
        let month = MONTHS.get(usize::from(self.month).saturating_sub(1));
        let (weekday, month) = (weekday.unwrap_or(&""), month.unwrap_or(&""));
        write!(f, "{weekday} {} {month} {}", self.day, self.year)
    }
}

/// `09:30`.
#[must_use]
pub fn clock(time_ms: u64, offset_s: i32) -> String {
    let minutes = local(time_ms, offset_s).rem_euclid(DAY_MS) / 60_000;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn local(time_ms: u64, offset_s: i32) -> i64 {
    i64::try_from(time_ms).unwrap_or(i64::MAX / 2).saturating_add(i64::from(offset_s) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (time_s, offset_s, day, time) in [
            (0, 0, "Thu 1 Jan 1970", "00:00"),
            (951_782_400, 0, "Tue 29 Feb 2000", "00:00"),
            (1_767_225_599, 0, "Wed 31 Dec 2025", "23:59"),
            (1_767_225_599, 60, "Thu 1 Jan 2026", "00:00"),
            (1_774_000_000, -36_000, "Thu 19 Mar 2026", "23:46"),
            (4_107_542_400, 0, "Mon 1 Mar 2100", "00:00"),
        ] {
            assert_eq!(Day::of(time_s * 1_000, offset_s).to_string(), day);
            assert_eq!(clock(time_s * 1_000, offset_s), time);
        }
        // A time that no clock shows is a day all the same.
        let _ = (Day::of(u64::MAX, i32::MAX).to_string(), clock(u64::MAX, i32::MIN));
        let _ = clock(0, i32::MIN);
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = Day::of(0, 0);
        for n in 1..80_000_u64 {
            let day = Day::of(n * 86_400_000, 0);
            assert!(day > before);
            assert_eq!(u64::try_from(day.days()), Ok(n));
            before = day;
        }
    }
}
