//! Amounts of money in spoken words.

use super::{Spoken, Token};
use crate::order::money::Cents;
use std::ops::Range;

/// An amount of money and where it stands in the sentence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Amount {
    /// How much.
    pub cents: Cents,
    /// Position of its first word.
    pub from: usize,
    /// Position behind its last word.
    pub to: usize,
    /// Whether it was said as money: with cents, or with the currency.
    pub explicit: bool,
}

const CURRENCY: [&str; 4] = ["dollar", "buck", "euro", "pound"];
const SIGNS: [char; 3] = ['$', '€', '£'];
const STREETS: [&str; 8] = [
    "street",
    "avenue",
    "road",
    "boulevard",
    "drive",
    "lane",
    "court",
    "place",
];
/// A number before one of these is no price.
const UNITS: [&str; 36] = [
    "minute", "min", "hour", "percent", "inch", "pizza", "item", "o'clock", "2nd", "second", "day",
    "week", "year", "mile", "block", "time", "people", "person", "ounce", "oz", "liter", "litre",
    "pack", "piece", "slice", "order", "topping", "small", "medium", "large", "extra", "pm", "am",
    "of", "degree", "more",
];
/// Before a number: it is only about so much.
const HEDGES: [&str; 18] = [
    "about",
    "around",
    "roughly",
    "approximately",
    "maybe",
    "perhaps",
    "almost",
    "nearly",
    "under",
    "over",
    "like",
    "probably",
    "say",
    "least",
    "most",
    "near",
    "upward",
    "between",
];
/// Behind a number: it is only about so much.
const VAGUE: [&str; 5] = ["ish", "something", "or so", "and change", "give or take"];

impl Amount {
    /// Positions of its words.
    pub fn tokens(&self) -> Range<usize> {
        self.from..self.to
    }
}

