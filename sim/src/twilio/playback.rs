//! What the bridge queued for the phone, and the clock that plays it: 8 bytes per millisecond,
//! in order, with the marks where they were put (`protocols.md` §2.9).

use orderline::audio::ulaw::{BYTES_PER_MS, SILENCE};
use std::collections::VecDeque;

/// The playback queue of one media stream. Positions are bytes since the stream began.
#[derive(Default)]
pub struct Playback {
    queue: VecDeque<u8>,
    /// Marks with the position behind which they stand, ascending.
    marks: VecDeque<(u64, String)>,
    /// Bytes handed to the phone; those of the newest tick are just being played.
    handed: u64,
    /// Bytes played to their end.
    played: u64,
}

/// What one tick plays.
pub struct Tick {
    /// The samples of this tick, filled up with silence.
    pub samples: Vec<u8>,
    /// Marks whose audio has been played to the end when the tick begins.
    pub marks: Vec<String>,
}

/// What `clear` threw away.
pub struct Cleared {
    /// Queued audio that will not be heard, in ms.
    pub dropped_ms: u64,
    /// All marks that were waiting, oldest first.
    pub marks: Vec<String>,
}

impl Playback {
    /// Audio to play after everything queued so far.
    pub fn media(&mut self, audio: &[u8]) {
        self.queue.extend(audio);
    }

    /// A mark behind everything queued so far; it comes back at once when nothing is playing.
    pub fn mark(&mut self, name: String) -> Option<String> {
        let position = self.handed + self.queue.len() as u64;
        if position <= self.played {
            return Some(name);
        }
        self.marks.push_back((position, name));
        None
    }

    /// Throws away what has not been handed to the phone.
    pub fn clear(&mut self) -> Cleared {
        let dropped_ms = self.queue.len() as u64 / BYTES_PER_MS;
        self.queue.clear();
        Cleared {
            dropped_ms,
            marks: self.marks.drain(..).map(|(_, name)| name).collect(),
        }
    }

    /// The previous tick's samples have been played; takes the next `length` ones.
    pub fn tick(&mut self, length: usize) -> Tick {
        self.played = self.handed;
        let due = self
            .marks
            .iter()
            .take_while(|(position, _)| *position <= self.played)
            .count();
        let marks = self.marks.drain(..due).map(|(_, name)| name).collect();
        let real = length.min(self.queue.len());
        self.handed += real as u64;
        let mut samples: Vec<u8> = self.queue.drain(..real).collect();
        samples.resize(length, SILENCE);
        Tick { samples, marks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(playback: &mut Playback, name: &str) -> Option<String> {
        playback.mark(name.to_string())
    }

    #[test]
    fn audio_plays_in_order_and_then_silence() {
        let mut playback = Playback::default();
        playback.media(&[1; 100]);
        playback.media(&[2; 100]);
        let first = playback.tick(160).samples;
        assert_eq!(
            (&first[..100], &first[100..]),
            (&[1; 100][..], &[2; 60][..])
        );
        let second = playback.tick(160).samples;
        assert_eq!(
            (&second[..40], &second[40..]),
            (&[2; 40][..], &[SILENCE; 120][..])
        );
    }

    #[test]
    fn a_mark_comes_back_when_the_audio_before_it_has_been_played() {
        let mut playback = Playback::default();
        playback.media(&[1; 320]);
        assert_eq!(mark(&mut playback, "a"), None);
        playback.media(&[1; 1]);
        assert_eq!(mark(&mut playback, "b"), None);
        assert!(playback.tick(160).marks.is_empty());
        assert!(playback.tick(160).marks.is_empty());
        assert_eq!(playback.tick(160).marks, ["a"]);
        assert_eq!(mark(&mut playback, "c"), None, "one byte still plays");
        assert_eq!(playback.tick(160).marks, ["b", "c"]);
    }

    #[test]
    fn a_mark_comes_back_at_once_when_nothing_plays() {
        let mut playback = Playback::default();
        assert_eq!(mark(&mut playback, "a").as_deref(), Some("a"));
        playback.media(&[1; 8]);
        playback.tick(160);
        playback.tick(160);
        assert_eq!(mark(&mut playback, "b").as_deref(), Some("b"));
    }

    #[test]
    fn clear_drops_the_queue_and_returns_every_mark_in_order() {
        let mut playback = Playback::default();
        playback.media(&[1; 480]);
        mark(&mut playback, "a");
        playback.media(&[1; 80]);
        mark(&mut playback, "b");
        playback.tick(160);
        let cleared = playback.clear();
        assert_eq!(
            (cleared.dropped_ms, cleared.marks),
            (50, vec!["a".to_string(), "b".to_string()])
        );
        let next = playback.tick(160);
        assert!(next.marks.is_empty() && next.samples == [SILENCE; 160]);
        assert_eq!(mark(&mut playback, "c").as_deref(), Some("c"));
    }
}
