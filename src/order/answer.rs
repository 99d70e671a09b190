//! What the shop's words mean: agreement, objection, neither; and which total they state.

mod phrases;
mod total;

use super::spoken::{Amount, Spoken};
use phrases::{
    AFFIRMATIVE, AGAIN, ASIDE, ASKING, BESIDES, CONFIRMING, CORRECTIONS, ELSE, FIRM, FIRST, FRAMES,
    HARMLESS, KNOWN, LEADING, LOST, MISSED, MUST, SUBSTITUTING, TURNING,
};
use std::ops::Range;
pub use total::{TotalSaid, asks_of_total, find_total, total_said, unsettles};

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

/// What the words mean.
pub fn read(text: &str) -> Answer {
    find(&Spoken::parse(text)).0
}

/// What the words mean, and the words that say so.
pub fn find(spoken: &Spoken) -> (Answer, Range<usize>) {
    find_to(spoken, [])
}

/// What the words mean as an answer to what was said, whose words and numbers they may repeat.
pub fn find_to<'a>(
    spoken: &Spoken,
    said: impl IntoIterator<Item = &'a Spoken>,
) -> (Answer, Range<usize>) {
    if let Some(words) = objection(spoken)
        .or_else(|| doubts(spoken))
        .or_else(|| first(spoken, &MISSED))
        .or_else(|| wants_again(spoken))
    {
        return (Answer::Objects { firmly: true }, words);
    }
    let harmless = first(spoken, &HARMLESS);
    if harmless.is_none_or(|at| at.start > 0) && spoken.is_one_of(0, &["no", "nope", "nah", "wait"])
    {
        return (Answer::Objects { firmly: false }, 0..1);
    }
    match affirms(spoken, &said.into_iter().collect::<Vec<_>>()) {
        Some(words) => (Answer::Affirms, words),
        None => (Answer::Neither, 0..0),
    }
}

/// The first of the [`FIRM`] phrases that means the order.
fn objection(spoken: &Spoken) -> Option<Range<usize>> {
    let denied = !spoken.find_any(&HARMLESS).is_empty();
    let aside = spoken.find_any(&ASIDE);
    // "That's not a problem" is no objection, and neither is what is said besides; and a mistake in
    // the price is none in the order.
    let priced = |at: &Range<usize>| {
        let (sentence, _) = spoken.sentence(at.start);
        let mut amounts = spoken.amounts().into_iter();
        amounts.any(|amount| amount.explicit && sentence.contains(&amount.from))
    };
    let means_order = |phrase: &str, at: &Range<usize>| match phrase {
        "mistake" | "not what" | "scratch that" => !priced(at),
        // "I can't hear you" says nothing of what was heard before.
        "we can't" | "i can't" => !spoken.is_one_of(
            at.end,
            &[
                "hear",
                "guarantee",
                "promise",
                "say",
                "tell",
                "believe",
                "change",
            ],
        ),
        // "Until your order is finished."
        "is finished" => !spoken.has_one_of(
            at.start.saturating_sub(1)..at.start,
            &["order", "pizza", "food", "it", "everything"],
        ),
        _ => !(denied && phrase.starts_with("that")),
    };
    FIRM.iter().find_map(|phrase| {
        let found = spoken.find_any(&[phrase]).into_iter();
        found
            .filter(|at| means_order(phrase, at))
            .find(|at| !overlaps(&aside, at))
    })
}

fn overlaps(ranges: &[Range<usize>], at: &Range<usize>) -> bool {
    let mut ranges = ranges.iter();
    ranges.any(|range| range.start < at.end && at.start < range.end)
}

/// The words that doubt it.
fn doubts(spoken: &Spoken) -> Option<Range<usize>> {
    let aside = spoken.find_any(&ASIDE);
    let mut found = spoken.find_any(&LOST);
    found.retain(|at| !overlaps(&aside, at));
    found.into_iter().min_by_key(|at| at.start)
}

