//! Payment data is never asked for, accepted or stored: card numbers, security codes and bank
//! details are recognised wherever they turn up, written or said in words, and cut out.
//!
//! What is cut is decided by the digits themselves (an issuer's prefix, the length, the Luhn check,
//! how they are grouped), by what they are called ("the CVV is…"), and by what was just asked for.
//! A phone number, a postal code, a price and a house number stay.

mod words;

use std::borrow::Cow;
use words::{Group, Said};

/// What stands where a card number was.
pub const REPLACEMENT: &str = "[card number removed]";
/// What stands where a security code or bank details were.
pub const DETAILS: &str = "[payment data removed]";

/// The most words between two parts of one number.
const WORDS_BETWEEN: usize = 3;
/// The most parts of one number.
const MAX_PARTS: usize = 19;
/// Lengths of card numbers, in digits.
const LENGTHS: [usize; 5] = [13, 14, 15, 16, 19];
/// Said of cards: digits near them may be a card's, however they are grouped.
const CARD_WORDS: [&str; 8] = [
    "card",
    "cards",
    "visa",
    "mastercard",
    "amex",
    "american express",
    "credit",
    "debit",
];

/// What digits are called that must not be kept.
struct Named {
    names: &'static [&'static str],
    /// How many digits they have.
    digits: std::ops::RangeInclusive<usize>,
}

const SECURITY_CODE: Named = Named {
    names: &[
        "cvv",
        "cvc",
        "csc",
        "c v v",
        "c v c",
        "security code",
        "security number",
        "digits on the back",
        "number on the back",
        "back of the card",
        "back of my card",
        "back of your card",
    ],
    digits: 3..=4,
};
const BANK: Named = Named {
    names: &[
        "iban",
        "routing",
        "account number",
        "account is",
        "bank account",
        "checking account",
        "savings account",
        "sort code",
    ],
    digits: 6..=34,
};
/// How many words may stand between a name and its digits.
const REACH: usize = 8;
/// And between digits and the name behind them ("123 is the CVV").
const REACH_BACK: usize = 3;
/// What digits behind one of these are.
const OTHERWISE: [&str; 8] = [
    "phone", "call", "cell", "mobile", "zip", "total", "address", "order",
];
/// An answer that is little but digits has at most so many other words.
const FEW_WORDS: usize = 4;
/// Fewer digits are no part of a number that is read in pieces.
const MIN_PIECE: usize = 3;
/// Nothing that is cut out has fewer digits: the shortest is a security code.
const MIN_DIGITS: usize = 3;
/// Nothing that is taken for a card number has fewer, even if it was misheard.
const MIN_CARD: usize = 12;

/// What was just spoken of, so that bare digits are taken for an answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Asked {
    card: bool,
    security_code: bool,
    bank: bool,
}

impl Asked {
    /// What these words ask for.
    pub fn by(text: &str) -> Self {
        let said = Said::words(text);
        let names = |named: &Named| named.names.iter().any(|name| said.find(name).is_some());
        Self {
            card: said.names_card(),
            security_code: names(&SECURITY_CODE),
            bank: names(&BANK) && said.find("phone").is_none(),
        }
    }

    /// The same, and whether a card was spoken of before.
    #[must_use]
    pub fn with_card(self, card: bool) -> Self {
        Self {
            card: self.card || card,
            ..self
        }
    }

    /// Whether a card was spoken of.
    pub fn is_card(self) -> bool {
        self.card
    }
}

/// The text without card numbers, security codes and bank details. What was `asked` for before is
/// looked up only where it matters: for enough digits, or bare ones.
pub fn without_payment_data(text: &str, asked: impl FnOnce() -> Asked) -> Cow<'_, str> {
    // Most turns have few digits, and none has payment data without them.
    let said = Said::parse(text);
    let mut cuts = ibans(text);
    let digits = said.digits();
    if digits >= MIN_DIGITS {
        let matters = digits >= MIN_CARD || said.other_words() <= FEW_WORDS;
        let asked = matters.then(asked).unwrap_or_default();
        if digits >= MIN_CARD {
            let card = asked.card || said.names_card();
            cuts.extend(cards(&said, card).map(|range| (range, REPLACEMENT)));
        }
        for (named, is_asked) in [(SECURITY_CODE, asked.security_code), (BANK, asked.bank)] {
            named.find(&said, is_asked, &mut cuts);
        }
    }
    cut_out(text, &cuts)
}

