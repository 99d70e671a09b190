//! The tools the model may call. Arguments are checked strictly: a bad one goes back to the
//! model as a precise error, and nothing of that call reaches the order.

use super::digits::Digits;
use super::money::Cents;
use super::request::{item_fields, optional_text, parse_address, phone_field, text};
use super::state::{
    Address, Customer, DELIVERY_METHODS, DeliveryMethod, Item, MAX_ITEMS, OrderState, Totals,
};
use crate::json::{self, FieldError, Fields};
use serde::Serialize;
use serde_json::Value;

/// A checked tool call.
#[derive(Clone, Debug, PartialEq)]
pub enum Tool {
    /// Add an item, or replace one that was saved before.
    SaveOrderItem {
        /// The item.
        item: Item,
        /// Position of the item to replace, counted from 1.
        replaces: Option<usize>,
    },
    /// Who the order is for, and how they get it.
    SetCustomer {
        /// Name and phone.
        customer: Customer,
        /// Delivery or pickup.
        delivery_method: DeliveryMethod,
    },
    /// Where to deliver.
    SetAddress(Address),
    /// The shop stated the total after the read-back.
    ConfirmTotal(Totals),
    /// Press keys of the telephone.
    PressDigits(Digits),
    /// Say goodbye and hang up.
    EndCall {
        /// Why; what the model says of it.
        reason: Option<String>,
    },
    /// Hand the call to a human.
    EscalateToHuman,
    /// The shop wants no more calls.
    DoNotCall,
}

/// The most characters of arguments that are looked at.
const MAX_ARGUMENTS: usize = 16 * 1024;

impl Tool {
    /// Checks a tool call.
    ///
    /// # Errors
    /// Every problem with its JSON pointer into the arguments; the model's fault.
    pub fn parse(name: &str, arguments: &str) -> Result<Self, Vec<FieldError>> {
        if arguments.len() > MAX_ARGUMENTS {
            return Err(vec![FieldError::new("", "the arguments are too long")]);
        }
        // A model may send nothing for a tool without required arguments.
        let arguments = if arguments.trim().is_empty() {
            "{}"
        } else {
            arguments
        };
        let value: Value = serde_json::from_str(arguments).map_err(|e| {
            vec![FieldError::new(
                "",
                format!("the arguments are not JSON: {e}"),
            )]
        })?;
        let mut fields = Fields::of(&value, "")?;
        match name {
            "save_order_item" => {
                let item = item_fields(&mut fields);
                let named = item.name.is_some() || item.crust.is_some();
                if item.size.is_none() && !named && item.toppings.is_empty() {
                    fields.problem(
                        "toppings",
                        "say what the item is: a name, a size, a crust or toppings",
                    );
                }
                let replaces = fields
                    .optional_integer("replaces", 1..=MAX_ITEMS as u64)
                    .and_then(|n| usize::try_from(n).ok());
                fields.finish()?;
                Ok(Self::SaveOrderItem { item, replaces })
            }
            "set_customer" => {
                fields.required("phone");
                let parts = (
                    text(&mut fields, "name", 80),
                    phone_field(&mut fields, "phone"),
                    fields.word("delivery_method", &DELIVERY_METHODS),
                );
                fields.finish()?;
                match parts {
                    (Some(name), Some(phone), Some(delivery_method)) => Ok(Self::SetCustomer {
                        customer: Customer { name, phone },
                        delivery_method,
                    }),
                    _ => Err(vec![FieldError::new("", "is incomplete")]),
                }
            }
            "set_address" => parse_address(&value, "").map(Self::SetAddress),
            "confirm_total" => {
                let (subtotal, total) = (
                    amount(&mut fields, "subtotal"),
                    amount(&mut fields, "total"),
                );
                if let (Some(subtotal), Some(total)) = (subtotal, total)
                    && total < subtotal
                {
                    fields.problem(
                        "total",
                        "must not be less than the subtotal; ask the shop again",
                    );
                }
                fields.finish()?;
                match (subtotal, total) {
                    (Some(subtotal), Some(total)) => Ok(Self::ConfirmTotal(Totals {
                        subtotal: Some(subtotal),
                        total,
                    })),
                    _ => Err(vec![FieldError::new("", "is incomplete")]),
                }
            }
            "press_digits" => {
                let digits = digits(&mut fields, "digits");
                fields.finish()?;
                digits
                    .map(Self::PressDigits)
                    .ok_or_else(|| vec![FieldError::new("", "is incomplete")])
            }
            "end_call" => {
                let reason = optional_text(&mut fields, "reason", 300);
                fields.finish().map(|()| Self::EndCall { reason })
            }
            "do_not_call" => fields.finish().map(|()| Self::DoNotCall),
            "escalate_to_human" => {
                fields.text("reason", 300);
                fields.finish().map(|()| Self::EscalateToHuman)
            }
            _ => Err(vec![FieldError::new("", "there is no tool of this name")]),
        }
    }
}

