//! The recording of a call: both directions of the line from the answer on, without a gap.

use crate::play::Play;
use orderline::audio::ulaw::{self, BYTES_PER_MS, SILENCE};
use std::sync::{Arc, PoisonError};

/// Writes `play.line` in step with the clock of its timeline.
pub struct Recording {
    play: Arc<Play>,
    answered_ms: u64,
}

impl Recording {
    /// The call was answered now.
    pub fn new(play: Arc<Play>) -> Self {
        let answered_ms = play.timeline.ms();
        Self { play, answered_ms }
    }

    /// Both directions of one stretch; the shorter one ends in silence.
    pub fn append(&self, to_shop: &[u8], from_shop: &[u8]) {
        let mut line = self
            .play
            .line
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let length = line.to_shop.len() + to_shop.len().max(from_shop.len());
        line.to_shop.extend(to_shop);
        line.from_shop.extend(from_shop);
        line.to_shop.resize(length, SILENCE);
        line.from_shop.resize(length, SILENCE);
    }

    /// Silence up to this moment.
    pub fn catch_up(&self) {
        self.fill(|_| SILENCE);
    }

    /// The network's voice up to this moment.
    pub fn catch_up_with_announcement(&self) {
        self.fill(announcement);
    }

    fn fill(&self, sample: impl Fn(usize) -> u8) {
        let elapsed = self.play.timeline.ms() - self.answered_ms;
        let elapsed = usize::try_from(elapsed * BYTES_PER_MS);
        let mut line = self
            .play
            .line
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let length = elapsed.unwrap_or(0).max(line.to_shop.len());
        let missing = length - line.to_shop.len();
        line.to_shop.extend((0..missing).map(sample));
        line.from_shop.resize(length, SILENCE);
    }
}

/// A hum with the rhythm of syllables: a stand-in that can be seen and heard in the recording.
fn announcement(at: usize) -> u8 {
    let t = at as f64 / 8000.0;
    let syllable = (t * 4.0 * std::f64::consts::PI).sin().abs();
    let tone =
        (t * 180.0 * std::f64::consts::TAU).sin() + (t * 540.0 * std::f64::consts::TAU).sin();
    ulaw::encode((tone * syllable * 2500.0) as i16)
}
