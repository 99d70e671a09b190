//! The table of spoken forms, and what holds for all words.

use super::*;
use crate::order::answer::{self, Answer, TotalSaid};
use crate::order::money::Cents;
use crate::order::state::{Address, DeliveryMethod, Item, SIZES};
use crate::order::transcript::Role;
use proptest::prelude::*;

/// Kind, words, the field that is looked for, what the words mean for it.
fn forms() -> Vec<[&'static str; 4]> {
    include_str!("../../../fixtures/spoken-forms.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            line.split('\t')
                .collect::<Vec<_>>()
                .try_into()
                .expect("four columns")
        })
        .collect()
}

fn cents(text: &str) -> Cents {
    Cents::from_decimal(text.parse().unwrap()).unwrap()
}

/// "2 medium mushroom+olive", "2 garlic bread".
fn item_of(text: &str) -> Item {
    let (quantity, rest) = text.split_once(' ').unwrap();
    let (word, more) = rest.split_once(' ').unwrap();
    let size = SIZES
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, size)| *size);
    Item {
        quantity: quantity.parse().unwrap(),
        size,
        name: size.is_none().then(|| rest.to_owned()),
        toppings: match size {
            Some(_) => more.split('+').map(str::to_owned).collect(),
            None => Vec::new(),
        },
        ..Item::default()
    }
}

fn address_of(text: &str) -> Address {
    let mut parts = text.split('|').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    Address {
        street: next(),
        city: next(),
        state: next(),
        zip: next(),
    }
}

fn item(said: &Spoken, items: &[Item], which: usize) -> Option<Mention> {
    Counted::by_agent(said, items).item(which)
}

fn part(said: &Spoken, items: &[Item], which: usize, part: Part) -> Option<Mention> {
    Counted::by_agent(said, items).part(said, items, which, part)
}

fn meaning(kind: &str, words: &str, field: &str) -> String {
    let said = Spoken::parse(words);
    let mentions = |mention: Option<Mention>| match mention {
        None => "none".to_owned(),
        Some(Mention { says: true, .. }) => "says".to_owned(),
        Some(_) => "other".to_owned(),
    };
    match kind {
        "price" => {
            let plain = said.amounts().into_iter().filter(|a| said.is_plain(a));
            let all: Vec<String> = plain.map(|a| a.cents.to_string()).collect();
            if all.is_empty() {
                "none".into()
            } else {
                all.join(" ")
            }
        }
        "digits" => {
            let longest = said.digit_runs().into_iter().max_by_key(String::len);
            longest.unwrap_or_else(|| "none".into())
        }
        "phone" => mentions(phone(&said, field)),
        "item" => mentions(item(&said, &[item_of(field)], 0)),
        "street" => mentions(street(&said, field)),
        "city" => mentions(city(&said, &address_of(field))),
        "zip" => mentions(zip(&said, &address_of(field))),
        "state" => mentions(state(&said, &address_of(field))),
        "name" => mentions(name(&said, field, Role::Agent)),
        "method" if field == "pickup" => mentions(method(&said, DeliveryMethod::Pickup)),
        "method" => mentions(method(&said, DeliveryMethod::Delivery)),
        "total" => match answer::find_total(&said, cents(field)).0 {
            TotalSaid::Same => "same".into(),
            TotalSaid::Other => "other".into(),
            TotalSaid::None => "none".into(),
        },
        "answer" => match answer::read(words) {
            Answer::Affirms => "affirms".into(),
            Answer::Objects { .. } => "objects".into(),
            Answer::Neither => "neither".into(),
        },
        "middle" if answer::confirms(&said).is_some() => "confirms".into(),
        "middle" => "goes on".into(),
        other => panic!("no such kind: {other}"),
    }
}

