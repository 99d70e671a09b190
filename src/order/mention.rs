//! Whether a turn mentions a field of the order: `Some(true)` if it says it, `Some(false)` if it says
//! something else in its place, `None` if it says nothing of it.

use super::spoken::Spoken;
use super::state::{Address, DeliveryMethod, Item};

/// Crusts that nobody mentions.
const PLAIN_CRUSTS: [&str; 4] = ["regular", "standard", "normal", "classic"];
const OTHER_CRUSTS: [&str; 7] = [
    "thin crust",
    "thick crust",
    "deep dish",
    "stuffed crust",
    "pan crust",
    "hand tossed",
    "gluten free",
];

/// The item: its quantity before its size, its toppings, and a crust worth mentioning.
pub(super) fn item(said: &Spoken, item: &Item, only_item: bool) -> Option<bool> {
    let crust = item
        .crust
        .as_deref()
        .map(|crust| crust.trim().to_lowercase());
    let crust = crust
        .as_deref()
        .map(|crust| crust.strip_suffix(" crust").unwrap_or(crust));
    let plain = crust.is_none_or(|crust| PLAIN_CRUSTS.contains(&crust));
    let crust_said = if plain {
        !(only_item && OTHER_CRUSTS.iter().any(|other| said.has_phrase(other)))
    } else {
        crust.is_some_and(|crust| said.has_phrase(crust))
    };
    let toppings = item.toppings.iter().all(|topping| said.has_phrase(topping));
    // The quantity stands before the size, or before what comes first.
    let head = match (item.size, crust, item.toppings.first()) {
        (Some(size), ..) => size.spoken(),
        (None, Some(crust), _) if !plain => crust,
        (None, _, Some(topping)) => topping,
        _ => return None,
    };
    let quantity = item.quantity.to_string();
    let counted = said
        .positions(head)
        .into_iter()
        .any(|at| match said.digits_before(at) {
            Some(digits) => digits == quantity,
            None => item.quantity == 1,
        });
    (toppings && crust_said && counted).then_some(true)
}

/// The phone number.
pub(super) fn phone(said: &Spoken, phone: &str) -> Option<bool> {
    said.has_phone(phone).then_some(true)
}

/// The name, or another one where a name stands: "for Bob Smith", "the name is Bob Smith".
pub(super) fn name(text: &str, said: &Spoken, name: &str) -> Option<bool> {
    if said.has_phrase(name) {
        return Some(true);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let capital = |word: &&&str| {
        word.starts_with(char::is_uppercase)
            && word
                .trim_end_matches(['.', ',', '?', '!'])
                .chars()
                .all(char::is_alphabetic)
    };
    let lower = |at: usize| {
        words
            .get(at)
            .map(|word| word.to_lowercase())
            .unwrap_or_default()
    };
    let introduces = |at: usize| match lower(at).as_str() {
        "for" | "under" | "name's" => true,
        "is" => lower(at.wrapping_sub(1)) == "name",
        _ => false,
    };
    let named_otherwise = (0..words.len()).any(|at| {
        introduces(at)
            && words.iter().skip(at + 1).take(2).filter(capital).count() == 2
            && words
                .get(at + 1)
                .is_some_and(|first| !first.ends_with(['.', ',']))
    });
    named_otherwise.then_some(false)
}

/// Delivery or pickup, or the other of the two.
pub(super) fn method(said: &Spoken, method: DeliveryMethod) -> Option<bool> {
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| said.has_phrase(phrase));
    let delivery = has(&["delivery", "deliver", "delivered", "delivering"]);
    let pickup = has(&[
        "pickup",
        "pick up",
        "picking up",
        "pick it up",
        "picked up",
        "collect",
        "collection",
        "carry out",
    ]);
    match (delivery, pickup) {
        (true, false) => Some(method == DeliveryMethod::Delivery),
        (false, true) => Some(method == DeliveryMethod::Pickup),
        _ => None,
    }
}

/// House number and street name next to each other, and no other postal code; "Street" or "Avenue"
/// may be left out.
pub(super) fn address(said: &Spoken, address: &Address) -> Option<bool> {
    const SUFFIXES: [&str; 14] = [
        "street",
        "st",
        "avenue",
        "ave",
        "road",
        "rd",
        "boulevard",
        "blvd",
        "drive",
        "dr",
        "lane",
        "ln",
        "court",
        "place",
    ];
    let words: Vec<String> = address
        .street
        .split(|c: char| c.is_whitespace() || c == ',')
        .map(|word| word.trim_matches('.').to_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    let is_number = |word: &&String| word.bytes().all(|b| b.is_ascii_digit());
    let (number, rest) = match words.split_first() {
        Some((first, rest)) if is_number(&first) => (Some(first.clone()), rest),
        _ => (None, words.as_slice()),
    };
    let named = |word: &&String| !SUFFIXES.contains(&word.as_str());
    let name: Vec<&str> = rest
        .iter()
        .filter(named)
        .take_while(|word| !is_number(word))
        .map(String::as_str)
        .collect();
    let extras = rest.iter().filter(named).skip(name.len());
    let places = said.positions(&name.join(" "));
    let street = places
        .iter()
        .any(|at| number.is_none() || said.digits_before(*at) == number);
    let complete = extras.into_iter().all(|word| {
        said.has_phrase(word)
            || said
                .digit_runs()
                .iter()
                .any(|run| run.contains(word.as_str()))
    });
    let zip: String = address
        .zip
        .chars()
        .filter(char::is_ascii_digit)
        .take(5)
        .collect();
    let runs = said.digit_runs();
    let other_zip = runs
        .iter()
        .any(|run| run.len() == 5 && Some(run) != number.as_ref())
        && !runs.iter().any(|run| run.contains(&zip));
    if !street || !complete {
        None
    } else {
        Some(zip.len() < 5 || !other_zip)
    }
}
