//! Whether what the line brings is our own voice coming back.
//!
//! ```text
//! sent, heard → tracks at 4 kHz → likely lags (signs) → best filter (least squares) → what is left
//! ```
//!
//! An echo is what we sent, later, quieter and through a filter: subtract the best such copy, and of
//! an echo nothing stays but the line's noise, while of anybody else two thirds or more do, within
//! a syllable and beneath an echo as well. So the answer rests on what is left, never on how alike
//! the two are: likeness falls with noise, and rises with the pitch that two voices share.
//!
//! Whether it is a voice is asked of the network, as for the line itself, for what is left.
//!
//! Nothing is learned but the lag, and that only saves the search. Pure and deterministic.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "times in samples and lengths of windows, far below 2^63"
)]

mod fit;
mod track;

use super::ulaw;
use fit::{LEAD, TAPS, WORD};
use orderline_silero::{STEP, Silero};
use std::collections::BinaryHeap;
use track::{PER_MS, Track};

/// How much earlier than thought an echo may begin, and how much later, ms: 0 to 800 on the line, and
/// 60 by which the caller's clock of its own playback may be wrong.
const EARLIEST_MS: u64 = 60;
const LATEST_MS: u64 = 860;

/// Words of 16 ms that are judged: 208 ms. The ear tells of speech up to 170 ms after its beginning.
const WINDOW: usize = 13;

/// What is kept of the line for its noise, ms: longer than speech goes without a dip.
const HEARD_MS: u64 = 1_500;

/// What is kept of what was sent, ms: 1.1 s of the past and the longest reply ahead of time.
/// 8 bytes each, so that a reply of 13 s needs 113 kB.
const SENT_MS: u64 = 30_000;

/// What is kept of the past of what was sent, ms: the window and the largest lag.
const PAST_MS: u64 = 1_100;

/// Likely lags that are looked at closely.
const CANDIDATES: usize = 4;

/// The noise of a line that is silent by number, as a mean square: −64 dBFS.
const SILENT: f32 = 400.0;

/// The tenth part of the words of 1.5 s that is lowest has the line's noise alone; its highest lies
/// 1 dB below the noise's mean (a word has 64 values, σ = 0.8 dB).
const QUIET_PART: usize = 10;
const QUIET: f32 = 1.26;

/// A word has sound from 3 dB above the noise.
const AUDIBLE: f32 = 2.0;

/// What is left of a word is somebody's when it is 6 dB above the noise, …
const LEFT_ABOVE_NOISE: f32 = 4.0;

/// … at most 6 dB below the word itself, for lines are not quite linear, …
const LEFT_OF_WORD: f32 = 0.25;

/// … and at most 14 dB below the loudest word of the window, for rooms ring longer than the filter.
const LEFT_OF_LOUDEST: f32 = 0.04;

/// Words that make somebody: 32 ms; one may be a click.
const WORDS: usize = 2;

/// The emphasis of high frequencies that makes the loud low ones of a voice weigh no more than
/// the rest, as speech coders do it.
const EMPHASIS: f32 = 0.9;

/// What is left of an echo is a voice from this probability on, after six steps of a fresh network.
/// Where a line alone needs 0.5, what is left is a fifth of a second at half the rate, and anything that
/// begins in it looks like speech for a step: at 0.8 no clatter, cough or ring-back does and one digit in
/// ten, and words are known 5 ms later than at 0.5.
const VOICE: f32 = 0.8;

/// Who makes a line sound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// It is not louder than its noise.
    Nobody,
    /// Our own voice, come back.
    Echo,
    /// Somebody else, perhaps beside an echo.
    Somebody,
}

/// What was sent and heard on one call, as far as an echo may join them. Times are milliseconds of one
/// clock, the line's own: the caller takes them from the timestamps of the frames, not from when
/// they happened to arrive.
#[derive(Clone, Debug)]
pub struct Echo {
    sent: Track,
    heard: Track,
    /// The lag of the last echo, in samples: looked at before all others.
    lag: Option<i64>,
    /// From when on nothing of what was sent will play. It is cut when the track is next needed: the
    /// moment at which the agent falls silent has no time for that.
    cleared_at: Option<u64>,
}

impl Default for Echo {
    fn default() -> Self {
        Self::new()
    }
}

impl Echo {
    /// For a new call: nothing sent, nothing heard.
    pub fn new() -> Self {
        Self {
            sent: Track::new(SENT_MS),
            heard: Track::new(HEARD_MS),
            lag: None,
            cleared_at: None,
        }
    }

    /// Takes μ-law that plays from `at_ms` on, by any length ahead of time up to half a minute; what
    /// lies further ahead is left out. It replaces what was to play from then on.
    pub fn sent(&mut self, at_ms: u64, ulaw: &[u8]) {
        self.cut();
        self.sent.put(at_ms, ulaw);
    }

    /// What was to play from `at_ms` on will not.
    pub fn cleared(&mut self, at_ms: u64) {
        let before = self.cleared_at.unwrap_or(at_ms);
        self.cleared_at = Some(at_ms.min(before));
    }

    fn cut(&mut self) {
        if let Some(at_ms) = self.cleared_at.take() {
            self.sent.cut(at_ms);
        }
    }

    /// Takes μ-law of the line that ended at `at_ms`, usually the 20 ms of a frame.
    pub fn heard(&mut self, at_ms: u64, ulaw: &[u8]) {
        self.cut();
        let from = at_ms.saturating_sub(ulaw.len() as u64 / ulaw::BYTES_PER_MS);
        self.heard.forget(at_ms.saturating_sub(HEARD_MS));
        self.heard.put(from, ulaw);
        self.sent.forget(at_ms.saturating_sub(PAST_MS));
    }