#[test]
fn every_spoken_form_means_what_the_table_says() {
    let forms = forms();
    assert!(forms.len() >= 300, "{}", forms.len());
    let wrong: Vec<String> = forms
        .iter()
        .map(|[kind, words, field, expected]| {
            (kind, words, field, expected, meaning(kind, words, field))
        })
        .filter(|(.., expected, is)| **expected != is)
        .map(|(kind, words, field, expected, is)| {
            format!("{kind} {field:?} in {words:?}: {is}, not {expected}")
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_quote_is_the_fewest_words_that_say_it() {
    let quote = |words: &str, mention: Option<Mention>| {
        let said = Spoken::parse(words);
        mention
            .map(|m| said.raw(m.at).to_owned())
            .unwrap_or_default()
    };
    let words = "So that's two orders of wings, one Large pizza with pepperoni, to one twenty-three Main St., Los Angeles, CA, 9 0 0 0 1, for Dana W-H-I-T-F-I-E-L-D, phone three one oh, triple five, oh one four two, okay?";
    let said = Spoken::parse(words);
    let address = address_of("123 Main Street|Los Angeles|California|90001");
    let items = [item_of("1 large pepperoni")];
    for (mention, expected) in [
        (item(&said, &items, 0), "one Large pizza with pepperoni"),
        (part(&said, &items, 0, Part::Quantity), "one"),
        (part(&said, &items, 0, Part::Size), "Large"),
        (part(&said, &items, 0, Part::Topping(0)), "pepperoni"),
        (street(&said, &address.street), "one twenty-three Main St"),
        (city(&said, &address), "Los Angeles"),
        (state(&said, &address), "CA"),
        (zip(&said, &address), "9 0 0 0 1"),
        (
            name(&said, "Dana Whitfield", Role::Agent),
            "Dana W-H-I-T-F-I-E-L-D",
        ),
        (
            phone(&said, "+13105550142"),
            "three one oh, triple five, oh one four two",
        ),
    ] {
        assert_eq!(quote(words, mention), expected);
    }
}

/// Every mention of anything in the words.
fn all_mentions(said: &Spoken) -> Vec<Mention> {
    let items = [
        item_of("2 medium mushroom+olive"),
        item_of("1 garlic bread"),
    ];
    let address = address_of("45 N 5th Ave Apt 2|Los Angeles|CA|90001");
    let parts = [
        Part::Quantity,
        Part::Size,
        Part::Crust,
        Part::Name,
        Part::Notes,
        Part::Topping(1),
    ];
    let by_part = parts
        .iter()
        .flat_map(|p| [part(said, &items, 0, *p), part(said, &items[..1], 0, *p)]);
    by_part
        .chain([
            item(said, &items, 0),
            item(said, &items, 1),
            super::address(said, &address),
            street(said, &address.street),
            city(said, &address),
            state(said, &address),
            zip(said, &address),
            name(said, "Dana Bell", Role::Shop),
            phone(said, "+13105550142"),
            method(said, DeliveryMethod::Pickup),
        ])
        .flatten()
        .collect()
}

const VOCABULARY: &str = "two|medium|mushroom|olives|garlic|bread|sorry|make|that|no|, |. |? |forty|five|N|5th|fifth|Ave|apt|2|Los|Angeles|CA|9|oh|double|triple|Dana|Bell|B|E|L|for|is|name|pickup|delivery|three|one|dollars|$20.10|#|’|é|İ|large|a|hundred|of|them|D as in dog|total";

fn words() -> impl Strategy<Value = String> {
    let vocabulary: Vec<&'static str> = VOCABULARY.split('|').collect();
    prop::collection::vec(prop::sample::select(vocabulary), 0..25).prop_map(|words| words.join(" "))
}

/// A number below a thousand in words.
fn in_words(n: u64) -> String {
    const UNITS: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 10] = [
        "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    ];
    let at = |n: u64| usize::try_from(n).unwrap();
    match n {
        0..20 => UNITS[at(n)].into(),
        20..100 if n.is_multiple_of(10) => TENS[at(n / 10)].into(),
        20..100 => format!("{} {}", TENS[at(n / 10)], UNITS[at(n % 10)]),
        _ if n.is_multiple_of(100) => format!("{} hundred", UNITS[at(n / 100)]),
        _ => format!("{} hundred and {}", UNITS[at(n / 100)], in_words(n % 100)),
    }
}

proptest! {
    #[test]
    fn a_quote_occurs_in_its_turn_and_nothing_panics(text in prop_oneof![words(), ".{0,120}"]) {
        let said = Spoken::parse(&text);
        for mention in all_mentions(&said) {
            let place = said.place(mention.at.clone());
            prop_assert!(!place.is_empty(), "{mention:?}");
            prop_assert!(text.get(place).is_some(), "{mention:?}");
        }
        for amount in said.amounts() {
            prop_assert!(!said.raw(amount.tokens()).is_empty());
            let _ = said.is_plain(&amount);
        }
        let (answer, at) = answer::find(&said);
        prop_assert!(answer == Answer::Neither || !said.raw(at).is_empty() || text.is_empty());
        let _ = (answer::confirms(&said), answer::find_total(&said, Cents(2010)));
    }

    #[test]
    fn a_number_said_in_several_ways_is_the_same_number(n in 1u64..1000) {
        let words = in_words(n);
        for said in [words.clone(), words.replace(" and ", " "), words.replace(' ', "-"), n.to_string()] {
            prop_assert_eq!(Spoken::parse(&said).number_at(0), Some(n), "{}", said);
        }
        let street = Spoken::parse(&format!("{words} Main Street")).digits_before(
            Spoken::parse(&words).len(),
        );
        prop_assert_eq!(street, Some(n.to_string()));
    }

    #[test]
    fn a_price_said_in_several_ways_is_the_same_price(dollars in 2u64..1000, cents in 10u64..100) {
        // "Eight hundred ten" is 810.
        let dollars = if dollars % 100 == 0 { dollars + 1 } else { dollars };
        let (d, c) = (in_words(dollars), in_words(cents));
        for said in [
            format!("{d} {c}"),
            format!("{d} dollars and {c} cents"),
            format!("{d} dollars {c}"),
            format!("${dollars}.{cents}"),
            format!("Your total is {dollars} dollars {cents}."),
        ] {
            let amounts: Vec<Cents> = Spoken::parse(&said).amounts().iter().map(|a| a.cents).collect();
            prop_assert_eq!(amounts, [Cents(dollars * 100 + cents)], "{}", said);
        }
    }

    #[test]
    fn digits_round_trip(digits in "[0-9]{1,16}", breaks in any::<u16>()) {
        let names = ["oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
        let mut said = String::new();
        let mut rest = digits.as_str();
        let mut at = 0;
        while let Some(digit) = rest.chars().next() {
            let name = names[digit.to_digit(10).unwrap() as usize];
            let same = rest.chars().take_while(|c| *c == digit).count();
            let (word, taken) = match same {
                2 if breaks >> at & 1 == 1 => (format!("double {name}"), 2),
                3.. if breaks >> at & 1 == 1 => (format!("triple {name}"), 3),
                // "Oh" begins no number by itself.
                _ if said.is_empty() && digit == '0' => ("zero".into(), 1),
                _ => (name.into(), 1),
            };
            said.push_str(&word);
            said.push_str(if breaks >> (15 - at % 16) & 1 == 1 { ", " } else { " " });
            rest = rest.get(taken..).unwrap();
            at = (at + 1) % 16;
        }
        prop_assert_eq!(Spoken::parse(&said).digit_runs(), [digits]);
    }
}
