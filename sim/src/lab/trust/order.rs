//! What a customer wants, how the agent says it, and what the tools are called with.

use super::super::signals::Random;
use super::spoken::{chance, digits, house, pick, quantity};
use serde_json::{Value, json};

const SIZES: [(&str, &str); 4] = [
    ("small", "small"),
    ("medium", "medium"),
    ("large", "large"),
    ("xl", "extra large"),
];
const CRUSTS: [&str; 4] = ["regular", "regular", "thin", "thick"];
const TOPPINGS: [&str; 12] = [
    "pepperoni",
    "mushrooms",
    "olives",
    "sausage",
    "onions",
    "green peppers",
    "ham",
    "pineapple",
    "spinach",
    "bacon",
    "tomatoes",
    "extra cheese",
];
const FIRST: [&str; 10] = [
    "Dana", "Marcus", "Priya", "Owen", "Elena", "Victor", "Amira", "Carlos", "Mei", "Sofia",
];
const LAST: [&str; 10] = [
    "Whitfield",
    "Bell",
    "Raman",
    "Fletcher",
    "Petrova",
    "Nguyen",
    "Hassan",
    "Ortega",
    "Lindqvist",
    "Moreau",
];
const STREETS: [&str; 10] = [
    "Main Street",
    "Sunset Boulevard",
    "Maple Street",
    "Ocean Avenue",
    "Lake Avenue",
    "Oak Drive",
    "Cedar Lane",
    "Willow Road",
    "Fairfax Avenue",
    "Highland Court",
];
const CITIES: [&str; 4] = ["Los Angeles", "Pasadena", "Glendale", "Santa Monica"];

/// A value at a place of the outcome, made comparable by [`plain`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fact {
    /// JSON pointer into the outcome.
    pub(super) pointer: String,
    pub(super) value: String,
}

/// Before the place of a fact of which the words so far are a part that may do.
pub(super) const PARTLY: &str = "partly ";

/// A fact.
pub(super) fn fact(pointer: impl Into<String>, value: &str) -> Fact {
    Fact {
        pointer: pointer.into(),
        value: plain(value),
    }
}

/// The letters and digits of a value, in lower case; of a phone number its last ten digits.
pub(super) fn plain(value: &str) -> String {
    let value: String = value
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let is_phone = value.len() > 10 && value.bytes().all(|b| b.is_ascii_digit());
    match value.len().checked_sub(10) {
        Some(at) if is_phone => value[at..].to_owned(),
        _ => value,
    }
}

/// Words with the facts that they tell.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) facts: Vec<Fact>,
}

/// Words that tell nothing of the order.
pub(super) fn plain_words(text: impl Into<String>) -> Piece {
    Piece {
        text: text.into(),
        facts: Vec::new(),
    }
}

/// Words that tell this.
pub(super) fn tells(text: impl Into<String>, facts: Vec<Fact>) -> Piece {
    Piece {
        text: text.into(),
        facts,
    }
}

/// One thing to eat.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Word of the API, and of people.
    pub(super) size: (&'static str, &'static str),
    pub(super) crust: &'static str,
    pub(super) toppings: Vec<&'static str>,
    pub(super) quantity: u64,
}

/// The whole order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) items: Vec<Item>,
    pub(super) delivery: bool,
    pub(super) name: String,
    /// Ten digits.
    pub(super) phone: String,
    pub(super) house: u64,
    pub(super) street: &'static str,
    pub(super) city: &'static str,
    pub(super) zip: String,
    /// In cents.
    pub(super) subtotal: u64,
    pub(super) total: u64,
}

impl Item {
    pub(super) fn new(random: &mut Random) -> Self {
        let mut toppings = TOPPINGS.to_vec();
        let mut chosen = Vec::new();
        for _ in 0..=random.below(2) {
            chosen.push(toppings.remove(random.below(toppings.len())));
        }
        Self {
            size: SIZES[random.below(SIZES.len())],
            crust: CRUSTS[random.below(CRUSTS.len())],
            toppings: chosen,
            quantity: [1, 1, 2, 2, 3, 4, 6, 12][random.below(8)],
        }
    }

