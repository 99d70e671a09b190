//! Whole conversations, and whether they confirm an order.

use super::*;

/// Whether a conversation proves enough to confirm this order at twenty ten. A line that begins with
/// ">" is the agent's, the others are the shop's.
fn confirms(order: &OrderState, talk: &[&str]) -> bool {
    confirms_at(Cents(2010), order, talk)
}

fn confirms_at(amount: Cents, order: &OrderState, talk: &[&str]) -> bool {
    let mut t = Transcript::default();
    for (at, line) in talk.iter().enumerate() {
        let id = format!("t{at}");
        match line.strip_prefix("> ") {
            Some(words) => heard(&mut t, &id, words, 100),
            None => t.shop_words(&id, at as u64, line),
        }
    }
    let fields = read_back(order, &t);
    let total = total(amount, order, &t);
    fields.iter().chain([&total]).all(FieldEvidence::is_enough)
}

const ASKS: &str = "> So that's one large pepperoni pizza, delivered to one twenty three Main Street, phone three one oh, five five five, oh one four two. Is that right?";
const YES: &str = "Yes, that's right. Your total is twenty ten.";
const BYE: &str = "> Great, thank you very much. Goodbye!";

/// Each is the shop's answer to the read-back.
fn answers(order: &OrderState, asks: &str, confirmed: bool, answers: &[&str]) {
    let is = |answer: &&&str| confirms(order, &[asks, answer, BYE, "Bye."]);
    let wrong: Vec<_> = answers.iter().filter(|a| is(a) != confirmed).collect();
    assert!(wrong.is_empty(), "not {confirmed}: {wrong:#?}");
}

/// Each is said once everything was agreed to.
fn parting(confirmed: bool, words: &[&str]) {
    let is = |words: &&&str| confirms(&order(), &[ASKS, YES, BYE, words]);
    let wrong: Vec<_> = words.iter().filter(|w| is(w) != confirmed).collect();
    assert!(wrong.is_empty(), "not {confirmed}: {wrong:#?}");
}

#[test]
fn a_number_repeated_wrongly_is_no_yes() {
    let wrong = [
        "Got it, five five five, oh one four three. Your total is twenty ten.",
        "Yes, 555-0143. Your total is $20.10.",
        "Yes, 0143. Your total is $20.10.",
        "Yes, three one oh, five five five, one four two. Your total is $20.10.",
        "Yes, two. Your total is $20.10.",
        "Yep, that's twenty ten for two.",
        "Yes, your total for two is twenty ten.",
        "Yes, 132. Your total is $20.10.",
        "Yes, one two four. Your total is $20.10.",
        "Yes, one twenty four. Your total is $20.10.",
        "Yes, two, thirty minutes. Your total is $20.10.",
        "Yes, 90002. Your total is $20.10.",
        "Okay, two of the large pepperoni. Your total is $20.10.",
        "Okay, two pepperoni pizzas, large. Your total is $20.10.",
        "Yes, 310 555 0143. My driver will be there in forty minutes. Your total is $20.10.",
        "Yes, 310 555 0143. Your total is $20.10, and thanks for calling us.",
    ];
    answers(&order(), ASKS, false, &wrong);
    let mut apartment = order();
    apartment.address.as_mut().unwrap().street = "123 Main St Apt 4".into();
    let asks = ASKS.replace("Main Street", "Main Street, apartment four");
    let wrong = [
        "Got it, apartment five. Your total is twenty ten.",
        "Yes, 123 Main Street, apartment 5. Your total is twenty ten.",
    ];
    answers(&apartment, &asks, false, &wrong);
    let right = [
        "Got it, apartment four. Your total is twenty ten.",
        "Yes, 123 Main Street, apartment 4, 310 555 0142. Your total is twenty ten.",
    ];
    answers(&apartment, &asks, true, &right);
}

