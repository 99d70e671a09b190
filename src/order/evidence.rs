//! What the transcript proves of the order. The model's word counts for nothing here: a field is
//! proven when it was read back in words that were heard, and the shop answered without objecting.

use super::money::Cents;
use super::spoken::{Spoken, is_denial};
use super::state::{DeliveryMethod, Item, OrderState};
use super::transcript::{Role, Transcript, Turn};
use serde::Serialize;

/// How well a field is established.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Never heard on the line.
    Unproven,
    /// Read back, and rejected by the shop.
    Contradicted,
    /// Heard, but not answered.
    Stated,
    /// Heard, then affirmed by the shop; or said by the shop.
    Proven,
}

/// The evidence for one field of the order.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldEvidence {
    /// JSON pointer into the outcome.
    pub pointer: String,
    /// How well it is established.
    pub proof: Proof,
    /// The turn in which it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said_in: Option<String>,
    /// The shop's turn that answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_in: Option<String>,
    /// What to read back, for the model; private, so not part of the outcome.
    #[serde(skip)]
    pub read_back: String,
}

/// The order cannot be complete without these.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Incomplete {
    /// No item was saved.
    NoItems,
    /// No customer was saved.
    NoCustomer,
    /// A delivery without an address.
    NoAddress,
}

impl Incomplete {
    /// For the outcome's warnings and the model.
    pub fn describe(self) -> &'static str {
        match self {
            Self::NoItems => "no order item was saved",
            Self::NoCustomer => "the customer's name, phone and delivery method were not saved",
            Self::NoAddress => "the delivery address was not saved",
        }
    }
}

/// What an order must have before it can be confirmed.
pub fn incomplete(order: &OrderState) -> Vec<Incomplete> {
    let mut missing = Vec::new();
    if order.items.is_empty() {
        missing.push(Incomplete::NoItems);
    }
    if order.customer.is_none() || order.delivery_method.is_none() {
        missing.push(Incomplete::NoCustomer);
    }
    if order.delivery_method == Some(DeliveryMethod::Delivery) && order.address.is_none() {
        missing.push(Incomplete::NoAddress);
    }
    missing
}

/// The evidence for every field that has to be read back.
pub fn read_back(order: &OrderState, transcript: &Transcript) -> Vec<FieldEvidence> {
    let lines = Lines::new(transcript);
    let mut fields: Vec<FieldEvidence> = order
        .items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            lines.find(format!("/order/items/{at}"), describe_item(item), |said| {
                says_item(said, item)
            })
        })
        .collect();
    if let Some(customer) = &order.customer {
        fields.push(lines.find(
            "/order/customer/phone".into(),
            format!("phone {}", customer.phone),
            |said| said.has_phone(&customer.phone),
        ));
    }
    match (order.delivery_method, &order.address) {
        (Some(DeliveryMethod::Delivery), Some(address)) => fields.push(lines.find(
            "/order/address".into(),
            format!("delivery to {}, {}", address.street, address.city),
            |said| says_street(said, &address.street),
        )),
        (Some(DeliveryMethod::Pickup), _) => {
            fields.push(lines.find(
                "/order/delivery_method".into(),
                "that it is for pickup".into(),
                says_pickup,
            ));
        }
        _ => {}
    }
    fields
}

/// The evidence for the total: the shop has to have said it.
pub fn total(amount: Cents, transcript: &Transcript) -> FieldEvidence {
    let said_by = |role: Role| {
        transcript.turns().iter().rfind(|turn| {
            turn.role == role && Spoken::parse(turn.heard_text()).amounts().contains(&amount)
        })
    };
    let (proof, turn) = match (said_by(Role::Shop), said_by(Role::Agent)) {
        (Some(turn), _) => (Proof::Proven, Some(turn)),
        (None, Some(turn)) => (Proof::Stated, Some(turn)),
        (None, None) => (Proof::Unproven, None),
    };
    FieldEvidence {
        pointer: "/order/totals/total".into(),
        proof,
        said_in: turn.map(|turn| turn.id.clone()),
        answered_in: None,
        read_back: "the total, by asking the shop for it".into(),
    }
}

