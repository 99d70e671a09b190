//! The Realtime server's ears on a line with noise and echo: Silero decides when somebody speaks,
//! and the lab tells what was said.

use super::super::signals::Random;
use super::sounds;
use super::truth::{Truth, Voice};
use crate::realtime::ears::Ears;
use crate::realtime::hearing::Understood;
use crate::realtime::vad::Turn;
use orderline::audio::ulaw::BYTES_PER_MS;
use orderline_silero::{STEP, Silero};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const STEP_MS: u64 = STEP as u64 / BYTES_PER_MS;
/// Steps of speech in a row that begin a turn.
const START_STEPS: u64 = 2;
/// The probability that the network was made to be asked for.
const SPEECH: f32 = 0.5;
/// How much less than the threshold a pause has.
const HYSTERESIS: f32 = 0.15;
/// The latest that a start is told, in ms.
const LATE_MS: usize = 400;

/// The ears of one session.
pub(super) struct LabEars {
    truth: Arc<Mutex<Truth>>,
    voice: Arc<Voice>,
    random: Random,
    /// Starts are sometimes told late, twice or not at all.
    faulty: bool,
    /// It hears words at once, whatever the network hears.
    keen: bool,
    silero: Silero,
    settings: Option<Settings>,
    pending: Vec<u8>,
    steps: u64,
    /// Steps of speech in a row, whatever the settings are.
    run: u64,
    speech_steps: u64,
    speaking: bool,
    quiet_ms: u64,
    /// A start that is told later: `audio_start_ms`, and when.
    late: Option<(u64, u64)>,
    announcements: VecDeque<usize>,
    /// Where the turn began, and where the last one ended, in bytes.
    turn_from: u64,
}

#[derive(Clone, Copy)]
struct Settings {
    threshold: f32,
    prefix_ms: u64,
    silence_ms: u64,
}

impl LabEars {
    pub(super) fn new(
        truth: Arc<Mutex<Truth>>,
        voice: Arc<Voice>,
        seed: u64,
        (faulty, keen): (bool, bool),
    ) -> Self {
        Self {
            truth,
            voice,
            random: Random::new(seed),
            faulty,
            keen,
            silero: Silero::new(),
            settings: None,
            pending: Vec::new(),
            steps: 0,
            run: 0,
            speech_steps: 0,
            speaking: false,
            quiet_ms: 0,
            late: None,
            announcements: VecDeque::new(),
            turn_from: 0,
        }
    }

    fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&mut self, step: &[u8], turns: &mut Vec<Turn>) {
        let samples = sounds::decoded(step);
        let probability = samples.as_slice().try_into();
        let probability = probability.map_or(0.0, |samples| self.silero.step(samples));
        self.steps += 1;
        let now = self.steps * STEP_MS;
        let words = self.keen && self.truth().speaks(now * BYTES_PER_MS);
        self.run = if probability >= SPEECH {
            self.run + 1
        } else {
            0
        };
        if self.run >= START_STEPS {
            self.truth().is_heard(now * BYTES_PER_MS);
        }
        let Some(settings) = self.settings else {
            return;
        };
        if let Some((start, _)) = self.late.filter(|(_, due)| *due <= now) {
            self.tell(start, turns);
        }
        if self.speaking {
            let pause = !words && probability < settings.threshold - HYSTERESIS;
            self.quiet_ms = if pause { self.quiet_ms + STEP_MS } else { 0 };
            if self.quiet_ms >= settings.silence_ms {
                if let Some((start, _)) = self.late {
                    self.tell(start, turns);
                }
                self.speaking = false;
                self.speech_steps = 0;
                turns.push(Turn::Stopped { audio_end_ms: now });
            }
            return;
        }
        let speech = probability >= settings.threshold;
        self.speech_steps = if speech { self.speech_steps + 1 } else { 0 };
        if words || self.speech_steps >= START_STEPS {
            self.speaking = true;
            self.quiet_ms = 0;
            let start = now.saturating_sub(START_STEPS * STEP_MS + settings.prefix_ms);
            self.turn_from = self.turn_from.max(start * BYTES_PER_MS);
            if self.faulty && self.random.below(4) == 0 {
                self.late = Some((start, now + self.random.below(LATE_MS + 1) as u64));
            } else {
                self.tell(start, turns);
            }
        }
    }

    fn tell(&mut self, audio_start_ms: u64, turns: &mut Vec<Turn>) {
        self.late = None;
        let times = match self.random.below(10) {
            0 if self.faulty => 0,
            1 if self.faulty => 2,
            _ => 1,
        };
        self.announcements.push_back(times);
        turns.push(Turn::Started { audio_start_ms });
    }
}

impl Ears for LabEars {
    fn configure(&mut self, turn_detection: &Value) {
        let ms = |key: &str, default| turn_detection[key].as_u64().unwrap_or(default);
        #[allow(clippy::cast_possible_truncation, reason = "a probability")]
        let settings = Settings {
            threshold: turn_detection["threshold"].as_f64().unwrap_or(0.5) as f32,
            prefix_ms: ms("prefix_padding_ms", 300),
            silence_ms: ms("silence_duration_ms", 500),
        };
        self.settings = turn_detection.is_object().then_some(settings);
    }

    fn ms(&self) -> u64 {
        self.steps * STEP_MS + self.pending.len() as u64 / BYTES_PER_MS
    }

    fn abandon(&mut self) {
        self.speaking = false;
        self.speech_steps = 0;
        self.late = None;
    }

    fn push(&mut self, ulaw: &[u8]) -> Vec<Turn> {
        self.pending.extend_from_slice(ulaw);
        let whole = self.pending.len() - self.pending.len() % STEP;
        let steps: Vec<u8> = self.pending.drain(..whole).collect();
        let mut turns = Vec::new();
        for step in steps.chunks_exact(STEP) {
            self.step(step, &mut turns);
        }
        turns
    }

    fn take(&mut self) -> Understood {
        let now = self.ms() * BYTES_PER_MS;
        let text = self.truth().transcript(self.turn_from, now, &self.voice);
        self.turn_from = now;
        Understood { line: None, text }
    }

    fn announcements(&mut self) -> usize {
        self.announcements.pop_front().unwrap_or(1)
    }

    fn transcription_ms(&mut self) -> u64 {
        300 + self.random.below(501) as u64
    }
}
