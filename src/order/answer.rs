//! What the shop's words mean: agreement, objection, neither; and which total they state.

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
const FIRM: [&str; 54] = [
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
    "forget it",
    "say no",
    "said no",
    "not putting",
    "not making",
    "not doing",
    "not going to",
    "not happening",
    "stopped taking",
    "stopped delivering",
    "all gone",
    "wrong number",
];
/// Did not get it, which objects as firmly.
const LOST: [&str; 10] = [
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
];
/// Wants to hear it again.
const AGAIN: [&str; 3] = ["say again", "say that again", "pardon"];
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
    "will do",
    "understood",
    "you got it",
    "have all of that",
    "have it all",
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
/// Words beside an affirmative one that cannot turn it, and beside a price that leave it what it is:
/// whoever says anything else may have said anything.
const KNOWN: &str = " a about address again ah all also altogether amount an and any anything are as back be bill \
    buck by bye can cent charge come cool cost coupon day dear deliver delivered delivery do \
    dollar done door down driver enjoy euro evening everything extra fee final for front gave \
    get getting give go gonna goodbye got grand half have heading hear heard hello here him hm \
    hour i i'd i'll i'm i've in include included including is it it'll it's its long ma'am make \
    man meal mean minute much my name night noted now number of oh on order our phone pickup \
    please plus pound price put read ready same see shall shortly sir so soon sound sub subtotal \
    sum take tax thank that that'd that'll that's the them then there there'll they they'll \
    thing this tip to today together tonight too total two uh um up very we we'll we're we've \
    welcome well when will with within worry write written wrote you you'll you've your ";
/// Turns an answer, wherever it stands; so does everything that ends in "n't".
const TURNING: [&str; 29] = [
    "but", "though", "although", "however", "except", "only", "unless", "instead", "not", "no",
    "nope", "nah", "never", "nobody", "nothing", "none", "without", "hardly", "maybe", "perhaps",
    "if", "hold", "stop", "hang", "ask", "cannot", "close", "closed", "check",
];
/// A question that goes on to something else, behind a yes.
const ASKING: [&str; 14] = [
    "what", "what's", "what'll", "what'd", "which", "where", "where's", "who", "who's", "how",
    "when", "anything", "any", "and",
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
    find_to(spoken, None)
}

/// What the words mean as an answer to what was said, whose words they may repeat.
pub fn find_to(spoken: &Spoken, said: Option<&Spoken>) -> (Answer, Range<usize>) {
    let harmless = first(spoken, &HARMLESS);
    // "That's not a problem" is no objection, and neither is what is said besides; and a mistake in
    // the price is none in the order.
    let priced = |at: &Range<usize>| {
        let (sentence, _) = spoken.sentence(at.start);
        let mut amounts = spoken.amounts().into_iter();
        amounts.any(|amount| amount.explicit && sentence.contains(&amount.from))
    };
    let firm = FIRM
        .iter()
        .filter(|phrase| !(harmless.is_some() && phrase.starts_with("that")))
        .find_map(|phrase| {
            let in_price = matches!(*phrase, "mistake" | "not what");
            first(spoken, &[phrase]).filter(|at| !in_price || !priced(at))
        });
    let lost = first(spoken, &LOST).or_else(|| wants_again(spoken));
    if let Some(words) = firm.or(lost) {
        return (Answer::Objects { firmly: true }, words);
    }
    if harmless.as_ref().is_none_or(|at| at.start > 0)
        && spoken.is_one_of(0, &["no", "nope", "nah", "wait"])
    {
        return (Answer::Objects { firmly: false }, 0..1);
    }
    match affirms(spoken, said) {
        Some(words) => (Answer::Affirms, words),
        None => (Answer::Neither, 0..0),
    }
}

/// The words that agree to what was just heard: "yes", "right", "correct". An "mm-hmm" or an "okay"
/// in the middle of a read-back only says "go on": whoever hums along has not compared the digits.
pub fn confirms(spoken: &Spoken) -> Option<Range<usize>> {
    let words = agrees(spoken)?;
    (find(spoken).0 == Answer::Affirms).then_some(words)
}

/// The same of the agent, whatever it goes on to say.
pub fn agrees(spoken: &Spoken) -> Option<Range<usize>> {
    let words = first(spoken, &CONFIRMING)?;
    let objects = matches!(find(spoken).0, Answer::Objects { .. });
    (!objects && words.start <= 2 && !spoken.is_asked(words.start)).then_some(words)
}

/// Whether the words at these positions may turn what stands beside them.
pub fn is_doubtful(spoken: &Spoken, mut within: Range<usize>) -> bool {
    let harmless = spoken.find_any(&HARMLESS);
    within.any(|at| {
        let word = spoken.word(at).unwrap_or_default();
        (TURNING.contains(&word) || word.ends_with("n't"))
            && !harmless.iter().any(|harmless| harmless.contains(&at))
    })
}

/// Whether a sentence beside the price refuses something that nobody here knows: "No card, no order."
pub fn refuses(spoken: &Spoken) -> bool {
    let amounts = spoken.amounts();
    let mut at = 0;
    while at < spoken.len() {
        let (sentence, mark) = spoken.sentence(at);
        at = sentence.end.max(at + 1);
        let priced = amounts.iter().any(|a| sentence.contains(&a.from));
        let unknown = |at: usize| {
            spoken.word(at).is_some_and(|word| !is_known(word)) && !is_doubtful(spoken, at..at + 1)
        };
        if mark != Some('?')
            && !priced
            && is_doubtful(spoken, sentence.clone())
            && sentence.into_iter().any(unknown)
        {
            return true;
        }
    }
    false
}

