//! What a session makes of its input audio: when somebody speaks, and what was said.

use super::hearing::{Hearing, Understood};
use super::vad::{Turn, Vad};
use crate::clips::Clips;
use serde_json::Value;

/// From the end of a turn to its transcript, in ms.
const TRANSCRIPTION_MS: u64 = 150;

/// One session's ears. Their clock is the audio itself.
pub trait Ears: Send {
    /// Takes over the session's `turn_detection`; `null` switches it off.
    fn configure(&mut self, turn_detection: &Value);

    /// Milliseconds of audio written so far.
    fn ms(&self) -> u64;

    /// Forgets speech that was begun: the buffer was cleared or committed by hand.
    fn abandon(&mut self);

    /// Appends audio, and tells what it changes.
    fn push(&mut self, ulaw: &[u8]) -> Vec<Turn>;

    /// What was said in the turn that ends here.
    fn take(&mut self) -> Understood;

    /// How often the client is told of the start that [`Self::push`] has just found.
    fn announcements(&mut self) -> usize {
        1
    }

    /// How long the transcript of the turn just taken needs, in ms.
    fn transcription_ms(&mut self) -> u64 {
        TRANSCRIPTION_MS
    }

    /// How often the client is sent the transcript of the turn just taken.
    fn transcripts(&mut self) -> usize {
        1
    }
}

/// Hears speech by its energy and knows lines by their bytes: for audio that arrives unchanged.
pub struct ExactEars {
    vad: Vad,
    hearing: Hearing,
}

impl ExactEars {
    /// Nothing heard yet.
    pub fn new(clips: Clips) -> Self {
        Self {
            vad: Vad::new(),
            hearing: Hearing::new(clips),
        }
    }
}

impl Ears for ExactEars {
    fn configure(&mut self, turn_detection: &Value) {
        self.vad.configure(turn_detection);
    }

    fn ms(&self) -> u64 {
        self.vad.ms()
    }

    fn abandon(&mut self) {
        self.vad.abandon();
    }

    fn push(&mut self, ulaw: &[u8]) -> Vec<Turn> {
        self.hearing.push(ulaw);
        self.vad.push(ulaw)
    }

    fn take(&mut self) -> Understood {
        self.hearing.take()
    }
}
