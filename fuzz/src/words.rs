//! What was heard or written by people: places of words lie inside the text, and payment data does
//! not stay.

use crate::text;
use orderline::order::money::Cents;
use orderline::order::payment::{Asked, has_card, is_piece, split_card, without_payment_data};
use orderline::order::spoken::Spoken;
use orderline::order::{answer, backchannel, disclosure, do_not_call, letters, own_words, spoken};
use std::ops::Range;

/// A turn, and behind a line feed what the agent had said.
pub fn words(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (heard, said) = text.split_once('\n').unwrap_or((text, ""));
    let spoken = Spoken::parse(heard);
    let before = Spoken::parse(said);
    let inside = |tokens: Range<usize>| {
        let place = spoken.place(tokens.clone());
        assert!(heard.get(place).is_some(), "{tokens:?} of {heard:?}");
    };
    inside(0..spoken.len());
    for at in 0..spoken.len() {
        inside(at..at + 1);
        let (sentence, _) = spoken.sentence(at);
        assert!(sentence.contains(&at), "{at} is not in {sentence:?}");
        inside(sentence);
        let _ = (spoken.number_before(at), spoken.number_at(at));
        assert!((at..=spoken.len()).contains(&spoken.number_end(at)));
    }
    for run in spoken.runs() {
        inside(run.whole());
    }
    inside(answer::find(&spoken).1);
    inside(answer::find_to(&spoken, Some(&before)).1);
    for found in [
        answer::confirms(&spoken),
        answer::agrees(&spoken),
        answer::wants_again(&spoken),
    ] {
        found.into_iter().for_each(inside);
    }
    for total in [Cents(1), Cents(2010), Cents(10_000_000)] {
        inside(answer::find_total(&spoken, total).1);
    }
    let _ = (answer::refuses(&spoken), answer::is_doubtful(&spoken, 0..9));
    let _ = (
        backchannel::is_backchannel(heard),
        backchannel::asks_to_wait(heard),
    );
    let _ = (disclosure::discloses(heard), disclosure::denies(heard));
    let _ = (
        spoken::discloses_ai(heard),
        do_not_call::asks_not_to_be_called(heard),
    );
    let _ = (
        own_words::repeats(heard, said),
        own_words::quotes(heard, said),
    );
    let lower = letters::lower_case(heard);
    assert_eq!(letters::lower_case(&lower), lower);
}

/// Before a digit they say it more than once.
const TIMES: [&str; 3] = ["double", "triple", "quadruple"];

/// Lines of a conversation, the first with a card number put into it: the number is not left, however
/// it was written or said.
pub fn payment(data: &[u8]) {
    let Some((&[seed, form], rest)) = data.split_first_chunk() else {
        return;
    };
    let Some(text) = text(rest) else { return };
    let lines: Vec<&str> = text.lines().take(8).collect();
    if let Some((number, among)) = split_card(&lines, true) {
        assert!(is_luhn(&number), "{number}");
        assert!(lines.get(among).is_some());
    }
    let mut asked = Asked::default();
    for line in &lines {
        let clean = without_payment_data(line, || asked);
        let again = without_payment_data(&clean, || asked);
        assert!(again.len() <= clean.len() + line.len() * 8);
        let _ = (has_card(line), is_piece(line));
        asked = Asked::by(line).with_card(asked.is_card());
    }
    // Digits and their words beside a number make it another one.
    let of_letters = |line: Option<&&str>| -> String {
        let beside = line.copied().unwrap_or_default();
        let other = |word: &&str| {
            let is_word = word.len() > 2 && word.bytes().all(|b| b.is_ascii_lowercase());
            is_word && !TIMES.contains(word) && Spoken::parse(word).runs().is_empty()
        };
        beside
            .split(' ')
            .filter(other)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let (before, behind) = (of_letters(lines.first()), of_letters(lines.get(1)));
    let card = in_form(&card_number(seed), form);
    let line = format!("{before} {card} {behind}");
    let clean = without_payment_data(&line, Asked::default);
    assert!(!clean.contains(&card), "{line:?} became {clean:?}");
}

/// A card number of the issuer with the most cards, made of a seed.
fn card_number(seed: u8) -> String {
    let body = (0..14u8).map(|n| seed.wrapping_mul(31).wrapping_add(n.wrapping_mul(seed | 1)) % 10);
    let body: String = body.map(|digit| char::from(b'0' + digit)).collect();
    let numbers = (0..10).map(|check| format!("4{body}{check}"));
    numbers.into_iter().find(|number| is_luhn(number)).unwrap()
}

/// As it is printed, typed or said.
fn in_form(number: &str, form: u8) -> String {
    let names = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    let groups = || {
        number
            .as_bytes()
            .chunks(4)
            .map(|group| std::str::from_utf8(group).unwrap())
    };
    match form % 4 {
        0 => number.to_owned(),
        1 => groups().collect::<Vec<_>>().join(" "),
        2 => groups().collect::<Vec<_>>().join("-"),
        _ => {
            let said = number.bytes().map(|digit| names[usize::from(digit - b'0')]);
            said.collect::<Vec<_>>().join(" ")
        }
    }
}

/// ISO/IEC 7812-1, annex B.
fn is_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| {
            let product = u32::from(digit - b'0') * weight;
            product / 10 + product % 10
        })
        .sum();
    sum.is_multiple_of(10)
}
