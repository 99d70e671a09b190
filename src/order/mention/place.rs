//! Where to deliver. Street and house number are compared together; the city, the state and the
//! postal code where they are said.

use super::{Mention, corrected_after};
use crate::order::spoken::Spoken;
use crate::order::state::Address;
use std::ops::Range;

const SUFFIXES: [&str; 18] = [
    "street",
    "avenue",
    "road",
    "boulevard",
    "drive",
    "lane",
    "court",
    "place",
    "square",
    "terrace",
    "circle",
    "trail",
    "highway",
    "parkway",
    "way",
    "apartment",
    "suite",
    "floor",
];
/// Abbreviation and name of each state, and what else it is called.
const STATES: &str = "al alabama,ak alaska,az arizona,ar arkansas,ca california,co colorado,\
    ct connecticut,de delaware,dc district of columbia,fl florida,ga georgia,hi hawaii,id idaho,\
    il illinois,in indiana,ia iowa,ks kansas,ky kentucky,la louisiana,me maine,md maryland,\
    ma massachusetts,mi michigan,mn minnesota,ms mississippi,mo missouri,mt montana,ne nebraska,\
    nv nevada,nh new hampshire,nj new jersey,nm new mexico,ny new york,nc north carolina,\
    nd north dakota,oh ohio,ok oklahoma,or oregon,pa pennsylvania,ri rhode island,\
    sc south carolina,sd south dakota,tn tennessee,tx texas,ut utah,vt vermont,va virginia,\
    wa washington,wv west virginia,wi wisconsin,wy wyoming";

/// House number, street name and what belongs to it, next to each other, and neither another postal
/// code nor another city.
pub(in crate::order) fn address(said: &Spoken, address: &Address) -> Option<Mention> {
    let street = street(said, &address.street)?;
    if !street.says {
        return Some(street);
    }
    let mut whole = street.at;
    for more in [
        city(said, address),
        zip(said, address),
        state(said, address),
    ]
    .into_iter()
    .flatten()
    {
        if !more.says {
            return Some(more);
        }
        if more.at.start >= whole.end && more.at.start <= whole.end + 6 {
            whole.end = more.at.end;
        }
    }
    Some(Mention::same(whole))
}

/// House number and street name next to each other; "Street" or "Avenue" may be left out, a
/// direction or an apartment may not.
pub(in crate::order) fn street(said: &Spoken, street: &str) -> Option<Mention> {
    let wanted = Wanted::of(street);
    if wanted.name.is_empty() {
        return None;
    }
    let mut other = None;
    for at in said.find(&wanted.name) {
        let (digits, from) = said.number_before(at.start).unzip();
        let from = from.unwrap_or(at.start);
        if wanted.number.is_some() && digits != wanted.number {
            // "In Main, three twenty one"? Only a number in its place is another one.
            if digits.is_some() {
                other = Some(Mention::other(from..at.end));
            }
            continue;
        }
        let mut whole = from..at.end;
        if said.is_one_of(whole.end, &SUFFIXES) && !said.is_pause(whole.end) {
            // "Main Avenue" is not Main Street.
            if wanted
                .suffix
                .as_ref()
                .is_some_and(|suffix| !said.is_word(whole.end, suffix))
                && !said.is_one_of(whole.end, &["apartment", "suite", "floor"])
            {
                other = Some(Mention::other(whole.start..whole.end + 1));
                continue;
            }
            whole.end += usize::from(wanted.suffix.is_some());
        }
        let near = whole.end..whole.end + 6;
        let extras: Option<Vec<usize>> = wanted
            .extras
            .iter()
            .map(|word| near.clone().find(|at| said.same(*at, word, 0)))
            .collect();
        let Some(extras) = extras else { continue };
        whole.end = extras
            .into_iter()
            .map(|at| at + 1)
            .fold(whole.end, usize::max);
        let corrected = corrected_after(said, whole.end)
            .filter(|from| said.number_at(*from).is_some() && near_place(said, *from, whole.end));
        return Some(match corrected {
            Some(from) => Mention::other(from..from + 1),
            None => Mention::same(whole),
        });
    }
    other.or_else(|| other_name(said, &wanted).map(Mention::other))
}

