//! Where a turn counts items: quantity, size, and what of it a correction takes back.

use super::{corrected_after, is_negated};
use crate::order::spoken::Spoken;
use crate::order::state::{Item, SIZES, Size};
use std::ops::Range;

/// Between a quantity and what is counted.
pub(super) const COUNTING: [&str; 9] = [
    "of", "order", "portion", "bottle", "can", "side", "box", "pack", "plate",
];

/// Between a quantity and a size that does not stand right behind it.
const BETWEEN: [&str; 9] = [
    "of", "the", "our", "your", "more", "pizza", "pie", "both", "all",
];

/// Where a turn counts something: "two large", "two garlic breads".
pub(super) struct Head {
    /// Its size, or none for an item that is named.
    pub(super) size: Option<Size>,
    /// What was counted, from the quantity on.
    pub(super) at: Range<usize>,
    pub(super) quantity: Option<String>,
    /// Behind its last word.
    to: usize,
}

impl Head {
    /// Its quantity.
    pub(super) fn number(&self) -> Option<u64> {
        self.quantity.as_ref()?.parse().ok()
    }

    pub(super) fn fits(&self, item: &Item) -> bool {
        let counted = self.quantity.as_ref().map_or(item.quantity == 1, |digits| {
            digits.parse() == Ok(item.quantity)
        });
        self.size == item.size && counted
    }
}

/// Every place where a size, or an item without one, is counted.
pub(super) fn heads(said: &Spoken, items: &[Item]) -> Vec<Head> {
    // Of what stands between a size and its quantity: "two pepperoni pizzas, large". Of several items
    // each has its own breath.
    let apart = |size: usize| {
        let toppings: Vec<Range<usize>> = items
            .iter()
            .flat_map(|item| item.toppings.iter().chain(&item.name))
            .flat_map(|text| said.find(text))
            .collect();
        let (sentence, _) = said.sentence(size);
        let between = |at: &usize| {
            sentence.contains(at)
                && (said.is_one_of(*at, &BETWEEN) || toppings.iter().any(|t| t.contains(at)))
                && (items.len() == 1 || !said.is_pause(at + 1))
        };
        size - (0..size).rev().take_while(between).count()
    };
    let head = |size, at: Range<usize>| {
        let counted = (at.start.saturating_sub(3)..at.start)
            .rev()
            .find(|i| !said.is_one_of(*i, &COUNTING) || said.is_pause(i + 1))
            .map_or(at.start, |i| i + 1);
        let before = said
            .number_before(counted)
            .or_else(|| said.number_before(at.start))
            .or_else(|| said.number_before(apart(at.start)));
        // "About two" is no quantity.
        let hedged = before.as_ref().is_some_and(|(_, from)| {
            *from > 0
                && said.is_one_of(from - 1, &["about", "around", "maybe", "like", "or"])
                && !(*from > 1 && said.is_one_of(from - 2, &["i'd", "we'd", "would", "they'd"]))
        });
        let (quantity, from) = before.unzip();
        Head {
            size,
            at: from.unwrap_or(at.start)..at.end,
            quantity: if hedged { Some("0".into()) } else { quantity },
            to: at.end,
        }
    };
    let sized = SIZES.iter().flat_map(|(_, size)| {
        let found = said.find_any(&[size.spoken()]).into_iter();
        found
            // "Extra large" is not also a "large"; "no large" counts nothing.
            .filter(|at| {
                *size != Size::Large || at.start == 0 || !said.is_word(at.start - 1, "extra")
            })
            .filter(|at| !is_negated(said, at.start))
            .map(|at| head(Some(*size), at))
    });
    let named = items
        .iter()
        .filter(|item| item.size.is_none())
        .flat_map(|item| {
            let name = anchor(item);
            let found = name.map(|name| said.find(name)).unwrap_or_default();
            found
                .into_iter()
                .filter(|at| !is_negated(said, at.start))
                .map(|at| head(None, at))
        });
    // In the order said, each place once.
    let mut heads: Vec<Head> = Vec::new();
    for head in sized.chain(named) {
        let place = heads
            .iter()
            .position(|other| other.at.start >= head.at.start);
        match place.map(|place| (place, heads.get(place))) {
            Some((_, Some(other))) if other.at.start == head.at.start => {}
            Some((place, _)) => heads.insert(place, head),
            None => heads.push(head),
        }
    }
    // A correction takes the place of what it corrects: "one large, sorry, two large".
    let mut at = 0;
    while let Some(head) = heads.get(at) {
        let from = corrected_after(said, head.to);
        let corrected = heads.iter().skip(at + 1).any(|later| {
            let begins = later.at.start;
            later.size == head.size && from.is_some_and(|from| (from..from + 3).contains(&begins))
        });
        if corrected {
            heads.remove(at);
        } else {
            at += 1;
        }
    }
    heads
}

/// What stands for an item without a size.
fn anchor(item: &Item) -> Option<&str> {
    item.name
        .as_ref()
        .or_else(|| item.toppings.first())
        .or(item.crust.as_ref())
        .map(String::as_str)
}
