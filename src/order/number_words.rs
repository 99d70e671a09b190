//! Numbers as they are said: "twenty three", "double five", "one hundred and five", "a dozen",
//! and those that a transcription wrote in digits.

/// A number that was said in one go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Number {
    /// Its digits before the point; leading zeros count.
    pub(super) digits: String,
    /// Its digits after the point.
    pub(super) decimals: Option<String>,
    /// How often it stands there: twice in "double five".
    pub(super) times: usize,
}

/// The number at the start of the words, and how many words it takes. `in_number` says that a
/// number stands before them: "oh" is a zero only among numbers.
pub(super) fn read(words: &[String], in_number: bool) -> Option<(Number, usize)> {
    let first = words.first()?;
    let times = match first.as_str() {
        "double" => 2,
        "triple" => 3,
        "quadruple" => 4,
        _ => {
            return single(words, in_number).map(|(digits, decimals, used)| {
                (
                    Number {
                        digits,
                        decimals,
                        times: 1,
                    },
                    used,
                )
            });
        }
    };
    let digit = words.get(1..2)?;
    let (digits, ..) = single(digit, true).filter(|(digits, ..)| digits.len() == 1)?;
    Some((
        Number {
            digits,
            decimals: None,
            times,
        },
        2,
    ))
}

/// Digits, decimals, and how many words they take.
fn single(words: &[String], in_number: bool) -> Option<(String, Option<String>, usize)> {
    let first = words.first()?;
    if starts_with_digit(first) {
        let (digits, decimals) = match first.split_once('.') {
            Some((digits, decimals)) => (digits, Some(decimals.to_owned())),
            None => (first.as_str(), None),
        };
        // "5th" is a word.
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        return plain.then(|| (digits.to_owned(), decimals, 1));
    }
    if matches!(first.as_str(), "oh" | "o") {
        // "Oh, twenty ten" and "oh twenty ten" begin with no digit.
        let before_digit = words.get(1).is_some_and(|w| {
            unit(w).is_some_and(|n| n < 10)
                || matches!(w.as_str(), "oh" | "o")
                || w.len() == 1 && starts_with_digit(w)
        });
        return (in_number || before_digit).then(|| ("0".to_owned(), None, 1));
    }
    spelled(words).map(|(value, used)| (value.to_string(), None, used))
}

/// A number in words, with its hundreds and thousands.
fn spelled(words: &[String]) -> Option<(u64, usize)> {
    let (mut value, mut used) = below_hundred(words)?;
    if words.get(used).is_some_and(|w| w == "dozen") {
        return Some((value * 12, used + 1));
    }
    for (scale, factor) in [("hundred", 100), ("thousand", 1000)] {
        if value >= 1000 || words.get(used).is_none_or(|word| word != scale) {
            continue;
        }
        value *= factor;
        used += 1;
        let and = usize::from(words.get(used).is_some_and(|w| w == "and"));
        let below = if factor == 100 {
            below_hundred
        } else {
            spelled
        };
        let rest = words.get(used + and..).and_then(below);
        if let Some((rest, n)) = rest.filter(|(rest, _)| *rest < factor) {
            value += rest;
            used += and + n;
        }
    }
    Some((value, used))
}

fn below_hundred(words: &[String]) -> Option<(u64, usize)> {
    let first = words.first()?;
    let is = |at: usize, word: &str| words.get(at).is_some_and(|w| w == word);
    match first.as_str() {
        // "A hundred" and "hundred" are one hundred.
        "a" if is(1, "hundred") || is(1, "thousand") => return Some((1, 1)),
        "hundred" => return Some((1, 0)),
        "a" | "one" if is(1, "dozen") => return Some((12, 2)),
        "half" if is(1, "dozen") => return Some((6, 2)),
        "half" if is(1, "a") && is(2, "dozen") => return Some((6, 3)),
        "a" if is(1, "half") && is(2, "dozen") => return Some((6, 3)),
        "a" if is(1, "couple") => return Some((2, 2 + usize::from(is(2, "of")))),
        "nought" | "naught" | "nil" => return Some((0, 1)),
        _ => {}
    }
    if let Some(tens) = tens(first) {
        return match words.get(1).and_then(|w| unit(w)) {
            Some(unit @ 1..=9) => Some((tens + unit, 2)),
            _ => Some((tens, 1)),
        };
    }
    if first == "dozen" {
        Some((12, 1))
    } else {
        unit(first).map(|n| (n, 1))
    }
}

fn unit(word: &str) -> Option<u64> {
    const UNITS: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    UNITS
        .iter()
        .position(|u| *u == word)
        .and_then(|n| u64::try_from(n).ok())
}

fn tens(word: &str) -> Option<u64> {
    const TENS: [&str; 8] = [
        "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    ];
    TENS.iter()
        .position(|t| *t == word)
        .and_then(|n| u64::try_from(n).ok())
        .map(|n| (n + 2) * 10)
}

fn starts_with_digit(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_said() {
        for (text, digits, times, used) in [
            ("five five", "5", 1, 1),
            ("twenty three main", "23", 1, 2),
            ("twenty ten", "20", 1, 1),
            ("one hundred and five dollars", "105", 1, 4),
            ("two thousand three hundred forty five", "2345", 1, 6),
            ("twelve hundred", "1200", 1, 2),
            ("two dozen eggs", "24", 1, 2),
            ("double five one", "5", 2, 2),
            ("triple 0", "0", 3, 2),
            ("oh one", "0", 1, 1),
            ("007", "007", 1, 1),
            ("a hundred and five dollars", "105", 1, 4),
            ("hundred five", "105", 1, 2),
            ("half a dozen", "6", 1, 3),
            ("a couple of large", "2", 1, 3),
        ] {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            let number = Number {
                digits: digits.into(),
                decimals: None,
                times,
            };
            assert_eq!(read(&words, false), Some((number, used)), "{text}");
        }
        for text in [
            "oh hello",
            "pizza",
            "5th avenue",
            "double cheese",
            "oh twenty ten",
            "a half",
        ] {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            assert_eq!(read(&words, false), None, "{text}");
        }
    }
}
