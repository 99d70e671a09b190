//! Decisions against labels, and how late a start is noticed; methods 5 and 6 of hearing.md.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a laboratory"
)]

use super::corpus::{Label, UNIT, UNIT_MS};
use orderline::audio::ear::Ear;
use orderline::audio::ulaw;
use orderline_silero::{STEP, Silero};
use std::fmt;

/// Milliseconds per step of the network.
pub(super) const STEP_MS: usize = 32;

const THRESHOLD: f32 = 0.5;

/// What the network says about every step, without gate and debounce.
pub(super) fn probabilities(ulaw: &[u8]) -> Vec<f32> {
    let mut silero = Silero::new();
    let steps = ulaw.as_chunks::<STEP>().0.iter();
    steps
        .map(|step| silero.step(&step.map(|b| f32::from(ulaw::decode(b)) / 32_768.0)))
        .collect()
}

/// What the ear says after every step, and how often it ran the network.
pub(super) fn heard(ulaw: &[u8]) -> (Vec<bool>, u64) {
    let mut ear = Ear::new();
    let steps = ulaw.as_chunks::<STEP>().0.iter();
    let says = steps.map(|step| {
        ear.hear(step);
        ear.is_speech()
    });
    (says.collect(), ear.network_runs())
}

pub(super) fn decisions(probabilities: &[f32]) -> Vec<bool> {
    probabilities.iter().map(|p| *p >= THRESHOLD).collect()
}

/// Units of 4 ms by label and decision.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    hits: f64,
    misses: f64,
    alarms: f64,
    rejections: f64,
}

impl Counts {
    pub(super) fn add(&mut self, labels: &[Label], decisions: &[bool]) {
        for (labels, says) in labels.chunks(STEP / UNIT).zip(decisions) {
            for label in labels {
                match (label, says) {
                    (Label::Speech, true) => self.hits += 1.0,
                    (Label::Speech, false) => self.misses += 1.0,
                    (Label::Pause, true) => self.alarms += 1.0,
                    (Label::Pause, false) => self.rejections += 1.0,
                    (Label::Unscored, _) => {}
                }
            }
        }
    }

    pub(super) fn precision(&self) -> f64 {
        self.hits / (self.hits + self.alarms).max(1.0)
    }

    pub(super) fn recall(&self) -> f64 {
        self.hits / (self.hits + self.misses).max(1.0)
    }

    pub(super) fn f1(&self) -> f64 {
        2.0 * self.hits / (2.0 * self.hits + self.misses + self.alarms).max(1.0)
    }

    pub(super) fn balanced_accuracy(&self) -> f64 {
        let specificity = self.rejections / (self.rejections + self.alarms).max(1.0);
        f64::midpoint(self.recall(), specificity)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (precision, recall, f1) = (self.precision(), self.recall(), self.f1());
        let balanced = self.balanced_accuracy();
        write!(
            f,
            "P {precision:.3} R {recall:.3} F1 {f1:.3} balanced {balanced:.3}"
        )
    }
}

/// For every onset the ms to the end of the first two steps of speech in a row, if within 1 s.
pub(super) fn onset_delays(onsets: &[usize], decisions: &[bool]) -> Vec<Option<usize>> {
    let pairs = decisions
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| matches!(pair, [true, true]));
    let ends: Vec<usize> = pairs.map(|(at, _)| (at + 2) * STEP_MS).collect();
    onsets
        .iter()
        .map(|onset| first_after(onset * UNIT_MS, &ends))
        .collect()
}

/// For every onset the ms until the ear says that someone speaks, if within 1 s.
pub(super) fn ear_delays(onsets: &[usize], says: &[bool]) -> Vec<Option<usize>> {
    let speaks = says.iter().enumerate().filter(|(_, says)| **says);
    let ends: Vec<usize> = speaks.map(|(at, _)| (at + 1) * STEP_MS).collect();
    onsets
        .iter()
        .map(|onset| first_after(onset * UNIT_MS, &ends))
        .collect()
}

fn first_after(onset: usize, ends: &[usize]) -> Option<usize> {
    let after = ends.iter().find(|end| **end > onset)?;
    Some(after - onset).filter(|delay| *delay <= 1_000)
}

/// Delays of many onsets.
#[derive(Clone, Debug, Default)]
pub(super) struct Delays(Vec<Option<usize>>);

impl Delays {
    pub(super) fn add(&mut self, delays: Vec<Option<usize>>) {
        self.0.extend(delays);
    }

    pub(super) fn missed(&self) -> usize {
        self.0.iter().filter(|delay| delay.is_none()).count()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The delay that `percent` of those heard do not exceed, ms.
    pub(super) fn percentile(&self, percent: usize) -> usize {
        let mut heard: Vec<usize> = self.0.iter().flatten().copied().collect();
        heard.sort_unstable();
        let at = (heard.len() * percent / 100).min(heard.len().saturating_sub(1));
        heard.get(at).copied().unwrap_or(0)
    }

    /// How many are later than in `other`, and by how many ms at most; a miss counts as 1 s.
    pub(super) fn later_than(&self, other: &Self) -> (usize, usize) {
        let pairs = self.0.iter().zip(&other.0);
        let late = pairs.filter_map(|(a, b)| a.unwrap_or(1_000).checked_sub(b.unwrap_or(1_000)));
        let late: Vec<usize> = late.filter(|ms| *ms > 0).collect();
        (late.len(), late.into_iter().max().unwrap_or(0))
    }
}

/// Seconds of speech per minute.
pub(super) fn seconds_per_minute(decisions: &[bool]) -> f64 {
    let speech = decisions.iter().filter(|says| **says).count();
    60.0 * speech as f64 / decisions.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_counted_by_label() {
        let mut counts = Counts::default();
        let labels = [
            [Label::Speech; 8],
            [Label::Speech; 8],
            [Label::Pause; 8],
            [Label::Unscored; 8],
        ];
        counts.add(labels.as_flattened(), &[true, false, true, true]);
        assert_eq!(
            (counts.precision(), counts.recall(), counts.f1()),
            (0.5, 0.5, 0.5)
        );
        assert_eq!(counts.balanced_accuracy(), 0.25);
    }

    #[test]
    fn an_onset_is_heard_at_the_end_of_two_steps() {
        let says = [false, true, false, true, true, true];
        assert_eq!(onset_delays(&[16, 0], &says), [Some(96), Some(160)]);
        assert_eq!(onset_delays(&[48], &says), [None]);
    }
}
