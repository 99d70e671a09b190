//! A text as lower-case words, numbers and pauses, each with its place in the text; and one spelling
//! for words that have several.

use crate::order::letters::lower_letter;
use std::borrow::Cow;
use std::ops::Range;

/// Stands among the words where the speaker paused.
pub(in crate::order) const PAUSE: &str = ",";

/// A word or a pause, and its bytes in the text.
pub(super) struct Piece {
    pub(super) word: String,
    pub(super) at: Range<usize>,
}

/// Lower-case words, numbers and [`PAUSE`]s; apostrophes stay inside words, decimals and thousands
/// inside numbers.
pub(in crate::order) fn split(text: &str) -> Vec<String> {
    pieces(text).into_iter().map(|piece| piece.word).collect()
}

pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let chars: Vec<(usize, char)> = text
        .char_indices()
        .map(|(at, c)| (at, if c == '’' { '\'' } else { c }))
        .collect();
    let mut out: Vec<Piece> = Vec::new();
    // The word so far, and its bytes in the text up to its last character that is no apostrophe.
    let (mut word, mut place) = (String::new(), 0..0);
    for (at, &(byte, c)) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|i| chars.get(i)).map(|(_, c)| c);
        let digit_at = |i: usize| chars.get(i).is_some_and(|(_, c)| c.is_ascii_digit());
        let between_digits = before.is_some_and(char::is_ascii_digit) && digit_at(at + 1);
        // "12,345" but not "5, 5" and not "3,1,0".
        let thousands =
            c == ',' && between_digits && digit_at(at + 2) && digit_at(at + 3) && !digit_at(at + 4);
        let turns = c.is_alphanumeric()
            && before.is_some_and(|b| {
                b.is_ascii_digit() && c.is_alphabetic() || b.is_alphabetic() && c.is_ascii_digit()
            });
        let goes_on = c.is_alphanumeric()
            || c == '.' && between_digits && !word.contains('.')
            || c == '\'' && !word.is_empty();
        if thousands && !word.is_empty() {
            continue;
        }
        if !goes_on || turns {
            push(&mut out, &mut word, &place);
        }
        if goes_on {
            if word.is_empty() {
                place.start = byte;
            }
            if c != '\'' {
                place.end = byte + c.len_utf8();
            }
            word.push(lower_letter(c));
        } else if let Some(sign) = sign(c) {
            out.push(Piece {
                word: sign.to_owned(),
                at: byte..byte + c.len_utf8(),
            });
        }
    }
    push(&mut out, &mut word, &place);
    out
}

/// What a character says by itself.
fn sign(c: char) -> Option<&'static str> {
    match c {
        ',' | '.' | ';' | ':' | '?' | '!' => Some(PAUSE),
        '#' => Some("apartment"),
        '&' => Some("and"),
        _ => None,
    }
}

/// Ends a word. "5th" was split at its digit and is put together again.
fn push(out: &mut Vec<Piece>, word: &mut String, place: &Range<usize>) {
    let taken = std::mem::take(word);
    let taken = taken.trim_end_matches('\'');
    if taken.is_empty() {
        return;
    }
    if let Some(last) = out.last_mut()
        && last.at.end == place.start
        && last.word.bytes().all(|b| b.is_ascii_digit())
        && matches!(taken, "st" | "nd" | "rd" | "th")
    {
        last.word.push_str(taken);
        last.at.end = place.end;
        return;
    }
    out.push(Piece {
        word: taken.to_owned(),
        at: place.clone(),
    });
}

/// One spelling for words that have several: singular, without accents, in full.
pub(super) fn canonical(word: &str) -> Cow<'_, str> {
    if let Some(ordinal) = ordinal(word) {
        return Cow::Owned(ordinal);
    }
    let singular = match fold(word) {
        Cow::Borrowed(word) => singular(word),
        Cow::Owned(word) => Cow::Owned(singular(&word).into_owned()),
    };
    let same = SAME.iter().find(|(word, _)| *word == singular);
    same.map_or(singular, |(_, same)| Cow::Borrowed(same))
}