/// The heard turns of the agent, each with the shop's next words.
struct Lines<'a> {
    agent: Vec<(&'a Turn, Spoken, Option<&'a Turn>)>,
}

impl<'a> Lines<'a> {
    fn new(transcript: &'a Transcript) -> Self {
        let turns = transcript.turns();
        let agent = turns
            .iter()
            .enumerate()
            .filter(|(_, turn)| turn.role == Role::Agent)
            .map(|(at, turn)| {
                let answer = turns
                    .iter()
                    .skip(at + 1)
                    .find(|t| t.role == Role::Shop && !t.heard_text().is_empty());
                (turn, Spoken::parse(turn.heard_text()), answer)
            });
        Self {
            agent: agent.collect(),
        }
    }

    /// The best evidence among all turns in which the field was said; the latest of the best.
    fn find(
        &self,
        pointer: String,
        read_back: String,
        says: impl Fn(&Spoken) -> bool,
    ) -> FieldEvidence {
        let best = self
            .agent
            .iter()
            .filter(|(_, said, _)| says(said))
            .map(|(turn, _, answer)| {
                let proof = match answer {
                    None => Proof::Stated,
                    Some(answer) if is_denial(answer.heard_text()) => Proof::Contradicted,
                    Some(_) => Proof::Proven,
                };
                (proof, *turn, *answer)
            })
            .max_by_key(|(proof, ..)| *proof);
        FieldEvidence {
            pointer,
            proof: best.map_or(Proof::Unproven, |(proof, ..)| proof),
            said_in: best.map(|(_, turn, _)| turn.id.clone()),
            answered_in: best.and_then(|(_, _, answer)| answer.map(|turn| turn.id.clone())),
            read_back,
        }
    }
}

fn says_item(said: &Spoken, item: &Item) -> bool {
    let size = item.size.is_none_or(|size| said.has_phrase(size.spoken()));
    // Nobody reads back "regular crust"; any other crust is part of the order.
    let crust = item.crust.as_deref().is_none_or(|crust| {
        let name = crust.trim().to_lowercase();
        let name = name.strip_suffix(" crust").unwrap_or(&name);
        matches!(name, "regular" | "standard" | "normal" | "classic") || said.has_phrase(name)
    });
    let toppings = item.toppings.iter().all(|topping| said.has_phrase(topping));
    let quantity = item.quantity <= 1 || said.has_number(u64::from(item.quantity));
    let named = item.size.is_some() || item.crust.is_some() || !item.toppings.is_empty();
    named && size && crust && toppings && quantity
}

/// House number and street name; "Street" or "Avenue" may be left out.
fn says_street(said: &Spoken, street: &str) -> bool {
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
    let words: Vec<&str> = street
        .split(|c: char| c.is_whitespace() || c == ',')
        .map(|w| w.trim_matches('.'))
        .filter(|w| !w.is_empty())
        .collect();
    words.iter().enumerate().all(|(at, word)| {
        let plain_number = word.bytes().all(|b| b.is_ascii_digit());
        let suffix = at > 0 && SUFFIXES.contains(&word.to_lowercase().as_str());
        suffix
            || if plain_number {
                said.has_digits(word)
            } else {
                said.has_phrase(word)
            }
    })
}

fn says_pickup(said: &Spoken) -> bool {
    [
        "pickup",
        "pick up",
        "picking up",
        "pick it up",
        "picked up",
        "collect",
        "collection",
        "carry out",
    ]
    .iter()
    .any(|p| said.has_phrase(p))
}

