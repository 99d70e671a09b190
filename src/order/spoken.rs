//! Spoken words made comparable: numbers said digit by digit or as words, letters spelled one by
//! one, abbreviations. Every token knows where in the text it was said, so that what was found can
//! be quoted.
//!
//! "one twenty three Main St", "123 Main Street" and "one two three main street" are the same
//! address; "twenty ten", "$20.10" and "twenty dollars and ten cents" are the same price.

mod letters;
mod money;
mod words;

use super::number_words::{self, Number};
use std::ops::Range;

pub use money::Amount;
pub(super) use words::{PAUSE, split};

/// A sentence, taken apart. Two are equal if the same was said, however it was written.
#[derive(Clone, Debug, Default)]
pub struct Spoken {
    tokens: Vec<Token>,
    /// Bytes of each token in the text.
    places: Vec<Range<usize>>,
    /// Pauses: the token that follows, and the mark that stands there.
    pauses: Vec<(usize, char)>,
    text: String,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    Word(String),
    /// One spoken group of digits: "twenty three" is one, "five five" are two.
    Group {
        digits: String,
        decimals: Option<String>,
    },
}

/// Digits that were said one after another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    /// The digits.
    pub digits: String,
    /// For each digit the position of its token.
    at: Vec<usize>,
}

impl Run {
    /// Positions of the tokens of these digits.
    fn tokens(&self, digits: Range<usize>) -> Option<Range<usize>> {
        let from = *self.at.get(digits.start)?;
        let to = *self.at.get(digits.end.checked_sub(1)?)?;
        Some(from..to + 1)
    }

    /// Positions of the tokens of these digits, where it has them.
    pub fn find(&self, digits: &str) -> Option<Range<usize>> {
        let from = self.digits.find(digits)?;
        self.tokens(from..from + digits.len())
    }

    /// Positions of all of its tokens.
    pub fn whole(&self) -> Range<usize> {
        self.tokens(0..self.at.len()).unwrap_or(0..0)
    }
}

impl PartialEq for Spoken {
    fn eq(&self, other: &Self) -> bool {
        let places = |said: &Self| said.pauses.iter().map(|(at, _)| *at).collect::<Vec<_>>();
        self.tokens == other.tokens && places(self) == places(other)
    }
}

impl Spoken {
    /// Takes a text apart.
    pub fn parse(text: &str) -> Self {
        let (raw, places): (Vec<String>, Vec<Range<usize>>) = words::pieces(text)
            .into_iter()
            .map(|piece| (piece.word, piece.at))
            .unzip();
        let mut spoken = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        let mut at = 0;
        while let Some(word) = raw.get(at) {
            let rest = raw.get(at..).unwrap_or_default();
            let place = |used: usize| {
                let from = places.get(at).map_or(0, |place| place.start);
                let to = places.get(at + used - 1).map_or(from, |place| place.end);
                from..to
            };
            if word == PAUSE {
                let mark = text.get(place(1)).and_then(|mark| mark.chars().next());
                spoken
                    .pauses
                    .push((spoken.tokens.len(), mark.unwrap_or(',')));
                at += 1;
                continue;
            }
            let in_number = matches!(spoken.tokens.last(), Some(Token::Group { .. }));
            if let Some((number, used)) = number_words::read(rest, in_number) {
                let Number {
                    digits,
                    decimals,
                    times,
                } = number;
                for _ in 0..times {
                    let (digits, decimals) = (digits.clone(), decimals.clone());
                    spoken.push(Token::Group { digits, decimals }, place(used));
                }
                at += used;
            } else if let Some((spelled, used)) = letters::read(rest) {
                spoken.push_word(&spelled, &place(used));
                at += used;
            } else {
                spoken.push_word(word, &place(1));
                at += 1;
            }
        }
        spoken
    }

    fn push(&mut self, token: Token, place: Range<usize>) {
        self.tokens.push(token);
        self.places.push(place);
    }

    fn push_word(&mut self, word: &str, place: &Range<usize>) {
        for word in words::canonical(word).split(' ') {
            // "Twenty first" is one ordinal.
            if let (
                Some(Token::Group {
                    digits,
                    decimals: None,
                }),
                Some(before),
            ) = (self.tokens.last(), self.places.last())
                && let (Ok(tens), Some(unit)) = (digits.parse::<usize>(), ordinal_unit(word))
                && tens % 10 == 0
                && (20..1000).contains(&tens)
                && !self.is_pause(self.tokens.len())
            {
                let place = before.start..place.end;
                self.tokens.pop();
                self.places.pop();
                self.push(Token::Word(words::numbered(tens + unit)), place);
            } else {
                self.push(Token::Word(word.to_owned()), place.clone());
            }
        }
    }

    /// The same with a "yes" in the place of its first word.
    #[must_use]
    pub fn with_yes(&self) -> Self {
        let mut yes = self.clone();
        if let Some(first) = yes.tokens.first_mut() {
            *first = Token::Word("yes".to_owned());
        }
        yes
    }

