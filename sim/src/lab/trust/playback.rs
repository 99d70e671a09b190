//! Which words were really heard, and when: every stretch of a recording is found in the line that
//! it comes from, byte by byte.

use super::plan::Line;
use orderline::audio::ulaw::SILENCE;
use std::collections::HashMap;

/// Bytes that identify a place, and how far such places are apart.
const ANCHOR: usize = 16;
const STEP: usize = 8;
/// So much of a hundred bytes of a word, and it is understood.
const ENOUGH: usize = 75;
/// A jump back by so much says the line once more, in bytes.
const AGAIN: usize = 1_600;

/// Something that was heard, at its end, in bytes of the recording.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heard {
    pub(super) at: usize,
    /// Number of the line, and of the word.
    pub(super) line: usize,
    pub(super) word: usize,
    /// Which time the line was said, and when that began.
    pub(super) time: usize,
    pub(super) began: usize,
}

/// The line that is being played.
struct Playing {
    line: usize,
    /// Bytes of it that came, in order.
    next: usize,
    /// Bytes that came of the word that is being said, and the number of that word.
    word: usize,
    of_word: usize,
    began: usize,
    time: usize,
}

/// The words in a recording, in order.
pub(super) fn words(recording: &[u8], lines: &[Line]) -> Vec<Heard> {
    let mut anchors: HashMap<[u8; ANCHOR], (usize, usize)> = HashMap::new();
    for (number, line) in lines.iter().enumerate() {
        let stretches = line.spoken.audio.windows(ANCHOR).enumerate();
        for (at, stretch) in stretches.step_by(STEP) {
            if let Some(key) = key(stretch) {
                anchors.insert(key, (number, at));
            }
        }
    }
    let mut heard = Vec::new();
    let mut playing: Option<Playing> = None;
    let mut times = 0;
    let mut at = 0;
    while let Some(byte) = recording.get(at) {
        if let Some(now) = &mut playing
            && lines[now.line].spoken.audio.get(now.next) == Some(byte)
        {
            now.hear(at, lines, &mut heard);
            at += 1;
            continue;
        }
        let found = recording
            .get(at..at + ANCHOR)
            .and_then(key)
            .and_then(|key| anchors.get(&key));
        if let Some(&(line, from)) = found {
            let goes_on = playing
                .as_ref()
                .filter(|now| now.line == line && from + AGAIN > now.next);
            playing = Some(match goes_on {
                Some(now) => {
                    // What is missing of a word may be little.
                    if now.ends_before(from, lines) {
                        heard.extend(now.word_heard(at, lines));
                    }
                    now.at(from, lines)
                }
                None => {
                    times += 1;
                    Playing::begin(line, from, at, times, lines)
                }
            });
        } else {
            at += 1;
        }
    }
    heard
}

impl Playing {
    fn begin(line: usize, from: usize, began: usize, time: usize, lines: &[Line]) -> Self {
        let new = Self {
            line,
            next: 0,
            word: 0,
            of_word: 0,
            began,
            time,
        };
        new.at(from, lines)
    }

    /// The same line, from another place on. What lies between was not heard.
    fn at(&self, from: usize, lines: &[Line]) -> Self {
        let words = &lines[self.line].spoken.words;
        let word = words.iter().take_while(|word| word.to <= from).count();
        let same = word == self.word && from >= self.next;
        let back = from < self.next;
        let begins = word.checked_sub(1).map_or(0, |before| words[before].to);
        let of_word = match same {
            true => self.of_word,
            // An anchor is found up to a step behind the beginning.
            false if back || from - begins <= STEP + ANCHOR => from - begins,
            false => 0,
        };
        Self {
            next: from,
            word,
            of_word,
            ..*self
        }
    }

    fn hear(&mut self, at: usize, lines: &[Line], heard: &mut Vec<Heard>) {
        let words = &lines[self.line].spoken.words;
        self.next += 1;
        self.of_word += 1;
        let Some(word) = words.get(self.word) else {
            return;
        };
        if self.next >= word.to {
            heard.extend(self.word_heard(at + 1, lines));
            self.word += 1;
            self.of_word = 0;
        }
    }

    /// The word that is being said ends before this place.
    fn ends_before(&self, place: usize, lines: &[Line]) -> bool {
        let word = lines[self.line].spoken.words.get(self.word);
        word.is_some_and(|word| self.next < word.to && word.to <= place)
    }

    /// The word that is being said, if enough of it came.
    fn word_heard(&self, at: usize, lines: &[Line]) -> Option<Heard> {
        let words = &lines[self.line].spoken.words;
        let begins = self
            .word
            .checked_sub(1)
            .map_or(0, |before| words[before].to);
        let length = words.get(self.word)?.to - begins;
        (self.of_word * 100 >= length * ENOUGH).then_some(Heard {
            at,
            line: self.line,
            word: self.word,
            time: self.time,
            began: self.began,
        })
    }
}

/// Nothing for silence, which is everywhere.
fn key(stretch: &[u8]) -> Option<[u8; ANCHOR]> {
    let key: [u8; ANCHOR] = stretch.try_into().ok()?;
    let quiet = key.iter().filter(|byte| **byte | 0x80 == SILENCE).count();
    (quiet < ANCHOR / 2).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::super::super::signals::Random;
    use super::super::order::plain_words;
    use super::super::speech::Voices;
    use super::*;
    use crate::rig;

    fn lines() -> Vec<Line> {
        let voices = Voices::new(&rig::clips().unwrap());
        let mut random = Random::new(3);
        let texts = ["one two three four five", "six seven eight"];
        let lines = texts.map(|text| Line {
            id: text.to_owned(),
            spoken: voices.agent(&mut random, &[plain_words(text)]),
            written: String::new(),
            means: Vec::new(),
        });
        lines.into()
    }

    fn heard(recording: &[u8]) -> Vec<(usize, usize, usize)> {
        let words = words(recording, &lines());
        words.iter().map(|h| (h.line, h.word, h.time)).collect()
    }

    #[test]
    fn whole_words_are_heard_and_what_was_cut_is_not() {
        let lines = lines();
        let (first, second) = (&lines[0].spoken.audio, &lines[1].spoken.audio);
        let silence = vec![SILENCE; 4_000];
        let cut = &first[..lines[0].spoken.words[2].to - 600];
        let line = [&silence[..], cut, &silence, second, &silence].concat();
        assert_eq!(
            heard(&line),
            [(0, 0, 1), (0, 1, 1), (1, 0, 2), (1, 1, 2), (1, 2, 2)]
        );
    }

    #[test]
    fn a_line_that_stops_and_goes_on_is_one_and_a_repeated_one_is_two() {
        let lines = lines();
        let second = &lines[1].spoken.audio;
        let silence = vec![SILENCE; 8_000];
        let held = [&second[..3_000], &silence, &second[3_000..]].concat();
        assert_eq!(heard(&held), [(1, 0, 1), (1, 1, 1), (1, 2, 1)]);
        let twice = [&second[..], &silence, &second[..]].concat();
        assert_eq!(heard(&twice).len(), 6);
        assert_eq!(heard(&twice)[5], (1, 2, 2));
    }
}
