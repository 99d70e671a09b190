//! The structured order in the API's request: what the customer wants. Every field may be missing;
//! what is missing, the agent settles on the phone.
//!
//! The format is published as `docs/order.schema.json`; a test keeps both in agreement. What a schema
//! cannot say is checked here alone: payment data is refused, and nothing may be both an allowed
//! substitution and forbidden.

use super::money::Cents;
use super::payment;
use super::state::{Address, DELIVERY_METHODS, DeliveryMethod, Item, MAX_ITEMS, SIZES};
use super::wish::{self, Substitution};
use crate::json::{FieldError, Fields};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the format.
const VERSION: u64 = 1;
/// The most entries of a list of texts.
const MAX_TEXTS: usize = 12;

/// The customer's order.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
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
    /// What may be ordered instead.
    pub substitutions: Vec<Substitution>,
    /// What must never be replaced by something else.
    pub never_substitute: Vec<String>,
    /// What the customer must never get.
    pub allergens: Vec<String>,
    /// The most the order may cost.
    #[serde(skip)]
    pub max_total: Option<Cents>,
    /// Free words beside it may ask for more.
    pub open: bool,
}

impl OrderRequest {
    /// Checks the `order` object.
    ///
    /// # Errors
    /// Every problem, each with its JSON pointer.
    pub fn parse(value: &Value, pointer: &str) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::of(value, pointer)?;
        let mut order = Self::default();
        fields.optional_integer("version", VERSION..=VERSION);
        fields.optional_word("payment", &[("at_door", ())]);
        order.never_substitute = texts(&mut fields, "neverSubstitute");
        order.allergens = texts(&mut fields, "allergens");
        let list = fields.optional_list("items", MAX_ITEMS);
        for (item, (at, value)) in list.unwrap_or_default().into_iter().enumerate() {
            match order.parse_item(value, &at, item) {
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
        let max_total = fields.optional_number("maxTotal", 0.0..=100_000.0);
        order.max_total = max_total.and_then(Cents::from_decimal);
        if max_total.is_some() && order.max_total.is_none() {
            fields.problem("maxTotal", "must have at most two decimals");
        }
        fields.finish()?;
        Ok(order)
    }

    /// Checks an item and what may be ordered instead of its parts.
    fn parse_item(
        &mut self,
        value: &Value,
        pointer: &str,
        item: usize,
    ) -> Result<Item, Vec<FieldError>> {
        let mut fields = Fields::of(value, pointer)?;
        let parsed = item_fields(&mut fields);
        let list = fields.optional_list("substitutions", MAX_TEXTS);
        for (at, value) in list.unwrap_or_default() {
            match self.parse_substitution(value, &at, item) {
                Ok(substitution) => self.substitutions.push(substitution),
                Err(errors) => fields.problems(errors),
            }
        }
        fields.finish()?;
        Ok(parsed)
    }

    fn parse_substitution(
        &self,
        value: &Value,
        pointer: &str,
        item: usize,
    ) -> Result<Substitution, Vec<FieldError>> {
        let mut fields = Fields::of(value, pointer)?;
        let of = text(&mut fields, "for", 60);
        fields.required("with");
        let with = texts(&mut fields, "with");
        let named = of.as_ref();
        if named.is_some_and(|of| {
            self.never_substitute
                .iter()
                .any(|never| wish::same(never, of))
        }) {
            fields.problem("for", "must not be in neverSubstitute as well");
        }
        if with
            .iter()
            .any(|with| self.allergens.iter().any(|a| wish::holds(with, a)))
        {
            fields.problem("with", "must not hold an allergen");
        }
        fields.finish()?;
        let of = of.unwrap_or_default();
        Ok(Substitution { item, of, with })
    }
}

fn texts(fields: &mut Fields<'_>, key: &'static str) -> Vec<String> {
    let texts = fields
        .optional_texts(key, MAX_TEXTS, 60)
        .unwrap_or_default();
    if texts.iter().any(|text| payment::has_card(text)) {
        fields.problem(key, payment_refused());
    }
    texts
}

/// The fields of an item; problems stay in `fields`.
pub fn item_fields(fields: &mut Fields<'_>) -> Item {
    let item = Item {
        name: optional_text(fields, "name", 80),
        size: fields.optional_word("size", &SIZES),
        crust: optional_text(fields, "crust", 60),
        toppings: fields
            .optional_texts("toppings", MAX_TEXTS, 60)
            .unwrap_or_default(),
        quantity: fields
            .optional_integer("quantity", 1..=50)
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(1),
        notes: optional_text(fields, "notes", 200),
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
mod tests;
