//! The clock of a media stream: Twilio's own, read from the timestamps of its audio.
//!
//! Whatever the phone tells has a number in one order with the frames of its audio, so that anything
//! between two of them happened between them, however late it comes and whatever has overtaken it.
//! That places a mark to 20 ms where the clock of the receiver would be wrong by the jitter of the
//! network.

use std::collections::VecDeque;

/// Maps between the receiver's clock and the stream's. Times are milliseconds, on the stream's
/// clock since its start.
#[derive(Debug, Default)]
pub struct StreamClock {
    /// Receiver's time minus stream time, on the quickest way seen.
    offset: Option<i64>,
    /// When it started, on the receiver's clock.
    started: Option<i64>,
    /// More has come than there was time for: the offset is as far out as it may be, and says nothing.
    was_flooded: bool,
    /// End of the newest frame.
    end: u64,
    /// The newest frames, oldest first: number and end.
    newest: VecDeque<(u64, u64)>,
    /// When the newest frame arrived, on the receiver's clock.
    arrived: Option<u64>,
    /// How much later than on the quickest way the latest of the newest frames came, fading; in ms.
    spread: u64,
    /// How far something may have been placed too early because frames were missing, fading; and since
    /// the newest frame, when it is not known yet whether any are; in ms.
    lag: u64,
    newest_lag: u64,
}

/// Frames that arrive with less than this between the quickest and the slowest are on a steady way,
/// in ms.
const STEADY_MS: u64 = 40;
const FRAME_MS: u64 = 20;
/// So many of the newest frames are remembered, for what they may have overtaken: two thirds of a second.
const REMEMBERED: usize = 32;
/// How fast a late frame is forgotten, in ms per frame: 300 ms in six seconds.
const FADE_MS: u64 = 1;

/// How much longer than its quickest audio the start of a stream may be on its way, in ms.
const MAX_AHEAD_MS: i64 = 500;
/// A frame comes every 20 ms. When none has come for so long, frames may have been lost, and the
/// stream's own time is not known any more, in ms: what comes then may have happened now.
const MAX_SILENCE_MS: u64 = 200;

impl StreamClock {
    /// The stream starts.
    pub fn start(&mut self, now: u64) {
        self.offset = Some(signed(now));
        self.started = Some(signed(now));
    }

    /// A frame that ends at this time of the stream has arrived. By how many ms the clock was slow: what
    /// was placed by it lies so much later.
    pub fn frame(&mut self, now: u64, sequence: Option<u64>, end: u64) -> u64 {
        if let Some(number) = sequence {
            if self.newest.len() == REMEMBERED {
                self.newest.pop_front();
            }
            self.newest.push_back((number, end));
        }
        let newest_lag = std::mem::take(&mut self.newest_lag);
        // Lost, or what they would have told is in this one.
        let are_missing = end > self.end.saturating_add(FRAME_MS);
        let lag = if are_missing { newest_lag } else { 0 };
        self.lag = self.lag.saturating_sub(FADE_MS).max(lag);
        let told = signed(now).saturating_sub(signed(end));
        // Nobody has said more than there was time for: a flood of frames does not move the clock.
        let earliest = self
            .started
            .map_or(i64::MIN, |at| at.saturating_sub(MAX_AHEAD_MS));
        self.was_flooded |= told < earliest;
        let offset = told.max(earliest);
        let least = self.offset.map_or(offset, |known| known.min(offset));
        let late = u64::try_from(offset.saturating_sub(least)).unwrap_or(0);
        let before = self.now(now);
        self.spread = self.spread.saturating_sub(FADE_MS).max(late);
        self.offset = Some(least);
        self.end = end;
        self.arrived = Some(now);
        self.now(now).saturating_sub(before)
    }

    /// The time of the stream that arrives now on the quickest way.
    pub fn now(&self, now: u64) -> u64 {
        let offset = self.offset.unwrap_or_else(|| signed(now));
        u64::try_from(signed(now).saturating_sub(offset)).unwrap_or(0)
    }

    /// When, on the stream's clock, something happened at the phone that is told by a message of this
    /// number that arrived now; and how much later it may have been, in ms, where frames are missing.
    pub fn event(&mut self, now: u64, sequence: Option<u64>) -> (u64, u64) {
        let latest = self.latest(now);
        if let Some((end, next)) = sequence.and_then(|number| self.overtaken(number)) {
            // Frames that are missing between the two could have told more closely.
            let lag = next.saturating_sub(end).saturating_sub(FRAME_MS);
            self.lag = self.lag.max(lag);
            return (end.min(latest), lag);
        }
        match self.since_frame(now) {
            Some(since) if since <= MAX_SILENCE_MS => {
                // The next one may be late, or lost.
                let lag = if since > STEADY_MS { since } else { 0 };
                self.newest_lag = self.newest_lag.max(lag);
                (self.end.min(latest), lag)
            }
            // As late as the newest frame was, and not as if it had come on the quickest way: the
            // receiver's clock may have been set since.
            Some(since) => (self.end.saturating_add(since).min(latest), 0),
            None => (latest, 0),
        }
    }

    /// Ends of the frames before and behind the message of this number, if frames have overtaken it. As
    /// early as is known, where that before it is not remembered.
    fn overtaken(&self, number: u64) -> Option<(u64, u64)> {
        let behind = self.newest.partition_point(|(frame, _)| *frame <= number);
        let (_, next) = *self.newest.get(behind)?;
        let before = behind.checked_sub(1).and_then(|at| self.newest.get(at));
        Some((before.map_or(next, |(_, before)| *before), next))
    }

