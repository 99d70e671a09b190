//! What really happened at the far end, which only the lab knows: what was said when, and what of
//! the agent's own voice came back. Positions are bytes of the audio that the far end sent.

use crate::clips::Clips;
use orderline::audio::ulaw::{BYTES_PER_MS, SILENCE};
use std::collections::HashMap;
use std::sync::Arc;

/// The network knows of a sound so long after it, in bytes: 160 ms.
const NETWORK_LAG_BYTES: u64 = 1_280;

/// What a sound of the far end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// An answer in the shop's own turn.
    Reply,
    /// The same, and it asks the agent to wait.
    Wait,
    /// More than a second of speech into the agent's.
    Interruption,
    /// A word that means stop.
    Short,
    /// A word that means go on.
    Backchannel,
    Cough,
    Clatter,
    Digits,
    RingBack,
    Music,
}

impl Kind {
    /// Words of somebody.
    pub(super) fn is_speech(self) -> bool {
        matches!(
            self,
            Self::Reply | Self::Wait | Self::Interruption | Self::Short | Self::Backchannel
        )
    }

    /// The agent has to give way.
    pub(super) fn is_real(self) -> bool {
        matches!(self, Self::Interruption | Self::Short)
    }

    /// It comes from somebody who is on the phone: a stop for it is not false.
    pub(super) fn is_person(self) -> bool {
        self.is_speech() || self == Self::Cough
    }
}

/// One sound.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) kind: Kind,
    /// The words; empty for what is no speech.
    pub(super) text: String,
    pub(super) from: u64,
    pub(super) to: u64,
    /// How soon the server's network heard speech in it, in ms. What even a network that never
    /// sleeps does not hear says nothing about turns.
    pub(super) network_ms: Option<u64>,
    /// Words that a transcript has given already.
    told: usize,
}

/// Everything about one far end.
#[derive(Default)]
pub(super) struct Truth {
    pub(super) said: Vec<Said>,
    /// What was played there.
    played: Vec<u8>,
    /// By how many bytes the echo is late, if there is one.
    pub(super) echo_bytes: Option<usize>,
    /// Transcripts of nothing but echo.
    pub(super) echo_transcripts: Vec<String>,
}

impl Truth {
    /// Something begins to be said.
    pub(super) fn says(&mut self, kind: Kind, text: &str, from: u64, bytes: usize) {
        self.said.push(Said {
            kind,
            text: text.to_owned(),
            from,
            to: from + bytes as u64,
            network_ms: None,
            told: 0,
        });
    }

    /// The server's network heard speech up to here.
    pub(super) fn is_heard(&mut self, position: u64) {
        let during =
            |said: &&mut Said| said.from < position && position <= said.to + NETWORK_LAG_BYTES;
        for said in self.said.iter_mut().filter(during) {
            let late = (position - said.from) / BYTES_PER_MS;
            said.network_ms.get_or_insert(late);
        }
    }

    /// Whether somebody speaks at this position.
    pub(super) fn speaks(&self, position: u64) -> bool {
        let during = |said: &Said| said.from < position && position <= said.to;
        self.said
            .iter()
            .any(|said| said.kind.is_speech() && during(said))
    }

    /// More was played.
    pub(super) fn plays(&mut self, samples: &[u8]) {
        self.played.extend(samples);
    }

    /// The transcript of what was sent between two positions.
    pub(super) fn transcript(&mut self, from: u64, to: u64, voice: &Voice) -> String {
        let spoken = self
            .said
            .iter_mut()
            .filter(|said| said.kind.is_speech() && said.to > from && said.from < to);
        let words: Vec<String> = spoken.filter_map(|said| said.words_until(to)).collect();
        if !words.is_empty() {
            return words.join(" ");
        }
        let echo = self.echo_bytes.and_then(|late| {
            let at = |position: u64| {
                usize::try_from(position)
                    .unwrap_or(usize::MAX)
                    .saturating_sub(late)
            };
            voice.words(self.played.get(at(from)..at(to).min(self.played.len()))?)
        });
        let echo = echo.unwrap_or_default();
        if !echo.is_empty() {
            self.echo_transcripts.push(echo.clone());
        }
        echo
    }
}

impl Said {
    #[cfg(test)]
    pub(super) fn test(kind: Kind, text: &str, from_ms: u64, to_ms: u64) -> Self {
        Self {
            kind,
            text: text.to_owned(),
            from: from_ms * BYTES_PER_MS,
            to: to_ms * BYTES_PER_MS,
            network_ms: Some(70),
            told: 0,
        }
    }

    /// What of it is new up to a position.
    fn words_until(&mut self, to: u64) -> Option<String> {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        let (length, heard) = (self.to - self.from, to.min(self.to) - self.from);
        let until = if heard * 10 >= length * 9 {
            words.len()
        } else {
            words.len() * usize::try_from(heard).unwrap_or(0) / usize::try_from(length).unwrap_or(1)
        };
        let new = words.get(self.told..until).filter(|new| !new.is_empty())?;
        self.told = until;
        Some(new.join(" "))
    }
}

/// Bytes of audio that identify a place in the agent's lines.
const ANCHOR: usize = 24;
/// Bytes between two anchors.
const STEP: usize = 16;

/// The agent's lines, found by their audio whatever its last bits are.
pub(super) struct Voice {
    anchors: HashMap<[u8; ANCHOR], (usize, usize)>,
    /// Text and length of each line.
    lines: Vec<(String, usize)>,
}

impl Voice {
    pub(super) fn new(clips: &Clips, ids: &[&str]) -> Arc<Self> {
        let mut voice = Self {
            anchors: HashMap::new(),
            lines: Vec::new(),
        };
        for clip in ids.iter().filter_map(|id| clips.get(id)) {
            let anchors = clip.audio.windows(ANCHOR).enumerate().step_by(STEP);
            for (at, stretch) in anchors {
                if let Some(key) = key(stretch) {
                    voice.anchors.insert(key, (voice.lines.len(), at));
                }
            }
            voice.lines.push((clip.text.clone(), clip.audio.len()));
        }
        Arc::new(voice)
    }

    /// The words in this audio; of the line that it begins with.
    fn words(&self, audio: &[u8]) -> Option<String> {
        let find = |mut places: Box<dyn Iterator<Item = (usize, &[u8])> + '_>| {
            places.find_map(|(at, stretch)| {
                let (line, offset) = self.anchors.get(&key(stretch)?)?;
                Some((*line, *offset, at))
            })
        };
        let windows = || audio.windows(ANCHOR).enumerate();
        let (line, first, _) = find(Box::new(windows()))?;
        let (last_line, last, _) = find(Box::new(windows().rev()))?;
        let (text, length) = self.lines.get(line)?;
        let last = if last_line == line { last } else { *length };
        let words: Vec<&str> = text.split_whitespace().collect();
        let word = |offset: usize| words.len() * offset / length;
        let spoken = words.get(word(first)..(word(last) + 1).min(words.len()))?;
        Some(spoken.join(" "))
    }
}

/// The audio without its last bits; nothing for silence, which is everywhere.
fn key(stretch: &[u8]) -> Option<[u8; ANCHOR]> {
    let mut key: [u8; ANCHOR] = stretch.try_into().ok()?;
    key.iter_mut().for_each(|byte| *byte |= 1);
    let quiet = key.iter().filter(|byte| (**byte | 0x8F) == SILENCE).count();
    (quiet < ANCHOR / 2).then_some(key)
}