/// The tools as the session declares them, a list: read from a text, which is smaller than code that
/// builds them.
pub fn definitions() -> Value {
    serde_json::from_str(include_str!("tools.json")).unwrap_or_default()
}

/// What the model is told of a tool call; `ok` first, because it is what matters.
#[derive(Serialize)]
struct Answer<'a> {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<&'a OrderState>,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    missing: &'a [String],
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    next: Option<&'static str>,
}

const DONE: Answer<'static> = Answer {
    ok: true,
    order: None,
    errors: &[],
    missing: &[],
    next: None,
};

impl Answer<'_> {
    fn to_json(&self) -> String {
        json::text(self)
    }
}

/// The tool did what it was asked to.
pub fn done() -> String {
    DONE.to_json()
}

/// The shop spoke into it.
pub fn interrupted() -> String {
    Answer {
        ok: false,
        next: Some("The shop has just interrupted: listen first."),
        ..DONE
    }
    .to_json()
}

/// The tool changed the order, which now stands like this.
pub fn accepted(order: &OrderState) -> String {
    Answer {
        order: Some(order),
        ..DONE
    }
    .to_json()
}

/// The arguments are bad; nothing was saved.
pub fn refused(errors: &[FieldError]) -> String {
    Answer {
        ok: false,
        errors,
        ..DONE
    }
    .to_json()
}

/// The total cannot be confirmed yet.
pub fn not_yet(missing: &[String]) -> String {
    let next = "The shop has not heard or said these yet. Read back exactly these, wait for the answer, then call confirm_total again.";
    Answer {
        ok: false,
        missing,
        next: Some(next),
        ..DONE
    }
    .to_json()
}

/// The total is recorded, and the shop has not agreed to all it belongs to.
pub fn unanswered(order: &OrderState, open: &[String]) -> String {
    let next = "The total is recorded, but the shop has not clearly agreed to these yet. Ask whether exactly these are right, wait for a yes, then call confirm_total again.";
    Answer {
        ok: false,
        order: Some(order),
        missing: open,
        next: Some(next),
        ..DONE
    }
    .to_json()
}

/// There is nobody to hand the call to.
pub fn nobody_there() -> String {
    Answer {
        ok: false,
        next: Some("No human is available. Apologise and say goodbye."),
        ..DONE
    }
    .to_json()
}

fn amount(fields: &mut Fields<'_>, key: &'static str) -> Option<Cents> {
    fields.required(key);
    let amount = fields.optional_number(key, 0.0..=100_000.0)?;
    let cents = Cents::from_decimal(amount);
    if cents.is_none() {
        fields.problem(key, "must have at most two decimals");
    }
    cents
}