fn describe_item(item: &Item) -> String {
    let mut words = vec![item.quantity.to_string()];
    words.extend(item.size.map(|size| size.spoken().to_owned()));
    words.extend(
        item.crust
            .clone()
            .map(|crust| format!("with {crust} crust")),
    );
    if !item.toppings.is_empty() {
        words.push(format!("with {}", item.toppings.join(", ")));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::state::{Address, Customer, Size};

    fn order() -> OrderState {
        OrderState {
            items: vec![Item {
                size: Some(Size::Large),
                crust: Some("regular".into()),
                toppings: vec!["pepperoni".into()],
                quantity: 1,
            }],
            delivery_method: Some(DeliveryMethod::Delivery),
            customer: Some(Customer {
                name: "Dana Whitfield".into(),
                phone: "+13105550142".into(),
            }),
            address: Some(Address {
                street: "123 Main St".into(),
                city: "Los Angeles".into(),
                state: "CA".into(),
                zip: "90001".into(),
            }),
            totals: None,
        }
    }

    const READ_BACK: &str = "So that's one large pepperoni pizza, delivered to one twenty three Main Street, phone three one oh, five five five, oh one four two.";

    fn heard(t: &mut Transcript, id: &str, words: &str, share: u64) {
        t.agent_words(id, 0, words);
        t.agent_audio(id, 0, 100);
        t.agent_heard(id, share);
    }

    fn proofs(t: &Transcript) -> Vec<Proof> {
        read_back(&order(), t).iter().map(|f| f.proof).collect()
    }

    #[test]
    fn a_heard_read_back_and_an_answer_prove_every_field() {
        let mut t = Transcript::default();
        heard(&mut t, "a", READ_BACK, 100);
        assert_eq!(proofs(&t), [Proof::Stated; 3]);
        t.shop_words("s", 0, "Yes. Your total is twenty ten.");
        assert_eq!(proofs(&t), [Proof::Proven; 3]);
        assert_eq!(total(Cents(2010), &t).proof, Proof::Proven);
    }

    #[test]
    fn words_that_were_not_heard_prove_nothing() {
        let mut t = Transcript::default();
        heard(&mut t, "a", READ_BACK, 0);
        t.shop_words("s", 0, "Yes.");
        assert_eq!(proofs(&t), [Proof::Unproven; 3]);
    }

    #[test]
    fn an_interrupted_read_back_proves_only_what_was_heard_of_it() {
        let mut t = Transcript::default();
        heard(&mut t, "a", READ_BACK, 40);
        t.agent_cut("a");
        t.shop_words("s", 0, "Okay, what was the address?");
        assert_eq!(
            proofs(&t),
            [Proof::Proven, Proof::Unproven, Proof::Unproven]
        );
    }

    #[test]
    fn a_rejected_read_back_is_contradicted_until_a_better_one() {
        let mut t = Transcript::default();
        heard(&mut t, "a", READ_BACK, 100);
        t.shop_words("s", 0, "No, that's not what I have.");
        assert_eq!(proofs(&t), [Proof::Contradicted; 3]);
        heard(&mut t, "b", READ_BACK, 100);
        t.shop_words("s2", 0, "Right.");
        assert_eq!(proofs(&t), [Proof::Proven; 3]);
    }

    #[test]
    fn a_changed_value_is_not_proven_by_the_old_read_back() {
        let mut t = Transcript::default();
        heard(&mut t, "a", READ_BACK, 100);
        t.shop_words("s", 0, "Yes.");
        let mut changed = order();
        changed.items[0].toppings = vec!["mushrooms".into()];
        changed.address.as_mut().unwrap().street = "124 Main St".into();
        let proofs: Vec<Proof> = read_back(&changed, &t).iter().map(|f| f.proof).collect();
        assert_eq!(proofs, [Proof::Unproven, Proof::Proven, Proof::Unproven]);
    }

    #[test]
    fn the_total_needs_the_shops_own_words() {
        let mut t = Transcript::default();
        heard(&mut t, "a", "So the total is twenty ten?", 100);
        assert_eq!(total(Cents(2010), &t).proof, Proof::Stated);
        assert_eq!(total(Cents(2011), &t).proof, Proof::Unproven);
    }

    #[test]
    fn an_order_without_its_parts_is_incomplete() {
        assert_eq!(
            incomplete(&OrderState::default()),
            [Incomplete::NoItems, Incomplete::NoCustomer]
        );
        let mut o = order();
        assert_eq!(incomplete(&o), []);
        o.address = None;
        assert_eq!(incomplete(&o), [Incomplete::NoAddress]);
        o.delivery_method = Some(DeliveryMethod::Pickup);
        assert_eq!(incomplete(&o), []);
    }
}
