//! What the shop's words mean: agreement, objection, neither; and which total they state.

use super::letters::lower_case;
use super::money::Cents;
use super::spoken::{Amount, Spoken};
use std::ops::Range;

/// What an answer of the shop means for what was said to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Agrees.
    Affirms,
    /// Rejects it, or did not get it, or cannot do it.
    Objects {
        /// Whatever was asked: "that's wrong", "we can't deliver there". A mere "no" objects only to
        /// what it answers.
        firmly: bool,
    },
    /// Says something else.
    Neither,
}

/// Objects to the order, whatever was said before.
const FIRM: [&str; 42] = [
    "wrong",
    "incorrect",
    "not right",
    "not correct",
    "isn't right",
    "isn't correct",
    "that's not",
    "that is not",
    "not what",
    "can't do",
    "can't deliver",
    "can't make",
    "can't take",
    "cannot",
    "can not",
    "unable",
    "won't deliver",
    "won't be able",
    "don't deliver",
    "do not deliver",
    "don't take",
    "don't do",
    "don't have",
    "do not have",
    "not taking",
    "aren't taking",
    "out of",
    "sold out",
    "ran out",
    "we're closed",
    "we are closed",
    "are closing",
    "cancel",
    "cancelled",
    "canceled",
    "mistake",
    "no longer",
    "not available",
    "unavailable",
    "would have been",
    "didn't get",
    "didn't catch",
];
/// Did not get it, which objects as firmly.
const LOST: [&str; 13] = [
    "not sure",
    "don't know",
    "don't think",
    "do not think",
    "not yet",
    "hold off",
    "didn't hear",
    "did not get",
    "did not catch",
    "don't understand",
    "say again",
    "say that again",
    "pardon",
];
const AFFIRMATIVE: [&str; 30] = [
    "yes",
    "yeah",
    "yep",
    "yup",
    "ye",
    "ya",
    "correct",
    "right",
    "exactly",
    "okay",
    "sure",
    "perfect",
    "great",
    "good",
    "fine",
    "alright",
    "all right",
    "got it",
    "got that",
    "absolutely",
    "definitely",
    "of course",
    "you bet",
    "mm hmm",
    "mhm",
    "uh huh",
    "thank you",
    "thank",
    "will do",
    "understood",
];
/// Sound like an objection and agree.
const HARMLESS: [&str; 12] = [
    "no problem",
    "no worry",
    "not a problem",
    "no that's right",
    "no that's correct",
    "no that's all",
    "no that's it",
    "no that's everything",
    "no that is all",
    "no that's fine",
    "nothing else",
    "won't take long",
];
/// A later amount replaces the one before such words.
const CORRECTIONS: [&str; 9] = [
    "sorry",
    "actually",
    "i mean",
    "make that",
    "correction",
    "no wait",
    "mistake",
    "my bad",
    "rather",
];

/// Agrees to what was just heard, and is no mere "go on".
const CONFIRMING: [&str; 12] = [
    "yes",
    "yeah",
    "yep",
    "yup",
    "correct",
    "right",
    "exactly",
    "got it",
    "got that",
    "that's right",
    "that's correct",
    "absolutely",
];

/// What the words mean.
pub fn read(text: &str) -> Answer {
    find(&Spoken::parse(text)).0
}

/// What the words mean, and the words that say so.
pub fn find(spoken: &Spoken) -> (Answer, Range<usize>) {
    let harmless = first(spoken, &HARMLESS);
    // "That's not a problem" is no objection, and neither is what is said besides.
    let firm = FIRM
        .iter()
        .filter(|phrase| !(harmless.is_some() && phrase.starts_with("that")))
        .find_map(|phrase| first(spoken, &[phrase]));
    let lost = first(spoken, &LOST).or_else(|| asks_again(spoken));
    if let Some(words) = firm.or(lost) {
        return (Answer::Objects { firmly: true }, words);
    }
    if let Some(words) = harmless {
        return (Answer::Affirms, words);
    }
    if spoken.is_one_of(0, &["no", "nope", "nah", "wait"]) {
        return (Answer::Objects { firmly: false }, 0..1);
    }
    match affirms(spoken) {
        Some(words) => (Answer::Affirms, words),
        None => (Answer::Neither, 0..0),
    }
}

/// The words that agree to what was just heard: "yes", "right", "correct". An "mm-hmm" or an "okay"
/// in the middle of a read-back only says "go on": whoever hums along has not compared the digits.
pub fn confirms(spoken: &Spoken) -> Option<Range<usize>> {
    let words = first(spoken, &CONFIRMING)?;
    (find(spoken).0 == Answer::Affirms && words.start <= 2 && !spoken.is_asked(words.start))
        .then_some(words)
}

