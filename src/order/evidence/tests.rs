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
fn an_okay_in_the_middle_of_a_read_back_proves_neither_side_of_it() {
    let mut t = Transcript::default();
    heard(&mut t, "a", READ_BACK, 40);
    t.shop_words("s", 0, "Okay.");
    t.acknowledge("s", "a", 40);
    heard(&mut t, "a", "", 100);
    assert_eq!(proofs(&t), [Proof::Stated; 3]);
    assert_eq!(read_back(&order(), &t)[0].answered_in, None);
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
        read_back(&order(), &t)[0].answered_in.as_deref(),
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
    assert!(total(Cents(2010), &t).is_enough());
    t.acknowledge("s", "a", 40);
    assert_eq!(total(Cents(2010), &t).proof, Proof::Unproven);
    assert_eq!(
        subtotal(Cents(1750), Cents(2010), &t).proof,
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