#[test]
fn a_number_that_was_said_or_is_of_something_else_leaves_a_yes() {
    let right = [
        "Got it, five five five, oh one four two. Your total is twenty ten.",
        "Yes, 310-555-0142. Your total is $20.10.",
        "Yes, 0142. Your total is $20.10.",
        "Okay, so one large pepperoni, 123 Main Street. Your total is $20.10.",
        "Yes. Seventeen fifty, twenty ten with tax.",
        "Yes. Nine fifty for the pizza, twenty ten altogether.",
        "Yes. That's $20.10, 45 minutes.",
        "Yes. That's twenty ten, about forty minutes.",
        "Yes. Your total is twenty ten. Twenty, thirty minutes.",
        "Yes. Your total is twenty ten, it'll be there by seven.",
        "Yes. Delivery is $3.00 extra. Your total is $20.10.",
        "Yes. Delivery is three dollars extra. Your total is $20.10.",
        "Yes. Your total is $20.10. The driver has change for fifty.",
        "Yes. Your total is $20.10. The driver has change for a $50 bill.",
    ];
    answers(&order(), ASKS, true, &right);
    let a_large = ASKS.replace("one large", "a large");
    answers(
        &order(),
        &a_large,
        true,
        &["Okay, one large pepperoni. Twenty ten."],
    );
    let twenty = [
        ASKS,
        "Yes. Your total comes to twenty.",
        "> Twenty dollars?",
        "Your total is twenty dollars.",
    ];
    assert!(confirms_at(Cents(2000), &order(), &twenty));
    // In the middle of a read-back, too.
    for (answer, phone) in [
        ("Yes, 555 0142.", Proof::Proven),
        ("Yes, 555 0143.", Proof::Stated),
    ] {
        let mut t = Transcript::default();
        heard(&mut t, "a", READ_BACK, 90);
        t.shop_words("s", 0, answer);
        t.acknowledge("s", "a", 100);
        t.agent_heard("a", 100);
        assert_eq!(proofs(&t)[1], phone, "{answer}");
    }
}

#[test]
fn before_a_price_nothing_unknown_is_said() {
    let wrong = [
        "Yep. Medium pepperoni, twenty ten.",
        "Yep. Twenty ten for the medium.",
        "Yes. For the medium, that's twenty ten.",
        "Yes. With mushrooms, that's twenty ten.",
        "Okay. We substitute mushrooms for the pepperoni, so that's twenty ten.",
        "Yep. One twenty three Maple Street, that'll be twenty ten.",
        "Yep. 123 Elm Street, that'll be $20.10.",
        "Yes. And the garlic bread, that's twenty ten.",
        "Yes. You have to come here to pay, it's twenty ten.",
    ];
    answers(&order(), ASKS, false, &wrong);
    let right = [
        "Yep. Large pepperoni, twenty ten.",
        "Yes. It's going to be twenty ten.",
        "Yes. Almost twenty dollars.",
        "Yes. Maybe twenty bucks, I'd have to check.",
        "Yes. The minimum for delivery is fifteen dollars.",
        "Yes. They're eighteen dollars each, so it's twenty ten with tax.",
        "Yes. That'll be twenty ten for the large pizza, see you soon.",
        "Yes. So the large pepperoni with delivery, that's twenty ten.",
    ];
    answers(&order(), ASKS, true, &right[..1]);
    for right in right {
        let asked = [
            ASKS,
            right,
            "> And the total?",
            "Your total is twenty ten.",
            BYE,
        ];
        assert!(confirms(&order(), &asked), "{right}");
    }
}

