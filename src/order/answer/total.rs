//! Which total the shop's words state, among prices, parts of it, times and other numbers.

use super::{CORRECTIONS, FRAMES, is_besides, is_doubtful, is_known, is_stated, overlaps};
use crate::order::money::Cents;
use crate::order::spoken::{Amount, Spoken};
use std::ops::Range;

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
    let mut amounts = spoken.amounts();
    // "Two dollars of that is delivery."
    let of_it = |a: &Amount| {
        spoken.is_word(a.to, "of") && spoken.is_one_of(a.to + 1, &["that", "it", "which"])
    };
    amounts.retain(|a| !is_besides(spoken, a.from) && !of_it(a));
    // "$22.10. No, $20.10."
    let is_no = |at: &usize| {
        spoken.is_one_of(*at, &["no", "wait"])
            && (spoken.is_pause(at + 1) || amounts.iter().any(|a| a.from == at + 1))
    };
    let noes = (0..spoken.len()).filter(is_no);
    let corrected_at = spoken
        .find_any(&CORRECTIONS)
        .into_iter()
        .map(|at| at.start)
        .chain(noes)
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
    let plain = spoken.is_plain(amount) && is_framed(spoken, amount) && !lacks(spoken);
    // "Seventeen fifty, and the tax is two sixty" leaves the sum to the listener.
    let open = !named(&amount) && parts.iter().any(|part| part.from > amount.from)
        || is_more(spoken, amount.to);
    let said = match amount.cents == total {
        true if plain && !open && (amount.explicit || named(&amount)) => TotalSaid::Same,
        // It takes the total's place, whether it is more or less.
        false if plain && (amount.explicit || is_total(spoken, amount)) => TotalSaid::Other,
        _ => TotalSaid::None,
    };
    (said, amount.tokens())
}

/// "That doesn't include delivery." A tip is no part of any total.
fn lacks(spoken: &Spoken) -> bool {
    (0..spoken.len()).any(|at| {
        spoken.is_one_of(at, &INCLUDED)
            && is_doubtful(spoken, at.saturating_sub(3)..at)
            && !spoken.has_one_of(spoken.sentence(at).0, &["tip", "gratuity"])
    })
}

/// Whether something without a price comes on top of what was said before this position: "and delivery
/// is extra", "there's a delivery fee".
fn is_more(spoken: &Spoken, from: usize) -> bool {
    (from..spoken.len()).any(|at| {
        let (sentence, _) = spoken.sentence(at);
        let sentence = sentence.start.max(from)..sentence.end;
        let free = spoken.has_one_of(
            sentence.clone(),
            &["with", "already", "free", "no", "waive"],
        ) || spoken.has_one_of(sentence.clone(), &INCLUDED);
        let extra = ["extra", "separate", "separately", "additional", "top"];
        let is_due = spoken.has_one_of(sentence, &extra)
            || spoken.has_one_of(at.saturating_sub(4)..at, &["there's", "plus"]);
        spoken.is_one_of(at, &["tax", "fee", "charge", "delivery"])
            && is_stated(spoken, at)
            && is_due
            && !free
    })
}

/// Whether the amount is called the total.
fn is_total(spoken: &Spoken, amount: &Amount) -> bool {
    let before = amount.from.saturating_sub(5)..amount.from;
    [before, amount.to..amount.to + 2]
        .into_iter()
        .any(|at| spoken.has_one_of(at, &["total", "altogether"]))
}

