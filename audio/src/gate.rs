//! Whether anything on the line can be speech at all: a level that moves.
//!
//! Silence, comfort noise, line noise, hum and steady tones hold their level; speech never does for
//! long. The gate compares the level of each step with the lowest of the last seconds and is only
//! there to save work: what passes it is not called speech.

/// −60 dBFS as a mean square of 16-bit samples. Speech on a telephone line is 15 dB and more above
/// (ITU-T P.56 levels of real calls run from −45 to −10 dBFS); what idle lines send is below.
const INAUDIBLE: u32 = 1_074;

/// How far the level must move, as a ratio of powers: 3 dB. From one step to the next, steady noise
/// strays by σ = 0.8 dB (32 ms of noise 1 kHz wide are 64 independent values), and its lowest of 1.5 s
/// lies 1.7 dB below its mean; speech 5 dB above the noise goes further with every syllable. At 2 dB
/// the network would be awake for 61 % of pink noise.
const MARGIN: u32 = 2;

/// Steps per part of the window, and parts: 4 · 12 · 32 ms = 1.5 s. Longer than the syllables of
/// speech go without a dip, short enough to learn a new noise soon.
const STEPS_PER_PART: u32 = 12;
const PARTS: usize = 4;

/// The noise floor of the last 1.5 s. Levels are mean squares, one per step of 32 ms.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    /// The lowest level of each part of the window, oldest first; the last is being filled. Zero
    /// at first, so that the gate is open until it has heard what is normal on this line.
    minima: [u32; PARTS],
    steps: u32,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            minima: [0; PARTS],
            steps: 0,
        }
    }

    /// Whether the line has a noise that can be heard.
    pub(super) fn hears_noise(&self) -> bool {
        self.floor() > INAUDIBLE
    }

    fn floor(&self) -> u32 {
        self.minima.iter().copied().min().unwrap_or(0)
    }

    /// Takes the level of the next step; whether it may be part of speech. A fall counts as much as
    /// a rise: someone may answer more quietly than the tone that rang.
    pub(super) fn is_open(&mut self, level: u32) -> bool {
        let floor = self.floor();
        self.learn(level);
        level > INAUDIBLE && (exceeds(level, floor) || exceeds(floor, level))
    }

    /// Whether this level is above what is normal: a first look at audio that is not taken yet.
    pub(super) fn rises(&self, level: u32) -> bool {
        level > INAUDIBLE && exceeds(level, self.floor())
    }

    fn learn(&mut self, level: u32) {
        if self.steps == STEPS_PER_PART {
            self.steps = 0;
            self.minima.rotate_left(1);
            if let Some(last) = self.minima.last_mut() {
                *last = u32::MAX;
            }
        }
        self.steps += 1;
        if let Some(last) = self.minima.last_mut() {
            *last = level.min(*last);
        }
    }
}

/// Whether one level is above another by more than the margin.
fn exceeds(level: u32, other: u32) -> bool {
    level > other.saturating_mul(MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: usize = 31;

    fn opened(gate: &mut Gate, level: u32, steps: usize) -> usize {
        (0..steps).filter(|_| gate.is_open(level)).count()
    }

    #[test]
    fn it_is_open_until_it_knows_the_line() {
        let mut gate = Gate::new();
        assert_eq!(opened(&mut gate, 1_000_000, SECOND), SECOND);
        assert_eq!(opened(&mut gate, 1_000_000, 2 * SECOND), 49 - SECOND);
    }

    #[test]
    fn what_cannot_be_heard_never_opens_it() {
        let mut gate = Gate::new();
        assert_eq!(
            opened(&mut gate, 0, 100) + opened(&mut gate, INAUDIBLE, 100),
            0
        );
    }

    #[test]
    fn a_rise_and_a_fall_of_3_db_open_it_at_once() {
        let mut gate = Gate::new();
        opened(&mut gate, 100_000, 100);
        assert!(!gate.is_open(200_000) && gate.is_open(200_001));
        assert!(!gate.is_open(50_000));
        opened(&mut gate, 100_000, 100);
        assert!(gate.is_open(49_999));
    }

    #[test]
    fn a_louder_noise_is_learned_in_one_and_a_half_seconds() {
        let mut gate = Gate::new();
        opened(&mut gate, 10_000, 100);
        assert!((37..=49).contains(&opened(&mut gate, 100_000, 100)));
    }
}
