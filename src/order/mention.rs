//! Whether a turn mentions a field of the order: `Some(true)` if it says it, `Some(false)` if it says
//! something else in its place, `None` if it says nothing of it.

use super::spoken::Spoken;
use super::state::{Address, DeliveryMethod, Item, SIZES, Size};

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

/// Where a turn counts something of a size: "two large".
struct Head {
    size: Size,
    quantity: Option<String>,
    at: usize,
}

fn heads(said: &Spoken) -> Vec<Head> {
    let mut heads: Vec<Head> = SIZES
        .iter()
        .flat_map(|(_, size)| {
            let places = said.positions(size.spoken()).into_iter();
            places.map(|at| Head {
                size: *size,
                quantity: said.digits_before(at),
                at,
            })
        })
        // "Extra large" is not also a "large".
        .filter(|head| {
            head.size != Size::Large || head.at == 0 || !said.is_word(head.at - 1, "extra")
        })
        .collect();
    heads.sort_by_key(|head| head.at);
    heads
}

impl Head {
    fn fits(&self, item: &Item) -> bool {
        let counted = self.quantity.as_ref().map_or(item.quantity == 1, |digits| {
            *digits == item.quantity.to_string()
        });
        Some(self.size) == item.size && counted
    }
}

/// One of the order's items: its quantity before its size, its toppings, and a crust worth
/// mentioning. With several items each has its own part of the sentence, and a part that fits none
/// of them contradicts them all.
pub(super) fn item(said: &Spoken, items: &[Item], which: usize) -> Option<bool> {
    let item = items.get(which)?;
    if item.size.is_none() {
        let whole =
            toppings(said, item) && crust(said, item, items.len() == 1) && plain_count(said, item);
        return whole.then_some(true);
    }
    let heads = heads(said);
    let says = |item: &Item, head: &Head| {
        let next = heads
            .iter()
            .map(|head| head.at)
            .find(|next| *next > head.at);
        let part = if items.len() == 1 {
            said.clone()
        } else {
            said.part(head.at, next.unwrap_or(usize::MAX))
        };
        head.fits(item) && toppings(&part, item) && crust(&part, item, true)
    };
    let stray = heads
        .iter()
        .any(|head| head.quantity.is_some() && !items.iter().any(|item| says(item, head)));
    if heads.iter().any(|head| says(item, head)) {
        Some(!stray)
    } else {
        None
    }
}

/// Whether the shop says another quantity or size, or that it lacks a topping.
pub(super) fn item_is_contradicted(said: &Spoken, items: &[Item], which: usize) -> bool {
    let Some(item) = items.get(which) else {
        return false;
    };
    let other = |head: &Head| head.quantity.is_some() && !items.iter().any(|item| head.fits(item));
    let lacks = |topping: &String| said.has_phrase(&format!("no {topping}"));
    heads(said).iter().any(other) || item.toppings.iter().any(lacks)
}

fn toppings(said: &Spoken, item: &Item) -> bool {
    item.toppings.iter().all(|topping| said.has_phrase(topping))
}

fn crust(said: &Spoken, item: &Item, own_words: bool) -> bool {
    let name = item
        .crust
        .as_deref()
        .map(|crust| crust.trim().to_lowercase());
    let name = name
        .as_deref()
        .map(|crust| crust.strip_suffix(" crust").unwrap_or(crust));
    match name {
        Some(name) if !PLAIN_CRUSTS.contains(&name) => said.has_phrase(name),
        _ => !(own_words && OTHER_CRUSTS.iter().any(|other| said.has_phrase(other))),
    }
}

/// Without a size, the quantity stands before the first topping or the crust.
fn plain_count(said: &Spoken, item: &Item) -> bool {
    let counted = |at: usize| {
        said.digits_before(at).map_or(item.quantity == 1, |digits| {
            digits == item.quantity.to_string()
        })
    };
    let head = item.toppings.first().or(item.crust.as_ref());
    head.is_some_and(|head| said.positions(head).into_iter().any(counted))
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

/// Whether the shop says another phone number.
pub(super) fn phone_is_contradicted(said: &Spoken, phone: &str) -> bool {
    !said.has_phone(phone) && said.digit_runs().iter().any(|run| run.len() >= 10)
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
