//! Dates as Twilio writes them.

use std::time::UNIX_EPOCH;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Seconds since 1970, UTC.
pub fn now() -> u64 {
    UNIX_EPOCH.elapsed().map_or(0, |d| d.as_secs())
}

/// `Tue, 31 Aug 2010 20:36:44 +0000`, for REST and status callbacks.
pub fn rfc2822(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let weekday = DAYS[usize::try_from(seconds / 86_400 % 7).unwrap_or(0)];
    let (h, m, s) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!(
        "{weekday}, {day:02} {} {year} {h:02}:{m:02}:{s:02} +0000",
        MONTHS[month - 1]
    )
}

/// `2010-08-31T20:36:44.000Z`, for stream callbacks.
pub fn iso8601(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let (h, m, s) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.000Z")
}

/// Year, month 1–12 and day of a count of days since 1970-01-01 in the Gregorian calendar.
fn civil(mut days: u64) -> (u64, usize, u64) {
    let leap = |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_in_twilios_examples() {
        assert_eq!(rfc2822(0), "Thu, 01 Jan 1970 00:00:00 +0000");
        assert_eq!(rfc2822(1_283_287_004), "Tue, 31 Aug 2010 20:36:44 +0000");
        assert_eq!(rfc2822(951_782_400), "Tue, 29 Feb 2000 00:00:00 +0000");
        assert_eq!(iso8601(1_735_689_599), "2024-12-31T23:59:59.000Z");
    }
}
