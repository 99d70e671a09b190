use super::*;
use serde_json::json;

#[test]
fn a_whole_order_is_read() {
    let order = OrderRequest::parse(&json!({
        "version": 1,
        "items": [{ "size": "large", "crust": "thin", "toppings": ["pepperoni", "olives"], "quantity": 2,
                    "notes": "well done", "substitutions": [{ "for": "olives", "with": ["ham"] }] }, {}, { "name": "cola" }],
        "delivery_method": "delivery",
        "customer": { "name": "Dana Whitfield", "phone": "+13105550142" },
        "address": { "street": "123 Main St", "city": "Los Angeles", "state": "CA", "zip": "90001" },
        "neverSubstitute": ["thin crust"], "allergens": ["nuts"], "maxTotal": 40.5, "payment": "at_door",
        "notes": "ring twice"
    }), "/order").unwrap();
    assert_eq!(order.items.len(), 3);
    assert_eq!(order.items[1], Item::default());
    assert_eq!(order.phone.as_deref(), Some("+13105550142"));
    assert_eq!(
        (order.max_total, order.substitutions[0].item),
        (Some(Cents(4050)), 0)
    );
}

#[test]
fn every_problem_has_its_pointer() {
    let errors = OrderRequest::parse(
        &json!({
            "version": 2,
            "items": [{ "size": "huge" }, { "quantity": 0, "olives": true },
                      { "substitutions": [{ "for": "ham" }, { "for": "Thin Crust", "with": ["nuts"] }] }],
            "customer": { "phone": "call me" },
            "address": { "street": "1 A St" },
            "neverSubstitute": ["thin"], "allergens": ["nut"], "maxTotal": 1.001, "payment": "card",
            "notes": "card 4111 1111 1111 1111"
        }),
        "/order",
    )
    .unwrap_err();
    let mut pointers: Vec<&str> = errors.iter().map(|e| e.pointer.as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/order/address/city",
            "/order/address/state",
            "/order/address/zip",
            "/order/customer/phone",
            "/order/items/0/size",
            "/order/items/1/olives",
            "/order/items/1/quantity",
            "/order/items/2/substitutions/0/with",
            "/order/items/2/substitutions/1/for",
            "/order/items/2/substitutions/1/with",
            "/order/maxTotal",
            "/order/notes",
            "/order/payment",
            "/order/version",
        ]
    );
}

/// Whether a document fits the published schema: the keywords that it uses, and no others.
fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    schema.as_object().unwrap().iter().all(|(keyword, rule)| {
        let number = |rule: &Value| rule.as_f64().unwrap();
        let size = |n: usize| f64::from(u32::try_from(n).unwrap());
        let length = |text: &str| size(text.chars().count());
        match (keyword.as_str(), value) {
            ("$ref", _) => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                fits(root, root.pointer(pointer).unwrap(), value)
            }
            ("const", value) => value == rule,
            ("enum", value) => rule.as_array().unwrap().contains(value),
            ("type", value) => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64() || value.is_i64(),
                "number" => value.is_number(),
                other => panic!("no such type: {other}"),
            },
            ("properties", Value::Object(fields)) => fields
                .iter()
                .all(|(key, value)| rule.get(key).is_none_or(|rule| fits(root, rule, value))),
            ("additionalProperties", Value::Object(fields)) => {
                assert_eq!(rule, false);
                fields
                    .keys()
                    .all(|key| schema["properties"].get(key).is_some())
            }
            ("required", Value::Object(fields)) => {
                let mut keys = rule.as_array().unwrap().iter();
                keys.all(|key| fields.contains_key(key.as_str().unwrap()))
            }
            ("items", Value::Array(list)) => list.iter().all(|value| fits(root, rule, value)),
            ("maxItems", Value::Array(list)) => size(list.len()) <= number(rule),
            ("minLength", Value::String(text)) => length(text) >= number(rule),
            ("maxLength", Value::String(text)) => length(text) <= number(rule),
            ("minimum", Value::Number(n)) => n.as_f64().unwrap() >= number(rule),
            ("maximum", Value::Number(n)) => n.as_f64().unwrap() <= number(rule),
            ("pattern", Value::String(text)) => match rule.as_str().unwrap() {
                r"\S" => !text.trim().is_empty(),
                r"^[-+ ().]*([0-9][-+ ().]*){7,15}$" => {
                    let digits = text.chars().filter(char::is_ascii_digit).count();
                    let plain = |c: char| c.is_ascii_digit() || "-+ ().".contains(c);
                    text.chars().all(plain) && (7..=15).contains(&digits)
                }
                other => panic!("no such pattern: {other}"),
            },
            (
                "$schema"
                | "$id"
                | "$defs"
                | "title"
                | "description"
                | "properties"
                | "additionalProperties"
                | "required"
                | "items"
                | "maxItems"
                | "minLength"
                | "maxLength"
                | "minimum"
                | "maximum"
                | "pattern",
                _,
            ) => true,
            (other, _) => panic!("no such keyword: {other}"),
        }
    })
}

