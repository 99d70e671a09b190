//! Hears whether someone speaks: μ-law frames of any size in, changes out.
//!
//! ```text
//! frames → steps of 32 ms → gate (does the level move?) → network (is it speech?) → change
//! ```
//!
//! The network hears tones, music and noise for what they are, so that its word alone may stop the
//! agent; it costs about 27 µs a step, a thousandth of a core, which the gate saves while nothing
//! moves. The last 192 ms of the line are kept. What wakes is a fresh network that hears them first,
//! each step counted as if it had been heard in time: one that has heard speech and then seconds of
//! quiet is drowsy, and needs up to 200 ms more for the next word (`tests/hearing.rs`). Where the
//! gate lets it not sleep, it is freshened in the same way.
//!
//! Pure and deterministic: time is counted in samples. Everybody on the line is heard, an echo of
//! the agent as well; who it is, is the caller's question.

use super::gate::Gate;
use super::music::Music;
use super::ulaw::{self, BYTES_PER_MS};
use orderline_silero::{STEP, Silero};
use std::collections::VecDeque;

/// The probability from which a step is speech: what the network was trained and measured with
/// (`hearing.md`, method 5).
const SPEECH: f32 = 0.5;

/// The probability from which one step makes a start on a noisy line. There a fresh network takes half
/// of all music, and every sixth key, for speech for one step; words come to this 20 ms after [`SPEECH`].
const SURE: f32 = 0.85;

/// The probability below which a step of speech is a pause: 0.15 lower, as in Silero's own iterator,
/// so that a quiet syllable does not end it.
const PAUSE: f32 = 0.35;

/// The probability below which there is no trace of speech.
const TRACE: f32 = 0.1;

/// Steps of speech in a row that make a start: each more costs 32 ms of talking over the other, and
/// clicks and coughs do not reach [`SPEECH`] in any. On a noisy line three where none is [`SURE`].
const START_STEPS: u64 = 1;
const UNSURE_START_STEPS: u64 = 3;

/// Steps of pause in a row that make an end: 192 ms, some 300 ms after the last sound, for the network
/// itself holds on for 100 ms. Stops and soft syllables within words are shorter; what follows an
/// end is decided by the turn, not here.
const STOP_STEPS: u64 = 6;

/// Steps that the gate must be closed before the network sleeps: 384 ms.
const SLEEP_STEPS: u32 = 12;

/// Steps that a fresh network hears first: 192 ms, to know the background, and for a word that
/// begins more softly than the gate's margin.
const KEPT_STEPS: usize = 6;

/// Steps without speech after which a network that cannot sleep is drowsy: 1 s. To freshen it costs
/// [`KEPT_STEPS`] runs.
const DROWSY_STEPS: u32 = 32;

/// What has changed on the line, and how long ago: milliseconds before the end of the audio heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Someone began to speak.
    SpeechStarted {
        /// Age of the first sound, ms.
        ago_ms: u32,
    },
    /// Nobody has spoken for a while.
    SpeechStopped {
        /// Age of the last sound, ms.
        ago_ms: u32,
    },
}

/// Hears one direction of one call.
#[derive(Clone, Debug)]
pub struct Ear {
    silero: Silero,
    gate: Gate,
    /// Less than a step of μ-law, waiting for the rest.
    pending: Vec<u8>,
    /// The newest steps, oldest first.
    kept: VecDeque<[u8; STEP]>,
    awake: bool,
    /// Steps in a row that the network heard without a trace of speech.
    quiet_steps: u32,
    /// Steps in a row that the gate was closed.
    closed_steps: u32,
    /// Steps taken from the line.
    steps: u64,
    network_runs: u64,
    is_speech: bool,
    music: Music,
    /// The steps in a row that contradict `is_speech`: the number of the first, and how many.
    contrary: Option<(u64, u64)>,
}

impl Default for Ear {
    fn default() -> Self {
        Self::new()
    }
}

impl Ear {
    /// An ear for a new call; it knows nothing of the line yet.
    pub fn new() -> Self {
        Self {
            silero: Silero::new(),
            gate: Gate::new(),
            pending: Vec::new(),
            kept: VecDeque::with_capacity(KEPT_STEPS),
            awake: true,
            quiet_steps: 0,
            closed_steps: 0,
            steps: 0,
            network_runs: 0,
            is_speech: false,
            music: Music::default(),
            contrary: None,
        }
    }