#[test]
fn a_quantity_stands_apart_from_its_size() {
    let mut two = order();
    two.items[0].quantity = 2;
    for words in [
        "two pepperoni pizzas, both large",
        "two pepperoni pizzas, large",
        "two of the large pepperoni pizzas",
        "two large pepperoni pizzas",
    ] {
        let asks = ASKS.replace("one large pepperoni pizza", words);
        assert!(confirms(&two, &[&asks, YES, BYE]), "{words}");
        assert!(!confirms(&order(), &[&asks, YES, BYE]), "{words}");
    }
    let mut several = order();
    several.items.push(Item {
        size: Some(Size::Large),
        toppings: vec!["mushrooms".into()],
        ..Item::default()
    });
    let words = "two pizzas, a large pepperoni and a large mushroom";
    let asks = ASKS.replace("one large pepperoni pizza", words);
    assert!(confirms(&several, &[&asks, YES, BYE]));
}

#[test]
fn what_is_taken_back_while_parting_is_not_confirmed() {
    parting(
        false,
        &[
            "What? Oh no, we can't deliver there.",
            "Huh, we're out of pepperoni.",
            "Pardon me, we're out of pepperoni.",
            "Sorry? We're closed.",
            "Sorry, we're closing now.",
            "Oh wait, sorry, we're all out.",
            "Sorry, we're done for tonight.",
            "Oh, the pepperoni is finished.",
            "Oh sorry, we can't.",
            "Sorry, we won't.",
            "No, sorry, we can't.",
            "Oh, the driver just went home. You'll have to come get it.",
            "Actually, scratch that order.",
            "Oh, we just used up the last of the pepperoni.",
            "Oh, we're out.",
            "No can do.",
            "Oh, that's too far for us.",
            "Sorry, you're outside our delivery area.",
            "We don't go there.",
        ],
    );
    parting(
        true,
        &[
            "What?",
            "Sorry? I didn't catch that.",
            "Pardon?",
            "I can't hear you.",
            "No rush.",
            "If anything changes, just call us.",
            "Don't forget to tip the driver.",
            "You're welcome, no trouble at all.",
            "It'll be no longer than thirty minutes.",
            "You don't have to pay until it's there.",
            "Not sure how long, maybe forty minutes.",
            "If you need to cancel, just call.",
            "It'll be out of the oven in ten minutes.",
            "No, thank you!",
            "We can't wait to see you.",
            "Just wait until your order is finished.",
            "The driver doesn't have to come up.",
            "You're not too far, thirty minutes.",
        ],
    );
}

#[test]
fn what_is_refused_before_the_total_stays_refused() {
    let talk = |words| {
        let total = "Your total is twenty ten.";
        [
            ASKS,
            "Yes, that's right.",
            "> Great. And the total?",
            words,
            "> I see. And what's the total?",
            total,
            BYE,
            "Bye.",
        ]
    };
    for words in [
        "Hmm, there's no more pepperoni left. The boss says ham.",
        "We haven't got any pepperoni today.",
        "Our kitchen doesn't have pepperoni today.",
        "I only have ham left.",
        "I only have mediums left.",
        "I'm not able to send a driver there.",
        "The pepperoni isn't there any more.",
        "We're fresh out. I'll put ham.",
        "I'll put mushrooms instead.",
    ] {
        assert!(!confirms(&order(), &talk(words)), "{words}");
    }
    for words in [
        "We only take cash.",
        "No, I can't change that any more.",
        "One large pepperoni, no onions.",
        "I don't need your last name.",
        "It won't be there for forty minutes.",
        "Please don't call us again after this.",
    ] {
        let mut talk = talk(words);
        talk[2] = "> With no onions, please. And the total?";
        assert!(confirms(&order(), &talk), "{words}");
    }
}