/// The words that object to the order whatever they answer: not those that only want to hear it again.
pub fn takes_back(spoken: &Spoken) -> Option<Range<usize>> {
    let missed = || first(spoken, &MISSED).filter(|_| wants_again(spoken).is_none());
    objection(spoken).or_else(|| doubts(spoken)).or_else(missed)
}

/// The word that denies something nobody here knows, unless it is `quoted`: "I only have ham left".
pub fn denies(spoken: &Spoken, quoted: impl Fn(usize) -> bool) -> Option<usize> {
    /// "Maybe" and "check" only leave it open.
    const DENYING: [&str; 8] = [
        "only", "instead", "not", "no", "never", "none", "without", "cannot",
    ];
    let harmless = harmless(spoken);
    // "No, we're open until ten" answers a question.
    let answers = |at: usize| spoken.is_word(at, "no") && spoken.is_pause(at + 1);
    let denies = |at: &usize| {
        let word = spoken.word(*at).unwrap_or_default();
        (DENYING.contains(&word) || word.ends_with("n't"))
            && !overlaps(&harmless, &(*at..at + 1))
            && !answers(*at)
            && !quoted(*at)
    };
    let refusals = refusals(spoken).into_iter();
    refusals
        .filter(|sentence| !spoken.has_one_of(sentence.clone(), &BESIDES))
        .find_map(|mut sentence| sentence.find(denies))
}

/// The words that agree to what was just heard: "yes", "right", "correct". An "mm-hmm" or an "okay"
/// in the middle of a read-back only says "go on": whoever hums along has not compared the digits.
pub fn confirms(spoken: &Spoken) -> Option<Range<usize>> {
    confirms_to(spoken, None)
}

/// The same as an answer to what was said.
pub fn confirms_to(spoken: &Spoken, said: Option<&Spoken>) -> Option<Range<usize>> {
    let words = agrees(spoken)?;
    (find_to(spoken, said).0 == Answer::Affirms).then_some(words)
}

/// The words of the agent that agree, whatever it goes on to say.
pub fn agrees(spoken: &Spoken) -> Option<Range<usize>> {
    let words = first(spoken, &CONFIRMING)?;
    let objects = matches!(find(spoken).0, Answer::Objects { .. });
    (!objects && words.start <= 2 && !spoken.is_asked(words.start)).then_some(words)
}

/// Where something stands that only sounds like an objection.
fn harmless(spoken: &Spoken) -> Vec<Range<usize>> {
    let mut found = spoken.find_any(&HARMLESS);
    found.extend(spoken.find_any(&ASIDE));
    found.extend(spoken.find_any(&FRAMES));
    found
}

/// Of the sentence around this position what is stated: of a question only what stands before it, as in
/// "Okay, what was the address?"
fn stated(spoken: &Spoken, at: usize) -> Range<usize> {
    let (sentence, mark) = spoken.sentence(at);
    if mark != Some('?') {
        return sentence;
    }
    let asks = |at: &usize| spoken.is_pause(*at) && spoken.is_one_of(*at, &ASKING);
    sentence.start..sentence.clone().find(asks).unwrap_or(sentence.start)
}

/// Whether what stands here is stated, and not asked.
pub fn is_stated(spoken: &Spoken, at: usize) -> bool {
    stated(spoken, at).contains(&at)
}

/// Whether a question asks whether something else would do: "Is Pepsi okay?" Of what nobody here knows,
/// the agent said what is `quoted`.
pub fn offers(spoken: &Spoken, quoted: impl Fn(usize) -> bool) -> bool {
    let substituting = spoken.find_any(&SUBSTITUTING);
    let agreeing = spoken.find_any(&AFFIRMATIVE);
    let unknown = |at: usize| {
        let word = spoken.word(at);
        word.is_some_and(|word| !is_known(word) && !is_turning(word))
            && !spoken.is_one_of(at, &ASKING)
            && !overlaps(&substituting, &(at..at + 1))
            && !quoted(at)
    };
    substituting.iter().any(|at| {
        let (mut sentence, _) = spoken.sentence(at.start);
        // "Okay, is it a house?"
        let begins = at.start == sentence.start && agreeing.contains(at);
        !begins
            && !is_stated(spoken, at.start)
            && !spoken.has_one_of(sentence.clone(), &BESIDES)
            && sentence.any(unknown)
    })
}