    /// A topping that this has not.
    pub(super) fn other_topping(&self, random: &mut Random) -> &'static str {
        let others: Vec<&str> = TOPPINGS
            .into_iter()
            .filter(|topping| !self.toppings.contains(topping))
            .collect();
        pick(random, &others)
    }

    /// Another size.
    pub(super) fn other_size(&self, random: &mut Random) -> (&'static str, &'static str) {
        let at = SIZES.iter().position(|size| *size == self.size);
        SIZES[(at.unwrap_or(0) + 1 + random.below(SIZES.len() - 1)) % SIZES.len()]
    }

    fn json(&self) -> Value {
        json!({"size": self.size.0, "crust": self.crust, "toppings": self.toppings, "quantity": self.quantity})
    }

    /// The words for it, as item number `at` of the order.
    pub(super) fn said(&self, random: &mut Random, at: usize) -> Vec<Piece> {
        let pointer = |field: &str| format!("/order/items/{at}/{field}");
        let crust = fact(pointer("crust"), self.crust);
        let says_crust = self.crust != "regular" || chance(random, 40);
        let many = if self.quantity == 1 {
            "pizza"
        } else {
            "pizzas"
        };
        let toppings: Vec<Piece> = self
            .toppings
            .iter()
            .enumerate()
            .map(|(n, topping)| {
                let and = if n > 0 { "and " } else { "" };
                tells(
                    format!("{and}{topping}"),
                    vec![fact(pointer(&format!("toppings/{n}")), topping)],
                )
            })
            .collect();
        let mut said = vec![
            tells(
                quantity(random, self.quantity),
                vec![fact(pointer("quantity"), &self.quantity.to_string())],
            ),
            tells(self.size.1, vec![fact(pointer("size"), self.size.0)]),
        ];
        let partly = fact(format!("{PARTLY}{}", crust.pointer), &crust.value);
        let crust = [tells(self.crust, vec![partly]), tells("crust", vec![crust])];
        match random.below(3) {
            0 => {
                said.extend(toppings);
                said.push(plain_words(many));
                if says_crust {
                    said.push(plain_words("with"));
                    said.extend(crust);
                }
            }
            1 => {
                if says_crust {
                    said.extend(crust);
                }
                said.extend([plain_words(many), plain_words("with")]);
                said.extend(toppings);
            }
            _ => {
                said.extend([plain_words(many), plain_words("with")]);
                said.extend(toppings);
                if says_crust {
                    said.push(plain_words("on"));
                    said.extend(crust);
                }
            }
        }
        said
    }
}

impl Order {
    pub(super) fn new(random: &mut Random) -> Self {
        let below = |random: &mut Random, n: usize| random.below(n) as u64;
        let first = pick(random, &FIRST);
        let name = format!("{first} {}", pick(random, &LAST));
        // A dollar each at least, of two dozen.
        let subtotal = 2_500 + below(random, 5_000);
        let mut total = subtotal + subtotal / 10 + below(random, 300);
        if chance(random, 15) {
            total -= total % 100;
        }
        let total = total.max(subtotal + 5);
        Self {
            items: vec![Item::new(random)],
            delivery: true,
            name,
            phone: format!("310555{:04}", 100 + below(random, 9_800)),
            house: 2 + below(random, 997),
            street: pick(random, &STREETS),
            city: pick(random, &CITIES),
            zip: format!("9{:04}", below(random, 1_400)),
            subtotal,
            total,
        }
    }

    /// `order` of the request.
    pub(super) fn request(&self) -> Value {
        let items: Vec<Value> = self.items.iter().map(Item::json).collect();
        let mut order = json!({"items": items, "delivery_method": self.method(),
            "customer": {"name": self.name, "phone": self.e164()}});
        if self.delivery {
            order["address"] = self.address_arguments();
        }
        order
    }

    /// Arguments of `save_order_item`; the item takes the place of the one saved before.
    pub(super) fn item_arguments(&self, at: usize, replaces: bool) -> Value {
        let mut arguments = self.items[at].json();
        if replaces {
            arguments["replaces"] = json!(at + 1);
        }
        arguments
    }