#[test]
fn an_amount_that_lacks_something_is_no_total() {
    let said = |amount, words| {
        let talk = [
            ASKS,
            "Yes, that's right.",
            "> And the total with taxes and fees?",
            words,
            BYE,
        ];
        confirms_at(Cents(amount), &order(), &talk)
    };
    for words in [
        "Twenty ten. That doesn't include delivery.",
        "It's twenty ten, not including tax.",
        "Twenty ten. And delivery's three dollars.",
        "The total is twenty ten, and then tax.",
        "That's twenty ten and tax.",
        "$20.10, but that's without the delivery.",
    ] {
        assert!(!said(2010, words), "{words}");
    }
    for words in [
        "Twenty ten. That includes delivery.",
        "Twenty ten and delivery is included.",
        "Twenty ten, and the driver will be there in forty minutes.",
        "Twenty ten. Two dollars of that is delivery.",
    ] {
        assert!(said(2010, words), "{words}");
    }
    for words in [
        "That's twenty two ten, no, twenty ten.",
        "That's twenty two ten. Wait, twenty ten.",
        "It's $22.10. No, $20.10.",
    ] {
        assert!(!said(2210, words), "{words}");
        assert!(said(2010, words), "{words}");
    }
}

#[test]
fn another_total_behind_the_first_takes_it_back() {
    parting(
        false,
        &[
            "Oh sorry, it's twenty two.",
            "Actually the total is 22.",
            "Sorry, with tax it's twenty two.",
            "Sorry, I forgot the tax. It'll be about twenty two fifty.",
            "Oh wait, I think it's twenty three fifty actually.",
            "Oh, it's more like twenty five fifty.",
            "Oh, and there's three dollars for delivery.",
            "Oh, plus delivery.",
            "Oh, plus tax.",
            "And the delivery fee is three dollars.",
        ],
    );
    parting(
        true,
        &[
            "Oh, it'll be ready at six thirty.",
            "It'll be there at 6.30.",
            "Oh, it'll be there at 6:30.",
            "Oh, your order number is forty two fifty.",
            "Oh, thirty to forty minutes.",
            "All right, see you at seven.",
            "Two dollars of that is delivery.",
        ],
    );
}

#[test]
fn a_time_beside_the_total_is_no_price() {
    let right = [
        "Yes. That's $20.10, about 45 minutes.",
        "Yes. Your total is $20.10, 30 to 40 minutes.",
        "Yes. Your total is $20.10. It'll take 30 to 40 minutes.",
        "Yes. That's $20.10, 45 to an hour.",
        "Yes. That'll be $20.10, ready at 6:45.",
        "Yes. That's twenty ten. Your order number is fifty seven.",
    ];
    answers(&order(), ASKS, true, &right);
    let wrong = [
        "Yes. It's about twenty ten.",
        "Yes. It's twenty ten, 22 with delivery.",
        "Yes. It's twenty ten or twenty two.",
    ];
    answers(&order(), ASKS, false, &wrong);
}

#[test]
fn who_waits_or_greets_has_not_agreed() {
    for words in [
        &["Okay, one minute."][..],
        &["Yeah, one minute please."],
        &["Good evening."],
        &["Okay, I'll be back."],
        &["One moment please.", "> Sure.", "Okay, I'm back."],
        &["One moment please.", "> Sure.", "Good, I'm back."],
    ] {
        let rest = ["> And the total?", "Your total is twenty ten.", BYE];
        let talk = [&[ASKS], words, &rest].concat();
        assert!(!confirms(&order(), &talk), "{words:?}");
    }
    let pickup = "Okay, you'll have to come get it. Your total is twenty ten.";
    answers(&order(), ASKS, false, &[pickup]);
    let back = [
        "One moment please.",
        "> Sure.",
        "I'm back. Yes, that's right.",
    ];
    let rest = ["> And the total?", "Your total is twenty ten."];
    assert!(confirms(&order(), &[&[ASKS], &back[..], &rest].concat()));
    answers(&order(), ASKS, true, &["Good, twenty ten. Good night."]);
}

