//! How people say numbers: prices, phone numbers, house numbers. Written by hand here, never read
//! back by the product's own parser.

use super::super::signals::Random;

const ONES: [&str; 20] = [
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
const TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

/// One of these.
pub(super) fn pick<'a, T: ?Sized>(random: &mut Random, of: &[&'a T]) -> &'a T {
    of[random.below(of.len())]
}

/// So many times in a hundred.
pub(super) fn chance(random: &mut Random, percent: usize) -> bool {
    random.below(100) < percent
}

/// A number below 1,000 as words.
pub(super) fn number(n: u64) -> String {
    let at = |n: u64| usize::try_from(n).unwrap_or(0);
    match n {
        0..20 => ONES[at(n)].to_owned(),
        20..100 if n.is_multiple_of(10) => TENS[at(n / 10)].to_owned(),
        20..100 => format!("{} {}", TENS[at(n / 10)], ONES[at(n % 10)]),
        _ if n.is_multiple_of(100) => format!("{} hundred", number(n / 100)),
        _ => format!("{} hundred {}", number(n / 100), number(n % 100)),
    }
}

/// A quantity before what it counts.
pub(super) fn quantity(random: &mut Random, n: u64) -> String {
    match random.below(4) {
        0 => n.to_string(),
        1 if n == 12 => "a dozen".to_owned(),
        2 if n == 1 => "a".to_owned(),
        _ => number(n),
    }
}

/// A price below 1,000 dollars.
pub(super) fn price(random: &mut Random, cents: u64) -> String {
    let (dollars, rest) = (cents / 100, cents % 100);
    let words = number(dollars);
    let small = match rest {
        0 => String::new(),
        1..10 => format!("oh {}", number(rest)),
        _ => number(rest),
    };
    match random.below(6) {
        0 | 1 => format!("${dollars}.{rest:02}"),
        2 if rest == 0 => format!("${dollars}"),
        3 if rest > 0 => format!("{dollars} dollars and {rest} cents"),
        4 if rest >= 10 => format!("{words} {small}"),
        5 if (1..10).contains(&rest) => format!("{words} {small}"),
        _ if rest == 0 => format!("{words} dollars"),
        _ => format!("{words} dollars and {} cents", number(rest)),
    }
}

/// Digits one by one.
pub(super) fn digits(random: &mut Random, text: &str) -> String {
    let groups: Vec<&str> = match text.len() {
        10 => vec![&text[..3], &text[3..6], &text[6..]],
        _ => vec![text],
    };
    let as_words = random.below(3);
    let zero = pick(random, &["oh", "zero"]);
    let group = |group: &&str| {
        let digit = |c: char| match (as_words, c) {
            (0, '0') => zero.to_owned(),
            (0, c) => number(u64::from(c.to_digit(10).unwrap_or(0))),
            _ => c.to_string(),
        };
        let said: Vec<String> = group.chars().map(digit).collect();
        said.join(if as_words == 1 { "" } else { " " })
    };
    let said: Vec<String> = groups.iter().map(group).collect();
    said.join(if as_words == 1 { " " } else { ", " })
}

/// A house number.
pub(super) fn house(random: &mut Random, n: u64) -> String {
    if chance(random, 50) {
        return n.to_string();
    }
    match n {
        0..100 => number(n),
        _ if n.is_multiple_of(100) => number(n),
        _ if n % 100 < 10 => format!("{} oh {}", number(n / 100), number(n % 100)),
        _ => format!("{} {}", number(n / 100), number(n % 100)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_price_occurs() {
        let mut random = Random::new(1);
        let mut said: Vec<String> = (0..60).map(|_| price(&mut random, 2_010)).collect();
        said.sort();
        said.dedup();
        assert_eq!(
            said,
            [
                "$20.10",
                "20 dollars and 10 cents",
                "twenty dollars and ten cents",
                "twenty ten"
            ]
        );
    }
}