/// Another street's name behind the house number: "123 Maple". Only a part of the name is none.
fn other_name(said: &Spoken, wanted: &Wanted) -> Option<Range<usize>> {
    let number = wanted.number.as_ref()?;
    let name = Spoken::parse(&wanted.name);
    let of_street = |at: usize| {
        said.is_one_of(at, &SUFFIXES) || (0..name.len()).any(|i| said.same(at, &name, i))
    };
    (1..said.len()).find_map(|at| {
        let (digits, from) = said.number_before(at)?;
        let word = said.raw(at..at + 1);
        let is_name = word.chars().count() > 2
            && word.starts_with(char::is_uppercase)
            && word.chars().all(char::is_alphabetic);
        let has_suffix = (at + 1..at + 4).any(|at| said.is_one_of(at, &SUFFIXES));
        let is_other = digits == *number
            && is_name
            && !said.is_pause(at)
            && !of_street(at)
            && (has_suffix || number.len() > 1);
        is_other.then_some(from..at + 1)
    })
}

/// A correction right behind the street, before any other number, corrects the street.
fn near_place(said: &Spoken, from: usize, end: usize) -> bool {
    let amounts = said.amounts();
    from <= end + 6
        && (end..from).all(|at| said.number_at(at).is_none())
        && amounts.iter().all(|a| !(a.explicit && a.from == from))
}

/// A street as it is written.
struct Wanted {
    number: Option<String>,
    name: String,
    suffix: Option<String>,
    /// Words and numbers behind it: the apartment.
    extras: Vec<Spoken>,
}

impl Wanted {
    fn of(street: &str) -> Self {
        let said = Spoken::parse(street);
        let number = said.number_at(0).and_then(|_| said.digits_before(1));
        let first = usize::from(number.is_some());
        let is_suffix = |at: &usize| said.is_one_of(*at, &SUFFIXES);
        let end = (first + 1..said.len()).find(is_suffix);
        let name_end = end.unwrap_or_else(|| {
            let number = (first + 1..said.len()).find(|at| said.number_at(*at).is_some());
            number.unwrap_or(said.len())
        });
        let suffix = end.filter(|at| !said.is_one_of(*at, &["apartment", "suite", "floor"]));
        let rest = suffix.map_or(name_end, |at| at + 1);
        let skipped = |at: &usize| !said.is_one_of(*at, &["apartment", "suite", "floor"]);
        Self {
            number,
            name: said.raw(first..name_end).to_owned(),
            suffix: suffix.and_then(|at| said.word(at)).map(str::to_owned),
            extras: (rest..said.len())
                .filter(skipped)
                .map(|at| Spoken::parse(said.raw(at..at + 1)))
                .collect(),
        }
    }
}

/// The postal code's five digits, or five others where it stands.
pub(in crate::order) fn zip(said: &Spoken, address: &Address) -> Option<Mention> {
    let zip: String = address
        .zip
        .chars()
        .filter(char::is_ascii_digit)
        .take(5)
        .collect();
    if zip.len() < 5 {
        return said.find(&address.zip).pop().map(Mention::same);
    }
    let number = Wanted::of(&address.street).number;
    let of_five = |digits: &str| {
        let runs = said.runs().into_iter();
        runs.filter(|run| matches!(run.digits.len(), 5 | 9) && Some(&run.digits) != number.as_ref())
            .rfind(|run| run.digits.starts_with(digits))
            .map(|run| run.whole())
    };
    // "Zip 90001, phone…" may be one run of digits for who writes it down.
    let within = || {
        let runs = said.runs().into_iter();
        runs.rev()
            .find_map(|run| run.find(&zip).filter(|_| run.digits.len() > 9))
    };
    of_five(&zip)
        .or_else(within)
        .map(Mention::same)
        .or_else(|| {
            of_five("")
                .filter(|_| is_in_address(said, address))
                .map(Mention::other)
        })
}