#[test]
fn a_yes_answers_the_question_that_was_asked_last() {
    let rest = ["> And the total?", "Your total is twenty ten."];
    for (question, answer, confirmed) in [
        ("> Okay. Do you take cash?", "Yes.", false),
        ("> Okay, got it. Do you take cash?", "Yes.", false),
        ("> All right, and is it far?", "Yes.", false),
        ("> That's all of it, right?", "Yes.", true),
        ("> Is that okay?", "Yes.", true),
        ("> Did you get that?", "Yes.", true),
    ] {
        let talk = [&[ASKS, "Let me see.", question, answer], &rest[..]].concat();
        assert_eq!(confirms(&order(), &talk), confirmed, "{question}");
    }
    for (question, confirmed) in [
        ("> Did you get the address?", false),
        ("> Is it far?", true),
        ("> Got it. Do you need anything else?", true),
        ("> All good? Thanks. Is it far?", false),
    ] {
        let talk = [ASKS, YES, question, "No.", BYE];
        assert_eq!(confirms(&order(), &talk), confirmed, "{question}");
    }
}

#[test]
fn other_words_agree_as_well() {
    let right = [
        "Okay, awesome. Your total is twenty ten.",
        "Yep, you're all set. Your total is twenty ten.",
        "Looks good to me. Your total is twenty ten.",
        "Gotcha. Your total is twenty ten.",
        "Yes, that works. Your total is twenty ten.",
        "Yes, that's what I have. Your total is twenty ten.",
        "Yes. Thanks for calling. Your total is twenty ten.",
        "Yes. It shouldn't take long. Your total is twenty ten.",
        "Okay, it should be there in forty minutes. Your total is twenty ten.",
        "Okay, give us forty minutes. Your total is twenty ten.",
        "Yes. Your total is twenty ten. You don't have to pay until it arrives.",
        "Yes. Your total is twenty ten. We don't have a delivery fee.",
        "Yes. Your total is twenty ten. No longer than thirty minutes.",
        "No, that's good. Your total is twenty ten.",
        "Nope, that's it. Your total is twenty ten.",
        "No, you're good. Your total is twenty ten.",
        "Yes it does. Your total is twenty ten.",
        "Yes. Your total is twenty ten. Cash only.",
        "Yes. We only take cash. Your total is twenty ten.",
    ];
    answers(&order(), ASKS, true, &right);
    let wrong = [
        "That's not what I have. Your total is twenty ten.",
        "Awesome, another robot. Your total is twenty ten.",
        "No, that's not good. Your total is twenty ten.",
        "Yes, but we no longer have that. Your total is twenty ten.",
    ];
    answers(&order(), ASKS, false, &wrong);
}

/// Two pizzas, and their read-back.
fn two_pizzas() -> (OrderState, String) {
    let mut two = order();
    two.items.push(Item {
        size: Some(Size::Small),
        toppings: vec!["mushrooms".into()],
        ..Item::default()
    });
    let asks = asking("one large pepperoni pizza and one small mushroom pizza");
    (two, asks)
}

fn asking(words: &str) -> String {
    ASKS.replace("one large pepperoni pizza", words)
}

#[test]
fn what_is_counted_beside_the_items_is_another_order() {
    for words in [
        "one large pepperoni pizza and a Coke",
        "one large pepperoni pizza and a two liter Coke",
        "one large pepperoni pizza, two garlic breads",
        "one large pepperoni pizza plus an order of fries",
        "one large pepperoni pizza with a side of ranch",
        "a Coke and one large pepperoni pizza",
        "one large pepperoni pizza and another Hawaiian",
    ] {
        assert!(!confirms(&order(), &[&asking(words), YES, BYE]), "{words}");
    }
    let dessert = ASKS.replace("Is that right?", "And two cheesecakes. Is that right?");
    assert!(!confirms(&order(), &[&dessert, YES, BYE]));
    parting(false, &["So one large pepperoni and a Coke. Bye."]);
    for words in [
        "one large pepperoni pizza for a customer",
        "a regular crust, one large pepperoni pizza",
        "one large pizza with a regular crust and some pepperoni",
        "one large pepperoni and a phone number",
    ] {
        assert!(confirms(&order(), &[&asking(words), YES, BYE]), "{words}");
    }
    let mut with_bread = order();
    with_bread.items.push(Item {
        name: Some("garlic bread".into()),
        quantity: 2,
        ..Item::default()
    });
    let words = "one large pepperoni pizza and two garlic breads";
    assert!(confirms(&with_bread, &[&asking(words), YES, BYE]));
    let words = "one large pepperoni pizza, two garlic breads and a soda";
    assert!(!confirms(&with_bread, &[&asking(words), YES, BYE]));
}

