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
    for turn in transcript.shop_turns() {
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
    let said = transcript.shop_turns().filter(states).last();
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
        let shop_from = |at: usize| {
            turns
                .iter()
                .enumerate()
                .skip(at)
                .filter(|(_, t)| t.role == Role::Shop && !t.heard_text().is_empty())
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
        t.agent_complete(id);
        t.agent_heard(id, share);
    }

    fn proofs_of(order: &OrderState, t: &Transcript) -> Vec<Proof> {
        let pointers = ["/order/items/0", "/order/customer/phone", "/order/address"];
        let fields = read_back(order, t);
        pointers
            .iter()
            .filter_map(|p| fields.iter().find(|f| f.pointer == *p))
            .map(|f| f.proof)
            .collect()
    }

    fn proofs(t: &Transcript) -> Vec<Proof> {
        proofs_of(&order(), t)
    }

    /// Whether a read-back and the shop's answer leave nothing open.
    fn enough(order: &OrderState, read_back_words: &str, answer: &str) -> bool {
        let mut t = Transcript::default();
        heard(&mut t, "a", read_back_words, 100);
        t.shop_words("s", 0, answer);
        read_back(order, &t)
            .iter()
            .chain([&total(Cents(2010), &t)])
            .all(FieldEvidence::is_enough)
    }

    const ANSWER: &str = "Yes. Seventeen fifty, twenty ten with tax.";

    #[test]
    fn a_heard_read_back_and_an_answer_prove_every_field() {
        let mut t = Transcript::default();
        heard(&mut t, "a", READ_BACK, 100);
        assert_eq!(proofs(&t), [Proof::Stated; 3]);
        t.shop_words("s", 0, "Yes. Your total is twenty ten.");
        assert_eq!(proofs(&t), [Proof::Proven; 3]);
        assert!(enough(&order(), READ_BACK, ANSWER));
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
    fn a_later_rejection_takes_an_agreement_back() {
        let mut t = Transcript::default();
        heard(&mut t, "a", READ_BACK, 100);
        t.shop_words("s", 0, "Yes.");
        heard(&mut t, "b", READ_BACK, 100);
        t.shop_words("s2", 0, "No, that's wrong.");
        assert_eq!(proofs(&t), [Proof::Contradicted; 3]);
        let mut t = Transcript::default();
        heard(&mut t, "a", READ_BACK, 100);
        t.shop_words("s", 0, "Yes.");
        heard(&mut t, "b", "Thank you, goodbye!", 100);
        t.shop_words("s2", 0, "Wait, we can't deliver there.");
        assert_eq!(proofs(&t), [Proof::Contradicted; 3], "whatever it answered");
    }

    #[test]
    fn a_mention_without_an_answer_does_not_undo_an_agreement() {
        let mut t = Transcript::default();
        heard(&mut t, "a", READ_BACK, 100);
        t.shop_words("s", 0, "Yes.");
        heard(&mut t, "b", "Great, one large pepperoni it is. Bye!", 100);
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
        assert_eq!(
            proofs_of(&changed, &t),
            [Proof::Unproven, Proof::Proven, Proof::Unproven]
        );
    }

    #[test]
    fn an_answer_that_does_not_agree_proves_nothing() {
        for answer in [
            "What? I didn't get that. Seventeen fifty, total is twenty ten.",
            "Sorry, we are closed. It would have been seventeen fifty, twenty ten.",
            "Yes, but we can't deliver to that address. Seventeen fifty, twenty ten.",
            "We're out of pepperoni, seventeen fifty, total would be 20.10 with mushrooms.",
            "So two large pepperoni, right? That's seventeen fifty, twenty ten.",
            "Okay, two large ham. Seventeen fifty. Total is twenty ten.",
            "Okay, I have no pepperoni today. Seventeen fifty, twenty ten.",
            "We're not taking orders right now. It is usually seventeen fifty, twenty ten.",
            "Okay, phone number 310 555 0143, seventeen fifty, twenty ten.",
            "Is that a pickup? Seventeen fifty. Total 20.10",
        ] {
            assert!(!enough(&order(), READ_BACK, answer), "{answer}");
        }
    }

    #[test]
    fn what_was_read_back_wrong_is_not_confirmed() {
        for (words, wrong) in [
            ("one twenty three Main", "three twenty one Main"),
            ("one large", "two large"),
            ("one large", "large thin crust"),
            ("delivered to", "for pickup at"),
            ("Main Street", "Main Street, 6 0 6 0 1"),
            ("phone", "for Bob Smith, phone"),
            ("pepperoni", "ham"),
            ("one four two", "one four three"),
        ] {
            assert!(READ_BACK.contains(words));
            assert!(
                !enough(&order(), &READ_BACK.replace(words, wrong), ANSWER),
                "{wrong}"
            );
        }
        for (words, fine) in [
            ("one large", "a large"),
            (
                "Main Street",
                "Main Street, Los Angeles, California, 9 0 0 0 1",
            ),
            ("phone", "for Dana Whitfield, phone"),
            ("one large", "one large regular crust"),
        ] {
            assert!(
                enough(&order(), &READ_BACK.replace(words, fine), ANSWER),
                "{fine}"
            );
        }
    }

    #[test]
    fn each_of_several_items_has_its_own_words() {
        let item = |size, topping: &str| Item {
            size: Some(size),
            crust: None,
            toppings: vec![topping.into()],
            quantity: 1,
        };
        let two = OrderState {
            items: vec![
                item(Size::Large, "pepperoni"),
                item(Size::Large, "mushrooms"),
            ],
            ..order()
        };
        let rest =
            " delivered to 123 Main Street, phone three one oh, five five five, oh one four two.";
        assert!(enough(
            &two,
            &format!("One large pepperoni and one large mushroom,{rest}"),
            ANSWER
        ));
        for wrong in [
            "two large pepperoni, one large mushrooms",
            "one large pepperoni, one large mushrooms and three large ham",
            "one large pepperoni mushrooms, one large ham",
        ] {
            assert!(
                !enough(&two, &format!("So {wrong},{rest}"), ANSWER),
                "{wrong}"
            );
        }
    }

    #[test]
    fn digits_of_one_field_do_not_prove_another() {
        let elsewhere = "So that's one large pepperoni pizza, delivered to 321 Main Street, phone 3 1 0, 5 5 5, 0 1 4 2, extension 1 2 3.";
        assert!(!enough(&order(), elsewhere, ANSWER));
        let mut three = order();
        three.items[0].quantity = 3;
        assert!(!enough(&three, READ_BACK, ANSWER));
        assert!(enough(
            &three,
            &READ_BACK.replace("one large pepperoni pizza", "three large pepperoni pizzas"),
            ANSWER
        ));
    }

    #[test]
    fn the_amounts_need_the_shops_own_words() {
        let proofs = |t: &Transcript| {
            (
                subtotal(Cents(1750), Cents(2010), t).proof,
                total(Cents(2010), t).proof,
            )
        };
        let mut t = Transcript::default();
        heard(
            &mut t,
            "a",
            "So the subtotal is seventeen fifty and the total is twenty ten?",
            100,
        );
        assert_eq!(proofs(&t), (Proof::Unproven, Proof::Unproven));
        t.shop_words("s", 0, "Yes right. The total is 20.10.");
        assert_eq!(
            proofs(&t),
            (Proof::Unproven, Proof::Proven),
            "nobody at the shop said a subtotal"
        );
        assert_eq!(subtotal(Cents(2010), Cents(2010), &t).proof, Proof::Proven);
        t.shop_words(
            "s2",
            0,
            "Actually I made a mistake. The total is twenty five dollars and sixty cents.",
        );
        assert_eq!(proofs(&t), (Proof::Unproven, Proof::Contradicted));
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
