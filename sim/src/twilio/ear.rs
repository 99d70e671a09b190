//! What the people in the shop hear of the agent: when it speaks, which line, and whether to the
//! end. Knows only the samples that were played.

use crate::clips::{Clips, Match, Recogniser};
use crate::timeline::What;
use orderline::audio::ulaw::{self, BYTES_PER_MS};

/// Frames below this level are silence, in dB relative to full scale.
const FLOOR_DBFS: f32 = -55.0;
/// So much silence, and nobody is speaking.
const QUIET_BYTES: u64 = 200 * BYTES_PER_MS;
/// Speech that is still not recognised after this is reported without a line.
const UNKNOWN_BYTES: u64 = 600 * BYTES_PER_MS;
/// Shorter sounds that no line fits are no speech.
const BLIP_BYTES: u64 = 60 * BYTES_PER_MS;
/// How far a line left earlier must go on to count as resumed.
const RESUMED_BYTES: usize = 400;
/// A line of which less has arrived unchanged is not understood.
const INTACT: f64 = 0.9;

/// Listens to what is played, frame by frame.
pub struct Ear {
    clips: Clips,
    recogniser: Recogniser,
    /// Bytes heard so far.
    position: u64,
    /// Where the last sound ended.
    last_sound: u64,
    speech: Option<Speech>,
    /// What the recogniser still says about the speech before.
    stale: Option<Match>,
}

/// A stretch of the agent's speech: one line, or not recognised.
struct Speech {
    began: u64,
    line: Option<Match>,
    announced: bool,
    cleared: bool,
}

/// What a frame brought.
#[derive(Default)]
pub struct Heard {
    pub events: Vec<What>,
    /// Lines that ended, heard from beginning to end.
    pub complete: Vec<String>,
}

impl Ear {
    /// Has heard nothing.
    pub fn new(clips: Clips) -> Self {
        let recogniser = Recogniser::new(clips.clone());
        Self {
            clips,
            recogniser,
            position: 0,
            last_sound: 0,
            speech: None,
            stale: None,
        }
    }

    /// The agent is not speaking.
    pub fn is_quiet(&self) -> bool {
        self.speech.is_none()
    }

    /// Bytes since the agent's last sound, or since the beginning.
    pub fn silence(&self) -> u64 {
        self.position - self.last_sound
    }

    /// The line being heard, and how many ms of it.
    pub fn hearing(&self) -> Option<(&str, u64)> {
        let line = self.speech.as_ref()?.line.as_ref()?;
        (!self.is_whole(line)).then_some((&line.line, line.clip_bytes as u64 / BYTES_PER_MS))
    }

    /// The next samples that were played.
    pub fn hear(&mut self, played: &[u8]) -> Heard {
        let mut heard = Heard::default();
        self.recogniser.push(played);
        let began = self.position;
        self.position += played.len() as u64;
        let sounds = is_sound(played);
        if sounds {
            self.last_sound = self.position;
            self.speech.get_or_insert_with(|| Speech::new(began));
        }
        let found = self.recogniser.current();
        let Some(speech) = &mut self.speech else {
            self.stale = found;
            return heard;
        };
        if let Some(found) = found.filter(|m| is_news(m, self.stale.as_ref())) {
            if speech
                .line
                .as_ref()
                .is_some_and(|line| is_another(line, &found))
            {
                self.stop(&mut heard);
                self.speech = Some(Speech::new(began));
            }
            self.follow(found, &mut heard);
        } else if !speech.announced && self.position - speech.began > UNKNOWN_BYTES {
            speech.announced = true;
            heard.events.push(What::AgentSpeaks {
                line: String::new(),
                text: String::new(),
            });
        }
        if self.silence() >= QUIET_BYTES + self.pause_within_line() {
            self.stop(&mut heard);
        }
        heard
    }

    /// What was still to be played will not be: `clear`, or the end of the stream.
    pub fn cut_off(&mut self) -> Heard {
        let mut heard = Heard::default();
        if let Some(speech) = &mut self.speech {
            speech.cleared = true;
            self.stop(&mut heard);
        }
        heard
    }