#[test]
fn an_item_is_made_as_it_was_ordered() {
    for words in [
        "one large pepperoni calzone",
        "one large pepperoni pizza with extra cheese",
        "one large pizza with light pepperoni",
        "one large pizza with pepperoni on half of it",
        "one large pepperoni pizza without cheese",
        "one large pepperoni pizza, no sauce",
        "one large pepperoni pizza well done",
    ] {
        assert!(!confirms(&order(), &[&asking(words), YES, BYE]), "{words}");
    }
    let mut made = order();
    made.items[0].toppings.push("extra cheese".into());
    let words = "one large pepperoni pizza with extra cheese";
    assert!(confirms(&made, &[&asking(words), YES, BYE]));
    made = order();
    made.items[0].size = Some(Size::Xl);
    made.items[0].notes = Some("no sauce".into());
    let words = "one extra large pepperoni pizza, no sauce";
    assert!(confirms(&made, &[&asking(words), YES, BYE]));
    let answer = "Yes. Your total is twenty ten, and it takes half an hour.";
    assert!(confirms(&order(), &[ASKS, answer, BYE]));
}

#[test]
fn what_is_on_a_size_may_stand_before_it() {
    let (two, asks) = two_pizzas();
    for (words, confirmed) in [
        ("pepperoni on the large and mushrooms on the small", true),
        ("mushrooms on the small, and pepperoni on the large", true),
        ("mushrooms on the large and pepperoni on the small", false),
    ] {
        let answer = format!("Yes, {words}. Your total is twenty ten.");
        assert_eq!(confirms(&two, &[&asks, &answer, BYE]), confirmed, "{words}");
    }
}

#[test]
fn what_the_shop_makes_need_not_be_counted_to_be_another_order() {
    parting(
        false,
        &[
            "All right, your mushroom pizza will be there in forty minutes.",
            "So that's two pizzas, forty minutes.",
            "Your medium pepperoni will be there in forty minutes.",
            "Your large cheese will be there in forty minutes.",
            "So a plain pizza, forty minutes.",
            "I'll put extra cheese on it.",
            "I made it without cheese.",
            "It's on thin crust.",
            "Two large pepperoni, anything else?",
        ],
    );
    parting(
        true,
        &[
            "All right, your pepperoni pizza will be there in forty minutes.",
            "So that's one pizza, forty minutes.",
            "Your large pepperoni will be there in forty minutes.",
            "Thanks for calling Chicken Palace.",
            "Would you like mushrooms next time?",
            "It's a small delivery charge, that's included.",
        ],
    );
    for words in ["I'm gonna do ham on that.", "We'll make it a medium."] {
        let total = "Okay, your total is twenty ten.";
        let talk = [ASKS, words, "> And the total?", total, BYE];
        assert!(!confirms(&order(), &talk), "{words}");
    }
    let mut olive = order();
    olive.address.as_mut().unwrap().street = "123 Olive St".into();
    let asks = ASKS.replace("Main", "Olive");
    let answer = "Yes, 123 olive street. Your total is twenty ten.";
    assert!(confirms(&olive, &[&asks, answer, BYE]));
    let mut cheese = order();
    cheese.items[0].toppings.clear();
    let asks = asking("one large cheese pizza");
    let bye = "Your large cheese will be there in forty minutes.";
    assert!(confirms(&cheese, &[&asks, YES, BYE, bye]));
}