    /// How many tokens it has.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Where in the text these tokens were said, in bytes.
    pub fn place(&self, tokens: Range<usize>) -> Range<usize> {
        let from = self.places.get(tokens.start).map_or(0, |place| place.start);
        let last = tokens.end.checked_sub(1).and_then(|at| self.places.get(at));
        from..last.map_or(from, |place| place.end.max(from))
    }

    /// These tokens as they stand in the text.
    pub fn raw(&self, tokens: Range<usize>) -> &str {
        self.text.get(self.place(tokens)).unwrap_or_default()
    }

    /// Whether the words occur in this order, next to each other.
    pub fn has_phrase(&self, phrase: &str) -> bool {
        !self.positions(phrase).is_empty()
    }

    /// Where the words occur in this order, next to each other: positions of the first word.
    pub fn positions(&self, phrase: &str) -> Vec<usize> {
        self.find(phrase).into_iter().map(|at| at.start).collect()
    }

    /// Where the words occur in this order, next to each other.
    pub fn find(&self, phrase: &str) -> Vec<Range<usize>> {
        let wanted = Self::parse(phrase).tokens;
        if wanted.is_empty() {
            return Vec::new();
        }
        let windows = self.tokens.windows(wanted.len()).enumerate();
        windows
            .filter(|(_, window)| *window == wanted)
            .map(|(at, _)| at..at + wanted.len())
            .collect()
    }

    /// Where any of these phrases of ours occurs. They are written in their one spelling, so that
    /// none of them has to be taken apart.
    pub fn find_any(&self, phrases: &[&str]) -> Vec<Range<usize>> {
        let places = phrases
            .iter()
            .flat_map(|phrase| (0..self.tokens.len()).map(move |at| (*phrase, at)));
        places
            .filter_map(|(phrase, at)| Some(at..self.behind(phrase, at)?))
            .collect()
    }

    /// The position behind the phrase, if it stands here.
    fn behind(&self, phrase: &str, mut at: usize) -> Option<usize> {
        let mut rest = phrase;
        // Nearly every word begins with another letter: seen without a call.
        if self.word(at)?.bytes().next() != phrase.bytes().next() {
            return None;
        }
        loop {
            let after = rest.strip_prefix(self.word(at)?)?;
            at += 1;
            match after.strip_prefix(' ') {
                Some(next) => rest = next,
                None => return after.is_empty().then_some(at),
            }
        }
    }