fn digits(fields: &mut Fields<'_>, key: &'static str) -> Option<Digits> {
    fields.required(key);
    let problem = match fields.value(key)?.as_str().map(Digits::parse) {
        Some(Ok(digits)) => return Some(digits),
        Some(Err(error)) => error.to_string(),
        None => "must be a text".to_owned(),
    };
    fields.problem(key, problem);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::state::Size;

    #[test]
    fn the_calls_of_the_build_plan_are_accepted() {
        assert_eq!(
            Tool::parse(
                "save_order_item",
                r#"{"size":"large","crust":"regular","toppings":["pepperoni"],"quantity":1}"#
            ),
            Ok(Tool::SaveOrderItem {
                item: Item {
                    size: Some(Size::Large),
                    crust: Some("regular".into()),
                    toppings: vec!["pepperoni".into()],
                    ..Item::default()
                },
                replaces: None
            })
        );
        assert!(
            Tool::parse(
                "set_customer",
                r#"{"name":"John Doe","phone":"+15551234567","delivery_method":"pickup"}"#
            )
            .is_ok()
        );
        assert!(
            Tool::parse(
                "set_address",
                r#"{"street":"123 Main St","city":"LA","state":"CA","zip":"90001"}"#
            )
            .is_ok()
        );
        assert_eq!(
            Tool::parse("confirm_total", r#"{"subtotal":17.5,"total":20.1}"#),
            Ok(Tool::ConfirmTotal(Totals {
                subtotal: Some(Cents(1750)),
                total: Cents(2010)
            }))
        );
        assert_eq!(
            Tool::parse("press_digits", r#"{"digits":"1,*#"}"#),
            Ok(Tool::PressDigits(Digits::parse("1,*#").unwrap()))
        );
        assert_eq!(
            Tool::parse("end_call", ""),
            Ok(Tool::EndCall { reason: None })
        );
        assert_eq!(
            Tool::parse("escalate_to_human", r#"{"reason":"r"}"#),
            Ok(Tool::EscalateToHuman)
        );
    }

    #[test]
    fn every_declared_tool_is_known() {
        let definitions = definitions();
        let definitions = definitions.as_array().unwrap();
        assert_eq!(definitions.len(), 8);
        for definition in definitions {
            let name = definition["name"].as_str().unwrap();
            let unknown = FieldError::new("", "there is no tool of this name");
            assert!(
                Tool::parse(name, r#"{"x":1}"#).is_err_and(|errors| errors != [unknown]),
                "{name}"
            );
            assert_eq!(definition["parameters"]["additionalProperties"], false);
        }
    }

    #[test]
    fn a_bad_argument_is_named_by_its_pointer() {
        for (name, arguments, pointer) in [
            ("save_order_item", r#"{"size":"family"}"#, "/size"),
            (
                "save_order_item",
                r#"{"size":"large","quantity":0}"#,
                "/quantity",
            ),
            (
                "save_order_item",
                r#"{"size":"large","quantity":1.5}"#,
                "/quantity",
            ),
            (
                "save_order_item",
                r#"{"size":"large","color":"red"}"#,
                "/color",
            ),
            ("save_order_item", "{}", "/toppings"),
            (
                "set_customer",
                r#"{"name":"A","delivery_method":"pickup"}"#,
                "/phone",
            ),
            (
                "set_customer",
                r#"{"name":"A","phone":"12","delivery_method":"pickup"}"#,
                "/phone",
            ),
            (
                "set_customer",
                r#"{"name":"4111111111111111","phone":"5551234567","delivery_method":"pickup"}"#,
                "/name",
            ),
            (
                "set_address",
                r#"{"street":"1 A St","city":"B","state":"C"}"#,
                "/zip",
            ),
            ("confirm_total", r#"{"subtotal":5,"total":-1}"#, "/total"),
            ("confirm_total", r#"{"subtotal":5,"total":4}"#, "/total"),
            ("confirm_total", r#"{"subtotal":5,"total":5.005}"#, "/total"),
            ("confirm_total", r#"{"subtotal":5,"total":"5"}"#, "/total"),
            ("press_digits", "{}", "/digits"),
            ("press_digits", r#"{"digits":""}"#, "/digits"),
            ("press_digits", r#"{"digits":"one"}"#, "/digits"),
            ("press_digits", r#"{"digits":1}"#, "/digits"),
            (
                "press_digits",
                r#"{"digits":"4111*1111,,,1111#1111"}"#,
                "/digits",
            ),
            ("escalate_to_human", "{}", "/reason"),
            ("end_call", "[]", ""),
            ("end_call", "{", ""),
            ("order_pizza", "{}", ""),
        ] {
            let errors = Tool::parse(name, arguments).unwrap_err();
            assert_eq!(errors[0].pointer, pointer, "{name} {arguments}: {errors:?}");
        }
    }
}