#[test]
fn what_the_shop_offers_instead_is_not_what_was_agreed_to() {
    let mut with_coke = order();
    with_coke.items.push(Item {
        name: Some("Coke".into()),
        ..Item::default()
    });
    let asks = asking("one large pepperoni pizza and one Coke");
    let total = "Your total is twenty ten.";
    let talk = |question, answer| confirms(&with_coke, &[&asks, question, answer, total, BYE]);
    let agreed = "> Yes, that's fine. And the total?";
    for question in [
        "Yep. Is Pepsi okay?",
        "Okay. Is a medium okay?",
        "Yes. Can I do Sprite instead?",
        "Yes. How about a Pepsi?",
    ] {
        assert!(!talk(question, agreed), "{question}");
    }
    assert!(talk(
        "Yep. Is Pepsi okay?",
        "> No, Coke please. And the total?"
    ));
    let mut xl = order();
    xl.items[0].size = Some(Size::Xl);
    let asks = asking("one extra large pepperoni pizza");
    let large = "Yes. Is large fine?";
    assert!(!confirms(&xl, &[&asks, large, agreed, total, BYE]));
    for question in [
        "Yep. Is cash okay?",
        "Yep. Is forty minutes okay?",
        "Yes. Is that okay?",
        "Yes. Is one Coke fine?",
    ] {
        assert!(talk(question, agreed), "{question}");
    }
}

#[test]
fn what_comes_on_top_leaves_the_total_open() {
    let wrong = [
        "Yes. Twenty ten, and delivery is extra.",
        "Yes. It's twenty ten, and then there's a delivery fee.",
        "Yes. Twenty ten. There's a delivery charge on top.",
        "Yes. Twenty ten plus taxes.",
    ];
    answers(&order(), ASKS, false, &wrong);
    parting(
        false,
        &[
            "Oh, delivery is extra.",
            "Oh, plus taxes.",
            "That doesn't include tax.",
            "With delivery it's twenty two.",
            "It's twenty two.",
            "Oh, I need a credit card number first.",
            "You have to come in and pay first.",
            "We require a deposit.",
        ],
    );
    let right = [
        "Yes. There's a delivery fee, so it's twenty ten.",
        "Yes. Delivery is extra, so that's twenty ten.",
        "Yes. Twenty ten, there's no delivery charge.",
        "Yes. Twenty ten, delivery is free.",
    ];
    answers(&order(), ASKS, true, &right);
    parting(
        true,
        &[
            "You don't have to pay first.",
            "The tax is included.",
            "Your order number is 22.",
        ],
    );
}

#[test]
fn a_no_to_a_question_about_the_total_leaves_it_open() {
    for (question, answer, confirmed) in [
        ("> Does that include tax?", "No.", false),
        ("> Is that with tax?", "No, tax is extra.", false),
        ("> So twenty ten altogether?", "No, twenty two.", false),
        ("> Does that include tax?", "Yes.", true),
        ("> Are there any other fees?", "No.", true),
        (
            "> Does that include tax?",
            "No, it's twenty ten with tax.",
            true,
        ),
    ] {
        let talk = [
            ASKS,
            "Yes, that's right.",
            "> And the total?",
            "Twenty ten.",
            question,
            answer,
            BYE,
        ];
        assert_eq!(confirms(&order(), &talk), confirmed, "{question} {answer}");
    }
}