    /// Takes μ-law of any length, usually the 20 ms of a frame. Returns what is different after it:
    /// starts and stops alternate, and one that is undone within the same piece is not told.
    pub fn hear(&mut self, ulaw: &[u8]) -> Option<Change> {
        let was_speech = self.is_speech;
        let mut bytes = std::mem::take(&mut self.pending);
        bytes.extend_from_slice(ulaw);
        let (steps, rest) = bytes.as_chunks::<STEP>();
        let changed_at = steps.iter().filter_map(|step| self.take(step)).last();
        let waiting = rest.len();
        bytes.drain(..bytes.len() - waiting);
        self.pending = bytes;

        let ago = (self.steps - changed_at?) * STEP as u64 + waiting as u64;
        let ago_ms = u32::try_from(ago / BYTES_PER_MS).unwrap_or(u32::MAX);
        match (was_speech, self.is_speech) {
            (false, true) => Some(Change::SpeechStarted { ago_ms }),
            (true, false) => Some(Change::SpeechStopped { ago_ms }),
            _ => None,
        }
    }

    /// Whether someone speaks, short pauses included.
    pub fn is_speech(&self) -> bool {
        self.is_speech
    }

    /// For how long nothing on the line can have been a voice, in ms. What waits for the rest of its
    /// step counts by its level.
    pub fn silent_ms(&self) -> u64 {
        if self.gate.rises(ulaw::mean_square(&self.pending)) {
            return 0;
        }
        u64::from(self.closed_steps) * STEP as u64 / BYTES_PER_MS
    }

    /// Whether the line has a noise of its own.
    pub fn hears_noise(&self) -> bool {
        self.gate.hears_noise()
    }

    /// Whether music plays: for more than two seconds the line has been loud, and moved as music does.
    pub fn is_music(&self) -> bool {
        self.music.plays()
    }

    /// Steps of 32 ms taken from the line.
    pub fn frames(&self) -> u64 {
        self.steps
    }

    /// Steps that the network was run for.
    pub fn network_runs(&self) -> u64 {
        self.network_runs
    }

    /// Takes one step from the line. When it changes `is_speech`: the number of the step that the
    /// change began with.
    fn take(&mut self, step: &[u8; STEP]) -> Option<u64> {
        let level = ulaw::mean_square(step);
        let is_open = self.gate.is_open(level);
        self.closed_steps = if is_open { 0 } else { self.closed_steps + 1 };
        self.steps += 1;
        let changed_at = if self.awake {
            self.decide(self.steps - 1, step)
        } else if is_open {
            self.wake(step)
        } else {
            None
        };
        if self.is_speech {
            self.music.interrupted();
        } else {
            self.music.take(level);
        }
        if self.kept.len() == KEPT_STEPS {
            self.kept.pop_front();
        }
        self.kept.push_back(*step);
        let may_sleep = !self.is_speech && self.contrary.is_none();
        self.awake &= !(may_sleep && self.closed_steps >= SLEEP_STEPS);
        self.awake |= is_open;
        if self.awake && may_sleep && self.quiet_steps >= DROWSY_STEPS {
            self.freshen();
        }
        changed_at
    }

    /// A fresh network hears what was kept, and the step that woke it.
    fn wake(&mut self, step: &[u8; STEP]) -> Option<u64> {
        self.silero = Silero::new();
        self.quiet_steps = 0;
        let kept = std::mem::take(&mut self.kept);
        let first = self.steps - 1 - kept.len() as u64;
        let heard = (first..).zip(kept.iter().chain([step]));
        let changed_at = heard
            .filter_map(|(number, step)| self.decide(number, step))
            .last();
        self.kept = kept;
        changed_at
    }

    /// Nothing of what was heard long ago stays in the network.
    fn freshen(&mut self) {
        self.silero = Silero::new();
        self.quiet_steps = 0;
        for step in &self.kept {
            self.network_runs += 1;
            self.silero.step(&samples(step));
        }
    }

    /// Runs the network on one step and counts it for or against a change.
    fn decide(&mut self, number: u64, step: &[u8; STEP]) -> Option<u64> {
        self.network_runs += 1;
        let probability = self.silero.step(&samples(step));
        self.quiet_steps = if probability < TRACE {
            self.quiet_steps + 1
        } else {
            0
        };
        let (contradicts, needed) = if self.is_speech {
            (probability < PAUSE, STOP_STEPS)
        } else {
            let is_unsure = probability < SURE && self.gate.hears_noise();
            let steps = if is_unsure {
                UNSURE_START_STEPS
            } else {
                START_STEPS
            };
            (probability >= SPEECH, steps)
        };
        if !contradicts {
            self.contrary = None;
            return None;
        }
        let (first, count) = self.contrary.unwrap_or((number, 0));
        if count + 1 < needed {
            self.contrary = Some((first, count + 1));
            return None;
        }
        self.contrary = None;
        self.is_speech = !self.is_speech;
        Some(first)
    }
}

fn samples(step: &[u8; STEP]) -> [f32; STEP] {
    step.map(|byte| f32::from(ulaw::decode(byte)) / 32768.0)
}
