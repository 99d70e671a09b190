//! Payment data is never asked for, accepted or stored: card numbers are recognised wherever they
//! turn up and cut out.

use std::borrow::Cow;

/// What stands where a card number was.
pub const REPLACEMENT: &str = "[card number removed]";

/// The text without card numbers: 13 to 19 digits, however they are grouped, that pass the Luhn
/// check.
pub fn without_cards(text: &str) -> Cow<'_, str> {
    let mut cards = card_ranges(text).peekable();
    if cards.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (start, end) in cards {
        out.push_str(text.get(from..start).unwrap_or_default());
        out.push_str(REPLACEMENT);
        from = end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

/// Whether a card number stands in the text.
pub fn has_card(text: &str) -> bool {
    card_ranges(text).next().is_some()
}

/// Byte ranges of runs of digits, with single separators between them, that are card numbers.
fn card_ranges(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    digit_runs(text)
        .into_iter()
        .filter(|run| is_card(&run.digits))
        .map(|run| (run.start, run.end))
}

struct Run {
    start: usize,
    end: usize,
    digits: Vec<u8>,
}

fn digit_runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut gap = usize::MAX;
    for (at, c) in text.char_indices() {
        if let Some(digit) = c.to_digit(10).and_then(|d| u8::try_from(d).ok()) {
            match runs.last_mut() {
                // "4111 1111, 1111-1111": at most two separators between digits of one number.
                Some(run) if gap <= 2 => {
                    run.digits.push(digit);
                    run.end = at + c.len_utf8();
                }
                _ => runs.push(Run {
                    start: at,
                    end: at + c.len_utf8(),
                    digits: vec![digit],
                }),
            }
            gap = 0;
        } else if matches!(c, ' ' | '-' | '.' | ',') {
            gap = gap.saturating_add(1);
        } else {
            gap = usize::MAX;
        }
    }
    runs
}

/// Whether a card number is among the digits, which may go on with an expiry date.
fn is_card(digits: &[u8]) -> bool {
    [13, 14, 15, 16, 19]
        .into_iter()
        .any(|len| digits.windows(len).any(|part| issued(part) && luhn(part)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_cut_out_in_any_grouping() {
        for (text, expected) in [
            (
                "it's 4111 1111 1111 1111, ok",
                "it's [card number removed], ok",
            ),
            ("4111-1111-1111-1111 12/28", "[card number removed]/28"),
            ("5 5 0 0 0 0 0 0 0 0 0 0 0 0 0 4", "[card number removed]"),
            ("amex 378282246310005.", "amex [card number removed]."),
        ] {
            assert_eq!(without_cards(text), expected);
        }
    }

    #[test]
    fn phone_numbers_prices_and_addresses_stay() {
        for text in [
            "call 310 555 0142",
            "+13105550142",
            "twenty 20.10, at 123 Main St 90001",
            "Miami 33139 310 555 0142",
            "4111 1111 1111 1112",
            "",
        ] {
            assert_eq!(without_cards(text), text);
            assert!(!has_card(text));
        }
    }
}