/// The city behind the street, or another one in its place.
pub(in crate::order) fn city(said: &Spoken, address: &Address) -> Option<Mention> {
    let found = said.find(&address.city);
    let Some(street) = street(said, &address.street).filter(|street| street.says) else {
        return found.into_iter().next().map(Mention::same);
    };
    if let Some(at) = found.into_iter().find(|at| at.start >= street.at.end) {
        return Some(Mention::same(at));
    }
    // "…Main Street, Pasadena", "…Main Street in Pasadena": a name in the place of the city.
    let mut at = street.at.end;
    while said.is_one_of(at, &SUFFIXES)
        || said.is_one_of(at, &["in", "city", "of"])
        || said.number_at(at).is_some() && !said.is_pause(at)
    {
        at += 1;
    }
    let starts_sentence = said.sentence(at).0.start == at;
    let word = said.raw(at..at + 1);
    let is_name = word.chars().count() > 2
        && word.starts_with(char::is_uppercase)
        && word.chars().all(char::is_alphabetic);
    let is_state = (1..4).any(|len| state_of(said.raw(at..at + len)).is_some());
    let other_word = [
        "Phone",
        "Telephone",
        "Zip",
        "Name",
        "For",
        "The",
        "And",
        "Please",
        "My",
        "Her",
        "His",
        "Apt",
        "Unit",
    ];
    let named = is_name && !starts_sentence && !is_state && !other_word.contains(&word);
    named.then(|| Mention::other(at..at + 1))
}

/// The state by name or abbreviation behind the street or the city, or another one.
pub(in crate::order) fn state(said: &Spoken, address: &Address) -> Option<Mention> {
    let street = street(said, &address.street).map_or(0, |street| street.at.end);
    let cities = said.find(&address.city).into_iter();
    let city = cities.map(|at| at.end).find(|end| *end >= street);
    // By itself it may be the name of a pizza.
    let from = city.unwrap_or(street);
    if from == 0 {
        return None;
    }
    let Some(wanted) = state_of(&address.state) else {
        return said.find(&address.state).pop().map(Mention::same);
    };
    let near = (street.max(1)..from + 6).flat_map(|at| (1..4).map(move |len| at..at + len));
    let mut named = near.filter_map(|at| {
        let raw = said.raw(at.clone());
        // "OK", "in" and "or" are words; an abbreviation is written in capitals.
        let is_word = raw.len() == 2 && raw.bytes().any(|b| b.is_ascii_lowercase());
        let is_whole = at.end <= said.len() && !is_word && city != Some(at.end);
        Some((state_of(raw).filter(|_| is_whole)?, at))
    });
    let (state, at) = named.next()?;
    Some(Mention {
        says: state == wanted,
        at,
    })
}

/// Whether two texts name the same state: "CA" and "California".
pub(in crate::order) fn same_state(a: &str, b: &str) -> bool {
    match (state_of(a), state_of(b)) {
        (None, None) => Spoken::parse(a) == Spoken::parse(b),
        (a, b) => a == b,
    }
}

/// The position of a state among all, by name or abbreviation.
fn state_of(text: &str) -> Option<usize> {
    let text = text.trim();
    let is = |name: &str| name.eq_ignore_ascii_case(text);
    STATES
        .split(',')
        .filter_map(|state| state.trim().split_once(' '))
        .position(|(short, name)| is(short) || is(name))
}

/// Whether the turn speaks of this address at all.
fn is_in_address(said: &Spoken, address: &Address) -> bool {
    let Some(street) = street(said, &address.street) else {
        return !said.find_any(&["zip"]).is_empty();
    };
    street.says
}