#[test]
fn another_street_at_the_same_number_is_another_address() {
    for words in [
        "Got it, one twenty three Maple Street.",
        "Got it, one twenty three Maple.",
        "Got it, 123 North Main Street.",
        "Got it, 555-0143.",
    ] {
        let total = "Okay, your total is twenty ten.";
        let talk = [ASKS, words, "> And the total?", total, BYE];
        assert!(!confirms(&order(), &talk), "{words}");
    }
    parting(
        false,
        &[
            "Okay, we'll be at 123 Maple Street in forty minutes.",
            "See you at 123 North Main Street.",
        ],
    );
    parting(
        true,
        &[
            "Okay, we'll be at 123 Main Street in forty minutes.",
            "Our store is at 500 Maple Street.",
        ],
    );
    let mut north = order();
    north.address.as_mut().unwrap().street = "123 N Main St".into();
    let asks = ASKS.replace("Main", "North Main");
    let answer = "Okay, 123 Main Street. Your total is twenty ten.";
    assert!(confirms(&north, &[&asks, answer, BYE]));
}

#[test]
fn an_item_left_out_of_the_shops_repetition_was_not_agreed_to() {
    let (mut two, asks) = two_pizzas();
    for (words, confirmed) in [
        ("one large pepperoni", false),
        ("one large, one small", true),
        ("one large pepperoni and one small mushroom", true),
    ] {
        let answer = format!("Okay, {words}. Your total is twenty ten.");
        assert_eq!(confirms(&two, &[&asks, &answer, BYE]), confirmed, "{words}");
    }
    two.items[1].size = Some(Size::Large);
    let asks = asking("one large pepperoni pizza and one large mushroom pizza");
    for (words, confirmed) in [
        (
            "Your two large pizzas will be there in forty minutes.",
            true,
        ),
        ("Your two pizzas will be there in forty minutes.", true),
        (
            "Your three large pizzas will be there in forty minutes.",
            false,
        ),
    ] {
        let talk = [&asks, YES, BYE, words];
        assert_eq!(confirms(&two, &talk), confirmed, "{words}");
    }
    answers(
        &order(),
        ASKS,
        true,
        &["Yes, one large. Your total is twenty ten."],
    );
}

#[test]
fn a_total_is_said_in_many_ways() {
    let right = [
        "Yes. The total with taxes and fees is $20.10.",
        "Yes. Your total is going to be $20.10.",
        "Yes. Your total's $20.10.",
        "Yes. It comes out to $20.10.",
        "Yes. That's $20.10 after tax.",
        "Yes. Your total is $20.10. Delivery takes about 45 minutes.",
        "Thanks for holding. Yes, that's right. Your total is twenty ten.",
        "Sorry about that, yes, that's right. Your total is twenty ten.",
        "Yes. That should be ready in twenty minutes. Your total is twenty ten.",
        "Okay, we'll have that out to you in 45 minutes. Your total is twenty ten.",
        "Alrighty, twenty ten.",
        "Yep, you're good to go. Your total is twenty ten.",
    ];
    answers(&order(), ASKS, true, &right);
}

#[test]
fn what_need_not_be_said_is_open_again_behind_an_objection() {
    let talk = [
        "> One large pepperoni pizza with regular crust.",
        "We don't have that.",
        ASKS,
        YES,
        BYE,
    ];
    assert!(confirms(&order(), &talk));
    let mut t = Transcript::default();
    heard(&mut t, "a", "One large pizza with regular crust.", 100);
    t.shop_words("s", 0, "We don't have that.");
    let proof = |pointer| field(&order(), &t, pointer).0;
    assert_eq!(proof("/order/items/0/crust"), Proof::Unproven);
}

#[test]
fn a_no_to_anything_else_agrees() {
    let else_ = ASKS.replace("Is that right?", "Do you need anything else from me?");
    let answer = "Nope. Your total is twenty ten.";
    assert!(confirms(&order(), &[&else_, answer, BYE]));
    let wrong = "Nope, one twenty four. Your total is twenty ten.";
    assert!(!confirms(&order(), &[&else_, wrong, BYE]));
    let again = "> Great, one large pepperoni. Anything else you need?";
    assert!(confirms(&order(), &[ASKS, YES, again, "No.", BYE]));
    let everything = ASKS.replace("Is that right?", "Is that everything?");
    assert!(!confirms(&order(), &[&everything, answer, BYE]));
}
