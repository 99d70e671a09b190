//! Quiet hours: the part of the callee's day in which nobody is called.
//!
//! What time it is there comes from outside, as minutes since local midnight, one for every time
//! zone the callee may be in: the time-zone database is the runtime's.

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// A window of the local day, which may go over midnight. The start is in it, the end is not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quiet {
    from: u16,
    to: u16,
}

impl Quiet {
    /// Reads `21:00-08:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minute_of_day(from.trim())?, minute_of_day(to.trim())?);
        // The whole day or nothing? Better asked again.
        (from != to).then_some(Self { from, to })
    }

    /// Whether this minute of the day is quiet.
    pub fn covers(self, minute: u16) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }

    /// Whether it is quiet in any of the zones.
    pub fn covers_any(self, local: &[u16]) -> bool {
        local.iter().any(|&minute| self.covers(minute))
    }

    /// Minutes until it is quiet in none of the zones; nothing if that does not come within a day.
    /// A change to or from summer time in between is not foreseen.
    pub fn wait(self, local: &[u16]) -> Option<u16> {
        (0..DAY).find(|wait| {
            let later = |minute: &u16| minute.saturating_add(*wait) % DAY;
            !local.iter().any(|minute| self.covers(later(minute)))
        })
    }
}

/// Minutes since midnight of a time written as `07:05`.
pub fn minute_of_day(text: &str) -> Option<u16> {
    let number = |text: &str, below: u16| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        let number: u16 = digits.then(|| text.parse().ok()).flatten()?;
        (number < below).then_some(number)
    };
    let (hour, minute) = text.split_once(':')?;
    number(hour, 24)?
        .checked_mul(60)?
        .checked_add(number(minute, 60)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, FixedOffset, Timelike};
    use proptest::prelude::*;

    fn at(text: &str) -> u16 {
        minute_of_day(text).unwrap()
    }

    #[test]
    fn a_window_is_quiet_from_its_start_until_its_end() {
        for (window, quiet, loud) in [
            (
                "21:00-08:00",
                ["21:00", "23:59", "00:00", "07:59"],
                ["08:00", "12:00", "20:59", "08:01"],
            ),
            (
                "00:00-09:30",
                ["00:00", "00:01", "09:00", "09:29"],
                ["09:30", "12:00", "23:59", "21:00"],
            ),
            (
                "22:30-00:00",
                ["22:30", "23:00", "23:30", "23:59"],
                ["00:00", "00:01", "12:00", "22:29"],
            ),
            (
                "13:00-15:00",
                ["13:00", "13:59", "14:00", "14:59"],
                ["12:59", "15:00", "00:00", "23:59"],
            ),
        ] {
            let window = Quiet::parse(window).unwrap();
            for time in quiet {
                assert!(window.covers(at(time)), "{window:?} {time}");
            }
            for time in loud {
                assert!(!window.covers(at(time)), "{window:?} {time}");
            }
        }
    }

    /// The local times as the zone had them on both sides of a change of clocks.
    #[test]
    fn summer_time_counts_from_the_minute_it_begins() {
        let window = Quiet::parse("21:00-08:00").unwrap();
        for (local, quiet) in [
            // New York, 8 March 2026: 01:59 is followed by 03:00.
            ("2026-03-07T20:59:00-05:00", false),
            ("2026-03-07T21:00:00-05:00", true),
            ("2026-03-08T01:59:00-05:00", true),
            ("2026-03-08T03:00:00-04:00", true),
            ("2026-03-08T07:59:00-04:00", true),
            ("2026-03-08T08:00:00-04:00", false),
            // 1 November 2026: 01:59 is followed by 01:00.
            ("2026-11-01T01:59:00-04:00", true),
            ("2026-11-01T01:00:00-05:00", true),
            ("2026-11-01T07:59:00-05:00", true),
            ("2026-11-01T08:00:00-05:00", false),
            // Kolkata keeps half hours.
            ("2026-11-01T07:59:00+05:30", true),
            ("2026-11-01T08:00:00+05:30", false),
        ] {
            let time: DateTime<FixedOffset> = DateTime::parse_from_rfc3339(local).unwrap();
            let minute = u16::try_from(time.hour() * 60 + time.minute()).unwrap();
            assert_eq!(window.covers(minute), quiet, "{local}");
        }
        // The same moment is quiet by one clock and not by the other.
        let shifts = Quiet::parse("02:30-03:00").unwrap();
        assert!(!shifts.covers(at("03:00")) && shifts.covers(at("02:59")));
    }

    #[test]
    fn the_strictest_zone_decides_and_says_how_long_to_wait() {
        let window = Quiet::parse("21:00-08:00").unwrap();
        for (local, wait) in [
            (&["12:00"][..], Some(0)),
            (&["07:00"], Some(60)),
            (&["23:00"], Some(9 * 60)),
            // New York and Honolulu: until it is eight in Honolulu.
            (&["12:00", "07:00"], Some(60)),
            (&["20:00", "14:00"], Some(0)),
            // Until morning in the east, and then in the west.
            (&["21:00", "15:00"], Some(11 * 60 + 6 * 60)),
            // Twelve hours apart there are two hours a day in which both are awake.
            (&["09:00", "21:00"], Some(11 * 60)),
            // Three that are seven hours apart are never awake together.
            (&["08:00", "22:00", "15:00"], None),
        ] {
            let minutes: Vec<u16> = local.iter().map(|time| at(time)).collect();
            assert_eq!(window.wait(&minutes), wait, "{local:?}");
            assert_eq!(window.covers_any(&minutes), wait != Some(0), "{local:?}");
        }
    }

    #[test]
    fn rubbish_is_no_window() {
        for bad in [
            "",
            "-",
            "21:00",
            "21-8",
            "21:00-24:00",
            "21:60-08:00",
            "9:00-10:00",
            "21:00-21:00",
            "21:00-08:00-",
            "+1:00-02:00",
            "２１:00-08:00",
        ] {
            assert_eq!(Quiet::parse(bad), None, "{bad}");
        }
        assert_eq!(Quiet::parse(" 21:00 - 08:00 "), Quiet::parse("21:00-08:00"));
    }

    proptest! {
        #[test]
        fn after_the_wait_it_is_quiet_nowhere(from in 0..DAY, to in 0..DAY, local in proptest::collection::vec(0..DAY, 0..6)) {
            prop_assume!(from != to);
            let window = Quiet { from, to };
            if let Some(wait) = window.wait(&local) {
                let later: Vec<u16> = local.iter().map(|minute| (minute + wait) % DAY).collect();
                prop_assert!(!window.covers_any(&later));
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,16}") {
            let _ = Quiet::parse(&text);
        }
    }
}
