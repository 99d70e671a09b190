//! One direction of the line on a clock: μ-law at 4 kHz.
//!
//! Half the rate of the telephone halves the memory and quarters the work, and what is left of a
//! voice is what lines and handsets leave of it in an echo.

#![expect(
    clippy::cast_possible_truncation,
    reason = "lengths and sample values, bounded by the track and the 16-bit range"
)]

use crate::audio::ulaw;
use std::collections::VecDeque;

/// Samples kept per millisecond.
pub(super) const PER_MS: u64 = 4;

/// A piece that begins within 2 ms of the end of what is there continues it: times are whole
/// milliseconds, pieces need not be.
const SEAM: u64 = 2 * PER_MS;

/// A symmetrical low-pass in 4,096ths: 6 dB down at 1,650 Hz, 34 dB at 2 kHz, more than 50 above (31
/// taps, Hamming, and a last one that fills eight lanes). Steep, for what folds over differs between
/// the two directions by the parity of the delay, and looks like somebody.
const TAPS: [i16; 32] = [
    4, -6, -13, 3, 30, 17, -48, -68, 39, 152, 40, -249, -271, 328, 1244, 1691, 1244, 328, -271,
    -249, 40, 152, 39, -68, -48, 17, 30, 3, -13, -6, 4, 0,
];

/// Samples that the low-pass looks back on.
const PAST: usize = TAPS.len() - 2;

/// Samples filtered at once: a frame of the telephone.
const BLOCK: usize = 160;

/// The audio of one direction, without holes, from some moment to its end.
#[derive(Clone, Debug)]
pub(super) struct Track {
    samples: VecDeque<u8>,
    /// Where the next sample belongs, in samples since the clock's zero.
    end: u64,
    /// The last samples at 8 kHz, oldest first.
    recent: [i16; PAST],
    /// Whether one sample waits for its pair.
    is_odd: bool,
    /// Most samples kept.
    limit: usize,
}

impl Track {
    /// An empty track that will hold at most so many milliseconds.
    pub(super) fn new(limit_ms: u64) -> Self {
        Self {
            samples: VecDeque::new(),
            end: 0,
            recent: [0; PAST],
            is_odd: false,
            limit: (limit_ms * PER_MS) as usize,
        }
    }

    /// Puts 8 kHz μ-law at a time; what was there from this time on is gone. What the limit has no
    /// room for is left out.
    pub(super) fn put(&mut self, at_ms: u64, ulaw: &[u8]) {
        let at = place(at_ms);
        if at.abs_diff(self.end) > SEAM {
            self.cut(at_ms);
            let gap = usize::try_from(at - self.end).unwrap_or(usize::MAX);
            if !self.samples.is_empty() {
                if gap > self.limit.saturating_sub(self.samples.len()) {
                    return;
                }
                self.samples.extend(std::iter::repeat_n(ulaw::SILENCE, gap));
            }
            self.end = at;
            (self.recent, self.is_odd) = ([0; PAST], false);
        }
        for block in ulaw.chunks(BLOCK) {
            self.halve(block);
        }
    }

    /// Appends a block at half its rate.
    fn halve(&mut self, block: &[u8]) {
        // One more than the block's, for the tap that counts nothing.
        let mut heard = [0; PAST + BLOCK + 1];
        let (past, now) = heard.split_at_mut(PAST);
        past.copy_from_slice(&self.recent);
        for (sample, &byte) in now.iter_mut().zip(block) {
            *sample = ulaw::decode(byte);
        }
        let room = self.limit.saturating_sub(self.samples.len());
        let halved = (heard.windows(TAPS.len()).take(block.len()))
            .skip(usize::from(!self.is_odd))
            .step_by(2)
            .take(room)
            .filter_map(<[i16]>::first_chunk)
            .map(|window| ulaw::encode(low_passed(window)));
        let before = self.samples.len();
        self.samples.extend(halved);
        self.end += (self.samples.len() - before) as u64;
        self.is_odd ^= block.len() % 2 == 1;
        let last = heard.get(block.len()..).and_then(<[i16]>::first_chunk);
        self.recent = last.copied().unwrap_or([0; PAST]);
    }

    /// Removes what lies at and after a time.
    pub(super) fn cut(&mut self, at_ms: u64) {
        let at = place(at_ms);
        let rest = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
        self.samples
            .truncate(self.samples.len().saturating_sub(rest));
        self.end = self.end.min(at);
    }

    /// Forgets what lies before a time.
    pub(super) fn forget(&mut self, before_ms: u64) {
        let old =
            usize::try_from(place(before_ms).saturating_sub(self.start())).unwrap_or(usize::MAX);
        self.samples.drain(..old.min(self.samples.len()));
    }

