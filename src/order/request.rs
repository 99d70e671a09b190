//! The structured order in the API's request: what the customer wants. Every field may be missing;
//! what is missing, the agent settles on the phone.

use super::payment;
use super::state::{Address, DELIVERY_METHODS, DeliveryMethod, Item, MAX_ITEMS, SIZES};
use crate::json::{FieldError, Fields};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The customer's order.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct OrderRequest {
    /// What to order.
    pub items: Vec<Item>,
    /// Delivery or pickup.
    pub delivery_method: Option<DeliveryMethod>,
    /// Name for the order.
    pub name: Option<String>,
    /// Phone number for the shop.
    pub phone: Option<String>,
    /// Where to deliver.
    pub address: Option<Address>,
    /// Anything else the shop should know.
    pub notes: Option<String>,
}

impl OrderRequest {
    /// Checks the `order` object.
    ///
    /// # Errors
    /// Every problem, each with its JSON pointer.
    pub fn parse(value: &Value, pointer: &str) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::of(value, pointer)?;
        let mut order = Self::default();
        for (at, value) in fields.optional_list("items", MAX_ITEMS).unwrap_or_default() {
            match parse_item(value, &at) {
                Ok(item) => order.items.push(item),
                Err(errors) => fields.problems(errors),
            }
        }
        order.delivery_method = fields.optional_word("delivery_method", &DELIVERY_METHODS);
        if let Some(customer) = fields.value("customer") {
            match parse_customer(customer, &fields.at("customer")) {
                Ok((name, phone)) => (order.name, order.phone) = (name, phone),
                Err(errors) => fields.problems(errors),
            }
        }
        if let Some(address) = fields.value("address") {
            match parse_address(address, &fields.at("address")) {
                Ok(address) => order.address = Some(address),
                Err(errors) => fields.problems(errors),
            }
        }
        order.notes = optional_text(&mut fields, "notes", 500);
        fields.finish()?;
        Ok(order)
    }
}

/// Checks one item, of a request or of a tool call.
pub fn parse_item(value: &Value, pointer: &str) -> Result<Item, Vec<FieldError>> {
    let mut fields = Fields::of(value, pointer)?;
    let item = item_fields(&mut fields);
    fields.finish()?;
    Ok(item)
}

/// The fields of an item; problems stay in `fields`.
pub fn item_fields(fields: &mut Fields<'_>) -> Item {
    let item = Item {
        size: fields.optional_word("size", &SIZES),
        crust: optional_text(fields, "crust", 60),
        toppings: fields
            .optional_texts("toppings", 12, 60)
            .unwrap_or_default(),
        quantity: fields
            .optional_integer("quantity", 1..=50)
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(1),
    };
    if item
        .crust
        .iter()
        .chain(&item.toppings)
        .any(|text| payment::has_card(text))
    {
        fields.problem("toppings", payment_refused());
    }
    item
}

/// Checks an address, of a request or of a tool call.
pub fn parse_address(value: &Value, pointer: &str) -> Result<Address, Vec<FieldError>> {
    let mut fields = Fields::of(value, pointer)?;
    let parts = (
        text(&mut fields, "street", 120),
        text(&mut fields, "city", 80),
        text(&mut fields, "state", 40),
        text(&mut fields, "zip", 16),
    );
    fields.finish()?;
    match parts {
        (Some(street), Some(city), Some(state), Some(zip)) => Ok(Address {
            street,
            city,
            state,
            zip,
        }),
        _ => Err(vec![FieldError::new(pointer, "is incomplete")]),
    }
}

/// A phone number as people write it: at least 7 digits, nothing but digits and separators.
pub fn phone_field(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let phone = optional_text(fields, key, 32)?;
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    let plain = phone
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')' | '.'));
    if plain && (7..=15).contains(&digits) {
        Some(phone)
    } else {
        fields.problem(key, "must be a phone number of 7 to 15 digits");
        None
    }
}

/// An optional text without payment data.
pub fn optional_text(fields: &mut Fields<'_>, key: &'static str, max: usize) -> Option<String> {
    let text = fields.optional_text(key, max)?;
    if payment::has_card(&text) {
        fields.problem(key, payment_refused());
        return None;
    }
    Some(text)
}

/// A required text without payment data.
pub fn text(fields: &mut Fields<'_>, key: &'static str, max: usize) -> Option<String> {
    fields.required(key);
    optional_text(fields, key, max)
}

/// What a field with a card number in it is told.
pub fn payment_refused() -> &'static str {
    "must not contain payment data: it is never accepted; the customer pays the shop directly"
}

fn parse_customer(
    value: &Value,
    pointer: &str,
) -> Result<(Option<String>, Option<String>), Vec<FieldError>> {
    let mut fields = Fields::of(value, pointer)?;
    let customer = (
        optional_text(&mut fields, "name", 80),
        phone_field(&mut fields, "phone"),
    );
    fields.finish()?;
    Ok(customer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_whole_order_is_read() {
        let order = OrderRequest::parse(&json!({
            "items": [{ "size": "large", "crust": "thin", "toppings": ["pepperoni", "olives"], "quantity": 2 }, {}],
            "delivery_method": "delivery",
            "customer": { "name": "Dana Whitfield", "phone": "+13105550142" },
            "address": { "street": "123 Main St", "city": "Los Angeles", "state": "CA", "zip": "90001" },
            "notes": "ring twice"
        }), "/order").unwrap();
        assert_eq!(order.items.len(), 2);
        assert_eq!(
            order.items[1],
            Item {
                size: None,
                crust: None,
                toppings: vec![],
                quantity: 1
            }
        );
        assert_eq!(order.phone.as_deref(), Some("+13105550142"));
    }

    #[test]
    fn every_problem_has_its_pointer() {
        let errors = OrderRequest::parse(
            &json!({
                "items": [{ "size": "huge" }, { "quantity": 0, "olives": true }],
                "customer": { "phone": "call me" },
                "address": { "street": "1 A St" },
                "notes": "card 4111 1111 1111 1111"
            }),
            "/order",
        )
        .unwrap_err();
        let pointers: Vec<&str> = errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/order/items/0/size",
                "/order/items/1/quantity",
                "/order/items/1/olives",
                "/order/customer/phone",
                "/order/address/city",
                "/order/address/state",
                "/order/address/zip",
                "/order/notes"
            ]
        );
    }
}
