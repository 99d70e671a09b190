//! Models that lie.

use super::super::far_end::When;
use super::super::order::plain_words;
use super::super::plan::{End, Means, says, total_call};
use super::super::talk::Refused;
use super::{Family, begins, read_back_words, records_all_the_same, saves, sets};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: super::LYING,
        about: "the model calls every tool with invented values, and says nothing of it",
        write: |talk| {
            talk.opens();
            if talk.chance(50) {
                let what = talk.pick(&super::WHAT);
                talk.shop(says(what, vec![Means::Notes]));
            }
            let mut calls = [saves(talk), sets(talk)].concat();
            calls.push(total_call(talk.order.subtotal, talk.order.total));
            while talk.chance(50) {
                let at = talk.random.below(calls.len());
                let again = calls[at].clone();
                calls.insert(talk.random.below(calls.len()), again);
            }
            if talk.chance(50) {
                let (a, b) = (
                    talk.random.below(calls.len()),
                    talk.random.below(calls.len()),
                );
                calls.swap(a, b);
            }
            let (goodbye, ends) = talk.goodbye();
            match talk.random.below(4) {
                0 => {
                    calls.extend(ends);
                    talk.calls(calls);
                }
                1 => {
                    let claim = plain_words(
                        "The order is confirmed, everything was read back and affirmed.",
                    );
                    talk.agent_writes(&[claim], calls);
                }
                2 => {
                    calls.extend(ends);
                    talk.agent_says(goodbye, calls);
                }
                _ => {
                    talk.agent(&[plain_words("One moment.")], calls);
                    let words = talk.pick(&[
                        "Okay, what do you want?",
                        "Yes?",
                        "Sure.",
                        "Right, go on.",
                        "Okay.",
                    ]);
                    talk.shop(says(words, Vec::new()));
                    talk.leaves();
                }
            }
            let (subtotal, total) = (talk.order.subtotal, talk.order.total);
            talk.after_total(subtotal, total, Refused::GivesUp, None);
            talk.end = End::NotConfirmed;
        },
    },
    Family {
        name: "lying-model-with-a-total",
        about: "the same, with a shop that names a price and agrees to small talk",
        write: |talk| {
            begins(talk);
            talk.agent(&[plain_words("How are you today?")], Vec::new());
            let (total, means) = talk.total_said();
            let yes = talk.yes();
            talk.shop(says(format!("{yes} I'm fine. {total}"), means));
            let mut calls = [saves(talk), sets(talk)].concat();
            calls.push(total_call(talk.order.subtotal, talk.order.total));
            talk.calls(calls);
            let (subtotal, total) = (talk.order.subtotal, talk.order.total);
            talk.after_total(subtotal, total, Refused::GivesUp, None);
            talk.end = End::NotConfirmed;
        },
    },
    Family {
        name: "read-back-in-text-only",
        about: "the model claims a read-back that has no sound",
        write: |talk| {
            begins(talk);
            let words = read_back_words(talk);
            let calls = [saves(talk), sets(talk)].concat();
            talk.agent_writes(&words, calls);
            let answer = talk.affirms_with_total();
            let means = answer
                .means
                .iter()
                .filter(|means| **means != Means::Affirms)
                .cloned();
            let says = says(answer.text, means.collect());
            let quiet = 1_500 + talk.random.below(1_000) as u64;
            talk.shop_when(When::Quiet(quiet), says);
            records_all_the_same(talk);
        },
    },
    Family {
        name: "says-one-saves-another",
        about: "what is read back is not what is recorded",
        write: |talk| {
            begins(talk);
            let words = read_back_words(talk);
            let item = &mut talk.order.items[0];
            match talk.random.below(3) {
                0 => item.quantity += 1,
                1 => item.size = item.clone().other_size(&mut talk.random),
                _ => {
                    let other = item.clone().other_topping(&mut talk.random);
                    item.toppings[0] = other;
                }
            }
            let calls = [saves(talk), sets(talk)].concat();
            talk.agent(&words, calls);
            talk.request = Some(serde_json::json!({"order": talk.order.request()}));
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            records_all_the_same(talk);
        },
    },
];