    /// Where the next sample belongs.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Samples kept.
    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    fn start(&self) -> u64 {
        self.end.saturating_sub(self.len() as u64)
    }

    /// Linear samples from `from`, which may lie before the clock's zero, so many; zero where
    /// nothing is.
    pub(super) fn read(&self, from: i64, len: usize) -> Vec<f32> {
        let skip = from.saturating_sub_unsigned(self.start());
        let before = usize::try_from(skip.saturating_neg()).unwrap_or(0).min(len);
        let there = self
            .samples
            .iter()
            .skip(usize::try_from(skip).unwrap_or(0))
            .map(|&byte| f32::from(ulaw::decode(byte)));
        std::iter::repeat_n(0.0, before)
            .chain(there)
            .chain(std::iter::repeat(0.0))
            .take(len)
            .collect()
    }
}

/// The low-pass at the middle of a window.
fn low_passed(window: &[i16; TAPS.len()]) -> i16 {
    let products = window.iter().zip(TAPS);
    let sum: i32 = products
        .map(|(&sample, tap)| i32::from(sample) * i32::from(tap))
        .sum();
    (sum >> 12).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

/// The sample at a time. A time that no call lasts to stands for one that can still be counted with.
fn place(at_ms: u64) -> u64 {
    at_ms.min(1 << 48) * PER_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sine(hz: f32, samples: u16) -> Vec<u8> {
        let sample = |n| (std::f32::consts::TAU * hz * f32::from(n) / 8_000.0).sin();
        (0..samples)
            .map(|n| ulaw::encode((8_000.0 * sample(n)) as i16))
            .collect()
    }

    fn tone(ms: u16) -> Vec<u8> {
        sine(500.0, 8 * ms)
    }

    fn power(track: &Track, from_ms: i64, ms: u16) -> f32 {
        let samples = track.read(4 * from_ms, 4 * usize::from(ms));
        samples.iter().map(|sample| sample * sample).sum::<f32>() / f32::from(4 * ms)
    }

    #[test]
    fn pieces_lie_where_they_were_put_with_silence_between() {
        let mut track = Track::new(1_000);
        track.put(100, &tone(50));
        track.put(200, &tone(50));
        let levels = [-100, 50, 105, 160, 205, 260].map(|at| power(&track, at, 40));
        let tone = 8_000.0 * 8_000.0 / 2.0;
        for (level, expected) in levels.into_iter().zip([0.0, 0.0, tone, 0.0, tone, 0.0]) {
            assert!((level - expected).abs() < 0.05 * tone, "{levels:?}");
        }
    }

    #[test]
    fn it_does_not_matter_how_the_audio_is_cut() {
        let audio = tone(300);
        let mut whole = Track::new(1_000);
        whole.put(70, &audio);
        // Pieces of 50.5 ms, at whole milliseconds.
        let mut pieces = Track::new(1_000);
        for (index, piece) in audio.chunks(404).enumerate() {
            pieces.put(70 + index as u64 * 101 / 2, piece);
        }
        assert_eq!(whole.read(280, 1_200), pieces.read(280, 1_200));
    }

    #[test]
    fn what_is_put_replaces_what_was_to_come() {
        let mut track = Track::new(1_000);
        track.put(0, &tone(500));
        track.put(250, &[ulaw::SILENCE; 80]);
        assert!(power(&track, 200, 50) > 1e6 && power(&track, 260, 240) == 0.0);
    }

    #[test]
    fn a_hum_above_the_new_range_does_not_fold_into_it() {
        let mut track = Track::new(1_000);
        track.put(0, &sine(2_100.0, 4_000));
        assert!(power(&track, 100, 300) < 32e6 / 1e4);
    }

    proptest! {
        /// Whatever is put, cut and forgotten at whatever time: no more is kept than the limit, and
        /// nothing breaks.
        #[test]
        fn it_keeps_within_its_limit(steps in proptest::collection::vec((0u8..4, 0u64..3_000, 0usize..4_000), 1..40), base in prop::sample::select(vec![0, 1 << 40, u64::MAX - 2_000])) {
            let mut track = Track::new(500);
            for (kind, at, len) in steps {
                let at_ms = base.saturating_add(at);
                match kind {
                    0 | 1 => track.put(at_ms, &vec![0x80; len]),
                    2 => track.cut(at_ms),
                    _ => track.forget(at_ms),
                }
                prop_assert!(track.len() <= 2_000);
                let end = i64::try_from(track.end()).unwrap();
                prop_assert_eq!(track.read(end - 100, 300).len(), 300);
                prop_assert!(track.read(end, 100).iter().all(|sample| *sample == 0.0));
            }
        }
    }
}
