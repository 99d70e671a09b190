//! What the shop's words mean: agreement, objection, neither; and which total they state.

use super::money::Cents;
use super::spoken::{Amount, Spoken};

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
const LOST: [&str; 7] = [
    "didn't hear",
    "did not get",
    "did not catch",
    "don't understand",
    "say again",
    "say that again",
    "pardon",
];
const AFFIRMATIVE: [&str; 31] = [
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
    "ok",
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

/// What the words mean.
pub fn read(text: &str) -> Answer {
    let spoken = Spoken::parse(text);
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| spoken.has_phrase(phrase));
    let start = text.trim_start().to_lowercase();
    let lost = ["what?", "huh", "sorry?", "excuse me?", "hm?"]
        .iter()
        .any(|word| start.starts_with(word));
    let harmless = has(&HARMLESS);
    // "That's not a problem" is no objection, and neither is what is said besides.
    let firm = FIRM
        .iter()
        .filter(|phrase| !(harmless && phrase.starts_with("that")))
        .any(|phrase| spoken.has_phrase(phrase));
    if firm || has(&LOST) || lost {
        return Answer::Objects { firmly: true };
    }
    if harmless {
        return Answer::Affirms;
    }
    if ["no", "nope", "nah", "wait"]
        .iter()
        .any(|word| spoken.is_word(0, word))
    {
        return Answer::Objects { firmly: false };
    }
    if affirms(text, &spoken) {
        Answer::Affirms
    } else {
        Answer::Neither
    }
}

/// An affirmative word at the beginning, or in a sentence that asks nothing; or the price, plainly
/// stated: whoever names it agrees to what was read back.
fn affirms(text: &str, spoken: &Spoken) -> bool {
    let affirmative = |said: &Spoken| {
        AFFIRMATIVE.iter().any(|phrase| {
            // "Right now" agrees to nothing.
            said.positions(phrase).iter().any(|at| {
                *phrase != "right" || !(said.is_word(at + 1, "now") || said.is_word(at + 1, "away"))
            })
        })
    };
    let first = AFFIRMATIVE
        .iter()
        .any(|phrase| spoken.positions(phrase).first() == Some(&0));
    let plainly = sentences(text)
        .any(|sentence| !sentence.ends_with('?') && affirmative(&Spoken::parse(sentence)));
    let doubtful = text.contains('?')
        || ["not", "no"].iter().any(|word| spoken.has_phrase(word))
        || text.to_lowercase().contains("n't");
    let states_price = spoken.amounts().iter().any(|amount| amount.explicit) && !doubtful;
    first || plainly || states_price
}

/// The sentences of a text, each with the mark that ends it.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['.', '!', '?'])
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
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

/// Whether the words state this total, or another one. An amount that is only a subtotal, or that
/// is corrected in the same breath, is no total; of several the largest is.
pub fn total_said(text: &str, total: Cents) -> TotalSaid {
    let spoken = Spoken::parse(text);
    let amounts = spoken.amounts();
    let corrected_at = CORRECTIONS
        .iter()
        .flat_map(|phrase| spoken.positions(phrase))
        .filter(|at| amounts.iter().any(|amount| amount.from > *at))
        .max()
        .unwrap_or(0);
    let standing: Vec<Amount> = amounts
        .into_iter()
        .filter(|a| a.from >= corrected_at && !is_subtotal(&spoken, a))
        .collect();
    let named =
        |amount: &&Amount| word_near(&spoken, "total", amount.from.saturating_sub(4)..amount.from);
    let stated = standing
        .iter()
        .rfind(named)
        .or_else(|| standing.iter().max_by_key(|a| a.cents));
    match stated {
        Some(amount) if amount.cents == total => TotalSaid::Same,
        // More than the total, or called so: it takes the total's place.
        Some(amount)
            if amount.explicit && (amount.cents > total || named(&amount) || corrected_at > 0) =>
        {
            TotalSaid::Other
        }
        _ => TotalSaid::None,
    }
}

fn is_subtotal(spoken: &Spoken, amount: &Amount) -> bool {
    let before = amount.from.saturating_sub(3)..amount.from;
    word_near(spoken, "subtotal", before.clone())
        || (word_near(spoken, "sub", before.clone()) && word_near(spoken, "total", before))
        || (amount.to..amount.to + 2).any(|at| {
            ["before", "plus", "without"]
                .iter()
                .any(|word| spoken.is_word(at, word))
                && spoken.is_word(at + 1, "tax")
        })
}

fn word_near(spoken: &Spoken, word: &str, mut positions: std::ops::Range<usize>) -> bool {
    positions.any(|at| spoken.is_word(at, word))
}

#[cfg(test)]
mod tests {
    use super::*;

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
