//! The families of conversations. Each writes down what is said, what it means, and how the call
//! must end; the seed draws the order, the words, the delays and the order of events.

mod liars;
mod line;
mod money;
mod orders;
mod otherwise;
mod people;
mod read_back;

use super::order::{Piece, plain_words};
use super::plan::{End, Means, Plan, call, says, total_call};
use super::speech::Voices;
use super::talk::{Refused, Talk};
use crate::scenario::ToolCall;

/// One family.
pub(super) struct Family {
    pub(super) name: &'static str,
    /// One line for people.
    pub(super) about: &'static str,
    write: fn(&mut Talk<'_>),
}

impl Family {
    /// The conversation of this seed.
    pub(super) fn plan(&self, voices: &Voices, seed: u64) -> anyhow::Result<Plan> {
        let letters = self.name.bytes();
        let mixed = letters.fold(seed, |sum, letter| {
            sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(letter)
        });
        let mut talk = Talk::new(voices, mixed);
        (self.write)(&mut talk);
        talk.finish(self.name, seed)
    }
}

/// All of them.
pub(super) fn all() -> Vec<&'static Family> {
    [
        orders::FAMILIES,
        otherwise::FAMILIES,
        read_back::FAMILIES,
        money::FAMILIES,
        people::FAMILIES,
        line::FAMILIES,
        liars::FAMILIES,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The model that calls everything and says nothing has more seeds than the others.
pub(super) const LYING: &str = "lying-model";

const WHAT: [&str; 5] = [
    "Sure, what would you like?",
    "What can I get you?",
    "Go ahead.",
    "Yes, what'll it be?",
    "I'm listening.",
];

/// The phone is picked up, and the shop asks what it is to be.
fn begins(talk: &mut Talk<'_>) {
    talk.opens();
    let what = talk.pick(&WHAT);
    talk.shop(says(what, vec![Means::Notes]));
}

/// The order and the customer's details, one after the other; the read-back is the agent's next
/// line.
fn orders(talk: &mut Talk<'_>) {
    begins(talk);
    items(talk);
    details(talk);
    anything_else(talk);
}

fn items(talk: &mut Talk<'_>) {
    let lead = talk.pick(&["I'd like", "Can I have", "We'd like", "Please make me"]);
    let mut words = vec![plain_words(lead)];
    words.extend(talk.order.items_said(&mut talk.random));
    words.push(plain_words("please."));
    let saves = saves(talk);
    talk.agent(&words, saves);
}

fn saves(talk: &Talk<'_>) -> Vec<ToolCall> {
    let save = |at| call("save_order_item", talk.order.item_arguments(at, false));
    (0..talk.order.items.len()).map(save).collect()
}

fn sets(talk: &Talk<'_>) -> Vec<ToolCall> {
    let mut calls = vec![call("set_customer", talk.order.customer_arguments())];
    if talk.order.delivery {
        calls.push(call("set_address", talk.order.address_arguments()));
    }
    calls
}

fn details(talk: &mut Talk<'_>) {
    let noted = talk.chance(50);
    let ask = match (talk.order.delivery, noted) {
        (true, true) => talk.pick(&[
            "Okay. What's the name, the address, and a phone number?",
            "Got it. Where to, and what's your number?",
        ]),
        (true, false) => talk.pick(&[
            "What's the address and the phone number?",
            "Where should it go, and what's the name and the number?",
        ]),
        (false, true) => "Okay. What's the name, and a phone number?",
        (false, false) => "Who's picking it up, and what's the number?",
    };
    let means = if noted {
        vec![Means::Notes]
    } else {
        Vec::new()
    };
    talk.shop(says(ask, means));
    let mut words = talk.order.place_said(&mut talk.random);
    words.extend(talk.order.name_said(&mut talk.random));
    words.extend(talk.order.phone_said(&mut talk.random));
    let calls = sets(talk);
    talk.agent(&words, calls);
}

fn anything_else(talk: &mut Talk<'_>) {
    if talk.chance(50) {
        let noted = talk.pick(&["Got it. Anything else?", "Alright. Is that everything?"]);
        talk.shop(says(noted, vec![Means::Notes]));
    } else {
        let ask = talk.pick(&["Anything else?", "Is that everything?", "What else?"]);
        talk.shop(says(ask, Vec::new()));
    }
}

/// Everything in one go, with a question behind it.
fn read_back_words(talk: &mut Talk<'_>) -> Vec<Piece> {
    let lead = talk.pick(&[
        "That's all. So that's",
        "To confirm:",
        "Let me read that back:",
        "So,",
        "Just to repeat,",
    ]);
    let mut words = vec![plain_words(lead)];
    words.extend(talk.order.all_said(&mut talk.random));
    let ask = talk.pick(&[
        "Is that right, and what's the total?",
        "Is that correct? And how much is it?",
        "Did you get all that, and what does it come to?",
    ]);
    words.push(plain_words(ask));
    words
}

fn reads_back(talk: &mut Talk<'_>) {
    let words = read_back_words(talk);
    talk.agent(&words, Vec::new());
}

/// The shop asks, and the agent tells everything in one line, which is all the read-back there is.
fn orders_at_once(talk: &mut Talk<'_>) {
    begins(talk);
    let words = read_back_words(talk);
    let mut calls = saves(talk);
    calls.extend(sets(talk));
    talk.agent(&words, calls);
}

/// What the shop agrees to is recorded, and the call ends.
fn settles(talk: &mut Talk<'_>) {
    let (subtotal, total) = (talk.order.subtotal, talk.order.total);
    talk.end = End::Confirmed;
    talk.confirms(subtotal, total, Refused::ReadsBack);
}

/// The model records the total whatever was said, and ends the call.
fn records_all_the_same(talk: &mut Talk<'_>) {
    let (subtotal, total) = (talk.order.subtotal, talk.order.total);
    talk.end = End::NotConfirmed;
    talk.confirms(subtotal, total, Refused::GivesUp);
}

/// The shop names the total and nothing else, before the order is read back.
fn total_first(talk: &mut Talk<'_>) {
    let (words, mut means) = talk.total_said();
    // Whoever names the price of something has taken it down, more or less.
    means.push(Means::Notes);
    talk.shop(says(words, means));
}
