//! Which total the shop's words state, among prices, parts of it, times and other numbers.

use super::{CORRECTIONS, is_besides, is_doubtful, is_known};
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
    // "That doesn't include delivery."
    let lacks = (0..spoken.len()).any(|at| {
        spoken.is_one_of(at, &["include", "included", "including"])
            && is_doubtful(spoken, at.saturating_sub(3)..at)
    });
    let plain = spoken.is_plain(amount) && is_framed(spoken, amount) && !lacks;
    // "Seventeen fifty, and the tax is two sixty" leaves the sum to the listener.
    let open = !named(&amount) && parts.iter().any(|part| part.from > amount.from);
    let said = match amount.cents == total {
        true if plain && !open && (amount.explicit || named(&amount)) => TotalSaid::Same,
        // It takes the total's place, whether it is more or less.
        false if plain && (amount.explicit || is_total(spoken, amount)) => TotalSaid::Other,
        _ => TotalSaid::None,
    };
    (said, amount.tokens())
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
        let is_on_top = is_part(spoken, &a)
            && !spoken.has_one_of(0..a.from, &["include", "including", "with", "each"]);
        corrects && other || is_on_top
    };
    // "Oh, plus tax."
    let plus = spoken.is_word(0, "plus")
        || spoken.is_one_of(0, &["oh", "and"]) && spoken.is_word(1, "plus");
    amounts.any(unsettled) || plus && spoken.has_one_of(1..6, &PARTS)
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
    // "Twenty ten, about forty minutes."
    let vague = &["about", "roughly", "probably"];
    let more = spoken.is_one_of(
        amount.to,
        &["extra", "more", "or", "change", "minimum", "tip"],
    ) || spoken.is_one_of(amount.to, vague) && !spoken.is_pause(amount.to);
    known && !unsure && !hedged && !more
}

/// What is only a part of the total.
const PARTS: [&str; 9] = [
    "delivery's",
    "tax",
    "fee",
    "delivery",
    "tip",
    "charge",
    "discount",
    "minimum",
    "coupon",
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
    let of_part = spoken.is_one_of(amount.to + is_for, &PARTS)
        && !spoken.is_one_of(amount.to + is_for + 1, &["included", "in"]);
    let each = spoken.is_one_of(amount.to, &["each", "apiece", "per", "off"]);
    subtotal || untaxed || and_part || not_part || names_part || of_part || each
}