/// Whether the word by itself can turn nothing.
fn is_known(word: &str) -> bool {
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
fn affirms(spoken: &Spoken, said: Option<&Spoken>) -> Option<Range<usize>> {
    let harmless = spoken.find_any(&HARMLESS);
    let mut agreeing = spoken.find_any(&AFFIRMATIVE);
    agreeing.extend(harmless.iter().cloned());
    // "Right now" and "I'll be right back" agree to nothing.
    agreeing.retain(|at| {
        !(spoken.is_word(at.start, "right")
            && spoken.is_one_of(at.end, &["now", "away", "back", "with", "there", "over"]))
    });
    let repeats = |at| said.is_some_and(|said| (0..said.len()).any(|i| spoken.same(at, said, i)));
    let is_known = |at: usize| match spoken.word(at) {
        None => true,
        Some(word) => {
            agreeing.iter().any(|agreeing| agreeing.contains(&at))
                || !is_doubtful(spoken, at..at + 1)
                    && (KNOWN.contains(&format!(" {word} ")) || repeats(at))
        }
    };
    let amounts = spoken.amounts();
    let has_amount = |within: &Range<usize>| amounts.iter().any(|a| within.contains(&a.from));
    let mut found = None;
    let mut at = 0;
    while at < spoken.len() {
        let (sentence, mark) = spoken.sentence(at);
        at = sentence.end.max(at + 1);
        // Of a question only what stands before it: "Okay, what was the address?"
        let stated = if mark == Some('?') {
            let asks = |at: &usize| spoken.is_pause(*at) && spoken.is_one_of(*at, &ASKING);
            sentence.start..sentence.clone().find(asks).unwrap_or(sentence.start)
        } else {
            sentence
        };
        // What is said of the price leaves a yes before it as it is: "Yes. They're ten dollars each."
        let of_price = found.is_some() && has_amount(&stated);
        let doubt = |at: usize| {
            is_doubtful(spoken, at..at + 1)
                && !spoken.is_one_of(at, &["maybe", "perhaps", "check"])
                && !(spoken.is_word(at, "no") && spoken.is_one_of(at + 1, &["sorry", "wait"]))
        };
        if !stated
            .clone()
            .all(|at| is_known(at) || of_price && !doubt(at))
        {
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
    let plain = spoken.is_plain(amount) && is_framed(spoken, amount);
    // "Seventeen fifty, and the tax is two sixty" leaves the sum to the listener.
    let open = !named(&amount) && parts.iter().any(|part| part.from > amount.from);
    let said = match amount.cents == total {
        true if plain && !open && (amount.explicit || named(&amount)) => TotalSaid::Same,
        // It takes the total's place, whether it is more or less.
        false if plain && amount.explicit => TotalSaid::Other,
        _ => TotalSaid::None,
    };
    (said, amount.tokens())
}

/// The words between two pauses around this amount.
fn clause(spoken: &Spoken, amount: &Amount) -> Range<usize> {
    let from = (0..=amount.from).rfind(|at| spoken.is_pause(*at));
    let to = (amount.to..spoken.len()).find(|at| spoken.is_pause(*at));
    from.unwrap_or(0)..to.unwrap_or(spoken.len())
}

/// Whether what is said in one breath with the amount leaves it a plain price: "that'll be", "your
/// total is". Of "last time it was" and "the driver has change for" nobody knows.
fn is_framed(spoken: &Spoken, amount: &Amount) -> bool {
    let clause = clause(spoken, amount);
    let mut framed = clause.clone().filter(|at| !amount.tokens().contains(at));
    let known = framed.all(|at| spoken.word(at).is_none_or(is_known));
    let (sentence, _) = spoken.sentence(amount.from);
    // "I think it's twenty, the register is down."
    let unsure = spoken.has_one_of(
        sentence,
        &[
            "think", "guess", "check", "maybe", "perhaps", "ballpark", "estimate",
        ],
    );
    let hedged = spoken.has_one_of(
        clause.start..amount.from,
        &[
            "about",
            "around",
            "over",
            "probably",
            "roughly",
            "approximately",
            "much",
            "from",
            "up",
        ],
    );
    let more = spoken.is_one_of(
        amount.to,
        &[
            "extra", "more", "or", "change", "minimum", "tip", "about", "roughly", "probably",
        ],
    );
    known && !unsure && !hedged && !more
}

/// Whether the amount is only a part of the total: before tax, the tax, a fee, a discount, each.
fn is_part(spoken: &Spoken, amount: &Amount) -> bool {
    const PARTS: [&str; 8] = [
        "tax", "fee", "delivery", "tip", "charge", "discount", "minimum", "coupon",
    ];
    // "There's a fee, so it's twenty ten": what is said in another breath is something else.
    let begins = match clause(spoken, amount).start {
        begins if begins == amount.from => 0,
        begins => begins,
    };
    let before = amount.from.saturating_sub(3).max(begins)..amount.from;
    let included = amount.from.saturating_sub(6).max(begins)..amount.from;
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
