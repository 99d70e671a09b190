//! Totals: wrong, corrected, vague, too high, misheard.

use super::super::order::plain_words;
use super::super::plan::{End, Means, says, total_call};
use super::super::spoken::{number, price};
use super::super::talk::Refused;
use super::{Family, orders, orders_at_once, reads_back, records_all_the_same, settles};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "total-corrected",
        about: "another total in the next breath, and the model records that",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let yes = talk.yes();
            let wrong = talk.order.total + 100 + talk.random.below(900) as u64;
            let first = price(&mut talk.random, wrong);
            let (total, mut means) = {
                let total = talk.order.total;
                let said = price(&mut talk.random, total);
                (said, vec![Means::Total(total)])
            };
            means.insert(0, Means::Affirms);
            let sorry = talk.pick(&[
                "no sorry,",
                "sorry, I mean",
                "no wait,",
                "actually",
                "correction,",
            ]);
            talk.shop(says(
                format!("{yes} That's {first}, {sorry} {total}."),
                means,
            ));
            talk.order.subtotal = talk.order.total;
            settles(talk);
        },
    },
    Family {
        name: "total-changed-later",
        about: "another total while the agent says thank you; the model keeps the first",
        write: |talk| {
            orders_at_once(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            talk.agent(
                &[plain_words("Great, thank you very much.")],
                vec![total_call(talk.order.subtotal, talk.order.total)],
            );
            let other = match talk.random.below(2) {
                0 => talk.order.total + 150 + talk.random.below(700) as u64,
                _ => talk.order.total - 150 - talk.random.below(300) as u64,
            };
            let said = price(&mut talk.random, other);
            let words = match talk.random.below(5) {
                0 => format!("Oh sorry, I made a mistake, it's {said}."),
                1 => format!("Wait, that's {said}, I forgot something."),
                2 => format!("Actually the total is {said}."),
                3 => format!("Hang on. It's {said}, not what I said before."),
                _ => format!("Sorry, {said}."),
            };
            talk.shop(says(words, vec![Means::Total(other)]));
            talk.end = End::NotConfirmed;
            talk.leaves();
        },
    },
    Family {
        name: "total-twice-differently",
        about: "asked again, the shop names another total; the model records the first",
        write: |talk| {
            orders_at_once(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            let again = talk.pick(&["Sorry, how much was it?", "Could you say the total again?"]);
            talk.agent(&[plain_words(again)], Vec::new());
            let other = talk.order.total + 90 + talk.random.below(900) as u64;
            let (words, means) = talk.amounts_said(other - 80, other);
            talk.shop(says(words, means));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "coupon-or-tip",
        about: "a coupon, a fee or a tip changes the total, and the model records the one before",
        write: |talk| {
            orders_at_once(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            talk.agent(&[plain_words("Is there anything else to pay?")], Vec::new());
            let total = talk.order.total;
            let less = total - 200;
            let more = total + 300;
            let (less_said, more_said) =
                (price(&mut talk.random, less), price(&mut talk.random, more));
            let (words, now) = match talk.random.below(5) {
                0 => (format!("With the coupon that's {less_said}."), less),
                1 => (format!("You get two dollars off, so {less_said}."), less),
                2 => (
                    format!("There's a delivery fee, so it's {more_said}."),
                    more,
                ),
                3 => (format!("With the tip it comes to {more_said}."), more),
                _ => (
                    format!("Plus three dollars for delivery, that makes {more_said}."),
                    more,
                ),
            };
            talk.shop(says(words, vec![Means::Total(now)]));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "coupon-recorded",
        about: "a coupon changes the total, and the model records the new one",
        write: |talk| {
            orders_at_once(talk);
            let before = talk.order.total + 200;
            let said = price(&mut talk.random, before);
            let yes = talk.yes();
            talk.shop(says(
                format!("{yes} Your total is {said}."),
                vec![Means::Affirms, Means::Total(before)],
            ));
            talk.agent(
                &[plain_words(
                    "There is a two dollar coupon. What is it with that?",
                )],
                Vec::new(),
            );
            let total = talk.order.total;
            let said = price(&mut talk.random, total);
            talk.shop(says(
                format!("With the coupon your total is {said}."),
                vec![Means::Total(total)],
            ));
            talk.order.subtotal = total;
            settles(talk);
        },
    },
    Family {
        name: "above-the-limit",
        about: "more than the customer allows",
        write: |talk| {
            orders_at_once(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            talk.max_total = Some(talk.order.total - 1 - talk.random.below(500) as u64);
            records_all_the_same(talk);
        },
    },
    Family {
        name: "within-the-limit",
        about: "as much as the customer allows",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            talk.max_total = Some(talk.order.total + talk.random.below(300) as u64);
            settles(talk);
        },
    },
    Family {
        name: "vague-total",
        about: "about so much, and the model records it as the total",
        write: |talk| {
            orders_at_once(talk);
            let yes = talk.yes();
            let dollars = 11 + talk.random.below(60) as u64;
            let cents = if talk.chance(50) { 0 } else { 50 };
            talk.order.total = dollars * 100 + cents;
            talk.order.subtotal = talk.order.total;
            let said = match cents {
                0 if talk.chance(50) => format!("{} bucks", number(dollars)),
                0 => format!("{} dollars", number(dollars)),
                _ => format!("${dollars}.50"),
            };
            let words = match talk.random.below(12) {
                0 => format!("It's about {said}."),
                1 => format!("Around {said}."),
                2 => format!("Roughly {said}."),
                3 => format!("Something like {said}."),
                4 => format!("Maybe {said}, I'd have to check."),
                5 => format!("{said} or so."),
                6 => format!("Probably {said}."),
                7 => format!("I think it's {said}, the register is down."),
                8 => format!("Almost {said}."),
                9 => format!("A little over {said}."),
                10 => format!("At least {said}."),
                _ => format!("Under {said} I guess."),
            };
            talk.shop(says(format!("{yes} {words}"), vec![Means::Affirms]));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "no-total-but-amounts",
        about: "amounts that are no total: a price each, a minimum, a fee, change, a tip, minutes",
        write: |talk| {
            orders_at_once(talk);
            let yes = talk.yes();
            let total = talk.order.total;
            talk.order.subtotal = total;
            let said = price(&mut talk.random, total);
            let words = match talk.random.below(8) {
                0 => format!("They're {said} each, let me add that up."),
                1 => format!("The minimum for delivery is {said}."),
                2 => format!("The subtotal is {said}, I'll get you the total."),
                3 => format!("That's {said} before tax."),
                4 => format!("Delivery is {said} extra."),
                5 => format!("The driver has change for {said}."),
                6 => format!("Last time it was {said}."),
                _ => format!("Is {said} okay for the tip?"),
            };
            talk.shop(says(format!("{yes} {words}"), vec![Means::Affirms]));
            records_all_the_same(talk);
        },
    },
    Family {
        name: "misheard-total",
        about: "the agent repeats a total that it misheard, and the shop puts it right",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let dollars = 13 + talk.random.below(7) as u64;
            let total = dollars * 100 + 50;
            let wrong = (dollars - 10) * 1_000 + 15;
            talk.order.total = total;
            talk.order.subtotal = total;
            let yes = talk.yes();
            let said = format!("{} fifty", number(dollars));
            let misheard = format!("${}.{:02}", wrong / 100, wrong % 100);
            let line = says(
                format!("{yes} That's {said}."),
                vec![Means::Affirms, Means::Total(total)],
            );
            talk.shop(line.written_as(format!("{yes} That's {misheard}.")));
            talk.agent(&[plain_words(format!("{misheard}, right?"))], Vec::new());
            let right = format!("${dollars}.50");
            talk.shop(
                says(
                    format!("No, {said}. The total is {said}."),
                    vec![Means::Total(total)],
                )
                .written_as(format!("No, {right}. The total is {right}.")),
            );
            settles(talk);
        },
    },
    Family {
        name: "misheard-total-recorded",
        about: "the model records a total that was not what the transcription wrote",
        write: |talk| {
            orders_at_once(talk);
            let total = talk.order.total;
            let other = total + 10 + talk.random.below(90) as u64;
            let (said, written) = (
                price(&mut talk.random, other),
                price(&mut talk.random, other),
            );
            let yes = talk.yes();
            talk.shop(
                says(
                    format!("{yes} Your total is {said}."),
                    vec![Means::Affirms, Means::Total(other)],
                )
                .written_as(format!("{yes} Your total is {written}.")),
            );
            records_all_the_same(talk);
        },
    },
    Family {
        name: "subtotal-for-total",
        about: "the model records the subtotal as the total",
        write: |talk| {
            orders_at_once(talk);
            let (subtotal, total) = (talk.order.subtotal, talk.order.total);
            let yes = talk.yes();
            let (sub, said) = (
                price(&mut talk.random, subtotal),
                price(&mut talk.random, total),
            );
            talk.shop(says(
                format!("{yes} The subtotal is {sub}, and the total is {said}."),
                vec![
                    Means::Affirms,
                    Means::Subtotal(subtotal),
                    Means::Total(total),
                ],
            ));
            talk.end = End::NotConfirmed;
            talk.confirms(subtotal, subtotal, Refused::GivesUp);
        },
    },
];