#[test]
fn the_published_schema_and_the_parser_agree() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/order.schema.json")).unwrap();
    let long = |n: usize| "x".repeat(n);
    let good = [
        json!({}),
        json!({ "version": 1, "payment": "at_door", "maxTotal": 0 }),
        json!({ "items": [] }),
        json!({ "items": [{}, { "size": "xl", "quantity": 50, "toppings": [], "crust": long(60) }] }),
        json!({ "items": vec![json!({ "name": long(80), "notes": long(200) }); 20] }),
        json!({ "items": [{ "substitutions": [{ "for": "ham", "with": [] }, { "for": "olive", "with": ["a", "b"] }] }] }),
        json!({ "items": [{ "toppings": vec![long(60); 12] }] }),
        json!({ "neverSubstitute": ["a"], "allergens": ["b"], "notes": long(500) }),
        json!({ "delivery_method": "pickup", "customer": {} }),
        json!({ "customer": { "name": "A", "phone": "(310) 555-0142" } }),
        json!({ "customer": { "phone": "5550142" } }),
        json!({ "address": { "street": "1 A St", "city": "B", "state": "CA", "zip": "1" } }),
        json!({ "maxTotal": 100_000 }),
        json!({ "maxTotal": 20.55 }),
    ];
    let bad = [
        json!([]),
        json!("order"),
        json!({ "version": 2 }),
        json!({ "version": "1" }),
        json!({ "version": 0 }),
        json!({ "payment": "card" }),
        json!({ "maxTotal": -1 }),
        json!({ "maxTotal": "20" }),
        json!({ "maxTotal": 100_001 }),
        json!({ "tip": 1 }),
        json!({ "items": {} }),
        json!({ "items": [1] }),
        json!({ "items": vec![json!({}); 21] }),
        json!({ "items": [{ "size": "huge" }] }),
        json!({ "items": [{ "quantity": 0 }] }),
        json!({ "items": [{ "quantity": 51 }] }),
        json!({ "items": [{ "quantity": 1.5 }] }),
        json!({ "items": [{ "quantity": "1" }] }),
        json!({ "items": [{ "crust": "" }] }),
        json!({ "items": [{ "crust": "  " }] }),
        json!({ "items": [{ "crust": long(61) }] }),
        json!({ "items": [{ "name": long(81) }] }),
        json!({ "items": [{ "notes": long(201) }] }),
        json!({ "items": [{ "toppings": "ham" }] }),
        json!({ "items": [{ "toppings": [""] }] }),
        json!({ "items": [{ "toppings": [long(61)] }] }),
        json!({ "items": [{ "toppings": vec!["a"; 13] }] }),
        json!({ "items": [{ "colour": "red" }] }),
        json!({ "items": [{ "substitutions": [{ "for": "ham" }] }] }),
        json!({ "items": [{ "substitutions": [{ "with": [] }] }] }),
        json!({ "items": [{ "substitutions": [{ "for": "ham", "with": [], "why": "x" }] }] }),
        json!({ "items": [{ "substitutions": vec![json!({ "for": "ham", "with": [] }); 13] }] }),
        json!({ "neverSubstitute": [1] }),
        json!({ "neverSubstitute": "ham" }),
        json!({ "allergens": vec!["a"; 13] }),
        json!({ "delivery_method": "drone" }),
        json!({ "customer": [] }),
        json!({ "customer": { "phone": "123456" } }),
        json!({ "customer": { "phone": "call me" } }),
        json!({ "customer": { "phone": "1234567890123456" } }),
        json!({ "customer": { "email": "a@b" } }),
        json!({ "address": { "street": "1 A St" } }),
        json!({ "address": { "street": "1 A St", "city": "B", "state": "CA", "zip": "1", "floor": 2 } }),
        json!({ "address": { "street": long(121), "city": "B", "state": "CA", "zip": "1" } }),
        json!({ "notes": long(501) }),
    ];
    for (documents, is_good) in [(&good[..], true), (&bad[..], false)] {
        for document in documents {
            assert_eq!(
                OrderRequest::parse(document, "").is_ok(),
                is_good,
                "parser: {document}"
            );
            assert_eq!(
                fits(&schema, &schema, document),
                is_good,
                "schema: {document}"
            );
        }
    }
}