/// "What?", "Sorry?", "Excuse me?", "Huh".
fn asks_again(spoken: &Spoken) -> Option<Range<usize>> {
    let (sentence, mark) = spoken.sentence(0);
    let alone = |words: &str| mark == Some('?') && spoken.find_any(&[words]).contains(&sentence);
    let lost = ["what", "sorry", "excuse me", "hm"]
        .iter()
        .any(|words| alone(words));
    (lost || spoken.is_word(0, "huh")).then_some(sentence)
}

/// The first place where one of the phrases stands.
fn first(spoken: &Spoken, phrases: &[&str]) -> Option<Range<usize>> {
    let found = spoken.find_any(phrases);
    found
        .into_iter()
        .min_by_key(|at| (at.start, usize::MAX - at.end))
}

/// An affirmative word at the beginning, or in a sentence that asks nothing; or the price, plainly
/// stated: whoever names it agrees to what was read back.
fn affirms(spoken: &Spoken) -> Option<Range<usize>> {
    let agrees = |at: &Range<usize>| {
        let denied = spoken.has_one_of(
            at.start.saturating_sub(2)..at.start,
            &["not", "isn't", "never", "no"],
        );
        // "Right now" and "I'll be right back" agree to nothing.
        let right = spoken.is_word(at.start, "right")
            && spoken.is_one_of(at.end, &["now", "away", "back", "with", "there", "over"]);
        let (sentence, mark) = spoken.sentence(at.start);
        let asked = mark == Some('?') && (at.start > 0 || sentence == *at);
        !denied && !right && !asked
    };
    let found = spoken.find_any(&AFFIRMATIVE).into_iter();
    let first = found
        .filter(agrees)
        .min_by_key(|at| (at.start, usize::MAX - at.end));
    if first.is_some() {
        return first;
    }
    let doubtful = (0..spoken.len()).any(|at| {
        spoken.is_asked(at)
            || spoken.is_one_of(at, &["not", "no"])
            || lower_case(spoken.raw(at..at + 1))
                .replace('’', "'")
                .contains("n't")
    });
    let price = spoken.amounts().into_iter().find(|amount| amount.explicit);
    price.filter(|_| !doubtful).map(|amount| amount.tokens())
}

/// What a turn says about the total.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TotalSaid {
    /// It states this total.
    Same,
    /// It states another one.
    Other,
    /// It states none.
    None,
}

/// Whether the words state this total, or another one. An amount that is only a part of it, or that
/// is corrected in the same breath, is no total; of several the largest is.
pub fn total_said(text: &str, total: Cents) -> TotalSaid {
    find_total(&Spoken::parse(text), total).0
}

/// What the words say of the total, and the words that do.
pub fn find_total(spoken: &Spoken, total: Cents) -> (TotalSaid, Range<usize>) {
    let amounts = spoken.amounts();
    let corrected_at = spoken
        .find_any(&CORRECTIONS)
        .into_iter()
        .map(|at| at.start)
        .filter(|at| amounts.iter().any(|amount| amount.from > *at))
        .max()
        .unwrap_or(0);
    let (parts, standing): (Vec<Amount>, Vec<Amount>) = amounts
        .into_iter()
        .filter(|a| a.from >= corrected_at)
        .partition(|a| is_part(spoken, a));
    let named = |amount: &&Amount| {
        spoken.has_one_of(
            amount.from.saturating_sub(5)..amount.from,
            &["total", "altogether", "everything", "come", "all"],
        ) || spoken.has_one_of(amount.to..amount.to + 2, &["total", "altogether"])
    };
    let stated = standing
        .iter()
        .rfind(named)
        .or_else(|| standing.iter().max_by_key(|a| a.cents));
    let Some(amount) = stated else {
        return (TotalSaid::None, 0..0);
    };
    let plain = spoken.is_plain(amount);
    // "Seventeen fifty, and the tax is two sixty" leaves the sum to the listener.
    let open = !named(&amount) && parts.iter().any(|part| part.from > amount.from);
    // More than the total, or called so: it takes the total's place.
    let replaces = amount.explicit && (amount.cents > total || named(&amount) || corrected_at > 0);
    let said = match amount.cents == total {
        true if plain && !open => TotalSaid::Same,
        false if replaces && plain => TotalSaid::Other,
        _ => TotalSaid::None,
    };
    (said, amount.tokens())
}

