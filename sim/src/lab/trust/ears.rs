//! The Realtime server's ears: the model hears every line of the shop as it was said, the
//! transcription writes down what the plan has it write, when and as often as the plan says.

use super::super::signals::Random;
use crate::clips::Clips;
use crate::realtime::ears::{Ears, ExactEars};
use crate::realtime::hearing::Understood;
use crate::realtime::vad::Turn;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// How a line is written down.
#[derive(Clone, Debug)]
pub(super) struct Writing {
    /// From the end of the turn to its transcript, in ms.
    pub(super) ms: u64,
    /// How often it is sent.
    pub(super) copies: usize,
}

/// The ears of one session.
pub(super) struct TrustEars {
    inner: ExactEars,
    writings: Arc<HashMap<String, Writing>>,
    newest: Option<Writing>,
    random: Random,
}

impl TrustEars {
    /// `transcripts` are the shop's lines with the words that are written down.
    pub(super) fn new(
        transcripts: Clips,
        writings: Arc<HashMap<String, Writing>>,
        seed: u64,
    ) -> Self {
        Self {
            inner: ExactEars::new(transcripts),
            writings,
            newest: None,
            random: Random::new(seed),
        }
    }
}

impl Ears for TrustEars {
    fn configure(&mut self, turn_detection: &Value) {
        self.inner.configure(turn_detection);
    }

    fn ms(&self) -> u64 {
        self.inner.ms()
    }

    fn abandon(&mut self) {
        self.inner.abandon();
    }

    fn push(&mut self, ulaw: &[u8]) -> Vec<Turn> {
        self.inner.push(ulaw)
    }

    fn take(&mut self) -> Understood {
        let understood = self.inner.take();
        let line = understood.line.as_ref();
        self.newest = line.and_then(|line| self.writings.get(line)).cloned();
        understood
    }

    fn transcription_ms(&mut self) -> u64 {
        let usual = 200 + self.random.below(500) as u64;
        self.newest.as_ref().map_or(usual, |writing| writing.ms)
    }

    fn transcripts(&mut self) -> usize {
        self.newest.as_ref().map_or(1, |writing| writing.copies)
    }
}
