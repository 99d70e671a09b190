//! Who the order is for and how they get it.

use super::{Mention, corrected_after};
use crate::order::spoken::Spoken;
use crate::order::state::DeliveryMethod;
use crate::order::transcript::Role;
use std::ops::Range;

/// The phone number, or another one: of ten digits, or what corrects it.
pub(in crate::order) fn phone(said: &Spoken, phone: &str) -> Option<Mention> {
    let runs = said.runs();
    let all: String = phone.chars().filter(char::is_ascii_digit).collect();
    // "555-0143" for 555-0142.
    let is_misheard = |digits: &str| {
        let local = all.len().checked_sub(7).and_then(|from| all.get(from..));
        let pairs = local.map(|local| local.bytes().zip(digits.bytes()));
        digits.len() == 7 && pairs.is_some_and(|pairs| pairs.filter(|(a, b)| a != b).count() <= 3)
    };
    let Some(at) = said.phone(phone) else {
        let is_other = |digits: &str| digits.len() >= 10 || is_misheard(digits);
        let other = runs.into_iter().rfind(|run| is_other(&run.digits))?;
        // The shop may name its own: "our number is", "call us at".
        let at = other.whole();
        let own = said.has_one_of(at.start.saturating_sub(3)..at.start, &["our", "us", "my"]);
        return (!own).then(|| Mention::other(at));
    };
    let other =
        |digits: &str| digits.len() >= 10 && !all.ends_with(digits) && !digits.ends_with(&all);
    // "0143, sorry, 0142": whatever it was, it is not certain any more.
    let corrected = corrected_after(said, at.end).and_then(|from| {
        runs.iter().find(|run| {
            let place = run.whole();
            (from..from + 4).contains(&place.start)
                && !said
                    .amounts()
                    .iter()
                    .any(|a| a.explicit && a.from == place.start && a.to <= a.from + 2)
                && !all.ends_with(&run.digits)
        })
    });
    let contrary = corrected.or_else(|| {
        runs.iter()
            .find(|run| run.whole().start >= at.end && other(&run.digits))
    });
    Some(match contrary {
        Some(run) => Mention::other(run.whole()),
        None => Mention::same(at),
    })
}

/// The name, or another one where a name stands: "for Bob Smith", "the name is Bob Smith". The
/// shop says "for" of other things as well.
pub(in crate::order) fn name(said: &Spoken, name: &str, role: Role) -> Option<Mention> {
    let found = said.find(name);
    let behind = found.iter().map(|at| at.end).max().unwrap_or(0);
    if let Some(spelled) = spelled_otherwise(said, name) {
        return Some(Mention::other(spelled));
    }
    let capital = |at: usize| {
        let word = said.raw(at..at + 1);
        word.starts_with(char::is_uppercase) && word.chars().all(char::is_alphabetic)
    };
    let introduces = |at: usize| {
        said.is_one_of(at, &["under", "name's"])
            || role == Role::Agent && said.is_word(at, "for")
            || said.is_word(at, "is") && at > 0 && said.is_word(at - 1, "name")
    };
    let otherwise = (behind..said.len())
        .find(|at| introduces(*at) && (at + 1..at + 3).all(capital) && !said.is_pause(at + 2));
    match (otherwise, found.into_iter().next()) {
        (Some(at), None) => Some(Mention::other(at + 1..at + 3)),
        // Only behind a correction does another name take its place.
        (Some(at), Some(_)) if corrected_after(said, behind).is_some_and(|from| from <= at) => {
            Some(Mention::other(at + 1..at + 3))
        }
        (_, Some(at)) => Some(Mention::same(at)),
        (None, None) => None,
    }
}

/// A part of the name that is spelled right behind it, but in other letters.
fn spelled_otherwise(said: &Spoken, name: &str) -> Option<Range<usize>> {
    let words = Spoken::parse(name);
    (1..said.len()).map(|at| at..at + 1).find(|at| {
        let before = at.start - 1;
        let letters = said.raw(at.clone());
        let is_spelled = letters.contains([' ', '-', '.', ','])
            && letters.chars().filter(|c| c.is_alphabetic()).count() > 3;
        let is_named = |at: usize| (0..words.len()).any(|i| said.same(at, &words, i));
        let first = |at: usize| said.word(at).and_then(|word| word.chars().next());
        let again = first(at.start) == first(before);
        is_spelled && again && is_named(before) && !is_named(at.start)
    })
}

/// Delivery or pickup, or the other of the two.
pub(in crate::order) fn method(said: &Spoken, method: DeliveryMethod) -> Option<Mention> {
    let delivery = said.find_any(&["delivery", "deliver", "delivered", "delivering"]);
    let mut pickup = said.find_any(&[
        "pickup",
        "pick up",
        "picking up",
        "pick it up",
        "picking it up",
        "picked up",
        "collect",
        "collection",
        "carry out",
        "take out",
        "to go",
        "come here",
        "come get",
        "come and get",
    ]);
    // "You're good to go."
    let is_idiom = |at: &Range<usize>| {
        let before = at.start.checked_sub(1);
        before.is_some_and(|at| said.is_one_of(at, &["good", "ready", "set"]))
    };
    pickup.retain(|at| !is_idiom(at));
    let (mut is, mut other) = match method {
        DeliveryMethod::Delivery => (delivery, pickup),
        DeliveryMethod::Pickup => (pickup, delivery),
    };
    other.retain(|at| !super::is_negated(said, at.start));
    // "No delivery charge" denies only that.
    let denied = is
        .iter()
        .find(|at| super::is_negated(said, at.start) && !said.is_one_of(at.end, &["charge", "fee"]))
        .cloned();
    is.retain(|at| !super::is_negated(said, at.start));
    match (is.into_iter().next(), other.into_iter().next(), denied) {
        (Some(at), None, None) => Some(Mention::same(at)),
        (None, Some(at), _) | (None, None, Some(at)) => Some(Mention::other(at)),
        _ => None,
    }
}