/// Whether the amount is only a part of the total: before tax, the tax, a fee, a discount, each.
fn is_part(spoken: &Spoken, amount: &Amount) -> bool {
    const PARTS: [&str; 8] = [
        "tax", "fee", "delivery", "tip", "charge", "discount", "minimum", "coupon",
    ];
    let before = amount.from.saturating_sub(3)..amount.from;
    let included = amount.from.saturating_sub(6)..amount.from;
    let subtotal = spoken.has_one_of(before.clone(), &["subtotal"])
        || spoken.has_one_of(before.clone(), &["sub"])
            && spoken.has_one_of(before.clone(), &["total"]);
    let untaxed = (amount.to..amount.to + 2).any(|at| {
        spoken.is_one_of(at, &["before", "plus", "without"])
            && spoken.is_one_of(at + 1, &["tax", "delivery", "the", "a", "tip"])
    }) || spoken.is_word(amount.to, "plus");
    // "The delivery fee is three dollars", but not "with the delivery fee it's 24.15".
    let names_part = spoken.has_one_of(before, &PARTS)
        && !spoken.has_one_of(included, &["with", "including", "after", "plus", "total"]);
    let is_for = usize::from(spoken.is_one_of(amount.to, &["for", "in", "of"]));
    let of_part = spoken.is_one_of(amount.to + is_for, &PARTS)
        && !spoken.is_one_of(amount.to + is_for + 1, &["included", "in"]);
    let each = spoken.is_one_of(amount.to, &["each", "apiece", "per", "off"]);
    subtotal || untaxed || names_part || of_part || each
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_the_one_spelling() {
        let lists: [&[&str]; 6] = [
            &FIRM,
            &LOST,
            &AFFIRMATIVE,
            &HARMLESS,
            &CORRECTIONS,
            &CONFIRMING,
        ];
        for phrase in lists.concat() {
            assert_eq!(
                Spoken::parse(phrase).find_any(&[phrase]).len(),
                1,
                "{phrase}"
            );
        }
    }

    #[test]
    fn agreement() {
        for text in [
            "Yes, that's right.",
            "Yep, got it",
            "No problem, that's all correct",
            "$20.10",
            "Okay, twenty ten.",
            "That'll be twenty dollars and ten cents.",
            "Alright.",
            "That's not a problem. Twenty ten.",
            "Yes. Twenty ten, it won't take long.",
            "No, that's everything. The total is twenty ten.",
            "mm-hmm",
            "Sure, what would you like?",
            "No, that's right.",
            "Perfect, see you in twenty minutes",
        ] {
            assert_eq!(read(text), Answer::Affirms, "{text}");
        }
    }

    #[test]
    fn objection() {
        for text in [
            "No, that's wrong.",
            "That is not right",
            "What? I didn't get that. Total is twenty ten.",
            "Sorry, we are closed. It would have been twenty ten.",
            "Yes, but we can't deliver to that address.",
            "We're out of pepperoni, total would be 20.10 with mushrooms.",
            "Yes, but I made a mistake.",
            "It is cancelled.",
            "We're not taking orders right now. It is usually twenty ten.",
            "Okay, I don't have that.",
            "I don't have that here",
        ] {
            assert_eq!(read(text), Answer::Objects { firmly: true }, "{text}");
        }
        for text in ["no no, mushrooms", "Nope.", "wait"] {
            assert_eq!(read(text), Answer::Objects { firmly: false }, "{text}");
        }
    }

    #[test]
    fn neither() {
        for text in [
            "Is that a pickup? Total 20.10",
            "Sorry, hold on, what was the address?",
            "Let me see",
            "So two large pepperoni, right? That's twenty ten?",
            "It is right now busy",
            "And the name?",
            "",
        ] {
            assert_eq!(read(text), Answer::Neither, "{text}");
        }
    }

    #[test]
    fn totals() {
        let said = |text| total_said(text, Cents(2010));
        for text in [
            "Subtotal is seventeen fifty, and your total is twenty dollars and ten cents.",
            "That's seventeen fifty, twenty ten with tax.",
            "$20.10",
            "Total 20.10, the subtotal was 17.50",
            "twenty ten, ready in thirty minutes",
            "It's eighteen fifty, no sorry, twenty ten.",
            "Sorry, that'll be twenty ten.",
        ] {
            assert_eq!(said(text), TotalSaid::Same, "{text}");
        }
        for text in [
            "twenty ten, no sorry, it is twenty five sixty",
            "Actually I made a mistake. The total is twenty five dollars and sixty cents.",
            "The total is 30.00",
            "Oh, with the delivery fee that is twenty four fifteen.",
        ] {
            assert_eq!(said(text), TotalSaid::Other, "{text}");
        }
        for text in [
            "That's 20.10 before tax, I still have to look up the tax",
            "The subtotal is twenty ten",
            "ready in twenty minutes",
            "Delivery is three dollars",
            "It's twenty ten main street right",
            "Okay",
        ] {
            assert_eq!(said(text), TotalSaid::None, "{text}");
        }
    }
}