impl Spoken {
    /// Every amount of money the sentence may mean, in the order said.
    pub fn amounts(&self) -> Vec<Amount> {
        let long = self.long_runs();
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let amount = self
                .amount_at(at)
                .filter(|amount| !long.contains(&amount.from));
            at = amount.map_or(at + 1, |amount| amount.to);
            found.extend(amount);
        }
        found
    }

    /// Whether the amount is certain: neither "about" so much, nor asked, denied or on a condition.
    pub fn is_plain(&self, amount: &Amount) -> bool {
        let before = amount.from.saturating_sub(3)..amount.from;
        let hedged = self.has_one_of(
            before.start.max(amount.from.saturating_sub(2))..before.end,
            &HEDGES,
        ) || self.has_one_of(before, &["not", "isn't", "wasn't", "think", "guess"]);
        let vague = self.find_any(&VAGUE);
        let vague = vague.iter().any(|at| at.start == amount.to);
        let (sentence, mark) = self.sentence(amount.from);
        let conditional = self.has_one_of(sentence.clone(), &["if", "unless"]);
        // "It's twenty ten, okay?" states what "twenty ten?" asks.
        let tagged = (amount.to..sentence.end).any(|at| self.is_pause(at))
            && !self.is_one_of(
                sentence.start,
                &[
                    "is", "wa", "was", "did", "do", "doe", "does", "are", "can", "could", "you",
                ],
            );
        !hedged && !vague && !conditional && (mark != Some('?') || tagged)
    }

    /// Whether nothing but the digits says that it is money.
    pub fn is_bare(&self, amount: &Amount) -> bool {
        let bare = |at: usize| {
            matches!(
                self.tokens.get(at),
                Some(Token::Group { decimals: None, .. })
            )
        };
        amount.tokens().all(bare) && !self.has_sign(amount.tokens())
    }

    /// Tokens of runs that are too long for a price said digit by digit. "Seventeen fifty, twenty ten"
    /// are two prices: each piece between two pauses is one.
    fn long_runs(&self) -> Vec<usize> {
        let digits = |at: usize| match self.tokens.get(at) {
            Some(Token::Group {
                digits,
                decimals: None,
            }) => digits.as_str(),
            _ => "",
        };
        let is_price = |piece: &[usize]| match piece {
            [cents] => digits(*cents).len() == 2,
            [dollars, cents] => digits(*cents).len() == 2 && !digits(*dollars).starts_with('0'),
            _ => false,
        };
        let is_money = |run: &Range<usize>| {
            let groups: Vec<usize> = run.clone().collect();
            self.is_one_of(run.end, &CURRENCY)
                || self.is_word(run.end, "cent")
                || groups.iter().any(|at| digits(*at).is_empty())
                || groups
                    .chunk_by(|_, next| !self.is_pause(*next))
                    .all(is_price)
        };
        let runs = self.runs().into_iter();
        let long = runs
            .filter(|run| run.digits.len() >= 7)
            .map(|run| run.whole());
        long.filter(|run| !is_money(run)).flatten().collect()
    }

    fn amount_at(&self, from: usize) -> Option<Amount> {
        // "A buck fifty".
        if self.is_one_of(from, &["a"]) && self.is_one_of(from + 1, &CURRENCY) {
            let (cents, to) = self.cents_after(from + 1).unwrap_or((0, from + 2));
            return Some(Amount {
                cents: Cents(100 + cents),
                from,
                to,
                explicit: true,
            });
        }
        let Some(Token::Group { decimals, .. }) = self.tokens.get(from) else {
            return None;
        };
        // "Twenty ten Main Street" is a place.
        let street = |at: usize| self.is_one_of(at, &STREETS) || self.is_one_of(at + 1, &STREETS);
        let unit = |at: usize| street(at) || self.is_one_of(at, &UNITS) && !self.is_pause(at);
        let currency = |at: usize| self.is_one_of(at, &CURRENCY);
        if let Some(d) = decimals {
            let Some(Token::Group { digits, .. }) = self.tokens.get(from) else {
                return None;
            };
            let base = digits.parse::<u64>().ok()?.checked_mul(100)?;
            if d.len() > 2 || unit(from + 1) {
                return None;
            }
            let cents: u64 = format!("{d:0<2}").parse().ok()?;
            let to = from + 1 + usize::from(currency(from + 1));
            return Some(Amount {
                cents: Cents(base.saturating_add(cents)),
                from,
                to,
                explicit: true,
            });
        }
        let (whole, behind) = self.whole_at(from)?;
        let base = whole.checked_mul(100)?;
        if self.is_word(behind, "cent") {
            return Some(Amount {
                cents: Cents(whole),
                from,
                to: behind + 1,
                explicit: true,
            });
        }
        let with_cents =
            self.cents_after(behind)
                .filter(|(_, to)| !unit(*to))
                .map(|(cents, to)| Amount {
                    cents: Cents(base.saturating_add(cents)),
                    from,
                    to: to + usize::from(currency(to)),
                    explicit: true,
                });
        let alone = || Amount {
            cents: Cents(base),
            from,
            to: behind + usize::from(currency(behind)),
            explicit: currency(behind) || self.has_sign(from..behind),
        };
        with_cents.or_else(|| (!unit(behind)).then(alone))
    }

    /// Whether a currency's sign stands in front of these tokens, or behind them.
    pub fn has_sign(&self, tokens: Range<usize>) -> bool {
        let place = self.place(tokens);
        let before = self.text.get(..place.start).unwrap_or_default();
        let behind = self.text.get(place.end..).unwrap_or_default();
        before.trim_end().ends_with(SIGNS) || behind.trim_start().starts_with(SIGNS)
    }

    /// Whole dollars, and the position behind them: one group, or, where cents or the currency
    /// follow, a number said in pieces: "one oh five fifty", "one twenty three dollars".
    fn whole_at(&self, from: usize) -> Option<(u64, usize)> {
        let group = |at: usize| match self.tokens.get(at) {
            Some(Token::Group {
                digits,
                decimals: None,
            }) if at == from || !self.is_pause(at) => Some(digits.as_str()),
            _ => None,
        };
        let first = group(from)?;
        let rest = [group(from + 1), group(from + 2), group(from + 3)];
        let money = |at: usize| self.is_one_of(at, &CURRENCY);
        let pieces = match (first.len(), rest) {
            (1, [Some("0"), Some(unit), Some(cents)]) if unit.len() == 1 && cents.len() == 2 => 3,
            (1, [Some("0"), Some(unit), _]) if unit.len() == 1 && money(from + 3) => 3,
            (1, [Some(tens), Some(cents), _]) if tens.len() == 2 && cents.len() == 2 => 2,
            (1, [Some(tens), ..]) if tens.len() == 2 && money(from + 2) => 2,
            _ => 1,
        };
        let digits: String = (from..from + pieces).filter_map(group).collect();
        Some((digits.parse().ok()?, from + pieces))
    }

    /// The cents that follow a number of dollars ("fifty", "oh five", "dollars and ten cents",
    /// "point one oh"), and the position behind them.
    fn cents_after(&self, start: usize) -> Option<(u64, usize)> {
        let mut at = start;
        while self.is_one_of(at, &CURRENCY) || self.is_one_of(at, &["and", "point", "with"]) {
            at += 1;
        }
        // "Twenty, fifteen minutes" is no price, and neither is the start of the next sentence.
        let (sentence, _) = self.sentence(start.saturating_sub(1));
        if at == start && self.is_pause(at) || at >= sentence.end {
            return None;
        }
        let group = |at: usize| match self.tokens.get(at) {
            Some(Token::Group {
                digits,
                decimals: None,
            }) => Some(digits.as_str()),
            _ => None,
        };
        let first = group(at)?;
        let (pair, to) = match (first.len(), group(at + 1)) {
            (2, _) => (first.to_owned(), at + 1),
            (1, Some(second)) if second.len() == 1 => (format!("{first}{second}"), at + 2),
            (1, _) if self.is_word(at + 1, "cent") => (first.to_owned(), at + 1),
            _ => return None,
        };
        Some((
            pair.parse().ok()?,
            to + usize::from(self.is_word(to, "cent")),
        ))
    }
}
