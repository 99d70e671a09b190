//! Words with their places in the text, and the digits among them, however they were said.

use super::super::letters::lower_case;
use super::super::number_words;
use std::ops::Range;

/// A text, taken apart.
pub(super) struct Said {
    /// In lower case.
    words: Vec<String>,
    pub(super) groups: Vec<Group>,
}

/// Digits that were said in one go.
pub(super) struct Group {
    pub(super) digits: Vec<u8>,
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    /// Its first word, and the one behind its last.
    pub(super) from: usize,
    pub(super) to: usize,
    /// Words between the group before and this one.
    pub(super) words_before: usize,
    /// It is written as an amount of money.
    pub(super) is_price: bool,
    /// Digit by digit, or written.
    pub(super) is_read_out: bool,
    /// All of its parts have one or two digits: more may follow.
    grows: bool,
}

impl Group {
    pub(super) fn text(&self) -> String {
        self.digits.iter().map(|d| char::from(b'0' + d)).collect()
    }
}

impl Said {
    /// The words alone, as if there were no digits.
    pub(super) fn words(text: &str) -> Self {
        let words = words(text, &places(text));
        Self {
            words,
            groups: Vec::new(),
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        let places = places(text);
        let words = words(text, &places);
        let mut groups: Vec<Group> = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let in_number = groups.last().is_some_and(|group| group.to == at);
            let rest = words.get(at..).unwrap_or_default();
            let Some((number, used)) = number_words::read(rest, in_number) else {
                at += 1;
                continue;
            };
            let to = at + used.max(1);
            let (Some(first), Some(last)) = (places.get(at), places.get(to - 1)) else {
                break;
            };
            let range = first.start..last.end;
            let said = number.digits.repeat(number.times);
            let digits: Vec<u8> = said.bytes().filter_map(super::value).collect();
            let grows = number.digits.len() <= 2;
            let gap = groups
                .last()
                .and_then(|group| text.get(group.range.end..range.start))
                .unwrap_or_default();
            let flows =
                gap.chars().all(|c| matches!(c, ' ' | '-' | '/' | '.')) && !gap.contains(". ");
            let is_read_out = number.digits.len() == 1
                || rest
                    .first()
                    .is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit()));
            match groups.last_mut() {
                Some(group) if in_number && flows && group.grows && grows && !group.is_price => {
                    group.digits.extend(digits);
                    group.range.end = range.end;
                    group.to = to;
                    group.is_price |= gap == "." && said.len() == 2;
                    group.is_read_out &= is_read_out;
                }
                _ => {
                    let behind = groups.last().map_or(0, |group| group.to);
                    let price = is_price(text, &range, gap, &said);
                    if let Some(group) = groups.last_mut().filter(|_| gap == ".") {
                        group.is_price |= price;
                    }
                    groups.push(Group {
                        digits,
                        range,
                        from: at,
                        to,
                        words_before: at - behind,
                        is_price: price,
                        is_read_out,
                        grows,
                    });
                }
            }
            at = to;
        }
        Self { words, groups }
    }

    /// Where these words stand, one after the other: the first word, and the one behind the last.
    pub(super) fn find(&self, phrase: &str) -> Option<(usize, usize)> {
        let initial = phrase.as_bytes().first();
        let may_begin = |word: &String| word.as_bytes().first() == initial;
        let places = self.words.iter().enumerate();
        let mut begins = places.filter(|(_, word)| may_begin(word));
        begins.find_map(|(at, _)| {
            let mut rest = phrase;
            for (to, word) in (at + 1..).zip(self.words.get(at..)?) {
                rest = rest.strip_prefix(word.as_str())?;
                if rest.is_empty() {
                    return Some((at, to));
                }
                rest = rest.strip_prefix(' ')?;
            }
            None
        })
    }

    /// Whether one of these stands among the words of a range.
    pub(super) fn has_any(&self, wanted: &[&str], range: Range<usize>) -> bool {
        let mut words = self.words.get(range).unwrap_or_default().iter();
        words.any(|word| wanted.contains(&word.as_str()))
    }

    /// How many words are no digits.
    pub(super) fn other_words(&self) -> usize {
        let said: usize = self.groups.iter().map(|group| group.to - group.from).sum();
        self.words.len().saturating_sub(said)
    }
}

/// "$20", "20.10": an amount of money, and never a part of another number.
fn is_price(text: &str, range: &Range<usize>, gap: &str, said: &str) -> bool {
    let before = text.get(..range.start).unwrap_or_default().trim_end();
    before.ends_with(['$', '€', '£']) || (gap == "." && said.len() == 2)
}

fn words(text: &str, places: &[Range<usize>]) -> Vec<String> {
    let words = places.iter().map(|place| text.get(place.clone()));
    words
        .map(|word| lower_case(word.unwrap_or_default()))
        .collect()
}

/// Words and numbers: letters and digits stand apart ("4111x"), apostrophes are inside words.
fn places(text: &str) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = Vec::new();
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let inside = c.is_alphanumeric() || (matches!(c, '\'' | '’') && before.is_some());
        let turns = before.is_some_and(|b| b.is_ascii_digit() != c.is_ascii_digit());
        match places.last_mut() {
            Some(place) if inside && before.is_some() && !turns => place.end = at + c.len_utf8(),
            _ if inside => places.push(at..at + c.len_utf8()),
            _ => {}
        }
        before = inside.then_some(c);
    }
    places
}