    /// The latest moment, on the stream's clock, of which a message can tell that arrived now. After a
    /// flood that is what the receiver has measured since the start: later, and what had not been played
    /// would count as played.
    fn latest(&self, now: u64) -> u64 {
        let started = self.started.filter(|_| self.was_flooded);
        let since = started.map(|at| signed(now).saturating_sub(at));
        since.map_or_else(|| self.now(now), |since| u64::try_from(since).unwrap_or(0))
    }

    /// How much longer than on the quickest way messages have taken lately, in ms.
    pub fn spread(&self) -> Option<u64> {
        self.arrived.map(|_| self.spread)
    }

    /// How much later something may have been than [`Self::event`] said, in ms.
    pub fn lag(&self) -> u64 {
        self.lag.max(self.newest_lag)
    }

    /// Whether everything takes the same time on its way, as far as frames tell. Without frames nothing
    /// tells.
    pub fn is_steady(&self, now: u64) -> bool {
        let since = self.since_frame(now);
        since.is_some_and(|since| since <= STEADY_MS) && self.spread.max(self.lag()) <= STEADY_MS
    }

    fn since_frame(&self, now: u64) -> Option<u64> {
        self.arrived.map(|arrived| now.saturating_sub(arrived))
    }

    /// When what happens at this time of the stream is heard of, on the receiver's clock.
    pub fn local(&self, stream: u64) -> u64 {
        let offset = self.offset.unwrap_or(0);
        u64::try_from(signed(stream).saturating_add(offset)).unwrap_or(0)
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_frames_does_not_move_the_clock_further_than_a_late_start() {
        let mut clock = StreamClock::default();
        clock.start(10_000);
        clock.frame(10_020, None, 20);
        let slow: u64 = (2..500).map(|n| clock.frame(10_040, None, n * 20)).sum();
        assert_eq!(slow, 500);
        assert_eq!(clock.now(10_040), 540);
        let told = [10_040, 10_060, 10_500].map(|now| clock.event(now, None).0);
        assert_eq!(told, [40, 60, 500], "as before the flood");
    }

    #[test]
    fn without_audio_the_receivers_clock_counts() {
        let mut clock = StreamClock::default();
        clock.start(1_000_000);
        assert_eq!(
            (clock.now(1_000_300), clock.event(1_000_300, None).0),
            (300, 300)
        );
        assert_eq!(clock.local(300), 1_000_300);
    }

    #[test]
    fn what_comes_between_two_frames_happened_between_them_however_late_it_is() {
        let mut clock = StreamClock::default();
        clock.start(5_000);
        clock.frame(5_080, None, 20);
        clock.frame(5_090, None, 40);
        // 260 ms late, in a burst.
        for end in [60, 80, 100] {
            clock.frame(5_380, None, end);
        }
        assert_eq!(clock.event(5_380, None), (100, 0));
        assert_eq!(clock.now(5_380), 380, "the start came on the quickest way");
        assert_eq!(clock.event(6_000, None), (720, 0), "the stream has stalled");
        assert!(!clock.is_steady(5_380));
        for end in (400..10_000).step_by(20) {
            clock.frame(5_000 + end + 10, None, end);
        }
        assert!(clock.is_steady(15_030));
        assert!(!clock.is_steady(15_031), "frames are missing");
    }

    #[test]
    fn what_comes_while_frames_are_missing_is_placed_by_the_newest_though_the_clock_was_set() {
        let mut clock = StreamClock::default();
        clock.start(5_000);
        clock.frame(5_020, None, 20);
        clock.frame(6_540, None, 40);
        assert_eq!((clock.event(6_840, None).0, clock.now(6_840)), (340, 1_840));
    }

    #[test]
    fn a_frame_that_was_only_late_leaves_no_doubt_and_one_that_was_lost_or_is_long_does() {
        for (next, lag) in [(40, 0), (120, 70)] {
            let mut clock = StreamClock::default();
            clock.start(5_000);
            clock.frame(5_020, None, 20);
            clock.frame(5_040, None, 40);
            assert_eq!((clock.event(5_070, None), clock.lag()), ((40, 0), 0));
            assert_eq!((clock.event(5_110, None), clock.lag()), ((40, 70), 70));
            clock.frame(5_000 + next + 20, None, next + 20);
            assert_eq!(clock.lag(), lag);
        }
    }

    #[test]
    fn what_frames_have_overtaken_happened_where_its_number_says() {
        let mut clock = StreamClock::default();
        clock.start(5_000);
        // The marks between the frames, 4 and 7, are late.
        for (number, end) in [(2, 20), (3, 40), (5, 60), (6, 80), (8, 100)] {
            clock.frame(5_000 + end, Some(number), end);
        }
        assert_eq!(clock.event(5_110, Some(4)), (40, 0));
        assert_eq!(clock.event(5_110, Some(7)), (80, 0));
        assert_eq!(clock.event(5_110, Some(9)).0, 100, "none has overtaken it");
        assert_eq!(clock.event(5_110, None).0, 100);
        assert_eq!(clock.event(5_110, Some(1)).0, 20, "as early as is known");
        for n in 0..100 {
            clock.frame(5_120 + n * 20, Some(10 + n), 120 + n * 20);
        }
        assert_eq!(clock.newest.len(), REMEMBERED);
    }

    #[test]
    fn what_was_overtaken_while_frames_were_lost_may_have_been_placed_too_early() {
        for (next, lag) in [(40, 0), (120, 80)] {
            let mut clock = StreamClock::default();
            clock.start(5_000);
            clock.frame(5_040, Some(2), 40);
            clock.frame(5_020 + next, Some(9), next + 20);
            assert_eq!((clock.event(5_160, Some(8)), clock.lag()), ((40, lag), lag));
        }
    }
}