    /// The word at the position, in its one spelling.
    pub fn word(&self, at: usize) -> Option<&str> {
        match self.tokens.get(at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Whether the same stands at a position of this and of another.
    pub fn same(&self, at: usize, other: &Self, other_at: usize) -> bool {
        let token = self.tokens.get(at);
        token.is_some() && token == other.tokens.get(other_at)
    }

    /// Whether this word stands at the position.
    pub fn is_word(&self, at: usize, word: &str) -> bool {
        matches!(self.tokens.get(at), Some(Token::Word(w)) if w == word)
    }

    /// Whether one of these words stands at the position.
    pub fn is_one_of(&self, at: usize, words: &[&str]) -> bool {
        matches!(self.tokens.get(at), Some(Token::Word(w)) if words.contains(&w.as_str()))
    }

    /// Whether one of these words stands at one of the positions.
    pub fn has_one_of(&self, mut positions: Range<usize>, words: &[&str]) -> bool {
        positions.any(|at| self.is_one_of(at, words))
    }

    /// Whether the speaker paused before this token.
    pub fn is_pause(&self, at: usize) -> bool {
        self.pauses.iter().any(|(pause, _)| *pause == at)
    }

    /// The sentence around this token, and the mark that ends it.
    pub fn sentence(&self, at: usize) -> (Range<usize>, Option<char>) {
        let ends = |(_, mark): &&(usize, char)| matches!(mark, '.' | '?' | '!');
        let marks = || self.pauses.iter().filter(ends);
        let from = marks()
            .rfind(|(end, _)| *end <= at)
            .map_or(0, |(end, _)| *end);
        let end = marks().find(|(end, _)| *end > at);
        let to = end.map_or(self.tokens.len(), |(end, _)| *end);
        (from..to, end.map(|(_, mark)| *mark))
    }

    /// Whether the sentence around this token asks.
    pub fn is_asked(&self, at: usize) -> bool {
        self.sentence(at).1 == Some('?')
    }

    /// The digits said right before a position, without a pause between: "one twenty three" before
    /// "Main" is 123.
    pub fn digits_before(&self, position: usize) -> Option<String> {
        self.number_before(position).map(|(digits, _)| digits)
    }

    /// The digits said right before a position, and the position of the first.
    pub fn number_before(&self, position: usize) -> Option<(String, usize)> {
        let mut groups = Vec::new();
        let mut at = position;
        while let Some(Token::Group {
            digits,
            decimals: None,
        }) = at.checked_sub(1).and_then(|i| self.tokens.get(i))
        {
            if self.is_pause(at) {
                break;
            }
            at -= 1;
            groups.push(digits.as_str());
        }
        groups.reverse();
        (!groups.is_empty()).then(|| (groups.concat(), at))
    }

    /// The groups around this position that were said in one breath.
    pub fn number(&self, at: usize) -> Range<usize> {
        let goes_on = |at: usize| {
            matches!(self.tokens.get(at), Some(Token::Group { .. })) && !self.is_pause(at)
        };
        let joined = |at: &usize| goes_on(*at) && self.word(at - 1).is_none();
        let before = (1..=at).rev().take_while(joined).count();
        let behind = (at + 1..self.len()).take_while(joined).count();
        at - before..at + 1 + behind
    }

    /// The digits of these tokens.
    pub fn digits(&self, tokens: Range<usize>) -> String {
        let tokens = self.tokens.get(tokens).unwrap_or_default().iter();
        let parts = tokens.flat_map(|token| match token {
            Token::Group { digits, decimals } => [Some(digits), decimals.as_ref()],
            Token::Word(_) => [None, None],
        });
        parts.flatten().map(String::as_str).collect()
    }

    /// Whether the number at this position is a time of the day as it is written: "6:45".
    pub fn is_clock(&self, at: usize) -> bool {
        let len = |at: usize| self.digits(at..at + 1).len();
        [at, at + 1].into_iter().any(|minutes| {
            self.pauses.contains(&(minutes, ':'))
                && len(minutes) == 2
                && minutes
                    .checked_sub(1)
                    .is_some_and(|hour| matches!(len(hour), 1 | 2))
        })
    }

    /// Behind the groups that begin at this position.
    pub fn number_end(&self, from: usize) -> usize {
        let groups = self.tokens.iter().skip(from);
        let more = groups.take_while(|token| matches!(token, Token::Group { .. }));
        from + more.count()
    }

    /// The whole number at this position.
    pub fn number_at(&self, at: usize) -> Option<u64> {
        match self.tokens.get(at) {
            Some(Token::Group {
                digits,
                decimals: None,
            }) => digits.parse().ok(),
            _ => None,
        }
    }

    /// Where this phone number was said: in full, or its national or local part of at least seven
    /// digits.
    pub fn phone(&self, phone: &str) -> Option<Range<usize>> {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let national = digits
            .strip_prefix('1')
            .filter(|d| d.len() == 10)
            .unwrap_or(&digits);
        self.runs().into_iter().rev().find_map(|run| {
            if let Some(from) = run.digits.rfind(national).filter(|_| national.len() >= 7) {
                return run.tokens(from..from + national.len());
            }
            let said = run.digits.trim_start_matches('0');
            (said.len() >= 7 && digits.ends_with(said)).then(|| run.whole())
        })
    }

    /// Neighbouring groups joined into strings of digits, across pauses: people read long numbers
    /// in pieces.
    pub fn digit_runs(&self) -> Vec<String> {
        self.runs().into_iter().map(|run| run.digits).collect()
    }

    /// Neighbouring groups, joined like [`Spoken::digit_runs`], and where they were said.
    pub fn runs(&self) -> Vec<Run> {
        let empty = || Run {
            digits: String::new(),
            at: Vec::new(),
        };
        let mut runs = vec![empty()];
        for (at, token) in self.tokens.iter().enumerate() {
            match (token, runs.last_mut()) {
                (Token::Group { digits, decimals }, Some(run)) => {
                    let more = [digits.as_str(), decimals.as_deref().unwrap_or_default()];
                    for part in more {
                        run.digits.push_str(part);
                        run.at.extend(std::iter::repeat_n(at, part.len()));
                    }
                }
                (Token::Word(word), _) if matches!(word.as_str(), "dash" | "hyphen" | "dot") => {}
                (Token::Word(_), Some(run)) if !run.digits.is_empty() => runs.push(empty()),
                _ => {}
            }
        }
        runs.retain(|run| !run.digits.is_empty());
        runs
    }
}

/// 5 of "5th".
fn ordinal_unit(word: &str) -> Option<usize> {
    (1..10).find(|n| words::numbered(*n) == word)
}

/// Whether the sentence says that an artificial intelligence is speaking.
pub fn discloses_ai(text: &str) -> bool {
    let spoken = Spoken::parse(text);
    [
        "ai",
        "a.i.",
        "artificial intelligence",
        "inteligencia artificial",
        "inteligência artificial",
        "intelligenza artificiale",
        "intelligence artificielle",
        "d'intelligence artificielle",
        "künstliche intelligenz",
        "ki-assistent",
        "ki",
        "automated assistant",
        "virtual assistant",
        "digital assistant",
        "robot",
    ]
    .iter()
    .any(|phrase| spoken.has_phrase(phrase))
}

#[cfg(test)]
mod tests;