    pub(super) fn customer_arguments(&self) -> Value {
        json!({"name": self.name, "phone": self.e164(), "delivery_method": self.method()})
    }

    pub(super) fn address_arguments(&self) -> Value {
        json!({"street": self.street_line(), "city": self.city, "state": "CA", "zip": self.zip})
    }

    pub(super) fn street_line(&self) -> String {
        format!("{} {}", self.house, self.street)
    }

    pub(super) fn e164(&self) -> String {
        format!("+1{}", self.phone)
    }

    fn method(&self) -> &'static str {
        if self.delivery { "delivery" } else { "pickup" }
    }

    /// The words for all items.
    pub(super) fn items_said(&self, random: &mut Random) -> Vec<Piece> {
        let mut said = Vec::new();
        for (at, item) in self.items.iter().enumerate() {
            if at > 0 {
                said.push(plain_words("and"));
            }
            said.extend(item.said(random, at));
        }
        comma(said)
    }

    pub(super) fn phone_said(&self, random: &mut Random) -> Vec<Piece> {
        let lead = pick(random, &["phone", "phone number", "the number is"]);
        comma(vec![
            plain_words(lead),
            tells(
                digits(random, &self.phone),
                vec![fact("/order/customer/phone", &self.phone)],
            ),
        ])
    }

    pub(super) fn name_said(&self, random: &mut Random) -> Vec<Piece> {
        let lead = pick(random, &["the name is", "under the name", "name"]);
        comma(vec![
            plain_words(lead),
            tells(
                self.name.clone(),
                vec![fact("/order/customer/name", &self.name)],
            ),
        ])
    }

    /// Where it goes, or that it is picked up.
    pub(super) fn place_said(&self, random: &mut Random) -> Vec<Piece> {
        let (city, zip) = (chance(random, 70), chance(random, 50));
        self.place(random, city, zip)
    }

    fn place(&self, random: &mut Random, city: bool, zip: bool) -> Vec<Piece> {
        let method =
            |words: &str, method| tells(words, vec![fact("/order/delivery_method", method)]);
        if !self.delivery {
            let words = pick(random, &["for pickup", "to pick up", "for pick up"]);
            return comma(vec![method(words, "pickup")]);
        }
        let lead = pick(random, &["delivery to", "delivered to", "for delivery to"]);
        // People leave out "Street" and "Avenue".
        let (name, kind) = self.street.split_once(' ').unwrap_or_default();
        let street = fact("/order/address/street", &self.street_line());
        let partly = fact(format!("{PARTLY}{}", street.pointer), &street.value);
        let mut said = comma(vec![
            method(lead, "delivery"),
            tells(
                format!("{} {name}", house(random, self.house)),
                vec![partly],
            ),
            tells(kind, vec![street]),
        ]);
        if city {
            said.extend(comma(vec![tells(
                self.city,
                vec![fact("/order/address/city", self.city)],
            )]));
        }
        if zip {
            said.extend(comma(vec![tells(
                digits(random, &self.zip),
                vec![fact("/order/address/zip", &self.zip)],
            )]));
        }
        said
    }

    /// Everything, in one go.
    pub(super) fn all_said(&self, random: &mut Random) -> Vec<Piece> {
        let mut said = self.items_said(random);
        said.extend(self.place_said(random));
        if chance(random, 60) {
            said.extend(self.name_said(random));
        }
        said.extend(self.phone_said(random));
        said
    }

    /// The same, and nothing is left out.
    pub(super) fn all_said_fully(&self, random: &mut Random) -> Vec<Piece> {
        let mut said = self.items_said(random);
        said.extend(self.place(random, true, true));
        said.extend(self.name_said(random));
        said.extend(self.phone_said(random));
        said
    }
}

/// A pause behind the last word.
fn comma(mut said: Vec<Piece>) -> Vec<Piece> {
    if let Some(last) = said.last_mut() {
        last.text.push(',');
    }
    said
}
