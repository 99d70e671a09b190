use super::*;
use crate::order::money::Cents;
use crate::order::state::{Address, Customer, Item, Size};
use crate::order::transcript::Transcript;

mod conversations;

fn read_back(order: &OrderState, transcript: &Transcript) -> Vec<FieldEvidence> {
    Lines::new(order, transcript).fields()
}

fn total(amount: Cents, order: &OrderState, transcript: &Transcript) -> FieldEvidence {
    Lines::new(order, transcript).total(amount)
}

fn subtotal(
    amount: Cents,
    total: Cents,
    order: &OrderState,
    transcript: &Transcript,
) -> FieldEvidence {
    Lines::new(order, transcript).subtotal(amount, total)
}

fn order() -> OrderState {
    OrderState {
        items: vec![Item {
            size: Some(Size::Large),
            crust: Some("regular".into()),
            toppings: vec!["pepperoni".into()],
            ..Item::default()
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
        .chain([&total(Cents(2010), order, &t)])
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
fn an_okay_in_the_middle_of_a_read_back_proves_neither_side_of_it() {
    let mut t = Transcript::default();
    heard(&mut t, "a", READ_BACK, 40);
    t.shop_words("s", 0, "Okay.");
    t.acknowledge("s", "a", 40);
    heard(&mut t, "a", "", 100);
    assert_eq!(proofs(&t), [Proof::Stated; 3]);
    assert_eq!(read_back(&order(), &t)[0].answered, None);
    t.not_acknowledgement("s");
    assert_eq!(
        proofs(&t),
        [Proof::Proven; 3],
        "otherwise it were an answer"
    );
}

#[test]
fn an_acknowledgement_of_the_next_turn_proves_nothing_of_the_one_before() {
    let mut t = Transcript::default();
    heard(&mut t, "a", READ_BACK, 100);
    heard(
        &mut t,
        "b",
        "And what is the total, with taxes and fees?",
        50,
    );
    t.shop_words("s", 0, "Mm-hmm.");
    t.acknowledge("s", "b", 50);
    assert_eq!(proofs(&t), [Proof::Stated; 3]);
}

#[test]
fn the_answer_counts_however_many_acknowledgements_came_before() {
    let mut t = Transcript::default();
    heard(&mut t, "a", READ_BACK, 100);
    for at in 0..5 {
        let id = format!("s{at}");
        t.shop_words(&id, at, "Mm-hmm.");
        t.acknowledge(&id, "a", at);
    }
    t.shop_words("answer", 9, "Yes, that's right.");
    assert_eq!(proofs(&t), [Proof::Proven; 3]);
    assert_eq!(
        read_back(&order(), &t)[0]
            .answered
            .as_ref()
            .map(|q| q.turn.as_str()),
        Some("answer")
    );
}

#[test]
fn an_objection_counts_wherever_it_comes() {
    let mut t = Transcript::default();
    heard(&mut t, "a", READ_BACK, 100);
    t.shop_words("s", 0, "Yeah, that's wrong.");
    t.acknowledge("s", "a", 40);
    assert_eq!(proofs(&t), [Proof::Contradicted; 3]);
    let mut t = Transcript::default();
    heard(&mut t, "a", READ_BACK, 100);
    t.shop_words("s", 0, "Yes.");
    heard(&mut t, "b", "Thank you, goodbye!", 100);
    t.shop_words("s2", 0, "Okay, we don't deliver there.");
    t.acknowledge("s2", "b", 40);
    assert_eq!(proofs(&t), [Proof::Contradicted; 3]);
}

#[test]
fn an_acknowledgement_states_no_total() {
    let mut t = Transcript::default();
    t.shop_words("s", 0, "Seventeen fifty, twenty ten with tax.");
    assert!(total(Cents(2010), &order(), &t).is_enough());
    t.acknowledge("s", "a", 40);
    assert_eq!(total(Cents(2010), &order(), &t).proof, Proof::Unproven);
    assert_eq!(
        subtotal(Cents(1750), Cents(2010), &order(), &t).proof,
        Proof::Unproven
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
        [Proof::Contradicted, Proof::Proven, Proof::Contradicted],
        "something else was read back in their place"
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
        toppings: vec![topping.into()],
        ..Item::default()
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
            subtotal(Cents(1750), Cents(2010), &order(), t).proof,
            total(Cents(2010), &order(), t).proof,
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
    assert_eq!(
        subtotal(Cents(2010), Cents(2010), &order(), &t).proof,
        Proof::Proven
    );
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

/// The proof of one field, the words that say it and the words that answer it.
fn field(order: &OrderState, t: &Transcript, pointer: &str) -> (Proof, String, String) {
    let fields = read_back(order, t);
    let field = fields.into_iter().find(|f| f.pointer == pointer).unwrap();
    let words = |quote: Option<Quote>| {
        let quote = quote.map(|q| {
            t.get(&q.turn)
                .unwrap()
                .heard_text()
                .get(q.words)
                .unwrap()
                .to_owned()
        });
        quote.unwrap_or_default()
    };
    (field.proof, words(field.said), words(field.answered))
}

#[test]
fn every_part_is_quoted_by_the_fewest_words_that_say_it() {
    let mut t = Transcript::default();
    heard(
        &mut t,
        "a",
        "So one large pepperoni, delivered to 123 Main St, Los Angeles, CA, 9 0 0 0 1, for Dana Whitfield, phone 310 555 0142.",
        100,
    );
    t.shop_words("s", 0, "Okay then, that's all correct. Twenty ten.");
    for (pointer, said) in [
        ("/order/items/0", "one large pepperoni"),
        ("/order/items/0/quantity", "one"),
        ("/order/items/0/size", "large"),
        ("/order/items/0/toppings/0", "pepperoni"),
        ("/order/customer/phone", "310 555 0142"),
        ("/order/customer/name", "Dana Whitfield"),
        ("/order/delivery_method", "delivered"),
        ("/order/address", "123 Main St, Los Angeles, CA, 9 0 0 0 1"),
        ("/order/address/street", "123 Main St"),
        ("/order/address/city", "Los Angeles"),
        ("/order/address/state", "CA"),
        ("/order/address/zip", "9 0 0 0 1"),
    ] {
        let proven = (Proof::Proven, said.to_owned(), "Okay".to_owned());
        assert_eq!(field(&order(), &t, pointer), proven, "{pointer}");
    }
    let (proof, ..) = field(&order(), &t, "/order/items/0/crust");
    assert_eq!(proof, Proof::Unproven, "nobody said \"regular\"");
    let total = total(Cents(2010), &order(), &t).said.unwrap();
    assert_eq!(
        t.get("s").unwrap().heard_text().get(total.words),
        Some("Twenty ten")
    );
}

#[test]
fn a_yes_in_the_middle_agrees_to_exactly_what_had_been_heard() {
    for (answer, phone) in [
        ("Yes.", Proof::Proven),
        ("Right.", Proof::Proven),
        ("Got it.", Proof::Proven),
        ("Mm-hmm.", Proof::Stated),
        ("Okay.", Proof::Stated),
        ("Right?", Proof::Stated),
    ] {
        let mut t = Transcript::default();
        let words = "The phone is 310 555 0142, and it goes to 123 Main Street, please, thank you.";
        t.agent_words("a", 0, words);
        t.agent_audio("a", 0, 10_000);
        t.agent_complete("a");
        t.agent_heard("a", 5_000);
        t.shop_words("s", 0, answer);
        t.acknowledge("s", "a", 5_000);
        t.agent_heard("a", 10_000);
        let proof = |pointer| field(&order(), &t, pointer).0;
        assert_eq!(proof("/order/customer/phone"), phone, "{answer}");
        assert_eq!(proof("/order/address/street"), Proof::Stated, "{answer}");
    }
}

#[test]
fn an_objection_to_the_whole_takes_a_yes_in_its_middle_back() {
    let mut t = Transcript::default();
    heard(&mut t, "a", READ_BACK, 90);
    t.shop_words("s", 0, "Yes.");
    t.acknowledge("s", "a", 90);
    t.agent_heard("a", 100);
    assert_eq!(field(&order(), &t, "/order/items/0").0, Proof::Proven);
    t.shop_words("s2", 0, "No, that's wrong.");
    assert_eq!(field(&order(), &t, "/order/items/0").0, Proof::Contradicted);
}

#[test]
fn what_the_shop_says_itself_is_proven_and_what_it_asks_is_not() {
    let shop = |words: &str, agent: &str| {
        let mut t = Transcript::default();
        heard(&mut t, "a", "I'd like to order a pizza.", 100);
        t.shop_words("s", 0, words);
        heard(&mut t, "b", agent, 100);
        field(&order(), &t, "/order/items/0").0
    };
    assert_eq!(shop("Okay, one large pepperoni.", "Thanks."), Proof::Proven);
    assert_eq!(shop("One large pepperoni?", "Yes, please."), Proof::Proven);
    assert_eq!(shop("One large pepperoni?", "Let me see."), Proof::Unproven);
    assert_eq!(shop("Two large pepperoni?", "Yes."), Proof::Contradicted);
    assert_eq!(
        shop("Okay, two large pepperoni.", "Thanks."),
        Proof::Contradicted
    );
    assert_eq!(
        shop("We're out of large pepperoni.", "Oh."),
        Proof::Unproven
    );
}

#[test]
fn an_echo_of_the_agent_is_not_the_shops_word() {
    let mut t = Transcript::default();
    heard(&mut t, "a", READ_BACK, 100);
    t.shop_words(
        "s",
        0,
        "one large pepperoni pizza, delivered to one twenty three Main Street",
    );
    assert_eq!(proofs(&t), [Proof::Stated; 3]);
}

#[test]
fn who_asks_for_a_field_has_not_agreed_to_it() {
    let mut t = Transcript::default();
    heard(&mut t, "a", READ_BACK, 100);
    t.shop_words("s", 0, "Yes. And what was the phone number again?");
    assert_eq!(proofs(&t), [Proof::Proven, Proof::Stated, Proof::Proven]);
}

#[test]
fn a_yes_to_another_question_is_no_answer_to_the_read_back() {
    let mut t = Transcript::default();
    heard(&mut t, "a", READ_BACK, 100);
    t.shop_words("s", 0, "Let me see.");
    heard(&mut t, "b", "Do you take coupons?", 100);
    t.shop_words("s2", 0, "Yes.");
    assert_eq!(proofs(&t), [Proof::Stated; 3]);
    t.shop_words("s3", 0, "Your total is twenty ten.");
    assert_eq!(proofs(&t), [Proof::Stated; 3], "a price agrees to nothing");
}

#[test]
fn another_city_or_a_topping_more_is_not_what_was_ordered() {
    for (words, wrong) in [
        ("Main Street", "Main Street, Pasadena"),
        ("Main Street", "Main Street, Los Angeles, Nevada"),
        ("Main Street", "Main Avenue"),
        ("pepperoni pizza", "pepperoni pizza with mushrooms"),
        ("one large", "about one large"),
        ("one large", "two large"),
        ("one four two", "one four two, sorry, one four three"),
        ("phone", "phone 212 555 0142, sorry,"),
    ] {
        let read = READ_BACK.replace(words, wrong);
        let fine = wrong.ends_with("sorry,");
        assert_eq!(enough(&order(), &read, ANSWER), fine, "{wrong}");
    }
}

#[test]
fn the_time_of_a_quote_lies_within_its_turn() {
    let mut t = Transcript::default();
    t.agent_words("a", 1_000, "one two three four five six seven eight.");
    t.agent_audio("a", 1_000, 32_000);
    t.agent_complete("a");
    t.agent_heard("a", 32_000);
    let turn = t.get("a").unwrap();
    assert_eq!(turn.said_ms(0..40), (1_000, 5_000));
    assert_eq!(turn.said_ms(20..40), (3_000, 5_000));
    t.shop_turn("s", 6_000);
    t.shop_until("s", 8_000);
    t.shop_words("s", 9_000, "twenty ten");
    assert_eq!(t.get("s").unwrap().said_ms(0..5), (6_000, 7_000));
}

#[test]
fn a_total_belongs_to_the_items_as_they_were_when_it_was_named() {
    let mut t = Transcript::default();
    heard(&mut t, "a", READ_BACK, 100);
    t.shop_words("s", 0, "Yes. Your total is twenty ten.");
    heard(
        &mut t,
        "b",
        &READ_BACK.replace("one large", "two large"),
        100,
    );
    t.shop_words("s2", 0, "Yes, that's right.");
    let mut two = order();
    two.items[0].quantity = 2;
    assert_eq!(total(Cents(2010), &two, &t).proof, Proof::Unproven);
    t.shop_words("s3", 0, "Your total is twenty ten.");
    assert_eq!(total(Cents(2010), &two, &t).proof, Proof::Proven);
    t.shop_words("s4", 0, "No card, no order.");
    assert_eq!(total(Cents(2010), &two, &t).proof, Proof::Stated);
}

#[test]
fn a_shop_that_has_it_picked_up_delivers_to_no_address() {
    for answer in [
        "Okay, but you'd have to pick it up.",
        "Yes. No delivery today though, only pickup.",
        "Sure, ready for pickup in twenty minutes.",
    ] {
        let mut t = Transcript::default();
        heard(&mut t, "a", READ_BACK, 100);
        t.shop_words("s", 0, answer);
        assert_eq!(proofs(&t)[2], Proof::Contradicted, "{answer}");
    }
}