/// Another spelling, and the one. "St. Louis" is a saint: either way it is said and written the same.
const SAME: [(&str, &str); 43] = [
    ("st", "street"),
    ("saint", "street"),
    ("ave", "avenue"),
    ("av", "avenue"),
    ("rd", "road"),
    ("blvd", "boulevard"),
    ("dr", "drive"),
    ("ln", "lane"),
    ("ct", "court"),
    ("pl", "place"),
    ("sq", "square"),
    ("ter", "terrace"),
    ("cir", "circle"),
    ("trl", "trail"),
    ("apt", "apartment"),
    ("unit", "apartment"),
    ("hwy", "highway"),
    ("pkwy", "parkway"),
    ("ste", "suite"),
    ("fl", "floor"),
    ("bldg", "building"),
    ("mt", "mount"),
    ("n", "north"),
    ("s", "south"),
    ("e", "east"),
    ("w", "west"),
    ("ne", "northeast"),
    ("nw", "northwest"),
    ("se", "southeast"),
    ("sw", "southwest"),
    ("xl", "extra large"),
    ("xlarge", "extra large"),
    ("takeaway", "pickup"),
    ("takeout", "pickup"),
    ("carryout", "pickup"),
    ("bbq", "barbecue"),
    ("barbeque", "barbecue"),
    ("ok", "okay"),
    ("okey", "okay"),
    ("alrighty", "alright"),
    ("total's", "total is"),
    ("subtotal's", "subtotal is"),
    ("delivery's", "delivery is"),
];

const ORDINALS: [&str; 20] = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];
const TENTHS: [&str; 8] = [
    "twentieth",
    "thirtieth",
    "fortieth",
    "fiftieth",
    "sixtieth",
    "seventieth",
    "eightieth",
    "ninetieth",
];

/// "fifth" as "5th".
fn ordinal(word: &str) -> Option<String> {
    if !word.ends_with("th") && !matches!(word, "first" | "second" | "third") {
        return None;
    }
    let below = ORDINALS.iter().position(|w| *w == word);
    let tens = || TENTHS.iter().position(|w| *w == word).map(|n| (n + 2) * 10);
    below.or_else(tens).map(numbered)
}

/// 5 as "5th".
pub(super) fn numbered(n: usize) -> String {
    let suffix = match (n % 10, n % 100 / 10) {
        (1, t) if t != 1 => "st",
        (2, t) if t != 1 => "nd",
        (3, t) if t != 1 => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

fn singular(word: &str) -> Cow<'_, str> {
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() >= 3)
        && !matches!(word, "cookies" | "brownies" | "smoothies" | "veggies")
    {
        return Cow::Owned(format!("{stem}y"));
    }
    // "Potatoes", "taxes", "sandwiches".
    let stem = match word.strip_suffix("es") {
        Some(stem) if stem.len() >= 4 && stem.ends_with('o') => Some(stem),
        Some(stem) if stem.len() >= 3 && stem.ends_with('x') => Some(stem),
        Some(stem) if ["ch", "sh", "ss"].iter().any(|end| stem.ends_with(end)) => {
            return Cow::Borrowed(stem);
        }
        _ => word.strip_suffix('s'),
    };
    let is_plural = |stem: &&str| {
        stem.len() >= 3 && !stem.ends_with(['s', 'u', 'i', '\''])
            // "Pepperonis", but not "this".
            || stem.len() >= 6 && stem.ends_with('i')
    };
    Cow::Borrowed(stem.filter(is_plural).unwrap_or(word))
}

/// Without accents.
fn fold(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        return Cow::Borrowed(word);
    }
    let plain = word.chars().map(|c| match c {
        'á' | 'à' | 'â' | 'ã' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        other => other,
    });
    Cow::Owned(plain.collect())
}
