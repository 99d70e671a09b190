//! What the model and the transcription make of the input audio.

use crate::clips::{Clips, Match, Recogniser};

/// Below this share of unchanged bytes nobody understands a line.
const INTELLIGIBLE: f64 = 0.9;

/// One turn of the shop, as understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Understood {
    /// The line, when practically all of it was there.
    pub line: Option<String>,
    /// The transcript; empty when nothing was understood.
    pub text: String,
}

/// Listens to the input audio of a session.
pub struct Hearing {
    clips: Clips,
    recogniser: Recogniser,
    /// The part of a line that an earlier turn already held.
    before: Option<Match>,
}

impl Hearing {
    /// Nothing heard yet.
    pub fn new(clips: Clips) -> Self {
        Self {
            recogniser: Recogniser::new(clips.clone()),
            clips,
            before: None,
        }
    }

    /// Appends audio.
    pub fn push(&mut self, ulaw: &[u8]) {
        self.recogniser.push(ulaw);
    }

    /// The turn that ends here.
    pub fn take(&mut self) -> Understood {
        let Some(now) = self
            .recogniser
            .current()
            .filter(|m| Some(m) != self.before.as_ref())
        else {
            return Understood::default();
        };
        let Some(clip) = self.clips.get(&now.line) else {
            return Understood::default();
        };
        if now.intact < INTELLIGIBLE {
            self.recogniser.reset();
            self.before = None;
            return Understood::default();
        }
        let words: Vec<&str> = clip.text.split_whitespace().collect();
        let up_to = |m: &Match| {
            if m.complete {
                words.len()
            } else {
                words.len() * m.clip_bytes / clip.audio.len()
            }
        };
        let from = self
            .before
            .as_ref()
            .filter(|b| b.line == now.line && b.clip_bytes < now.clip_bytes)
            .map_or(0, up_to);
        let text = words[from..up_to(&now).max(from)].join(" ");
        let whole = now.clip_bytes * 10 >= clip.audio.len() * 9;
        let line = whole.then(|| now.line.clone());
        if whole {
            self.recogniser.reset();
            self.before = None;
        } else {
            self.before = Some(now);
        }
        Understood { line, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clips::Clip;
    use crate::clips::tests::noise;
    use orderline::audio::ulaw::SILENCE;

    fn setup() -> (Hearing, Vec<u8>) {
        let audio = noise(7, 16_000);
        let text = "one two three four five six seven eight".to_owned();
        let clips = Clips::new(vec![Clip {
            id: "count".into(),
            text,
            audio: audio.clone(),
        }])
        .unwrap();
        (Hearing::new(clips), audio)
    }

    #[test]
    fn a_whole_line_may_be_said_twice() {
        let (mut hearing, audio) = setup();
        for _ in 0..2 {
            hearing.push(&audio);
            hearing.push(&[SILENCE; 4_000]);
            let turn = hearing.take();
            assert_eq!(turn.line.as_deref(), Some("count"));
            assert!(turn.text.ends_with("eight"));
            assert_eq!(hearing.take(), Understood::default());
        }
    }

    #[test]
    fn a_line_cut_short_gives_its_first_words_and_the_rest_later() {
        let (mut hearing, audio) = setup();
        hearing.push(&audio[..8_100]);
        hearing.push(&[SILENCE; 4_000]);
        assert_eq!(
            hearing.take(),
            Understood {
                line: None,
                text: "one two three four".into()
            }
        );
        hearing.push(&audio[8_100..]);
        assert_eq!(
            hearing.take(),
            Understood {
                line: Some("count".into()),
                text: "five six seven eight".into()
            }
        );
    }

    #[test]
    fn damaged_audio_is_not_understood() {
        let (mut hearing, mut audio) = setup();
        audio.chunks_mut(100).for_each(|c| c[..20].fill(0x55));
        hearing.push(&audio);
        assert_eq!(hearing.take(), Understood::default());
    }
}
