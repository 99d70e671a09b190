//! Whether what sounds on the line is music, by its level alone.
//!
//! Music on hold is loud between its notes as well, and its level moves with them: slowly against a
//! step of 32 ms. White noise hardly moves. Noise that is mostly low moves as much as music, but from
//! step to step. What tells the two apart is the mean difference between neighbours over the standard
//! deviation: 1.13 where each step is independent of the one before, 0.3 to 0.7 in most music.
//!
//! Measured: four songs of five (Debian's `asterisk-moh-opsound-wav`) are music for 80 to 98 % of their
//! time, the fifth, a sparse piano that is not loud, for 8 %; five minutes of pink noise for 1 % or less.

#![expect(
    clippy::cast_precision_loss,
    reason = "levels to a tenth of an octave, and counts of a window"
)]

use std::collections::VecDeque;

/// Steps that are looked at: 2 s.
const WINDOW: usize = 64;

/// −45 dBFS as a mean square of 16-bit samples: music on hold is louder, between its notes as well;
/// and in how many of the steps.
const LOUD: u32 = 33_954;
const LOUD_STEPS: usize = 56;

/// The standard deviation of a level that moves: 0.9 dB, in octaves of power. White noise has half of it.
const MOVES: f32 = 0.3;

/// The ratio below which music begins, if so many windows in a row have it, and the one from which it
/// has ended.
const BEGINS: f32 = 0.7;
const BEGINS_STEPS: u32 = 16;
const ENDS: f32 = 1.0;

/// Tells music from noise, step by step.
#[derive(Clone, Debug, Default)]
pub(super) struct Music {
    /// The newest levels, newest last: whether it was loud, and octaves of power.
    levels: VecDeque<(bool, f32)>,
    /// Windows in a row that are like music.
    alike: u32,
    plays: bool,
}

impl Music {
    /// Takes the mean square of a step in which nobody spoke.
    pub(super) fn take(&mut self, level: u32) {
        if self.levels.len() == WINDOW {
            self.levels.pop_front();
        }
        self.levels.push_back((level > LOUD, octaves(level)));
        let is_loud = self.levels.iter().filter(|(loud, _)| *loud).count() >= LOUD_STEPS;
        let ratio = if is_loud { self.ratio() } else { f32::INFINITY };
        self.alike = if ratio < BEGINS { self.alike + 1 } else { 0 };
        self.plays |= self.alike >= BEGINS_STEPS;
        self.plays &= ratio < ENDS;
    }

    /// Somebody speaks: what comes after it is something new.
    pub(super) fn interrupted(&mut self) {
        *self = Self::default();
    }

    /// Whether music plays.
    pub(super) fn plays(&self) -> bool {
        self.plays
    }

    /// The mean difference between neighbours over the standard deviation; infinite where nothing moves.
    fn ratio(&self) -> f32 {
        let count = self.levels.len() as f32;
        let levels = || self.levels.iter().map(|(_, level)| *level);
        let mean = levels().sum::<f32>() / count;
        let variance = levels().map(|level| (level - mean).powi(2)).sum::<f32>();
        let steps = levels().zip(levels().skip(1));
        let steps = steps.map(|(a, b)| (b - a).abs()).sum::<f32>() / count;
        let deviation = (variance / count).sqrt();
        if deviation < MOVES {
            return f32::INFINITY;
        }
        steps / deviation
    }
}

/// The binary logarithm of a level, to a tenth: a float has it in its bits.
fn octaves(level: u32) -> f32 {
    (level as f32).to_bits() as f32 / (1 << 23) as f32
}
