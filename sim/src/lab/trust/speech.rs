//! Lines as audio: real speech cut to the length of each word, so that everybody's ears work, and
//! marked so that every stretch of it belongs to one place of one line.

use super::super::signals::{Random, at_level, pink, through_the_line};
use super::order::{Fact, Piece};
use crate::clips::Clips;
use orderline::audio::ulaw::{self, BYTES_PER_MS, SILENCE};

/// A word takes this long, and each of its letters; together just below the 15 characters a second
/// that nobody exceeds. In ms.
const WORD_MS: usize = 90;
const LETTER_MS: usize = 62;
/// Quieter stretches of the voices are left out: a word has no pause in it, dBFS.
const QUIET: f32 = -38.0;
/// How much of a voice is judged at once, in bytes.
const STRETCH: usize = 160;
/// Bytes of a millisecond.
const MS: usize = BYTES_PER_MS as usize;

/// Voices to speak with: the agent's and the shop's.
pub(super) struct Voices {
    agent: Vec<u8>,
    shop: Vec<u8>,
}

/// A word of a line and where it is, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) to: usize,
    /// Number of the first word of its piece.
    pub(super) piece: usize,
    /// Known once this word is heard, with the words before it in its piece.
    pub(super) facts: Vec<Fact>,
}

/// A line with its audio.
#[derive(Clone, Debug)]
pub(super) struct Spoken {
    pub(super) audio: Vec<u8>,
    pub(super) words: Vec<Word>,
}

impl Spoken {
    pub(super) fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        words.join(" ")
    }

    /// When the word at this share of the line begins, in ms.
    pub(super) fn ms_at(&self, share: f64) -> u64 {
        (self.audio.len() as f64 * share) as u64 / BYTES_PER_MS
    }
}

impl Voices {
    pub(super) fn new(clips: &Clips) -> Self {
        let voice = |lines: &[&str]| {
            let audio = lines.iter().filter_map(|line| clips.get(line));
            let audio: Vec<u8> = audio.flat_map(|clip| clip.audio.iter().copied()).collect();
            let loud = audio.chunks_exact(STRETCH);
            let loud = loud.filter(|stretch| ulaw::dbfs(stretch) > QUIET);
            loud.flatten().copied().collect()
        };
        Self {
            agent: voice(&[
                "happy-delivery/read-back",
                "pickup/read-back",
                "long-silence/read-back",
                "shop-interrupts-read-back/read-back-again",
            ]),
            shop: voice(&[
                "shop/what-would-you-like",
                "shop/name-address-phone",
                "happy-delivery/total",
                "long-silence/total",
                "shop-says-mm-hmm/total",
                "model-socket-drops/no-worries",
            ]),
        }
    }

    pub(super) fn agent(&self, random: &mut Random, pieces: &[Piece]) -> Spoken {
        speak(&self.agent, random, pieces)
    }

    pub(super) fn shop(&self, random: &mut Random, text: &str) -> Spoken {
        let text = text.to_owned();
        let facts = Vec::new();
        speak(&self.shop, random, &[Piece { text, facts }])
    }
}

/// Noise that is no word: a fan, a clatter, breath into the receiver.
pub(super) fn noise(random: &mut Random) -> Spoken {
    let ms = 700 + random.below(1_500);
    let level = random.between(-30.0, -22.0);
    let samples = at_level(pink(random, ms * MS), level);
    let audio = through_the_line(&samples);
    Spoken {
        audio: marked(random, audio),
        words: Vec::new(),
    }
}

/// Words without a sound.
pub(super) fn written(pieces: &[Piece]) -> Spoken {
    let word = |(text, piece, facts)| Word {
        text,
        to: 0,
        piece,
        facts,
    };
    Spoken {
        audio: Vec::new(),
        words: words(pieces).into_iter().map(word).collect(),
    }
}

/// Every word, with the number of the first word of its piece, and the facts that it completes.
fn words(pieces: &[Piece]) -> Vec<(String, usize, Vec<Fact>)> {
    let mut words: Vec<(String, usize, Vec<Fact>)> = Vec::new();
    for piece in pieces {
        let from = words.len();
        let text = piece.text.split_whitespace();
        words.extend(text.map(|word| (word.to_owned(), from, Vec::new())));
        if let Some((_, _, facts)) = words.last_mut().filter(|_| !piece.facts.is_empty()) {
            facts.extend(piece.facts.iter().cloned());
        }
    }
    words
}

fn speak(voice: &[u8], random: &mut Random, pieces: &[Piece]) -> Spoken {
    let mut audio = Vec::new();
    let mut spoken = Vec::new();
    let mut at = random.below(voice.len());
    for (text, piece, facts) in words(pieces) {
        let length = (WORD_MS + LETTER_MS * text.chars().count()) * MS;
        for _ in 0..length {
            audio.push(voice[at]);
            at = (at + 1) % voice.len();
        }
        let to = audio.len();
        spoken.push(Word {
            text,
            to,
            piece,
            facts,
        });
    }
    Spoken {
        audio: marked(random, audio),
        words: spoken,
    }
}

/// Every last bit is drawn: nobody hears it, and no stretch occurs twice.
fn marked(random: &mut Random, mut audio: Vec<u8>) -> Vec<u8> {
    for bytes in audio.chunks_mut(32) {
        let bits = random.below(1 << 32);
        for (n, byte) in bytes.iter_mut().enumerate() {
            // Not into digital silence, which means that nobody speaks.
            let changed = *byte ^ u8::from(bits >> n & 1 == 1);
            *byte = if changed | 0x80 == SILENCE {
                *byte
            } else {
                changed
            };
        }
    }
    audio
}
