//! How many calls are started in a second: no more than the account may place (`CALLS_PER_SECOND`).
//!
//! A start takes one of so many places and gives it back a second after Twilio's answer. Twilio saw the
//! request between the two, so however slow or uneven the way there is, no second at Twilio has more
//! requests in it than there are places. The price is the time that Twilio takes to answer.

use std::fmt::Write;

/// A place is taken for so long after the answer, in ms: a second, and what clocks of whole
/// milliseconds may be wrong by.
pub const SECOND_MS: u64 = 1_010;
/// The same, where Twilio said that the requests were too many, in ms.
pub const BUSY_MS: u64 = 5_000;
/// A start whose end nobody tells gives its place back after so long, in ms: more than Twilio may take
/// to answer.
const LEASE_MS: u64 = 20_000;

/// The places that are taken.
#[derive(Debug, Default)]
pub struct Pace(Vec<Place>);

#[derive(Debug)]
struct Place {
    id: String,
    /// When it is free again, in ms since the Unix epoch.
    until: u64,
}

impl Pace {
    /// Takes a place for the start of this call.
    ///
    /// # Errors
    /// None is free; one may be after so many ms.
    pub fn start(&mut self, id: &str, per_second: u64, now: u64) -> Result<(), u64> {
        let latest = now.saturating_add(LEASE_MS);
        // A clock that was set back holds nothing for longer than a lease.
        self.0
            .retain(|place| (now.saturating_add(1)..=latest).contains(&place.until));
        if (self.0.len() as u64) < per_second {
            self.0.push(Place {
                id: id.to_owned(),
                until: latest,
            });
            return Ok(());
        }
        let next = self.0.iter().map(|place| place.until).min();
        // An answer that comes meanwhile makes it no sooner than that.
        Err(next.unwrap_or(latest).saturating_sub(now).min(SECOND_MS))
    }

    /// The start is over; its place is free so many ms from now.
    pub fn ended(&mut self, id: &str, now: u64, hold_ms: u64) {
        for place in self.0.iter_mut().filter(|place| place.id == id) {
            place.until = now.saturating_add(hold_ms);
        }
    }

    /// As words: no id has a space in it.
    pub fn to_text(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, place| {
            let _ = write!(text, "{} {} ", place.id, place.until);
            text
        })
    }

    /// Reads what [`Self::to_text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let mut places = Vec::new();
        while let Some(id) = words.next() {
            places.push(Place {
                id: id.to_owned(),
                until: words.next()?.parse().ok()?,
            });
        }
        Some(Self(places))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_place_is_free_a_second_after_the_answer() {
        let mut pace = Pace::default();
        assert_eq!(pace.start("a", 2, 1_000), Ok(()));
        assert_eq!(pace.start("b", 2, 1_000), Ok(()));
        assert_eq!(pace.start("c", 2, 1_000), Err(SECOND_MS), "at the earliest");
        pace.ended("a", 1_200, SECOND_MS);
        assert_eq!(pace.start("c", 2, 1_200), Err(SECOND_MS));
        assert_eq!(pace.start("c", 2, 1_200 + SECOND_MS - 1), Err(1));
        assert_eq!(pace.start("c", 2, 1_200 + SECOND_MS), Ok(()));
    }

    #[test]
    fn a_start_that_nobody_ends_is_over_with_its_lease_and_a_clock_set_back_blocks_nothing() {
        let mut pace = Pace::default();
        assert_eq!(pace.start("a", 1, 1_000_000), Ok(()));
        assert!(pace.start("b", 1, 1_000_000 + LEASE_MS - 1).is_err());
        assert_eq!(pace.start("b", 1, 1_000_000 + LEASE_MS), Ok(()));
        assert_eq!(pace.start("c", 1, 500_000), Ok(()));
    }

    proptest! {
        /// Callers ask at any time; the request reaches Twilio, and its answer comes back, at any time.
        #[test]
        fn no_second_at_twilio_has_more_requests_than_places(
            per_second in 1u64..6,
            calls in proptest::collection::vec((0u64..400, 0u64..3_000, 0u64..3_000), 1..80),
        ) {
            let (mut pace, mut now) = (Pace::default(), 1_000_000);
            let (mut arrived, mut answers): (Vec<u64>, Vec<(u64, String)>) = (Vec::new(), Vec::new());
            for (n, (wait, there, back)) in calls.into_iter().enumerate() {
                now += wait;
                let id = n.to_string();
                loop {
                    // Everything that is answered by now was told in the order of time.
                    answers.sort();
                    while let Some((at, ended)) = answers.first().cloned().filter(|(at, _)| *at <= now) {
                        pace.ended(&ended, at, SECOND_MS);
                        answers.remove(0);
                    }
                    pace = Pace::parse(&pace.to_text()).unwrap();
                    match pace.start(&id, per_second, now) {
                        Ok(()) => break,
                        Err(wait) => now += wait,
                    }
                }
                arrived.push(now + there);
                answers.push((now + there + back, id));
            }
            arrived.sort_unstable();
            let most = arrived.iter().map(|from| arrived.iter().filter(|at| (*from..from + 1_000).contains(at)).count()).max();
            prop_assert!(most.unwrap_or(0) as u64 <= per_second, "{most:?} in a second");
        }

        #[test]
        fn no_text_panics(text in "[ a-z0-9]{0,60}") {
            let _ = Pace::parse(&text);
        }
    }
}