/// Whether a card number, written or said, stands in the text.
pub fn has_card(text: &str) -> bool {
    let said = Said::parse(text);
    cards(&said, said.names_card()).next().is_some()
}

/// Whether a card is spoken of.
pub fn names_card(text: &str) -> bool {
    Said::words(text).names_card()
}

/// Whether a card number stands anywhere in a string of digits.
pub fn has_card_digits(digits: &str) -> bool {
    let digits: Vec<u8> = digits.bytes().filter_map(value).collect();
    any_window(&digits)
}

/// Whether the words may be one piece of a number that is read in several.
pub fn is_piece(text: &str) -> bool {
    let said = Said::parse(text);
    said.digits() >= MIN_PIECE && said.other_words() <= FEW_WORDS
}

/// The digits of a card number that these texts have together, and none of them alone; and which
/// of them have it. `card` says that a card was spoken of.
pub fn split_card(texts: &[&str], card: bool) -> Option<(String, std::ops::RangeInclusive<usize>)> {
    let said: Vec<Said> = texts.iter().map(|text| Said::parse(text)).collect();
    let parts: Vec<(usize, &Group)> = said
        .iter()
        .enumerate()
        .flat_map(|(at, said)| said.groups.iter().map(move |group| (at, group)))
        .collect();
    for from in 0..parts.len() {
        let mut digits = Vec::new();
        let mut sizes = Vec::new();
        for (at, group) in parts.iter().skip(from).take(MAX_PARTS) {
            digits.extend_from_slice(&group.digits);
            sizes.push(group.digits.len());
            let first = parts.get(from).map_or(0, |(first, _)| *first);
            if digits.len() > MAX_PARTS || group.is_price {
                break;
            }
            let keys = sizes.iter().all(|size| *size == 1);
            let shaped = is_shaped(&sizes) || (card && !has_other(&sizes)) || keys;
            if first < *at && shaped && is_card(&digits) {
                let digits = digits.iter().map(|d| char::from(b'0' + d)).collect();
                return Some((digits, first..=*at));
            }
        }
    }
    None
}

/// The text without the digits that belong to this number: groups of at least `min` digits that
/// occur in it.
pub fn without_pieces<'a>(text: &'a str, number: &str, min: usize) -> Cow<'a, str> {
    let cuts: Vec<Cut> = Said::parse(text)
        .groups
        .iter()
        .filter(|group| group.digits.len() >= min && number.contains(&group.text()))
        .map(|group| (group.range.clone(), REPLACEMENT))
        .collect();
    cut_out(text, &cuts)
}

