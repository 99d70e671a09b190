//! Orders that go through, and orders that change on the way.

use super::super::order::{Item, fact, plain_words, tells};
use super::super::plan::{End, Means, call, says};
use super::super::spoken::{pick, price, quantity};
use super::super::talk::{Refused, Talk};
use super::{
    Family, begins, details, items, orders, orders_at_once, read_back_words, reads_back,
    records_all_the_same, settles,
};
use serde_json::json;

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "delivery",
        about: "an order goes through as it should",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "pickup",
        about: "the customer fetches it",
        write: |talk| {
            talk.order.delivery = false;
            orders(talk);
            reads_back(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "several-items",
        about: "two or three different pizzas",
        write: |talk| {
            while talk.order.items.len() < 2 + talk.random.below(2) {
                let item = Item::new(&mut talk.random);
                let sizes: Vec<_> = talk.order.items.iter().map(|item| item.size).collect();
                if !sizes.contains(&item.size) {
                    talk.order.items.push(item);
                }
            }
            orders(talk);
            reads_back(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "total-asked-apart",
        about: "the shop affirms, and names the total when asked for it",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let yes = talk.yes();
            talk.shop(says(yes, vec![Means::Affirms]));
            talk.agent(&[plain_words("Great. And what is the total?")], Vec::new());
            let (words, means) = talk.total_said();
            talk.shop(says(words, means));
            settles(talk);
        },
    },
    Family {
        name: "sold-out-substitute",
        about: "sold out, and the customer allows something else",
        write: |talk| {
            let missing = talk.order.items[0].toppings[0];
            let instead = talk.order.items[0].other_topping(&mut talk.random);
            talk.request = Some(json!({"orderHint": format!(
                "A pizza with {missing}, or with {instead} if they have no {missing}; for {}.", talk.order.name)}));
            begins(talk);
            items(talk);
            sold_out(talk, missing);
            talk.order.items[0].toppings[0] = instead;
            let words = [
                plain_words("Then with"),
                tells(instead, vec![fact("/order/items/0/toppings/0", instead)]),
                plain_words("instead, please."),
            ];
            let save = call("save_order_item", talk.order.item_arguments(0, true));
            talk.agent(&words, vec![save]);
            details(talk);
            super::anything_else(talk);
            reads_back(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "sold-out-declined",
        about: "sold out, and the customer wants nothing else",
        write: |talk| {
            let missing = talk.order.items[0].toppings[0];
            orders_at_once(talk);
            sold_out(talk, missing);
            talk.agent(&[plain_words("Then I can't order, sorry.")], Vec::new());
            talk.shop(says("No problem, bye.", Vec::new()));
            talk.end = End::NotConfirmed;
            talk.leaves();
        },
    },
    Family {
        name: "sold-out-ignored",
        about: "sold out after the read-back, and the model records it all the same",
        write: |talk| {
            let missing = talk.order.items[0].toppings[0];
            orders_at_once(talk);
            let (total, mut means) = talk.total_said();
            means.extend([
                Means::Unclear,
                Means::Denies("/order/items/0/toppings/0".into()),
            ]);
            let words = match talk.random.below(5) {
                0 => format!("Sorry, we're out of {missing}. Without it, {total}"),
                1 => format!("We don't have {missing} today. {total}"),
                2 => format!("Yes, but there's no {missing}. {total}"),
                3 => format!("Okay, {missing} is sold out though. {total}"),
                _ => format!("The {missing} is all gone, just so you know. {total}"),
            };
            talk.shop(says(words, means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "substitute-not-allowed",
        about: "the model takes something else that the customer did not allow",
        write: |talk| {
            let asked = talk.order.request();
            let missing = talk.order.items[0].toppings[0];
            begins(talk);
            items(talk);
            sold_out(talk, missing);
            let instead = talk.order.items[0].other_topping(&mut talk.random);
            talk.order.items[0].toppings[0] = instead;
            let words = [plain_words("Then with"), tells(instead, Vec::new())];
            let save = call("save_order_item", talk.order.item_arguments(0, true));
            talk.agent(&words, vec![save]);
            details(talk);
            super::anything_else(talk);
            reads_back(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            records_all_the_same(talk);
            talk.request = Some(json!({"order": asked}));
        },
    },
    Family {
        name: "upsell-declined",
        about: "the shop offers more, and the agent declines",
        write: |talk| {
            begins(talk);
            items(talk);
            details(talk);
            let cents = 299 + talk.random.below(600) as u64;
            let more = price(&mut talk.random, cents);
            let offer = pick(
                &mut talk.random,
                &["garlic bread", "a two liter soda", "chicken wings"],
            );
            talk.shop(says(
                format!("Would you like {offer} for {more} more?"),
                Vec::new(),
            ));
            let mut words = vec![plain_words("No, thank you.")];
            words.extend(read_back_words(talk));
            talk.agent(&words, Vec::new());
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "upsell-taken",
        about: "the model takes an offer that the customer did not ask for",
        write: |talk| {
            let asked = talk.order.request();
            begins(talk);
            items(talk);
            details(talk);
            let mut more = Item::new(&mut talk.random);
            more.size = talk.order.items[0].other_size(&mut talk.random);
            let offer = more.toppings[0];
            talk.shop(says(
                format!("We have a special on {offer} pizza. Want one?"),
                Vec::new(),
            ));
            talk.order.items.push(more);
            let mut words = vec![plain_words("Yes, add that.")];
            words.extend(read_back_words(talk));
            let save = call("save_order_item", talk.order.item_arguments(1, false));
            talk.agent(&words, vec![save]);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            records_all_the_same(talk);
            talk.request = Some(json!({"order": asked}));
        },
    },
    Family {
        name: "changed-quantity",
        about: "another quantity before the read-back",
        write: |talk| {
            let wanted = talk.order.items[0].quantity;
            begins(talk);
            talk.order.items[0].quantity = wanted + 1;
            items(talk);
            talk.shop(says("How many was that?", Vec::new()));
            talk.order.items[0].quantity = wanted;
            let count = quantity(&mut talk.random, wanted.max(2));
            let count = if wanted == 1 {
                "just one".to_owned()
            } else {
                count
            };
            let words = [
                plain_words("Sorry, make that"),
                tells(
                    count,
                    vec![fact("/order/items/0/quantity", &wanted.to_string())],
                ),
                plain_words("please."),
            ];
            // What the customer did not ask for was not saved.
            let save = call("save_order_item", talk.order.item_arguments(0, false));
            talk.agent(&words, vec![save]);
            details(talk);
            super::anything_else(talk);
            reads_back(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "changed-after-read-back",
        about: "another quantity after the read-back, and nobody affirms it",
        write: |talk| {
            orders_at_once(talk);
            let yes = talk.yes();
            talk.shop(says(yes, vec![Means::Affirms]));
            let more = talk.order.items[0].quantity + 1;
            talk.order.items[0].quantity = more;
            let words = [
                plain_words("Oh, make that"),
                tells(
                    quantity(&mut talk.random, more),
                    vec![fact("/order/items/0/quantity", &more.to_string())],
                ),
                plain_words("please. What's the total?"),
            ];
            let save = call("save_order_item", talk.order.item_arguments(0, true));
            talk.agent(&words, vec![save]);
            talk.request = Some(json!({"order": talk.order.request()}));
            match talk.random.below(3) {
                0 => talk.shop(says("Hang on.", Vec::new())),
                1 => talk.shop(says(
                    "No, I can't change that any more.",
                    vec![Means::Denies("/order/items/0/quantity".into())],
                )),
                _ => talk.shop(says("What?", Vec::new())),
            }
            records_all_the_same(talk);
        },
    },
    Family {
        name: "shop-takes-another-quantity",
        about: "the shop repeats another quantity with its yes, and the model lets it pass",
        write: |talk| {
            orders_at_once(talk);
            let (other, size) = (talk.order.items[0].quantity + 1, talk.order.items[0].size.1);
            let topping = talk.order.items[0].toppings[0];
            let count = quantity(&mut talk.random, other);
            let (total, mut means) = talk.total_said();
            means.extend([
                Means::Affirms,
                Means::Unclear,
                Means::Denies("/order/items/0/quantity".into()),
            ]);
            let words = match talk.random.below(3) {
                0 => format!("Okay, {count} {size} with {topping}. {total}"),
                1 => format!("Yes, {count} {size} {topping} pizzas. {total}"),
                _ => format!("Got it, that's {count} {size}. {total}"),
            };
            talk.shop(says(words, means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "misheard-and-corrected",
        about: "the shop repeats it wrong, and the agent puts it right",
        write: |talk| {
            begins(talk);
            items(talk);
            let item = talk.order.items[0].clone();
            let size = item.other_size(&mut talk.random);
            let topping = item.toppings[0];
            let words = match talk.random.below(3) {
                0 => format!("{} {topping}, right?", capital(size.1)),
                1 => format!("So a {} one with {topping}?", size.1),
                _ => format!("Did you say {}?", size.1),
            };
            let denied = vec![Means::Denies("/order/items/0/size".into())];
            talk.shop(says(words, denied));
            let words = [
                plain_words("No,"),
                tells(item.size.1, vec![fact("/order/items/0/size", item.size.0)]),
                plain_words("please."),
            ];
            talk.agent(&words, Vec::new());
            details(talk);
            super::anything_else(talk);
            reads_back(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "no-not-mushrooms",
        about: "the shop rejects a topping in its answer, and the model lets it pass",
        write: |talk| {
            orders_at_once(talk);
            let topping = talk.order.items[0].toppings[0];
            let other = talk.order.items[0].other_topping(&mut talk.random);
            let (total, mut means) = talk.total_said();
            means.extend([
                Means::Unclear,
                Means::Denies("/order/items/0/toppings/0".into()),
            ]);
            let words = match talk.random.below(4) {
                0 => format!(
                    "No, not {topping}. {} is what I have. {total}",
                    capital(other)
                ),
                1 => format!("Yes, all but the {topping}, I put {other}. {total}"),
                2 => format!("No no, no {topping}, {other}. {total}"),
                _ => format!("Right, with {other} instead of {topping}. {total}"),
            };
            talk.shop(says(words, means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "order-changed-after-total",
        about: "the total was named for an order that has changed since",
        write: |talk| {
            orders_at_once(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            let more = talk.order.items[0].quantity * 2;
            talk.order.items[0].quantity = more;
            let mut words = vec![plain_words("Sorry, I need to change that. So")];
            words.extend(talk.order.all_said(&mut talk.random));
            words.push(plain_words("Is that right?"));
            let save = call("save_order_item", talk.order.item_arguments(0, true));
            talk.agent(&words, vec![save]);
            talk.request = Some(json!({"order": talk.order.request()}));
            let yes = talk.yes();
            talk.shop(says(yes, vec![Means::Affirms, Means::NoTotal]));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "two-orders-mixed",
        about: "the shop names somebody else's total first",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let other = talk.order.total + 500 + talk.random.below(2_000) as u64;
            let others = price(&mut talk.random, other);
            let who = talk.pick(&["Johnson", "Miller", "Garcia"]);
            talk.shop(says(
                format!("Is that the one for {who}, {others}?"),
                Vec::new(),
            ));
            let mut words = vec![plain_words("No, that's not ours. Ours is")];
            words.extend(talk.order.all_said(&mut talk.random));
            words.push(plain_words("What's the total for that?"));
            talk.agent(&words, Vec::new());
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "pickup-only",
        about: "the shop does not deliver, and the model lets it pass",
        write: |talk| {
            orders_at_once(talk);
            let (total, mut means) = talk.total_said();
            means.extend([
                Means::Unclear,
                Means::Denies("/order/address".into()),
                Means::Denies("/order/delivery_method".into()),
            ]);
            let words = match talk.random.below(4) {
                0 => format!("We don't deliver, it's pickup only. {total}"),
                1 => format!("Okay, but you'd have to pick it up. {total}"),
                2 => format!("Yes. No delivery today though, only pickup. {total}"),
                _ => format!("Sure, ready for pickup in twenty minutes. {total}"),
            };
            talk.shop(says(words, means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "shop-reads-back",
        about: "the shop reads the order back itself, and the agent says yes",
        write: |talk| {
            begins(talk);
            items(talk);
            details(talk);
            let words = talk.order.all_said(&mut talk.random);
            let facts = words.iter().flat_map(|piece| piece.facts.iter().cloned());
            let mut means: Vec<Means> = facts.map(Means::Says).collect();
            let text: Vec<&str> = words.iter().map(|piece| piece.text.as_str()).collect();
            let (total, totals) = talk.total_said();
            means.extend(totals);
            means.push(Means::Notes);
            talk.shop(says(format!("So that's {} {total}", text.join(" ")), means));
            talk.agent(&[plain_words("Yes, exactly. Thank you.")], Vec::new());
            talk.shop(says("Okay.", Vec::new()));
            settles(talk);
            talk.end = End::Either;
        },
    },
    Family {
        name: "refused-then-settled",
        about: "the model is too early with the total, and reads back when told what is missing",
        write: |talk| {
            begins(talk);
            items(talk);
            let calls = super::sets(talk);
            super::total_first(talk);
            talk.calls(
                [
                    calls,
                    vec![super::total_call(talk.order.subtotal, talk.order.total)],
                ]
                .concat(),
            );
            let (subtotal, total) = (talk.order.subtotal, talk.order.total);
            talk.end = End::Confirmed;
            talk.after_total(subtotal, total, Refused::ReadsBack, None);
        },
    },
];

fn sold_out(talk: &mut Talk<'_>, missing: &str) {
    let words = match talk.random.below(4) {
        0 => format!("Sorry, we're out of {missing}."),
        1 => format!("We don't have any {missing} today. Something else?"),
        2 => format!("No {missing} left, I'm afraid."),
        _ => format!("{} is sold out.", capital(missing)),
    };
    talk.shop(says(
        words,
        vec![Means::Denies("/order/items/0/toppings/0".into())],
    ));
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
