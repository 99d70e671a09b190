//! What the line, the transcription and the clock do.

use super::super::far_end::When;
use super::super::order::plain_words;
use super::super::plan::{End, Means, says};
use super::super::talk::Refused;
use super::{Family, orders, orders_at_once, reads_back, records_all_the_same, settles};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "late-transcription",
        about: "the answer is written down up to two seconds late",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let late = 600 + talk.random.below(1_900) as u64;
            let answer = talk.affirms_with_total().written_after(late, 1);
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "late-objection",
        about: "an objection that is written down two seconds after the total was recorded",
        write: |talk| {
            orders_at_once(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            let (subtotal, total) = (talk.order.subtotal, talk.order.total);
            talk.agent(
                &[plain_words("Great.")],
                vec![super::total_call(subtotal, total)],
            );
            let late = 900 + talk.random.below(1_200) as u64;
            let no = talk.pick(&[
                "No wait, that's wrong.",
                "Sorry, we're closed.",
                "Oh, we can't deliver there.",
            ]);
            talk.shop(says(no, vec![Means::Cancels]).written_after(late, 1));
            talk.end = End::NotConfirmed;
            talk.leaves();
        },
    },
    Family {
        name: "duplicate-transcripts",
        about: "every answer is written down two or three times",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let copies = 2 + talk.random.below(2);
            let answer = talk.affirms_with_total().written_after(400, copies);
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "lost-transcript",
        about: "the answer is not written down, and is asked for again",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let answer = talk.affirms_with_total().written_as("");
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "hold-and-come-back",
        about: "the shop puts the agent on hold before it answers",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let wait = talk.pick(&[
                "Hold on one second.",
                "One moment please.",
                "Let me check, hang on.",
                "Can you hold?",
            ]);
            talk.shop(says(wait, Vec::new()));
            talk.agent(&[plain_words("Sure, take your time.")], Vec::new());
            let away = 4_000 + talk.random.below(4_000) as u64;
            talk.shop_when(
                When::Heard(talk.newest_agent(), away),
                says("Okay, I'm back. What was it?", Vec::new()),
            );
            let mut words = vec![plain_words("So that's")];
            words.extend(talk.order.all_said(&mut talk.random));
            words.push(plain_words("Is that right?"));
            talk.agent(&words, Vec::new());
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "hung-up-before-total",
        about: "the shop affirms and hangs up; the model records a total of its own",
        write: |talk| {
            orders_at_once(talk);
            let yes = talk.yes();
            talk.shop(says(yes, vec![Means::Affirms]));
            let (subtotal, total) = (talk.order.subtotal, talk.order.total);
            talk.agent(
                &[plain_words("And what is the total, please?")],
                vec![super::total_call(subtotal, total)],
            );
            let into = talk.newest_agent();
            let at = 200 + talk.random.below(1_200) as u64;
            talk.shop_hangs_up_when(When::Hearing(into, at));
            talk.end = End::NotConfirmed;
        },
    },
    Family {
        name: "hung-up-in-the-read-back",
        about: "the shop hangs up before the order was read back",
        write: |talk| {
            orders(talk);
            super::total_first(talk);
            reads_back(talk);
            let share = talk.random.between(0.1, 0.8);
            let line = talk.newest_agent();
            let ms = talk
                .lines
                .iter()
                .find(|known| known.id == line)
                .map_or(0, |line| line.spoken.ms_at(share));
            talk.shop_hangs_up_when(When::Hearing(line, ms));
            let (subtotal, total) = (talk.order.subtotal, talk.order.total);
            talk.end = End::NotConfirmed;
            talk.rule(crate::scenario::ModelRule {
                text: Some("silent".to_owned()),
                calls: vec![super::total_call(subtotal, total)],
                ..crate::scenario::ModelRule::default()
            });
        },
    },
    Family {
        name: "hangs-up-after-the-total",
        about: "the shop affirms, names the total and hangs up at once",
        write: |talk| {
            orders(talk);
            reads_back(talk);
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            let (subtotal, total) = (talk.order.subtotal, talk.order.total);
            talk.confirms(subtotal, total, Refused::GivesUp);
            talk.shop_hangs_up_when(When::Quiet(900));
            talk.end = End::Either;
        },
    },
    Family {
        name: "shop-asks-again",
        about: "the shop did not get it, and affirms what is repeated",
        write: |talk| {
            orders_at_once(talk);
            let what = talk.pick(&[
                "Sorry, what?",
                "Pardon?",
                "I didn't catch that.",
                "Say that again?",
            ]);
            talk.shop(says(what, vec![Means::Denies("/order".into())]));
            let mut words = vec![plain_words("I said")];
            words.extend(talk.order.all_said_fully(&mut talk.random));
            words.push(plain_words("Is that right?"));
            talk.agent(&words, Vec::new());
            let answer = talk.affirms_with_total();
            talk.shop(answer);
            settles(talk);
        },
    },
    Family {
        name: "shop-asks-again-and-is-ignored",
        about: "the shop did not get it, and the model records it all the same",
        write: |talk| {
            orders_at_once(talk);
            let (total, mut means) = talk.total_said();
            means.push(Means::Denies("/order/items".into()));
            means.push(Means::Denies("/order/customer".into()));
            means.push(Means::Denies("/order/address".into()));
            let what = talk.pick(&[
                "Sorry, what? The line is bad.",
                "I can't hear you very well.",
                "You're breaking up.",
                "I only got half of that.",
                "Can you speak up?",
            ]);
            talk.shop(says(format!("{what} {total}"), means));
            records_all_the_same(talk);
        },
    },
];
