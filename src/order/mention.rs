//! Whether a turn mentions a field of the order: says it, says something else in its place, or says
//! nothing of it; and the words that do.

mod contact;
mod heads;
mod items;
mod place;

pub(super) use contact::{method, name, phone};
pub(super) use items::{Counted, Part};
pub(super) use place::{address, city, same_state, state, street, zip};

use super::spoken::Spoken;
use std::ops::Range;

/// A turn says something of a field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mention {
    /// It says the field, not something else in its place.
    pub(super) says: bool,
    /// The words: positions of tokens.
    pub(super) at: Range<usize>,
}

impl Mention {
    fn same(at: Range<usize>) -> Self {
        Self { says: true, at }
    }

    fn other(at: Range<usize>) -> Self {
        Self { says: false, at }
    }
}

/// What follows one of these replaces what was said before.
const CORRECTIONS: [&str; 10] = [
    "sorry",
    "i mean",
    "make that",
    "make it",
    "correction",
    "no wait",
    "scratch that",
    "change that",
    "my bad",
    "or rather",
];
/// Before a word: it is not meant.
const NEGATIONS: [&str; 9] = [
    "no", "not", "without", "hold", "minus", "except", "skip", "instead", "don't",
];
/// Between a negation and its word.
const PARTICLES: [&str; 5] = ["the", "any", "of", "a", "want"];

/// Where a correction begins behind this position.
fn corrected_after(said: &Spoken, at: usize) -> Option<usize> {
    let found = said.find_any(&CORRECTIONS).into_iter();
    found
        .filter(|range| range.start >= at)
        .map(|range| range.end)
        .min()
}

/// Whether the word at this position is denied: "no mushrooms", "hold the mushrooms".
fn is_negated(said: &Spoken, at: usize) -> bool {
    let mut before = at;
    while let Some(i) = before.checked_sub(1)
        && !said.is_pause(before)
    {
        if said.is_one_of(i, &NEGATIONS) {
            return true;
        }
        if !said.is_one_of(i, &PARTICLES) {
            return false;
        }
        before = i;
    }
    false
}

#[cfg(test)]
mod tests;