    /// Who makes the last 200 ms of the line sound. Ask when about 50 ms of the sound are there, as
    /// the ear does, and until the largest lag after our last word.
    pub fn source(&mut self) -> Source {
        self.cut();
        let Some(line) = Line::of(&mut self.heard).filter(Line::is_audible) else {
            return Source::Nobody;
        };
        if self.lag.is_some_and(|lag| self.explains(&line, lag)) {
            return Source::Echo;
        }
        let lags = self.likely_lags(&line).into_iter();
        match lags.into_iter().find(|lag| self.explains(&line, *lag)) {
            Some(lag) => {
                self.lag = Some(lag);
                Source::Echo
            }
            None => Source::Somebody,
        }
    }

    /// Whether [`Source::Somebody`] beside an echo has a voice: dishes, keys and music have none. True
    /// as long as no echo was found, for then the ear has heard them alone.
    pub fn is_voice(&mut self) -> bool {
        self.cut();
        let (Some(lag), Some(line)) = (self.lag, Line::of(&mut self.heard)) else {
            return true;
        };
        let mut last = 0.0;
        let left = self.left(&line, lag).into_iter().flat_map(|sample| {
            // Without the emphasis, and at the network's rate.
            let before = last;
            let sample = sample / 32_768.0 + EMPHASIS * before;
            last = sample;
            [f32::midpoint(before, sample), sample]
        });
        let left: Vec<f32> = left.collect();
        let mut silero = Silero::new();
        let (_, steps) = left.as_rchunks::<STEP>();
        let probability = steps.iter().fold(0.0, |_, step| silero.step(step));
        probability >= VOICE
    }

    /// What is left of the line's window when the best copy of what was sent is taken away.
    fn left(&mut self, line: &Line, lag: i64) -> Vec<f32> {
        let from = line.from - lag - (TAPS - 1 - LEAD) as i64;
        let reference = emphasised(&mut self.sent, from, line.window.len() + TAPS - 1);
        let copy = fit::copy(&line.window, &reference);
        line.window.iter().zip(copy).map(|(a, b)| a - b).collect()
    }

    /// Whether a copy of what was sent so many samples before leaves nobody.
    fn explains(&mut self, line: &Line, lag: i64) -> bool {
        !line.is_somebody(&self.left(line, lag))
    }

    /// The lags at which the signs of what was sent and heard agree best, best first.
    fn likely_lags(&mut self, line: &Line) -> [i64; CANDIDATES] {
        let (earliest, latest) = (EARLIEST_MS * PER_MS, LATEST_MS * PER_MS);
        let shifts = (earliest + latest) as usize;
        let from = line.from - latest as i64;
        let reference = emphasised(&mut self.sent, from, line.window.len() + shifts + WORD);
        let words = fit::signs(&line.window).into_iter().enumerate();
        let audible: Vec<(usize, u64)> = words
            .zip(line.words())
            .filter(|(_, word)| fit::power(word) > AUDIBLE * line.noise)
            .map(|(signs, _)| signs)
            .collect();
        fit::best_shifts(&audible, &fit::signs(&reference), shifts)
            .map(|shift| latest as i64 - shift as i64)
    }
}

/// The end of what was heard.
struct Line {
    /// Where the window begins, in samples.
    from: i64,
    window: Vec<f32>,
    /// The mean square of the noise.
    noise: f32,
}

impl Line {
    /// None before there is a window.
    fn of(heard: &mut Track) -> Option<Self> {
        let len = heard.len() / WORD * WORD;
        let start = heard.end() as i64 - len as i64;
        let all = emphasised(heard, start, len);
        // A hole in the stream says nothing of its noise.
        let powers = all.chunks(WORD).map(fit::power);
        // The bits of positive numbers are in the numbers' order.
        let powers = powers.filter(|power| *power > 0.0).map(f32::to_bits);
        let powers = powers.collect::<BinaryHeap<u32>>().into_sorted_vec();
        let quiet = powers.get(powers.len() / QUIET_PART);
        let before = len.checked_sub(WINDOW * WORD)?;
        Some(Self {
            from: start + before as i64,
            window: all.get(before..)?.to_vec(),
            noise: (QUIET * quiet.map_or(0.0, |bits| f32::from_bits(*bits))).max(SILENT),
        })
    }

    fn words(&self) -> impl Iterator<Item = &[f32]> {
        self.window.chunks(WORD)
    }

    fn is_audible(&self) -> bool {
        self.words()
            .any(|word| fit::power(word) > AUDIBLE * self.noise)
    }

    /// Whether what is left of the window is somebody's voice.
    fn is_somebody(&self, left: &[f32]) -> bool {
        let loudest = self.words().map(fit::power).fold(0.0, f32::max);
        let least = (LEFT_ABOVE_NOISE * self.noise).max(LEFT_OF_LOUDEST * loudest);
        let is_left = |(word, left): &(&[f32], &[f32])| {
            fit::power(left) > least.max(LEFT_OF_WORD * fit::power(word))
        };
        self.words().zip(left.chunks(WORD)).filter(is_left).count() >= WORDS
    }
}

/// Samples of a track from a place on, with the high frequencies raised.
fn emphasised(track: &mut Track, from: i64, len: usize) -> Vec<f32> {
    let mut samples = track.read(from - 1, len + 1);
    let mut last = 0.0;
    for sample in &mut samples {
        let raw = *sample;
        *sample -= EMPHASIS * last;
        last = raw;
    }
    samples.remove(0);
    samples
}
