//! What the transcript proves of the order. The model's word counts for nothing here: a field is
//! proven when it was read back in words that were heard, and the shop answered without objecting.

use super::answer::{self, Answer, TotalSaid, total_said};
use super::mention;
use super::money::Cents;
use super::spoken::Spoken;
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
    /// How well it must be for the order to be confirmed.
    #[serde(skip)]
    pub needed: Proof,
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

impl FieldEvidence {
    /// Whether it is established well enough, and not contradicted.
    pub fn is_enough(&self) -> bool {
        self.proof >= self.needed && self.proof != Proof::Contradicted
    }

    /// Whether it was heard at all, where that is needed.
    pub fn was_heard(&self) -> bool {
        self.proof >= self.needed.min(Proof::Stated) && self.proof != Proof::Contradicted
    }
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

/// The evidence for every field of the order except the amounts.
pub fn read_back(order: &OrderState, transcript: &Transcript) -> Vec<FieldEvidence> {
    let lines = Lines::new(transcript);
    let items = &order.items;
    let never = |_: &Spoken| false;
    let mut fields: Vec<FieldEvidence> = items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let says = |said: &Said<'_>| mention::item(&said.words, items, at);
            let objects = |shop: &Spoken| mention::item_is_contradicted(shop, items, at);
            lines.find(
                format!("/order/items/{at}"),
                Proof::Proven,
                describe_item(item),
                says,
                objects,
            )
        })
        .collect();
    if let Some(customer) = &order.customer {
        let (phone, name) = (&customer.phone, &customer.name);
        let says = |said: &Said<'_>| mention::phone(&said.words, phone);
        let objects = |shop: &Spoken| mention::phone_is_contradicted(shop, phone);
        fields.push(lines.find(
            "/order/customer/phone".into(),
            Proof::Proven,
            format!("phone {phone}"),
            says,
            objects,
        ));
        // Not every shop wants a name: it has to be right if one was said.
        let says = |said: &Said<'_>| mention::name(said.turn.heard_text(), &said.words, name);
        fields.push(lines.find(
            "/order/customer/name".into(),
            Proof::Unproven,
            format!("the name {name}"),
            says,
            never,
        ));
    }
    if let Some(method) = order.delivery_method {
        // An address that was read back says "delivery" by itself; pickup has to be said.
        let (needed, words) = match method {
            DeliveryMethod::Delivery => (Proof::Unproven, "that it is for delivery"),
            DeliveryMethod::Pickup => (Proof::Stated, "that it is for pickup"),
        };
        let says = |said: &Said<'_>| mention::method(&said.words, method);
        fields.push(lines.find(
            "/order/delivery_method".into(),
            needed,
            words.into(),
            says,
            never,
        ));
    }
    if let (Some(DeliveryMethod::Delivery), Some(address)) = (order.delivery_method, &order.address)
    {
        let words = format!(
            "delivery to {}, {}, {}",
            address.street, address.city, address.zip
        );
        let says = |said: &Said<'_>| mention::address(&said.words, address);
        fields.push(lines.find("/order/address".into(), Proof::Proven, words, says, never));
    }
    fields
}

/// The evidence for the total: the shop has to have said it, and not taken it back.
pub fn total(amount: Cents, transcript: &Transcript) -> FieldEvidence {
    let mut said = (Proof::Unproven, None);
    for turn in transcript.shop_turns().filter(|turn| counts(turn)) {
        said = match total_said(turn.heard_text(), amount) {
            TotalSaid::Same => (Proof::Proven, Some(turn)),
            TotalSaid::Other if said.1.is_some() => (Proof::Contradicted, Some(turn)),
            TotalSaid::Other | TotalSaid::None => said,
        };
    }
    amount_field("total", said.0, said.1)
}

/// The evidence for the subtotal: the shop has to have said it. Where it named one amount only,
/// that is both.
pub fn subtotal(amount: Cents, total_amount: Cents, transcript: &Transcript) -> FieldEvidence {
    if amount == total_amount {
        return FieldEvidence {
            pointer: "/order/totals/subtotal".into(),
            ..total(total_amount, transcript)
        };
    }
    let states = |turn: &&Turn| {
        Spoken::parse(turn.heard_text())
            .amounts()
            .iter()
            .any(|a| a.cents == amount)
    };
    let said = transcript
        .shop_turns()
        .filter(|turn| counts(turn))
        .filter(states)
        .last();
    amount_field(
        "subtotal",
        if said.is_some() {
            Proof::Proven
        } else {
            Proof::Unproven
        },
        said,
    )
}