/// Whether the agent wants nothing of what it was offered.
pub fn declines(spoken: &Spoken) -> bool {
    let all = ["that's all", "that's it", "that's everything", "just"];
    !spoken.find_any(&all).is_empty() || is_doubtful(spoken, 0..spoken.len())
}

/// Whether a question asks for what is still missing, so that a "no" agrees.
pub fn asks_for_more(spoken: &Spoken) -> bool {
    spoken
        .find_any(&ELSE)
        .iter()
        .any(|at| spoken.is_asked(at.start))
}

/// Whether something must be done first: "I need a card number first."
pub fn demands(spoken: &Spoken) -> bool {
    let aside = spoken.find_any(&ASIDE);
    let mut must = spoken.find_any(&MUST);
    must.retain(|at| !overlaps(&aside, at) && is_stated(spoken, at.start));
    must.iter().any(|at| {
        let (sentence, _) = spoken.sentence(at.start);
        let first = spoken.find_any(&FIRST);
        first.iter().any(|at| sentence.contains(&at.start))
    })
}

/// Whether the words at these positions may turn what stands beside them.
pub fn is_doubtful(spoken: &Spoken, mut within: Range<usize>) -> bool {
    let harmless = harmless(spoken);
    within.any(|at| spoken.word(at).is_some_and(is_turning) && !overlaps(&harmless, &(at..at + 1)))
}

fn is_turning(word: &str) -> bool {
    TURNING.contains(&word) || word.ends_with("n't")
}

/// Whether a sentence beside the price refuses something that nobody here knows: "No card, no order."
pub fn refuses(spoken: &Spoken) -> bool {
    !refusals(spoken).is_empty()
}