    fn follow(&mut self, found: Match, heard: &mut Heard) {
        let Some(speech) = &mut self.speech else {
            return;
        };
        if speech.line.is_none() {
            speech.announced = true;
            let text = self
                .clips
                .get(&found.line)
                .map(|c| c.text.clone())
                .unwrap_or_default();
            heard.events.push(What::AgentSpeaks {
                line: found.line.clone(),
                text,
            });
        }
        speech.line = Some(found);
        self.stale = None;
    }

    fn stop(&mut self, heard: &mut Heard) {
        let Some(speech) = self.speech.take() else {
            return;
        };
        self.stale = self.recogniser.current();
        let played = self.last_sound.saturating_sub(speech.began);
        let understood = speech
            .line
            .as_ref()
            .is_some_and(|line| line.intact >= INTACT);
        let whole = understood && speech.line.as_ref().is_some_and(|line| self.is_whole(line));
        let missed = speech.line.as_ref().map_or(0.0, |line| {
            (1.0 - line.intact) * line.clip_bytes as f64 / BYTES_PER_MS as f64
        });
        let line = speech.line.map(|line| line.line).unwrap_or_default();
        if line.is_empty() {
            if played < BLIP_BYTES {
                return;
            }
            if !speech.announced {
                let text = String::new();
                heard.events.push(What::AgentSpeaks {
                    line: line.clone(),
                    text,
                });
            }
        }
        if whole {
            heard.complete.push(line.clone());
        }
        // A line that is not whole did not end by itself, whoever cut it.
        let cut = if line.is_empty() {
            speech.cleared
        } else {
            !whole
        };
        heard.events.push(What::AgentStopped {
            line,
            played_ms: played / BYTES_PER_MS,
            missed_ms: missed.round() as u64,
            cut,
        });
    }

    /// Length of the pause the line itself makes here: silence in it is not its end.
    fn pause_within_line(&self) -> u64 {
        let line = self.speech.as_ref().and_then(|speech| speech.line.as_ref());
        let Some(line) = line.filter(|line| !self.is_whole(line)) else {
            return 0;
        };
        let Some(clip) = self.clips.get(&line.line) else {
            return 0;
        };
        // The recogniser goes on through a pause, so it is measured from both its sides.
        let (before, after) = clip.audio.split_at(line.clip_bytes.min(clip.audio.len()));
        let behind = before
            .rchunks(160)
            .take_while(|frame| !is_sound(frame))
            .count();
        let ahead = after
            .chunks(160)
            .take_while(|frame| !is_sound(frame))
            .count();
        (behind + ahead) as u64 * 160
    }

    /// The line has been heard to its end, save silence.
    fn is_whole(&self, line: &Match) -> bool {
        let rest = self
            .clips
            .get(&line.line)
            .and_then(|c| c.audio.get(line.clip_bytes..));
        line.complete || rest.is_some_and(|rest| !rest.chunks(160).any(is_sound))
    }
}

impl Speech {
    fn new(began: u64) -> Self {
        Self {
            began,
            line: None,
            announced: false,
            cleared: false,
        }
    }
}

fn is_sound(frame: &[u8]) -> bool {
    ulaw::dbfs(frame) > FLOOR_DBFS
}

/// Whether the recogniser speaks of the speech being heard and not of the one before.
fn is_news(found: &Match, stale: Option<&Match>) -> bool {
    stale.is_none_or(|old| {
        is_another(old, found) || found.clip_bytes > old.clip_bytes + RESUMED_BYTES
    })
}