type Range = std::ops::Range<usize>;
type Cut = (Range, &'static str);

fn cut_out<'a>(text: &'a str, cuts: &[Cut]) -> Cow<'a, str> {
    if cuts.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    // A handful at most: no need to sort them. One that begins inside another ends with it.
    while let Some((range, replacement)) = cuts
        .iter()
        .filter(|(range, _)| range.start >= from && !range.is_empty())
        .min_by_key(|(range, _)| range.start)
    {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(replacement);
        let inside = cuts
            .iter()
            .filter(|(other, _)| range.contains(&other.start));
        from = inside
            .map(|(other, _)| other.end)
            .fold(range.end, usize::max);
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

/// Where card numbers stand.
fn cards(said: &Said, card: bool) -> impl Iterator<Item = Range> {
    let groups = &said.groups;
    let mut found = Vec::new();
    let mut from = 0;
    while from < groups.len() {
        let end = card_at(groups.get(from..).unwrap_or_default(), card);
        if let (Some(first), Some(last)) = (groups.get(from), groups.get(from + end.max(1) - 1))
            && end > 0
        {
            found.push(first.range.start..last.range.end);
        }
        from += end.max(1);
    }
    found.into_iter()
}

/// How many of these groups are a card number.
fn card_at(groups: &[Group], card: bool) -> usize {
    let mut digits: Vec<u8> = Vec::new();
    let mut sizes = Vec::new();
    let mut near = true;
    let mut misheard = 0;
    for (at, group) in groups.iter().enumerate().take(MAX_PARTS) {
        if group.is_price || (at > 0 && group.words_before > WORDS_BETWEEN) {
            break;
        }
        near &= at == 0 || group.words_before == 0;
        digits.extend_from_slice(&group.digits);
        sizes.push(group.digits.len());
        let found = if at == 0 {
            is_card_with_tail(&digits) || (card && any_window(&digits))
        } else {
            let shaped =
                is_shaped(&sizes) || (near && is_grouped(&sizes)) || (card && !has_other(&sizes));
            shaped && is_card(&digits)
        };
        if found {
            return at + 1;
        }
        // Where cards are spoken of, a number that long is one, if misheard.
        if card && near && (MIN_CARD..=19).contains(&digits.len()) && !has_other(&sizes) {
            misheard = at + 1;
        }
    }
    misheard
}

/// As cards are printed.
fn is_shaped(sizes: &[usize]) -> bool {
    matches!(sizes, [4, 6, 4 | 5] | [4, 4, 4, 4] | [4, 4, 4, 4, 3])
}

/// No phone number and no postal code is among the groups.
fn is_grouped(sizes: &[usize]) -> bool {
    sizes.iter().all(|size| *size <= 6) && !has_other(sizes)
}

/// A phone number or a postal code is among the groups.
fn has_other(sizes: &[usize]) -> bool {
    (sizes.contains(&5) && sizes.len() > 1 && !is_shaped(sizes))
        || sizes.iter().any(|size| matches!(size, 7 | 10 | 11))
        || sizes.windows(3).any(|w| w == [3, 3, 4])
        || sizes.windows(2).any(|w| w == [3, 4])
}

impl Said {
    fn names_card(&self) -> bool {
        CARD_WORDS.iter().any(|word| self.find(word).is_some())
    }

    fn digits(&self) -> usize {
        self.groups.iter().map(|group| group.digits.len()).sum()
    }
}

impl Named {
    /// Digits behind the name, or right before it; or bare digits where they were asked for.
    fn find(&self, said: &Said, is_asked: bool, cuts: &mut Vec<Cut>) {
        let mut named = false;
        for name in self.names {
            let Some((from, to)) = said.find(name) else {
                continue;
            };
            named = true;
            let places = || 0..said.groups.len();
            let behind = places().find(|at| {
                said.groups.get(*at).is_some_and(|group| {
                    let near = group.from >= to && group.from - to <= REACH;
                    near && self.may_begin(said, *at) && !said.has_any(&OTHERWISE, to..group.from)
                })
            });
            let before = || {
                places().rfind(|at| {
                    said.groups.get(*at).is_some_and(|group| {
                        let near = group.to <= from && from - group.to <= REACH_BACK;
                        let fits = self.digits.contains(&group.digits.len());
                        near && fits && self.may_begin(said, *at)
                    })
                })
            };
            if let Some(at) = behind.or_else(before) {
                self.cut_from(said, at, cuts);
            }
        }
        if is_asked && !named && said.other_words() <= FEW_WORDS {
            let bare = said.groups.iter().position(|group| group.is_read_out);
            if let Some(at) = bare.filter(|at| self.may_begin(said, *at)) {
                self.cut_from(said, at, cuts);
            }
        }
    }

    fn may_begin(&self, said: &Said, at: usize) -> bool {
        let Some(group) = said.groups.get(at).filter(|group| !group.is_price) else {
            return false;
        };
        let len = group.digits.len();
        // Three digits and three or four more are a phone number.
        let part = |other: &Group| matches!(other.digits.len(), 3 | 4);
        let before = at.checked_sub(1).and_then(|at| said.groups.get(at));
        let behind = said.groups.get(at + 1);
        let follows = group.words_before == 0 && before.is_some_and(part);
        let goes_on = behind.is_some_and(|next| next.words_before == 0 && part(next));
        let alone = !follows && !goes_on;
        len <= *self.digits.end() && (self.is_long() || (alone && len >= *self.digits.start()))
    }

    /// It may be read in several groups.
    fn is_long(&self) -> bool {
        *self.digits.end() > 4
    }

    fn cut_from(&self, said: &Said, at: usize, cuts: &mut Vec<Cut>) {
        let follows =
            |(i, group): &(usize, &Group)| *i == 0 || (self.is_long() && group.words_before == 0);
        let parts = || said.groups.iter().skip(at).enumerate().take_while(follows);
        let digits: usize = parts().map(|(_, group)| group.digits.len()).sum();
        if self.digits.contains(&digits)
            && let (Some((_, first)), Some((_, last))) = (parts().next(), parts().last())
        {
            cuts.push((first.range.start..last.range.end, DETAILS));
        }
    }
}

fn value(c: u8) -> Option<u8> {
    c.is_ascii_digit().then(|| c - b'0')
}

fn any_window(digits: &[u8]) -> bool {
    LENGTHS
        .into_iter()
        .any(|len| digits.windows(len).any(is_card))
}

/// A card number, perhaps with its expiry date or its security code behind it.
fn is_card_with_tail(digits: &[u8]) -> bool {
    LENGTHS.into_iter().any(|len| {
        let tail = digits.len().checked_sub(len);
        matches!(tail, Some(0 | 3 | 4 | 6 | 7 | 8)) && digits.get(..len).is_some_and(is_card)
    })
}

fn is_card(digits: &[u8]) -> bool {
    issued(digits) && luhn(digits)
}

/// Whether a card issuer uses this beginning with this length; without this test every tenth string
/// of digits, such as a postal code followed by a phone number, would pass for a card.
fn issued(digits: &[u8]) -> bool {
    let prefix = digits
        .iter()
        .take(4)
        .fold(0u32, |n, &d| n * 10 + u32::from(d));
    match digits.len() {
        13 | 19 => prefix / 1000 == 4,
        14 => matches!(prefix / 100, 36 | 38) || (3000..=3059).contains(&prefix),
        15 => matches!(prefix / 100, 34 | 37),
        16 => {
            prefix / 1000 == 4
                || (5100..=5599).contains(&prefix)
                || (2221..=2720).contains(&prefix)
                || (3528..=3589).contains(&prefix)
                || prefix == 6011
                || (6440..=6599).contains(&prefix)
        }
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, &d)| match (i % 2, u32::from(d)) {
            (0, d) => d,
            (_, d) if d > 4 => d * 2 - 9,
            (_, d) => d * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Lengths of account numbers by country (the SWIFT registry of IBAN formats).
const IBAN: [(&str, usize); 16] = [
    ("AT", 20),
    ("BE", 16),
    ("CH", 21),
    ("DE", 22),
    ("DK", 18),
    ("ES", 24),
    ("FI", 18),
    ("FR", 27),
    ("GB", 22),
    ("IE", 22),
    ("IT", 27),
    ("LU", 20),
    ("NL", 18),
    ("NO", 15),
    ("PL", 28),
    ("PT", 25),
];

/// International account numbers as they are written, recognised without being named.
fn ibans(text: &str) -> Vec<Cut> {
    let mut cuts = Vec::new();
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return cuts;
    }
    let mut before = ' ';
    for (start, c) in text.char_indices() {
        let begins = !before.is_alphanumeric() && c.is_ascii_alphabetic();
        before = c;
        let Some(rest) = text.get(start..).filter(|_| begins) else {
            continue;
        };
        let known = |(country, _): &&(&str, usize)| {
            rest.get(..2)
                .is_some_and(|two| two.eq_ignore_ascii_case(country))
        };
        let Some((_, len)) = IBAN.iter().find(known) else {
            continue;
        };
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-');
        let taken = rest.char_indices().take_while(|(_, c)| part(*c));
        let chars: Vec<(usize, char)> = taken
            .filter(|(_, c)| c.is_ascii_alphanumeric())
            .take(*len)
            .collect();
        // Of words alone, every 97th would pass for one.
        let mut check_digits = chars.iter().skip(2).take(2);
        let is_number = check_digits.all(|(_, c)| c.is_ascii_digit());
        if chars.len() == *len && is_number && mod_97(&chars) == 1 {
            let end = chars.last().map_or(0, |(at, _)| at + 1);
            cuts.push((start..start + end, DETAILS));
        }
    }
    cuts
}

/// ISO 7064: the first four characters behind the others, letters as 10 to 35.
fn mod_97(chars: &[(usize, char)]) -> u32 {
    let order = chars.iter().skip(4).chain(chars.iter().take(4));
    order.fold(0, |rest, (_, c)| {
        let n = c.to_digit(36).unwrap_or(0);
        (rest * if n > 9 { 100 } else { 10 } + n) % 97
    })
}

#[cfg(test)]
mod tests;
