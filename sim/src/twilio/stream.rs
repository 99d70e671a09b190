//! One media stream without its socket and its clock: what a tick of 20 ms sends to the bridge,
//! and what the bridge's messages do.

use super::line::Recording;
use super::playback::Playback;
use super::shop::{Deed, FarEnd, Step};
use super::wire::{self, Frames, FromBridge};
use crate::timeline::What;

/// Milliseconds of a tick.
pub const TICK_MS: u64 = 20;
const TICK_BYTES: usize = 160;

/// Twilio's side of one stream.
pub struct Stream {
    pub frames: Frames,
    playback: Playback,
    /// The bridge has sent audio.
    was_used: bool,
}

/// What a tick or a message leads to.
#[derive(Default)]
pub struct Effects {
    /// Echoes of marks; they go before the frames.
    pub echoes: Vec<String>,
    /// Other frames for the bridge, in order.
    pub frames: Vec<String>,
    pub events: Vec<What>,
    pub deed: Option<Deed>,
}

impl Stream {
    /// A stream on which nothing has been sent.
    pub fn new(frames: Frames) -> Self {
        Self {
            frames,
            playback: Playback::default(),
            was_used: false,
        }
    }

    /// The next 20 ms of both directions; the last frame is the shop's audio, save for a key.
    pub fn tick(&mut self, far_end: &mut dyn FarEnd, recording: &Recording) -> Effects {
        let tick = self.playback.tick(TICK_BYTES);
        let echoes = tick.marks.iter().map(|name| self.frames.mark(name));
        let echoes = echoes.collect();
        let Step { said, events, deed } = far_end.step(&tick.samples);
        recording.append(&tick.samples, &said);
        let mut frames = vec![self.frames.media(&said)];
        if let Some(Deed::Press(digit)) = &deed {
            frames.push(self.frames.dtmf(digit));
        }
        Effects {
            echoes,
            frames,
            events,
            deed,
        }
    }

    /// A text message of the bridge.
    pub fn receive(&mut self, text: &str, far_end: &mut dyn FarEnd) -> Effects {
        let mut effects = Effects::default();
        match wire::read(text, &self.frames.stream_sid) {
            Ok(FromBridge::Media(audio)) => {
                if !std::mem::replace(&mut self.was_used, true) {
                    effects.events.push(What::FirstAudio);
                }
                self.playback.media(&audio);
            }
            Ok(FromBridge::Mark(name)) => {
                let echo = self.playback.mark(name);
                effects
                    .echoes
                    .extend(echo.map(|name| self.frames.mark(&name)));
            }
            Ok(FromBridge::Clear) => {
                let cleared = self.playback.clear();
                let dropped_ms = cleared.dropped_ms;
                effects.events.push(What::Cleared { dropped_ms });
                if dropped_ms > 0 {
                    effects.events.extend(far_end.cut_off());
                }
                let echoes = cleared.marks.iter().map(|name| self.frames.mark(name));
                effects.echoes = echoes.collect();
            }
            Err(detail) => effects.events.push(What::Violation {
                side: "twilio".into(),
                detail,
            }),
        }
        effects
    }
}
