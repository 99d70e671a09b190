//! The body of `POST /api/call`.

use crate::config::MAX_CALL_MINUTES;
use crate::json::{FieldError, Fields};
use crate::order::money::Cents;
use crate::order::request::{OrderRequest, optional_text};
use crate::policy::gate;
use crate::twilio::number::E164;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A checked request for a call.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CallRequest {
    /// The shop.
    pub to: E164,
    /// The order in free words.
    pub order_hint: Option<String>,
    /// The order in fields.
    pub order: OrderRequest,
    /// ISO 639-1 language of the call.
    pub language: String,
    /// Longest call, in ms, where the request says.
    pub max_call_ms: Option<u64>,
    /// The most the order may cost.
    pub max_total: Option<Cents>,
}

/// The largest request body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

impl CallRequest {
    /// Checks a request body.
    ///
    /// # Errors
    /// Every problem with its JSON pointer; the caller's fault, and nothing is dialled.
    pub fn parse(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        let value: Value = serde_json::from_slice(body).map_err(|e| {
            vec![FieldError::new(
                "",
                format!(
                    "the body is not JSON: line {} column {}",
                    e.line(),
                    e.column()
                ),
            )]
        })?;
        let mut fields = Fields::of(&value, "")?;
        let to = phone_number(&mut fields);
        let order_hint = optional_text(&mut fields, "orderHint", 2_000);
        let hinted = fields.value("orderHint").is_some();
        let order = match fields
            .value("order")
            .map(|order| OrderRequest::parse(order, "/order"))
        {
            Some(Err(errors)) => {
                fields.problems(errors);
                OrderRequest::default()
            }
            parsed => {
                let order = parsed.and_then(Result::ok).unwrap_or_default();
                if !hinted && order.items.is_empty() {
                    fields.problem(
                        "order",
                        "say what to order: in `order.items`, in `orderHint`, or in both",
                    );
                }
                order
            }
        };
        let language = fields
            .optional_text("language", 2)
            .unwrap_or_else(|| "en".into());
        if !(language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase())) {
            fields.problem("language", "must be an ISO 639-1 code such as \"en\"");
        }
        let max_call_ms = fields
            .optional_number("maxCallMinutes", 0.1..=MAX_CALL_MINUTES)
            .map(minutes_to_ms);
        let max_total = fields
            .optional_number("maxTotal", 0.0..=100_000.0)
            .map(Cents::from_decimal);
        if max_total == Some(None) {
            fields.problem("maxTotal", "must have at most two decimals");
        }
        fields.finish()?;
        let to = to.ok_or_else(|| vec![FieldError::new("/to", "is required")])?;
        Ok(Self {
            to,
            order_hint,
            order,
            language,
            max_call_ms,
            max_total: max_total.flatten(),
        })
    }
}

fn phone_number(fields: &mut Fields<'_>) -> Option<E164> {
    fields.required("to");
    match E164::parse(fields.value("to")?.as_str().unwrap_or_default()) {
        Ok(number) => match gate::refusal(&number) {
            None => Some(number),
            Some(refusal) => {
                fields.problem("to", refusal.describe());
                None
            }
        },
        Err(e) => {
            fields.problem("to", e.to_string());
            None
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 14 minutes"
)]
fn minutes_to_ms(minutes: f64) -> u64 {
    (minutes * 60_000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pointers(body: &str) -> Vec<String> {
        CallRequest::parse(body.as_bytes())
            .unwrap_err()
            .into_iter()
            .map(|e| e.pointer)
            .collect()
    }

    #[test]
    fn a_hint_or_an_order_is_enough() {
        let request = CallRequest::parse(br#"{"to":"+13105550123","orderHint":"1 large pepperoni","maxCallMinutes":1.5,"maxTotal":30}"#).unwrap();
        assert_eq!(
            (
                request.max_call_ms,
                request.max_total,
                request.language.as_str()
            ),
            (Some(90_000), Some(Cents(3000)), "en")
        );
        assert!(
            CallRequest::parse(br#"{"to":"+13105550123","order":{"items":[{"size":"large"}]}}"#)
                .is_ok()
        );
    }

    #[test]
    fn everything_wrong_is_found_at_once() {
        assert_eq!(pointers("{}"), ["/to", "/order"]);
        assert_eq!(pointers("[]"), [""]);
        assert_eq!(pointers("{"), [""]);
        assert_eq!(
            pointers(
                r#"{"to":"+19005550123","orderHint":"card 4111111111111111","order":{"items":3},"language":"EN","maxCallMinutes":60,"maxTotal":1.001,"tip":1}"#
            ),
            [
                "/to",
                "/orderHint",
                "/order/items",
                "/language",
                "/maxCallMinutes",
                "/maxTotal",
                "/tip"
            ]
        );
        assert_eq!(pointers(r#"{"to":5551234,"orderHint":"x"}"#), ["/to"]);
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = CallRequest::parse(&body);
        }
    }
}
