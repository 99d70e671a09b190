//! One direction of the line on a clock: μ-law at 4 kHz.
//!
//! Half the rate of the telephone quarters the work, and what is left of a voice is what lines and
//! handsets leave of it in an echo. It is halved when it is asked for: as long as nobody speaks into
//! the agent's words, most of it never is.

#![expect(
    clippy::cast_possible_truncation,
    reason = "lengths and sample values, bounded by the track and the 16-bit range"
)]

use crate::ulaw;
use std::collections::VecDeque;

/// Samples kept per millisecond.
pub(super) const PER_MS: u64 = 4;

/// A piece that begins within 2 ms of the end of what is there continues it: times are whole
/// milliseconds, pieces need not be.
const SEAM: u64 = 2 * PER_MS;

/// Taps of the low-pass.
const TAPS: usize = 31;

/// Samples that the low-pass looks back on.
const PAST: usize = TAPS - 1;

/// Samples filtered at once: a frame of the telephone.
const BLOCK: usize = 160;

/// The audio of one direction, without holes, from some moment to its end.
#[derive(Clone, Debug)]
pub(super) struct Track {
    samples: VecDeque<u8>,
    /// Where the next sample belongs, in samples since the clock's zero.
    end: u64,
    /// The last samples at 8 kHz, oldest first.
    recent: [i32; PAST],
    /// Whether one sample waits for its pair.
    is_odd: bool,
    /// What comes behind `end`, as it came, at 8 kHz.
    waiting: VecDeque<u8>,
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
            waiting: VecDeque::new(),
            limit: (limit_ms * PER_MS) as usize,
        }
    }

    /// Puts 8 kHz μ-law at a time; what was there from this time on is gone. What the limit has no
    /// room for is left out.
    pub(super) fn put(&mut self, at_ms: u64, ulaw: &[u8]) {
        let at = place(at_ms);
        if at.abs_diff(self.end()) > SEAM {
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
        if self.samples.len() + self.halves(self.waiting.len() + ulaw.len()) <= self.limit {
            self.waiting.extend(ulaw);
            return;
        }
        self.settle(u64::MAX);
        for block in ulaw.chunks(BLOCK) {
            self.halve(block);
        }
    }

    /// Halves what waits, up to a place.
    fn settle(&mut self, until: u64) {
        while self.end < until && !self.waiting.is_empty() {
            let mut block = [0; BLOCK];
            let len = self.waiting.len().min(BLOCK);
            for (to, byte) in block.iter_mut().zip(self.waiting.drain(..len)) {
                *to = byte;
            }
            self.halve(block.get(..len).unwrap_or_default());
        }
    }

    /// Leaves out so much of what waits.
    fn skip(&mut self, len: usize) {
        self.is_odd ^= len % 2 == 1;
        let staying = PAST.saturating_sub(len);
        self.recent.copy_within(PAST - staying.., 0);
        let skipped = self.waiting.range(len - (PAST - staying)..len);
        for (to, &byte) in self.recent.iter_mut().skip(staying).zip(skipped) {
            *to = i32::from(ulaw::decode(byte));
        }
        self.waiting.drain(..len);
    }

    /// How many samples so many of the telephone will be.
    fn halves(&self, len: usize) -> usize {
        usize::midpoint(len, self.is_odd.into())
    }

    /// Appends a block at half its rate.
    fn halve(&mut self, block: &[u8]) {
        let mut heard = [0; PAST + BLOCK];
        let (past, now) = heard.split_at_mut(PAST);
        past.copy_from_slice(&self.recent);
        for (sample, &byte) in now.iter_mut().zip(block) {
            *sample = i32::from(ulaw::decode(byte));
        }
        let heard = heard.get(..PAST + block.len()).unwrap_or_default();
        let room = self.limit.saturating_sub(self.samples.len());
        let mut halved = [0; BLOCK];
        let mut count = 0;
        let mut rest = heard.get(usize::from(!self.is_odd)..);
        for sample in halved.iter_mut().take(room) {
            let Some(window) = rest.and_then(<[i32]>::first_chunk) else {
                break;
            };
            *sample = ulaw::encode(low_passed(window));
            count += 1;
            rest = rest.and_then(|rest| rest.get(2..));
        }
        self.samples.extend(halved.get(..count).unwrap_or_default());
        self.end += count as u64;
        self.is_odd ^= block.len() % 2 == 1;
        self.recent = heard.last_chunk().copied().unwrap_or([0; PAST]);
    }

    /// Removes what lies at and after a time.
    pub(super) fn cut(&mut self, at_ms: u64) {
        let at = place(at_ms);
        self.settle(at);
        self.skip(self.waiting.len());
        let rest = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
        self.samples
            .truncate(self.samples.len().saturating_sub(rest));
        self.end = self.end.min(at);
    }

    /// Forgets what lies before a time.
    pub(super) fn forget(&mut self, before_ms: u64) {
        let old =
            usize::try_from(place(before_ms).saturating_sub(self.start())).unwrap_or(usize::MAX);
        let waiting = old.saturating_sub(self.samples.len());
        self.samples.drain(..old.min(self.samples.len()));
        let waiting = waiting.min(self.halves(self.waiting.len()));
        if waiting > 0 {
            self.skip(2 * waiting - usize::from(self.is_odd));
            self.end += waiting as u64;
        }
    }

    /// Where the next sample belongs.
    pub(super) fn end(&self) -> u64 {
        self.end + self.halves(self.waiting.len()) as u64
    }

    /// Samples kept.
    pub(super) fn len(&self) -> usize {
        self.samples.len() + self.halves(self.waiting.len())
    }

    fn start(&self) -> u64 {
        self.end().saturating_sub(self.len() as u64)
    }

    /// Linear samples from `from`, which may lie before the clock's zero, so many; zero where
    /// nothing is.
    pub(super) fn read(&mut self, from: i64, len: usize) -> Vec<f32> {
        self.settle(u64::try_from(from.saturating_add_unsigned(len as u64)).unwrap_or(0));
        let skip = from.saturating_sub_unsigned(self.start());
        let before = usize::try_from(skip.saturating_neg()).unwrap_or(0).min(len);
        let skip = usize::try_from(skip).unwrap_or(0).min(self.samples.len());
        let there = (len - before).min(self.samples.len() - skip);
        let mut samples = Vec::with_capacity(len);
        samples.resize(before, 0.0);
        let kept = self.samples.range(skip..skip + there);
        samples.extend(kept.map(|&byte| f32::from(ulaw::decode(byte))));
        samples.resize(len, 0.0);
        samples
    }
}