/// The sentences without a price that refuse something that nobody here knows.
fn refusals(spoken: &Spoken) -> Vec<Range<usize>> {
    let amounts = spoken.amounts();
    let harmless = harmless(spoken);
    // "Sorry? I didn't catch that."
    let missed = match wants_again(spoken) {
        Some(_) => spoken.find_any(&MISSED),
        None => Vec::new(),
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < spoken.len() {
        let (sentence, mark) = spoken.sentence(at);
        at = sentence.end.max(at + 1);
        let priced = amounts.iter().any(|a| sentence.contains(&a.from));
        let unknown = |at: usize| {
            let word = spoken.word(at);
            word.is_some_and(|word| !is_known(word) && !is_turning(word))
                && !overlaps(&harmless, &(at..at + 1))
        };
        if mark != Some('?')
            && !priced
            && !missed.iter().any(|at| sentence.contains(&at.start))
            && is_doubtful(spoken, sentence.clone())
            && sentence.clone().any(unknown)
        {
            found.push(sentence);
        }
    }
    found
}

/// Whether the word by itself can turn nothing.
pub fn is_known(word: &str) -> bool {
    KNOWN.contains(&format!(" {word} "))
        || AFFIRMATIVE.contains(&word)
        || CORRECTIONS.contains(&word)
        || word == "oh"
}

/// Whether the shop only wants to hear it again.
pub fn wants_again(spoken: &Spoken) -> Option<Range<usize>> {
    first(spoken, &AGAIN).or_else(|| asks_again(spoken))
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

/// The words that agree: an affirmative one among words that are all known, in a turn of which
/// nothing else is unknown but questions. "Great, another robot", "okay, pero ya cerramos" and a bare
/// price agree to nothing.
fn affirms(spoken: &Spoken, said: &[&Spoken]) -> Option<Range<usize>> {
    let harmless = harmless(spoken);
    let mut agreeing = spoken.find_any(&AFFIRMATIVE);
    agreeing.extend(spoken.find_any(&HARMLESS));
    let away = !spoken
        .find_any(&["i'm back", "be back", "be right back"])
        .is_empty();
    let confirming = spoken.find_any(&CONFIRMING);
    agreeing.retain(|at| {
        // "Right now" and "I'll be right back" agree to nothing, and neither does a greeting.
        let other: &[&str] = match spoken.word(at.start) {
            Some("right") => &["now", "away", "back", "with", "there", "over"],
            Some("good") => &["morning", "afternoon", "evening", "night"],
            _ => &[],
        };
        // Whoever was away and says "okay" has not heard it.
        !spoken.is_one_of(at.end, other) && (!away || confirming.contains(at))
    });
    let repeats = |at| {
        let mut said = said.iter();
        said.any(|said| (0..said.len()).any(|i| spoken.same(at, said, i)))
    };
    let amounts = spoken.amounts();
    let is_known = |at: usize| match spoken.word(at) {
        None => is_number_known(spoken, said, &amounts, at),
        Some(word) => {
            overlaps(&agreeing, &(at..at + 1))
                || overlaps(&harmless, &(at..at + 1))
                || !is_turning(word) && (KNOWN.contains(&format!(" {word} ")) || repeats(at))
        }
    };
    let mut found = None;
    let mut at = 0;
    while at < spoken.len() {
        let stated = stated(spoken, at);
        at = spoken.sentence(at).0.end.max(at + 1);
        // What is said of a price leaves a yes before it as it is: "Yes. They're ten dollars each."
        // What is said before the price may be said of the order.
        let prices = || amounts.iter().filter(|a| stated.contains(&a.from));
        let of_price = |at: usize| {
            found.is_some()
                && spoken.word(at).is_some()
                && prices().any(|a| a.explicit && a.from < at || spoken.is_one_of(at, &LEADING))
                && (!spoken.word(at).is_some_and(is_turning)
                    || spoken.is_one_of(at, &["maybe", "perhaps", "check"])
                    || spoken.is_word(at, "no") && spoken.is_one_of(at + 1, &["sorry", "wait"]))
        };
        if !stated.clone().all(|at| is_known(at) || of_price(at)) {
            return None;
        }
        let agrees = agreeing.iter().filter(|at| stated.contains(&at.start));
        found = found.or_else(|| {
            agrees
                .min_by_key(|at| (at.start, usize::MAX - at.end))
                .cloned()
        });
    }
    found
}

/// Whether the number at this position leaves a yes to what was said as it is: a price, something
/// that is counted besides, or what was said.
fn is_number_known(spoken: &Spoken, said: &[&Spoken], amounts: &[Amount], at: usize) -> bool {
    if said.is_empty() || is_besides(spoken, at) {
        return true;
    }
    let number = spoken.number(at);
    let digits = spoken.digits(number.clone());
    let mut amounts = amounts.iter().filter(|a| a.explicit);
    if spoken.has_sign(number.clone())
        || amounts.any(|a| a.tokens().contains(&at) && !is_misheard(spoken, said, a))
    {
        return true;
    }
    // "It comes to twenty."
    let last = |at: usize| at == spoken.len() || spoken.is_pause(at);
    let leads = |at: &usize| {
        spoken.is_pause(at + 1)
            || !spoken.is_one_of(*at, &["is", "will", "be", "to", "out", "just"])
    };
    let led_by = (0..number.start).rev().find(leads);
    if (2..=3).contains(&digits.len())
        && (last(number.end) || spoken.is_one_of(number.end, &["with", "today", "tonight", "even"]))
        && led_by.is_some_and(|at| {
            !spoken.is_pause(at + 1) && spoken.is_one_of(at, &["total", "come", "that'll"])
        })
    {
        return true;
    }
    // "One large" repeats "a large".
    let article = |said: &Spoken, i: usize| {
        digits == "1" && said.is_one_of(i, &["a", "an"]) && spoken.same(number.end, said, i + 1)
    };
    let before = match number.start.checked_sub(1) {
        Some(at) if spoken.word(at).is_none() => spoken.digits(spoken.number(at)),
        _ => String::new(),
    };
    // A part of a longer number, and none of its digits left out since the part before.
    let is_part = |run: &String| {
        digits.len() >= 3
            && run.contains(&digits)
            && (before.len() < 3
                || !run.contains(&before)
                || run.contains(&format!("{before}{digits}")))
    };
    said.iter().any(|said| {
        (0..said.len()).any(|i| said.digits(said.number(i)) == digits || article(said, i))
            || said
                .digit_runs()
                .iter()
                .any(|run| *run == digits || is_part(run))
    })
}

/// Whether what may be a price is rather a number of the order, said wrong: "one two four", or "one
/// twenty four" for "one twenty three".
fn is_misheard(spoken: &Spoken, said: &[&Spoken], amount: &Amount) -> bool {
    if !spoken.is_bare(amount) {
        return false;
    }
    let digits = spoken.digits(amount.tokens());
    let differs = |run: &String| {
        let differing = run.bytes().zip(digits.bytes()).filter(|(a, b)| a != b);
        run.len() == digits.len() && differing.count() == 1
    };
    amount.tokens().len() >= digits.len().max(3)
        || said
            .iter()
            .any(|said| said.digit_runs().iter().any(differs))
}

/// Whether the number at this position is neither of the order nor its price: "thirty to forty
/// minutes", "ready at 6:45", "your order number is fifty seven".
fn is_besides(spoken: &Spoken, at: usize) -> bool {
    const UNITS: [&str; 5] = ["minute", "min", "hour", "pm", "am"];
    let number = spoken.number(at);
    let end = number.end;
    let before = |n: usize, words: &[&str]| {
        let at = number.start.checked_sub(n);
        at.is_some_and(|at| spoken.is_one_of(at, words) && !spoken.is_pause(at + 1))
    };
    let in_units = |at: usize| spoken.is_one_of(at, &UNITS) && !spoken.is_pause(at);
    // "Thirty to forty minutes", "forty five to an hour", "twenty, thirty minutes".
    let to = |from: usize| {
        let behind = spoken.number_end(from);
        behind > from && in_units(behind)
            || spoken.is_one_of(from, &["a", "an"]) && in_units(from + 1)
    };
    let digits = spoken.digits(number.clone());
    let round = digits.len() == 2 && digits.ends_with(['0', '5']);
    let lasts = in_units(end)
        || spoken.is_one_of(end, &["to", "or"]) && to(end + 1)
        || round && spoken.is_pause(end) && to(end) && !before(1, &["apartment"]);
    // "There by seven", "ready at six thirty".
    let hour = (end == spoken.len() || spoken.is_pause(end))
        && (digits.len() <= 2 || digits.len() <= 4 && digits.ends_with(['0', '5']))
        && (before(1, &["by"])
            || before(1, &["at", "around"]) && before(2, &["ready", "there", "done"]));
    let is = usize::from(before(1, &["is"]));
    let of_shop = before(1 + is, &["number"]) && before(2 + is, &["order"]);
    // "Has change for fifty."
    let article = usize::from(before(1, &["a"]));
    let note = before(1 + article, &["for"]) && before(2 + article, &["change"]);
    lasts || hour || of_shop || note || spoken.is_clock(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::money::Cents;

    #[test]
    fn the_lists_are_in_the_one_spelling() {
        let lists: [&[&str]; 14] = [
            &FIRM,
            &LOST,
            &MISSED,
            &AFFIRMATIVE,
            &HARMLESS,
            &ASIDE,
            &CORRECTIONS,
            &CONFIRMING,
            &FRAMES,
            &SUBSTITUTING,
            &BESIDES,
            &ELSE,
            &MUST,
            &FIRST,
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
            "Okay, twenty ten.",
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
