//! Server voice activity detection over the bytes of the input audio buffer, by energy. Its clock
//! is the audio itself: milliseconds of audio written to the buffer since the session began.

use orderline::audio::ulaw::{BYTES_PER_MS, dbfs};
use serde_json::Value;

/// Bytes of a window: 20 ms.
const WINDOW: usize = 160;
const WINDOW_MS: u64 = WINDOW as u64 / BYTES_PER_MS;
/// So many windows in a row begin speech: a click does not.
const ONSET: u64 = 3;

/// What the detector found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Speech began; with the padding before it.
    Started { audio_start_ms: u64 },
    /// Speech ended.
    Stopped { audio_end_ms: u64 },
}

/// The detector.
pub struct Vad {
    settings: Option<Settings>,
    pending: Vec<u8>,
    /// Audio heard so far.
    ms: u64,
    /// Windows of speech in a row.
    loud: u64,
    speaking: bool,
    /// Silence since the last window of speech.
    quiet_ms: u64,
}

#[derive(Clone, Copy)]
struct Settings {
    level: f32,
    prefix_ms: u64,
    silence_ms: u64,
}

impl Vad {
    /// A detector that is switched off.
    pub fn new() -> Self {
        Self {
            settings: None,
            pending: Vec::new(),
            ms: 0,
            loud: 0,
            speaking: false,
            quiet_ms: 0,
        }
    }

    /// Takes over the session's `turn_detection`; `null` switches it off.
    pub fn configure(&mut self, turn_detection: &Value) {
        let ms = |key: &str, default| turn_detection[key].as_u64().unwrap_or(default);
        let silence_ms = match turn_detection["eagerness"].as_str() {
            Some("high") => 300,
            Some("low") => 1_000,
            _ => ms("silence_duration_ms", 500),
        };
        // Threshold 0.5 lies well between the line's noise and speech at −20 dBFS.
        let level =
            -45.0 + 30.0 * (turn_detection["threshold"].as_f64().unwrap_or(0.5) as f32 - 0.5);
        let settings = Settings {
            level,
            prefix_ms: ms("prefix_padding_ms", 300),
            silence_ms,
        };
        self.settings = turn_detection.is_object().then_some(settings);
        if self.settings.is_none() {
            self.speaking = false;
        }
    }

    /// Milliseconds of audio written so far.
    pub fn ms(&self) -> u64 {
        self.ms + self.pending.len() as u64 / BYTES_PER_MS
    }

    /// Forgets speech that was begun: the buffer was cleared or committed by hand.
    pub fn abandon(&mut self) {
        self.speaking = false;
        self.loud = 0;
    }

    /// Appends audio, and tells what it changes.
    pub fn push(&mut self, ulaw: &[u8]) -> Vec<Turn> {
        self.pending.extend_from_slice(ulaw);
        let whole = self.pending.len() - self.pending.len() % WINDOW;
        let windows: Vec<u8> = self.pending.drain(..whole).collect();
        windows
            .chunks_exact(WINDOW)
            .filter_map(|window| self.window(window))
            .collect()
    }

    fn window(&mut self, window: &[u8]) -> Option<Turn> {
        self.ms += WINDOW_MS;
        let settings = self.settings?;
        if dbfs(window) > settings.level {
            self.loud += 1;
            self.quiet_ms = 0;
        } else {
            self.loud = 0;
            self.quiet_ms += WINDOW_MS;
        }
        if !self.speaking && self.loud >= ONSET {
            self.speaking = true;
            let audio_start_ms = self
                .ms
                .saturating_sub(self.loud * WINDOW_MS + settings.prefix_ms);
            return Some(Turn::Started { audio_start_ms });
        }
        if self.speaking && self.quiet_ms >= settings.silence_ms.max(WINDOW_MS) {
            self.speaking = false;
            return Some(Turn::Stopped {
                audio_end_ms: self.ms,
            });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orderline::audio::ulaw::{SILENCE, encode};
    use serde_json::json;

    fn vad() -> Vad {
        let mut vad = Vad::new();
        vad.configure(&json!({"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}));
        vad
    }

    fn speech(ms: usize) -> Vec<u8> {
        (0..ms * 8)
            .map(|i| encode(if i % 20 < 10 { 3_000 } else { -3_000 }))
            .collect()
    }

    #[test]
    fn a_turn_has_a_padded_start_and_an_end_after_the_silence() {
        let mut vad = vad();
        assert_eq!(vad.push(&[SILENCE; 8_000]), []);
        assert_eq!(
            vad.push(&speech(1_000)),
            [Turn::Started {
                audio_start_ms: 700
            }]
        );
        assert_eq!(
            vad.push(&[SILENCE; 8_000]),
            [Turn::Stopped {
                audio_end_ms: 2_500
            }]
        );
        assert_eq!(vad.ms(), 3_000);
    }

    #[test]
    fn odd_pieces_make_no_difference() {
        let mut vad = vad();
        let audio = [vec![SILENCE; 800], speech(600), vec![SILENCE; 6_000]].concat();
        let turns: Vec<Turn> = audio.chunks(37).flat_map(|piece| vad.push(piece)).collect();
        assert_eq!(
            turns,
            [
                Turn::Started { audio_start_ms: 0 },
                Turn::Stopped {
                    audio_end_ms: 1_200
                }
            ]
        );
    }

    #[test]
    fn a_click_is_no_speech_and_a_short_pause_no_end() {
        let mut vad = vad();
        assert_eq!(vad.push(&speech(40)), []);
        assert_eq!(vad.push(&[SILENCE; 8_000]), []);
        assert_eq!(
            vad.push(&[speech(400), vec![SILENCE; 3_200], speech(400)].concat())
                .len(),
            1
        );
        assert!(vad.speaking);
    }

    #[test]
    fn without_turn_detection_there_are_no_turns() {
        let mut vad = vad();
        vad.configure(&Value::Null);
        assert_eq!(vad.push(&[speech(500), vec![SILENCE; 8_000]].concat()), []);
    }
}
