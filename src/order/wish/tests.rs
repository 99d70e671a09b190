use super::*;
use crate::order::money::Cents;
use crate::order::state::{Size, Totals};
use crate::order::transcript::Transcript;
use serde_json::{Value, json};

fn request(value: &Value) -> OrderRequest {
    OrderRequest::parse(value, "/order").unwrap()
}

fn wanted() -> OrderRequest {
    request(&json!({
        "version": 1,
        "items": [
            { "size": "large", "crust": "thin", "toppings": ["pepperoni", "olives"],
              "substitutions": [{ "for": "pepperoni", "with": ["salami", "ham"] }, { "for": "olives", "with": [] }, { "for": "large", "with": ["medium"] }] },
            { "name": "garlic bread", "quantity": 2 }
        ],
        "neverSubstitute": ["thin"],
        "allergens": ["peanuts", "shrimp"],
        "delivery_method": "delivery",
        "customer": { "name": "Dana Whitfield", "phone": "+13105550142" },
        "address": { "street": "123 Main St", "city": "Los Angeles", "state": "CA", "zip": "90001" }
    }))
}

fn pizza(toppings: &[&str]) -> Item {
    Item {
        size: Some(Size::Large),
        crust: Some("thin crust".into()),
        toppings: toppings.iter().map(|t| (*t).to_owned()).collect(),
        ..Item::default()
    }
}

fn bread(quantity: u32) -> Item {
    Item {
        name: Some("Garlic breads".into()),
        quantity,
        ..Item::default()
    }
}

fn pointers(errors: &[FieldError]) -> Vec<&str> {
    errors.iter().map(|e| e.pointer.as_str()).collect()
}

#[test]
fn an_item_may_differ_only_where_a_substitution_allows_it() {
    let wanted = wanted();
    for fine in [
        pizza(&["pepperoni", "olives"]),
        pizza(&["Olive", "Pepperoni"]),
        pizza(&["salami", "olives"]),
        pizza(&["ham"]),
        Item {
            size: Some(Size::Medium),
            ..pizza(&["pepperoni", "olives"])
        },
        bread(2),
    ] {
        assert_eq!(wanted.check_item(&fine), [], "{fine:?}");
    }
    for (wrong, pointer) in [
        (pizza(&["bacon", "olives"]), "/toppings"),
        (pizza(&["pepperoni", "mushrooms"]), "/toppings/1"),
        (pizza(&["pepperoni", "salami", "olives"]), "/toppings"),
        (
            Item {
                crust: Some("deep dish".into()),
                ..pizza(&["pepperoni", "olives"])
            },
            "/crust",
        ),
        (
            Item {
                size: Some(Size::Small),
                ..pizza(&["pepperoni", "olives"])
            },
            "/size",
        ),
        (
            Item {
                quantity: 2,
                ..pizza(&["pepperoni", "olives"])
            },
            "/quantity",
        ),
        (bread(3), "/quantity"),
        (pizza(&["shrimp", "olives"]), "/toppings/0"),
        (pizza(&["pepperoni", "peanut sauce"]), "/toppings/1"),
    ] {
        let errors = wanted.check_item(&wrong);
        assert_eq!(pointers(&errors).first(), Some(&pointer), "{wrong:?}");
        assert!(errors[0].detail.contains("escalate_to_human") || wrong.toppings.len() == 3);
    }
    assert_eq!(
        wanted.check_item(&Item {
            notes: Some("peanut allergy".into()),
            ..bread(2)
        }),
        []
    );
}

#[test]
fn a_refusal_says_what_is_allowed_instead() {
    let errors = wanted().check_item(&pizza(&["bacon", "olives"]));
    assert!(
        errors[0]
            .detail
            .contains("asked for pepperoni; instead only: salami, ham"),
        "{errors:?}"
    );
}

#[test]
fn free_words_allow_any_item_but_no_allergen() {
    let free = request(&json!({ "allergens": ["peanuts"] }));
    let free = OrderRequest { open: true, ..free };
    assert_eq!(free.check_item(&pizza(&["bacon"])), []);
    assert_eq!(
        free.check_item(&pizza(&["no peanuts", "peanut free sauce"])),
        []
    );
    assert_eq!(
        pointers(&free.check_item(&pizza(&["peanuts"]))),
        ["/toppings/0"]
    );
}

fn state(items: Vec<Item>) -> OrderState {
    OrderState {
        items,
        delivery_method: Some(DeliveryMethod::Delivery),
        customer: Some(Customer {
            name: "dana whitfield".into(),
            phone: "310-555-0142".into(),
        }),
        address: Some(Address {
            street: "123 Main Street".into(),
            city: "Los Angeles".into(),
            state: "California".into(),
            zip: "90001".into(),
        }),
        totals: None,
    }
}

#[test]
fn an_order_that_differs_anywhere_is_found() {
    let wanted = wanted();
    let whole = || state(vec![bread(2), pizza(&["salami", "olives"])]);
    assert_eq!(wanted.deviations(&whole()), []);
    let found = |change: &dyn Fn(&mut OrderState)| {
        let mut order = whole();
        change(&mut order);
        let found = wanted.deviations(&order);
        pointers(&found).join(" ")
    };
    assert_eq!(found(&|o| o.items.truncate(1)), "/order/items");
    assert_eq!(found(&|o| o.items.push(bread(2))), "/order/items/2");
    assert_eq!(
        found(&|o| o.items[0].quantity = 1),
        "/order/items /order/items/0"
    );
    assert_eq!(
        found(&|o| o.items[1].toppings[0] = "shrimp".into()),
        "/order/items/1 /order/items /order/items/1"
    );
    assert_eq!(
        found(&|o| o.delivery_method = Some(DeliveryMethod::Pickup)),
        "/order/delivery_method"
    );
    assert_eq!(
        found(&|o| o.customer.as_mut().unwrap().phone = "3105550143".into()),
        "/order/customer/phone"
    );
    assert_eq!(
        found(&|o| o.customer.as_mut().unwrap().name = "Dan".into()),
        "/order/customer/name"
    );
    assert_eq!(
        found(&|o| o.address.as_mut().unwrap().street = "124 Main St".into()),
        "/order/address/street"
    );
    assert_eq!(
        found(&|o| o.address.as_mut().unwrap().state = "Nevada".into()),
        "/order/address/state"
    );
}

#[test]
fn a_total_for_another_order_is_refused() {
    let mut order = state(vec![bread(2)]);
    let totals = Totals {
        subtotal: None,
        total: Cents(2010),
    };
    let missing = order
        .confirm_total(totals, &Transcript::default(), None, Some(&wanted()))
        .unwrap_err();
    assert!(
        missing[0].contains("lack 1 of the items asked for"),
        "{missing:?}"
    );
}