/// Another line, or the same from its beginning.
fn is_another(old: &Match, new: &Match) -> bool {
    old.line != new.line || new.clip_bytes < old.clip_bytes
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::clips::Clip;
    use orderline::audio::ulaw::SILENCE;

    /// Loud noise that never repeats, as speech.
    pub fn speech(id: &str, ms: usize) -> Clip {
        let mut state = id
            .bytes()
            .fold(0x9E37_79B9_u32, |s, b| s.wrapping_mul(31) ^ u32::from(b));
        let noise = (0..ms * 8).map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 9) as u8
        });
        Clip {
            id: id.into(),
            text: format!("Text of {id}."),
            audio: noise.collect(),
        }
    }

    fn ear() -> Ear {
        let mut paused = speech("paused", 1_000);
        paused.audio[3_200..5_600].fill(SILENCE);
        Ear::new(Clips::new(vec![speech("hello", 1_000), speech("total", 2_000), paused]).unwrap())
    }

    fn audio(ear: &Ear, line: &str) -> Vec<u8> {
        ear.clips.get(line).unwrap().audio.clone()
    }

    fn play(ear: &mut Ear, audio: &[u8]) -> Heard {
        let mut all = Heard::default();
        for frame in audio.chunks(160) {
            let heard = ear.hear(frame);
            all.events.extend(heard.events);
            all.complete.extend(heard.complete);
        }
        all
    }

    fn silence(ms: usize) -> Vec<u8> {
        vec![SILENCE; ms * 8]
    }

    fn speaks(line: &str) -> What {
        let text = if line.is_empty() {
            String::new()
        } else {
            format!("Text of {line}.")
        };
        What::AgentSpeaks {
            line: line.into(),
            text,
        }
    }

    fn stopped(line: &str, played_ms: u64, cut: bool) -> What {
        What::AgentStopped {
            line: line.into(),
            played_ms,
            missed_ms: 0,
            cut,
        }
    }

    #[test]
    fn a_line_is_heard_to_its_end() {
        let mut ear = ear();
        let hello = audio(&ear, "hello");
        assert!(play(&mut ear, &silence(500)).events.is_empty());
        let heard = play(&mut ear, &hello[..4_000]);
        assert_eq!(heard.events, [speaks("hello")]);
        assert_eq!(ear.hearing(), Some(("hello", 500)));
        assert!(play(&mut ear, &hello[4_000..]).events.is_empty() && !ear.is_quiet());
        let heard = play(&mut ear, &silence(300));
        assert_eq!(heard.events, [stopped("hello", 1_000, false)]);
        assert_eq!(heard.complete, ["hello"]);
        assert!(ear.is_quiet());
    }

    #[test]
    fn a_cleared_line_stops_at_once_and_may_be_resumed_or_repeated() {
        let mut ear = ear();
        let total = audio(&ear, "total");
        play(&mut ear, &total[..8_000]);
        let heard = ear.cut_off();
        assert_eq!(heard.events, [stopped("total", 1_000, true)]);
        assert!(heard.complete.is_empty());
        play(&mut ear, &silence(400));
        let heard = play(&mut ear, &[&total[8_000..], &silence(300)[..]].concat());
        assert_eq!(
            heard.events,
            [speaks("total"), stopped("total", 1_000, false)]
        );
        assert_eq!(heard.complete, ["total"]);
        let heard = play(&mut ear, &[&total[..], &silence(300)[..]].concat());
        assert_eq!(
            heard.events,
            [speaks("total"), stopped("total", 2_000, false)]
        );
    }

    #[test]
    fn a_line_whose_audio_ran_out_was_not_heard() {
        let mut ear = ear();
        let hello = audio(&ear, "hello");
        let heard = play(&mut ear, &[&hello[..4_000], &silence(300)[..]].concat());
        assert_eq!(heard.events, [speaks("hello"), stopped("hello", 500, true)]);
        assert!(heard.complete.is_empty());
    }

    #[test]
    fn two_lines_without_a_pause_are_two_lines() {
        let mut ear = ear();
        let both = [audio(&ear, "hello"), audio(&ear, "total"), silence(300)].concat();
        let heard = play(&mut ear, &both);
        assert_eq!(heard.complete, ["hello", "total"]);
        assert_eq!(heard.events.len(), 4);
    }

    #[test]
    fn a_pause_within_a_line_is_not_its_end() {
        let mut ear = ear();
        let paused = audio(&ear, "paused");
        let heard = play(&mut ear, &paused);
        assert_eq!(heard.events, [speaks("paused")]);
        assert_eq!(play(&mut ear, &silence(300)).complete, ["paused"]);
    }

    #[test]
    fn unknown_and_damaged_speech_has_no_line() {
        let mut ear = ear();
        let heard = play(
            &mut ear,
            &[&speech("other", 1_000).audio[..], &silence(300)[..]].concat(),
        );
        assert_eq!(heard.events, [speaks(""), stopped("", 1_000, false)]);
        let damaged: Vec<u8> = audio(&ear, "hello").iter().map(|byte| byte ^ 1).collect();
        let heard = play(&mut ear, &[&damaged[..], &silence(300)[..]].concat());
        assert_eq!(heard.events, [speaks(""), stopped("", 1_000, false)]);
        assert!(heard.complete.is_empty());
    }
}