/// Whether a turn of the shop can be evidence. An acknowledgement came before the agent had said
/// what it would answer: it counts only if it objects.
fn counts(turn: &Turn) -> bool {
    turn.acknowledges.is_none() || matches!(answer::read(turn.heard_text()), Answer::Objects { .. })
}

fn amount_field(name: &str, proof: Proof, turn: Option<&Turn>) -> FieldEvidence {
    FieldEvidence {
        pointer: format!("/order/totals/{name}"),
        proof,
        needed: Proof::Proven,
        said_in: turn.map(|turn| turn.id.clone()),
        answered_in: None,
        read_back: "the total with taxes and fees, by asking the shop for it".into(),
    }
}

/// A heard turn of the agent.
struct Said<'a> {
    turn: &'a Turn,
    words: Spoken,
    /// What the shop made of it, and in which turn.
    answer: Option<(Answer, &'a Turn)>,
    /// Position among all turns.
    at: usize,
}

/// The heard turns of the agent.
struct Lines<'a> {
    agent: Vec<Said<'a>>,
    /// Position of the shop's last objection that stands whatever was asked.
    last_objection: Option<(usize, &'a Turn)>,
}

/// How many turns of the shop may pass until it answers.
const ANSWER_WITHIN: usize = 3;

impl<'a> Lines<'a> {
    fn new(transcript: &'a Transcript) -> Self {
        let turns = transcript.turns();
        let shop_from =
            |at: usize| {
                turns.iter().enumerate().skip(at).filter(|(_, t)| {
                    t.role == Role::Shop && !t.heard_text().is_empty() && counts(t)
                })
            };
        let agent = turns
            .iter()
            .enumerate()
            .filter(|(_, turn)| turn.role == Role::Agent)
            .map(|(at, turn)| {
                let answers = shop_from(at + 1)
                    .take(ANSWER_WITHIN)
                    .map(|(_, t)| (answer::read(t.heard_text()), t));
                let answer = answers
                    .into_iter()
                    .find(|(answer, _)| *answer != Answer::Neither);
                Said {
                    turn,
                    words: Spoken::parse(turn.heard_text()),
                    answer,
                    at,
                }
            });
        let objects =
            |turn: &Turn| answer::read(turn.heard_text()) == Answer::Objects { firmly: true };
        Self {
            agent: agent.collect(),
            last_objection: shop_from(0).rfind(|(_, t)| objects(t)),
        }
    }

    /// The evidence for one field. `says` tells whether a turn says it, says something else in its
    /// place, or does not mention it; `objects` whether the shop's answer says something else. What
    /// was answered last counts.
    fn find(
        &self,
        pointer: String,
        needed: Proof,
        read_back: String,
        says: impl Fn(&Said<'a>) -> Option<bool>,
        objects: impl Fn(&Spoken) -> bool,
    ) -> FieldEvidence {
        let mut best: Option<(Proof, &Said<'a>, Option<&'a Turn>)> = None;
        for said in &self.agent {
            let proof = match (says(said), said.answer) {
                (None, _) => continue,
                (Some(true), Some((Answer::Affirms, shop)))
                    if objects(&Spoken::parse(shop.heard_text())) =>
                {
                    Proof::Contradicted
                }
                (Some(true), Some((Answer::Affirms, _))) => Proof::Proven,
                (Some(false), _) | (Some(true), Some((Answer::Objects { .. }, _))) => {
                    Proof::Contradicted
                }
                (Some(true), _) => Proof::Stated,
            };
            // Said once more without an answer: what was answered before still holds.
            if proof != Proof::Stated || best.is_none_or(|(known, ..)| known != Proof::Proven) {
                best = Some((proof, said, said.answer.map(|(_, turn)| turn)));
            }
        }
        if let (Some((proof, said, answer)), Some((at, objection))) =
            (&mut best, self.last_objection)
            && at > said.at
        {
            (*proof, *answer) = (Proof::Contradicted, Some(objection));
        }
        FieldEvidence {
            pointer,
            proof: best.map_or(Proof::Unproven, |(proof, ..)| proof),
            needed,
            said_in: best.map(|(_, said, _)| said.turn.id.clone()),
            answered_in: best.and_then(|(_, _, answer)| answer.map(|turn| turn.id.clone())),
            read_back,
        }
    }
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
mod tests;
