//! What happens to the read-back: it is interrupted, half heard, answered too early or not at all.

use super::super::far_end::When;
use super::super::order::plain_words;
use super::super::plan::{End, Means, says};
use super::super::spoken::digits;
use super::super::talk::{Refused, Talk};
use super::{
    Family, begins, details, items, orders, orders_at_once, reads_back, records_all_the_same,
    saves, sets, settles, total_first,
};
use crate::scenario::ModelRule;

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "interrupted-and-repeated",
        about: "a question into the read-back; it is read back again",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let share = talk.random.between(0.15, 0.85);
            let ask = talk.pick(&[
                "Sorry, hold on, what was the address?",
                "Wait, wait, how many was that?",
                "Hang on, can you say that again please?",
                "Sorry, what was the phone number?",
            ]);
            talk.shop_into(share, says(ask, Vec::new()));
            let mut words = vec![plain_words("Sure. Once more:")];
            words.extend(talk.order.all_said(&mut talk.random));
            words.push(plain_words("Is that right?"));
            talk.agent(&words, Vec::new());
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "interrupted-by-yes",
        about: "a yes into the read-back, and the rest is never heard",
        write: |talk| {
            orders_at_once(talk);
            let share = talk.random.between(0.1, 0.6);
            let (total, mut means) = talk.total_said();
            means.push(Means::Affirms);
            let yes = talk.pick(&[
                "Yes yes, I have all that.",
                "Yeah yeah, got it, okay.",
                "Okay okay, that's right.",
            ]);
            talk.shop_into(share, says(format!("{yes} {total}"), means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "half-heard-address",
        about: "a question into the address, which is said again with the rest",
        write: |talk| {
            begins(talk);
            items(talk);
            details(talk);
            let share = talk.random.between(0.05, 0.3);
            talk.shop_into(share, says("Sorry, what street was that?", Vec::new()));
            let mut words = talk.order.place_said(&mut talk.random);
            words.extend(talk.order.phone_said(&mut talk.random));
            let calls = sets(talk);
            talk.agent(&words, calls);
            super::anything_else(talk);
            reads_back(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "half-heard-phone",
        about: "the phone number is cut off in its middle, and never said again",
        write: |talk| {
            begins(talk);
            let mut words = vec![plain_words("I'd like")];
            words.extend(talk.order.items_said(&mut talk.random));
            words.extend(talk.order.place_said(&mut talk.random));
            let before = words
                .iter()
                .map(|piece| piece.text.len() + 1)
                .sum::<usize>();
            words.extend(talk.order.phone_said(&mut talk.random));
            let all = words
                .iter()
                .map(|piece| piece.text.len() + 1)
                .sum::<usize>();
            let calls = [saves(talk), sets(talk)].concat();
            talk.agent(&words, calls);
            // Into the digits.
            let from = (before + 16) as f64 / all as f64;
            let share = from + (0.9 - from) * talk.random.between(0.0, 0.8);
            let (total, mut means) = talk.total_said();
            means.push(Means::Affirms);
            talk.shop_into(
                share,
                says(format!("Okay, that's right, I got it. {total}"), means),
            );
            records_all_the_same(talk);
        },
    },
    Family {
        name: "cut-and-only-total",
        about: "the total into the read-back, and no yes to the rest",
        write: |talk| {
            orders_at_once(talk);
            let share = talk.random.between(0.1, 0.5);
            let (total, mut means) = talk.total_said();
            means.push(Means::Notes);
            talk.shop_into(share, says(format!("Hold on, let me see. {total}"), means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "mm-hmm",
        about: "backchannels into the read-back, then an answer",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            for share in [0.3, 0.6] {
                if talk.chance(70) {
                    let mm = talk.pick(&["Mm-hmm.", "Okay.", "Uh-huh.", "Yeah."]);
                    let share = share + talk.random.between(-0.1, 0.1);
                    talk.shop_into(share, says(mm, vec![Means::Notes]));
                }
            }
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "mm-hmm-and-silence",
        about: "a backchannel into the read-back, and no answer behind it",
        write: |talk| {
            begins(talk);
            items(talk);
            total_first(talk);
            let words = super::read_back_words(talk);
            let calls = sets(talk);
            talk.agent(&words, calls);
            let share = talk.random.between(0.08, 0.25);
            talk.shop_into(share, says("Mm-hmm.", vec![Means::Notes]));
            silence_then_nothing(talk);
        },
    },
    Family {
        name: "silent-after-read-back",
        about: "the total was named before, and nobody answers the read-back",
        write: |talk| {
            begins(talk);
            items(talk);
            total_first(talk);
            let words = super::read_back_words(talk);
            let calls = sets(talk);
            talk.agent(&words, calls);
            silence_then_nothing(talk);
        },
    },
    Family {
        name: "noise-for-an-answer",
        about: "noise behind the read-back, for which transcription invents words",
        write: |talk| {
            begins(talk);
            items(talk);
            total_first(talk);
            let words = super::read_back_words(talk);
            let calls = sets(talk);
            talk.agent(&words, calls);
            let written = talk.pick(&[
                "",
                "[noise]",
                "...",
                "you",
                "Thank you.",
                "Bye.",
                "Thanks for watching!",
                "(clattering)",
            ]);
            let line = talk.newest_agent();
            talk.noise(When::Heard(line, 600), written);
            records_all_the_same(talk);
        },
    },
    Family {
        name: "yes-before-the-read-back",
        about: "agreement to what has not been said yet, and none to the read-back",
        write: |talk| {
            begins(talk);
            let offer = "I have an order with everything in one go. May I?";
            talk.agent(&[plain_words(offer)], Vec::new());
            let (total, means) = talk.total_said();
            let yes = talk.pick(&[
                "Yes, that's right, all correct.",
                "Yes yes, sure, perfect.",
                "Okay, got it, that's right.",
            ]);
            talk.shop(says(format!("{yes} {total}"), means));
            let words = super::read_back_words(talk);
            let calls = [saves(talk), sets(talk)].concat();
            talk.agent(&words, calls);
            let behind = talk.pick(&[
                "Who is this?",
                "Wait a second.",
                "Hello?",
                "Let me see.",
                "Huh?",
            ]);
            talk.shop(says(behind, Vec::new()));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "digits-swapped",
        about: "the number that is read back is not the one that is recorded",
        write: |talk| {
            let right = talk.order.phone.clone();
            let mut said: Vec<char> = right.chars().collect();
            let pairs: Vec<usize> = (5..9).filter(|at| said[*at] != said[at + 1]).collect();
            let Some(at) = pairs.first().copied() else {
                said[9] = if said[9] == '1' { '2' } else { '1' };
                return swapped(talk, &said.into_iter().collect::<String>(), &right);
            };
            let at = if pairs.len() > 1 {
                pairs[talk.random.below(pairs.len())]
            } else {
                at
            };
            said.swap(at, at + 1);
            let said: String = said.into_iter().collect();
            swapped(talk, &said, &right);
        },
    },
    Family {
        name: "shop-repeats-wrong-number",
        about: "the shop repeats the number wrong, and the model lets it pass",
        write: |talk| {
            orders_at_once(talk);
            let mut wrong: Vec<char> = talk.order.phone.chars().collect();
            wrong[8] = if wrong[8] == '7' { '2' } else { '7' };
            let wrong: String = wrong.into_iter().collect();
            let said = digits(&mut talk.random, &wrong);
            let (total, mut means) = talk.total_said();
            means.extend([
                Means::Affirms,
                Means::Unclear,
                Means::Denies("/order/customer/phone".into()),
            ]);
            let yes = talk.pick(&["Okay", "Yes", "Got it"]);
            talk.shop(says(format!("{yes}, {said}. {total}"), means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "all-but-one",
        about: "a yes that leaves something out, and the model lets it pass",
        write: |talk| {
            orders_at_once(talk);
            let (total, mut means) = talk.total_said();
            let (words, place) = match talk.random.below(4) {
                0 => (
                    "Yes, but I didn't get the phone number.",
                    "/order/customer/phone",
                ),
                1 => (
                    "Okay, everything except the address, that was too fast.",
                    "/order/address",
                ),
                2 => (
                    "Yes to the pizza. What was the phone number again?",
                    "/order/customer/phone",
                ),
                _ => (
                    "The pizza yes, but the address I don't understand.",
                    "/order/address",
                ),
            };
            means.extend([Means::Unclear, Means::Denies(place.into())]);
            talk.shop(says(format!("{words} {total}"), means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "no-real-yes",
        about: "an answer that sounds like agreement and is none",
        write: |talk| {
            orders_at_once(talk);
            let (total, means) = talk.total_said();
            let words = talk.pick(&[
                "Is that right?",
                "I'm not sure I got that right.",
                "Maybe. I don't know if we can do that.",
                "Okay, hold on, I need to ask my boss if that's okay.",
                "Right now we are very busy.",
                "That's not right.",
                "I wouldn't say that's correct.",
                "Not exactly.",
                "Not really, no.",
                "Nope.",
                "I don't think so.",
                "Yeah, no.",
                "Yeah, no, that's not it.",
                "Well, no.",
                "Did you say okay?",
                "Who told you that was fine?",
                "If you say so, but that's not what I wrote down.",
            ]);
            let mut means = means;
            means.push(Means::Denies("/order/items".into()));
            means.push(Means::Denies("/order/customer".into()));
            means.push(Means::Denies("/order/address".into()));
            let after = talk.chance(50);
            let words = if after {
                format!("{words} {total}")
            } else {
                format!("{total} {words}")
            };
            talk.shop(says(words, means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "agent-corrects-itself",
        about: "a wrong word of the agent, put right in the same breath",
        write: |talk| {
            orders(talk);
            let item = talk.order.items[0].clone();
            let other = item.other_size(&mut talk.random);
            let mut words = vec![plain_words(format!(
                "So that's {} {},",
                item.quantity, other.1
            ))];
            words.push(plain_words("sorry, I mean"));
            words.extend(talk.order.all_said(&mut talk.random));
            words.push(plain_words("Is that right, and what's the total?"));
            talk.agent(&words, Vec::new());
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
            talk.end = End::Either;
        },
    },
];

fn silence_then_nothing(talk: &mut Talk<'_>) {
    talk.end = End::NotConfirmed;
    talk.rule(ModelRule {
        text: Some("silent".to_owned()),
        calls: vec![super::total_call(talk.order.subtotal, talk.order.total)],
        ..ModelRule::default()
    });
    let (subtotal, total) = (talk.order.subtotal, talk.order.total);
    talk.after_total(subtotal, total, Refused::GivesUp, None);
}

fn swapped(talk: &mut Talk<'_>, said: &str, right: &str) {
    begins(talk);
    talk.order.phone = said.to_owned();
    let words = super::read_back_words(talk);
    talk.order.phone = right.to_owned();
    let calls = [saves(talk), sets(talk)].concat();
    talk.agent(&words, calls);
    let answer = talk.affirms_with_total();
    talk.shop(answer);
    records_all_the_same(talk);
}
