//! What is taken down is another order than the one that is recorded, though everybody agrees.

use super::super::order::{Item, Piece, plain_words};
use super::super::plan::{Means, says};
use super::super::spoken::quantity;
use super::super::talk::Talk;
use super::{
    Family, begins, orders, orders_at_once, read_back_words, reads_back, records_all_the_same,
    saves, sets, settles,
};

const MORE: [&str; 6] = [
    "a two liter Coke",
    "an order of garlic bread",
    "two garden salads",
    "a dozen wings",
    "some ranch on the side",
    "another one with anchovies",
];

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "reads-back-more-than-it-saves",
        about: "the read-back has something that is not recorded",
        write: |talk| {
            begins(talk);
            let words = words_of_more(talk);
            let calls = [saves(talk), sets(talk)].concat();
            talk.agent(&words, calls);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            records_all_the_same(talk);
        },
    },
    Family {
        name: "toppings-of-two-swapped",
        about: "each of two pizzas is read back with what the other has on it",
        write: |talk| {
            let mut other = Item::new(&mut talk.random);
            other.size = talk.order.items[0].other_size(&mut talk.random);
            other.toppings = vec![talk.order.items[0].other_topping(&mut talk.random)];
            talk.order.items[0].toppings.truncate(1);
            talk.order.items.push(other);
            begins(talk);
            let recorded = talk.order.clone();
            swap(talk);
            let words = read_back_words(talk);
            talk.order = recorded;
            let calls = [saves(talk), sets(talk)].concat();
            talk.agent(&words, calls);
            let mut answer = talk.affirms_with_total();
            // That each was counted as it is recorded proves little of it.
            answer.means.push(Means::Unclear);
            talk.shop(answer);
            records_all_the_same(talk);
        },
    },
    Family {
        name: "shop-adds-to-its-yes",
        about: "the shop repeats the order with something more, and the model lets it pass",
        write: |talk| {
            orders_at_once(talk);
            let item = talk.order.items[0].clone();
            let count = quantity(&mut talk.random, item.quantity);
            let toppings = item.toppings.join(" and ");
            let more = talk.pick(&MORE);
            let (total, mut means) = talk.total_said();
            means.extend([Means::Affirms, Means::Unclear]);
            let words = talk.pick(&["Okay", "Yes", "Got it"]);
            let size = item.size.1;
            talk.shop(says(
                format!("{words}, {count} {size} with {toppings} and {more}. {total}"),
                means,
            ));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "shop-makes-another",
        about: "behind its yes the shop tells what it makes, and that is something else",
        write: |talk| {
            orders_at_once(talk);
            let yes = talk.yes();
            talk.shop(says(yes, vec![Means::Affirms]));
            talk.agent(&[plain_words("Great. And what is the total?")], Vec::new());
            let item = talk.order.items[0].clone();
            let topping = item.other_topping(&mut talk.random);
            let size = item.other_size(&mut talk.random).1;
            let (total, mut means) = talk.total_said();
            means.push(Means::Unclear);
            let words = match talk.random.below(4) {
                0 => format!("Your {topping} pizza will be there in forty minutes."),
                1 => format!("I'm gonna do {topping} on that."),
                2 => format!("So that's a {size}, ready in half an hour."),
                _ => format!("We'll make it {size} and put {topping} on it."),
            };
            talk.shop(says(format!("{total} {words}"), means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "asks-for-another-and-gets-it",
        about: "the shop asks whether something else would do, and the model agrees",
        write: |talk| {
            orders_at_once(talk);
            let item = talk.order.items[0].clone();
            let topping = item.other_topping(&mut talk.random);
            let size = item.other_size(&mut talk.random).1;
            let question = match talk.random.below(4) {
                0 => format!("Is {topping} okay instead?"),
                1 => format!("Can I do {topping} instead?"),
                2 => format!("Is {size} fine?"),
                _ => format!("How about {topping}?"),
            };
            let yes = talk.yes();
            talk.shop(says(
                format!("{yes} {question}"),
                vec![Means::Affirms, Means::Unclear],
            ));
            talk.agent(
                &[plain_words("Sure, that's fine. And what is the total?")],
                Vec::new(),
            );
            let (total, means) = talk.total_said();
            talk.shop(says(total, means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "no-means-nothing-else",
        about: "asked whether it needs anything else, the shop says no",
        write: |talk| {
            orders(talk);
            let mut words = vec![plain_words("So that's")];
            words.extend(talk.order.all_said(&mut talk.random));
            words.push(plain_words("Do you need anything else from me?"));
            talk.agent(&words, Vec::new());
            let (total, mut means) = talk.total_said();
            means.push(Means::Affirms);
            let no = talk.pick(&["No.", "Nope.", "No, that's it.", "Nope, that's all."]);
            talk.shop(says(format!("{no} {total}"), means));
            settles(talk);
        },
    },
    Family {
        name: "abbreviates",
        about: "the shop repeats counts and sizes only",
        write: |talk| {
            let mut other = Item::new(&mut talk.random);
            other.size = talk.order.items[0].other_size(&mut talk.random);
            talk.order.items.push(other);
            orders(talk);
            reads_back(talk);
            let counted: Vec<String> = talk
                .order
                .items
                .clone()
                .iter()
                .map(|item| {
                    format!(
                        "{} {}",
                        quantity(&mut talk.random, item.quantity),
                        item.size.1
                    )
                })
                .collect();
            let (total, mut means) = talk.total_said();
            means.push(Means::Affirms);
            let yes = talk.yes();
            talk.shop(says(
                format!("{yes} {}. {total}", counted.join(" and ")),
                means,
            ));
            settles(talk);
        },
    },
];

fn swap(talk: &mut Talk<'_>) {
    if let [one, two] = talk.order.items.as_mut_slice() {
        std::mem::swap(&mut one.toppings, &mut two.toppings);
    }
}

/// A read-back of the order with something more.
fn words_of_more(talk: &mut Talk<'_>) -> Vec<Piece> {
    let recorded = talk.order.clone();
    match talk.random.below(3) {
        0 => {
            let topping = talk.order.items[0].other_topping(&mut talk.random);
            talk.order.items[0].toppings.push(topping);
        }
        1 => {
            let mut item = Item::new(&mut talk.random);
            item.size = talk.order.items[0].other_size(&mut talk.random);
            talk.order.items.push(item);
        }
        _ => {
            let mut words = vec![plain_words("So that's")];
            words.extend(talk.order.items_said(&mut talk.random));
            let more = talk.pick(&MORE);
            words.push(plain_words(format!("and {more},")));
            words.extend(talk.order.place_said(&mut talk.random));
            words.extend(talk.order.phone_said(&mut talk.random));
            words.push(plain_words("Is that right, and what's the total?"));
            return words;
        }
    }
    let words = read_back_words(talk);
    talk.order = recorded;
    words
}