/// Whether the words leave a total that was named before them open: another amount behind a
/// correction, or something that comes on top.
pub fn unsettles(spoken: &Spoken, total: Cents) -> bool {
    let amounts = spoken.amounts().into_iter();
    let mut amounts = amounts.filter(|a| !is_besides(spoken, a.from) && !spoken.is_asked(a.from));
    let corrects = !spoken.find_any(&CORRECTIONS).is_empty()
        || spoken.has_one_of(0..spoken.len(), &["wait", "oh"]);
    let (least, most) = (Cents(1_000), Cents(100_000));
    let unsettled = |a: Amount| {
        let other = a.cents != total && (a.explicit || (least..most).contains(&a.cents));
        // "With delivery it's twenty two."
        let led = a.from.checked_sub(1).is_some_and(|at| {
            spoken.is_one_of(at, &["is", "it's", "that's", "be", "that'll", "to"])
        });
        let within = clause(spoken, &a);
        let is_price = led
            && within.end == a.to
            && !spoken.has_one_of(within, &["number", "phone"])
            && is_framed(spoken, &a);
        let is_on_top = is_part(spoken, &a)
            && !spoken.has_one_of(0..a.from, &["include", "including", "with", "each"]);
        (corrects || is_price) && other || is_on_top
    };
    // "Oh, plus tax."
    let plus = spoken.is_word(0, "plus")
        || spoken.is_one_of(0, &["oh", "and"]) && spoken.is_word(1, "plus");
    amounts.any(unsettled)
        || plus && spoken.has_one_of(1..6, &PARTS)
        || is_more(spoken, 0)
        || lacks(spoken)
}

/// Whether it asks about the total, so that a "no" leaves it open: not "Are there any other fees?"
pub fn asks_of_total(spoken: &Spoken) -> bool {
    let more = [
        "any",
        "anything",
        "other",
        "else",
        "more",
        "extra",
        "additional",
    ];
    (0..spoken.len()).any(|at| {
        let of_total = spoken.is_one_of(at, &["total", "altogether", "tax", "fee"])
            || spoken.is_one_of(at, &INCLUDED);
        of_total && spoken.is_asked(at) && !spoken.has_one_of(spoken.sentence(at).0, &more)
    })
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
    let leaving = spoken.find_any(&FRAMES);
    let known =
        framed.all(|at| spoken.word(at).is_none_or(is_known) || overlaps(&leaving, &(at..at + 1)));
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
    // "Twenty ten, about forty minutes."
    let vague = &["about", "roughly", "probably"];
    let more = spoken.is_one_of(
        amount.to,
        &["extra", "more", "or", "change", "minimum", "tip"],
    ) || spoken.is_one_of(amount.to, vague) && !spoken.is_pause(amount.to);
    known && !unsure && !hedged && !more
}

const INCLUDED: [&str; 3] = ["include", "included", "including"];
/// What is only a part of the total.
const PARTS: [&str; 8] = [
    "tax", "fee", "delivery", "tip", "charge", "discount", "minimum", "coupon",
];

/// Whether the amount is only a part of the total: before tax, the tax, a fee, a discount, each.
fn is_part(spoken: &Spoken, amount: &Amount) -> bool {
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
    // "Twenty ten and tax", "twenty ten, not with delivery".
    let then = amount.to + 1 + usize::from(spoken.is_one_of(amount.to + 1, &["then", "the"]));
    let and_part = spoken.is_word(amount.to, "and")
        && spoken.is_one_of(then, &PARTS)
        && (then + 1 >= spoken.len() || spoken.is_pause(then + 1));
    let not_part =
        spoken.is_word(amount.to, "not") && spoken.has_one_of(amount.to + 1..amount.to + 5, &PARTS);
    // "The delivery fee is three dollars", but not "with the delivery fee it's 24.15".
    let names_part = spoken.has_one_of(before, &PARTS)
        && !spoken.has_one_of(included, &["with", "including", "after", "plus", "total"]);
    let is_for = usize::from(spoken.is_one_of(amount.to, &["for", "in", "of"]));
    // "Your total is twenty ten. Delivery takes forty minutes."
    let ends = spoken.sentence(amount.from).0.end == amount.to;
    let of_part = !ends
        && spoken.is_one_of(amount.to + is_for, &PARTS)
        && !spoken.is_one_of(amount.to + is_for + 1, &["included", "in", "is"]);
    let each = spoken.is_one_of(amount.to, &["each", "apiece", "per", "off"]);
    subtotal || untaxed || and_part || not_part || names_part || of_part || each
}
