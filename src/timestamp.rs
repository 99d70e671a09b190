//! Times as the API writes them.

const DAY: u64 = 24 * 60 * 60;
/// The calendar repeats after so many years and days.
const ERA_YEARS: u64 = 400;
const ERA_DAYS: u64 = 146_097;
/// From March 1 of the year 0, where years begin here so that a leap day is their last, to 1970.
const DAYS_BEFORE_1970: u64 = 719_468;
const LAST_YEAR: u64 = 9_999;

/// RFC 3339, in UTC, to the second; nothing beyond the years that it can write.
///
/// By Howard Hinnant's `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>): a
/// library of dates is 1.5 kB of the Worker, and nothing else here is asked of one.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "u64 holds more seconds than a number of milliseconds can say"
)]
pub fn timestamp(ms: u64) -> Option<String> {
    let seconds = ms / 1000;
    let days = seconds / DAY + DAYS_BEFORE_1970;
    let (era, day) = (days / ERA_DAYS, days % ERA_DAYS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months from March have 153 days, and so have the five after them.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * ERA_YEARS + year + next;
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    (year <= LAST_YEAR)
        .then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, SecondsFormat};
    use proptest::prelude::*;

    #[test]
    fn leap_days_and_turns_of_the_year_are_met() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(timestamp(seconds * 1000 + 999).as_deref(), Some(expected));
        }
        assert_eq!(timestamp(253_402_300_800_000), None);
        assert_eq!(timestamp(u64::MAX), None);
    }

    proptest! {
        #[test]
        fn times_are_what_the_crate_says(seconds in 0_i64..253_402_300_800) {
            let time = DateTime::from_timestamp(seconds, 0).unwrap();
            let expected = time.to_rfc3339_opts(SecondsFormat::Secs, true);
            prop_assert_eq!(timestamp(seconds.unsigned_abs() * 1000), Some(expected));
        }
    }
}