/// A symmetrical low-pass in 4,096ths, at the middle of a window: 6 dB down at 1,650 Hz, 34 dB at
/// 2 kHz, more than 50 above (Hamming). Steep, for what folds over differs between the two directions
/// by the parity of the delay, and looks like somebody.
///
/// Written out: as a loop, which the Worker's build does not unroll, it was two thirds of all that a
/// frame of the telephone costs (`benches/instructions.rs`).
#[rustfmt::skip]
#[expect(clippy::many_single_char_names, reason = "the first half of the window")]
fn low_passed(&[
    a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, middle,
    o2, n2, m2, l2, k2, j2, i2, h2, g2, f2, e2, d2, c2, b2, a2,
]: &[i32; TAPS]) -> i16 {
    let sum = 4 * (a + a2) - 6 * (b + b2) - 13 * (c + c2) + 3 * (d + d2)
        + 30 * (e + e2) + 17 * (f + f2) - 48 * (g + g2) - 68 * (h + h2)
        + 39 * (i + i2) + 152 * (j + j2) + 40 * (k + k2) - 249 * (l + l2)
        - 271 * (m + m2) + 328 * (n + n2) + 1244 * (o + o2) + 1691 * middle;
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

    fn power(track: &mut Track, from_ms: i64, ms: u16) -> f32 {
        let samples = track.read(4 * from_ms, 4 * usize::from(ms));
        samples.iter().map(|sample| sample * sample).sum::<f32>() / f32::from(4 * ms)
    }

    #[test]
    fn pieces_lie_where_they_were_put_with_silence_between() {
        let mut track = Track::new(1_000);
        track.put(100, &tone(50));
        track.put(200, &tone(50));
        let levels = [-100, 50, 105, 160, 205, 260].map(|at| power(&mut track, at, 40));
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
        assert!(power(&mut track, 200, 50) > 1e6 && power(&mut track, 260, 240) == 0.0);
    }

    #[test]
    fn a_hum_above_the_new_range_does_not_fold_into_it() {
        let mut track = Track::new(1_000);
        track.put(0, &sine(2_100.0, 4_000));
        assert!(power(&mut track, 100, 300) < 32e6 / 1e4);
    }

    proptest! {
        /// Halved when it is asked for or at once: the same is read.
        #[test]
        fn it_does_not_matter_when_it_is_halved(steps in proptest::collection::vec((0u8..6, 0u64..900, 0usize..900), 1..60)) {
            let (mut late, mut at_once) = (Track::new(500), Track::new(500));
            let mut now = 1_000;
            for (kind, by, len) in steps {
                let audio: Vec<u8> = (0..len).map(|n| (n * 37 + by as usize) as u8).collect();
                for track in [&mut late, &mut at_once] {
                    match kind {
                        // Behind what is there, to a millisecond.
                        0..=2 => track.put(track.end() / PER_MS + by % 2, &audio),
                        3 => track.put(now + by, &audio),
                        4 => track.cut(now + by),
                        _ => track.forget(now + by),
                    }
                }
                at_once.settle(u64::MAX);
                prop_assert_eq!((late.end(), late.len()), (at_once.end(), at_once.len()));
                now += u64::from(kind == 5) * by;
                if len % 5 == 0 {
                    let from = (late.end() as i64) - 3 * (by as i64);
                    prop_assert_eq!(late.read(from, len), at_once.read(from, len));
                }
            }
            prop_assert_eq!(late.read(0, 40_000), at_once.read(0, 40_000));
        }

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
