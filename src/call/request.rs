//! The body of `POST /api/call`.

use crate::config::{Config, MAX_CALL_MINUTES};
use crate::json::{self, FieldError, Fields};
use crate::order::letters::lower_case;
use crate::order::money::Cents;
use crate::order::request::{OrderRequest, optional_text};
use crate::policy::callback;
use crate::policy::idempotency::digest;
use crate::realtime::prices::MicroDollars;
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
    /// The most the call may cost, where the request says.
    #[serde(default)]
    pub max_cost: Option<MicroDollars>,
    /// ISO 4217 code of the shop's prices; its minor unit is a hundredth.
    #[serde(default = "dollars")]
    pub currency: String,
    /// Where the outcome is sent, where the request says.
    #[serde(default)]
    pub callback_url: Option<String>,
    /// What matters before dialling only.
    #[serde(skip)]
    pub dial: Dial,
}

/// The part of a request that is about dialling.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Dial {
    /// IANA time zone of the shop.
    pub timezone: Option<String>,
    /// Order the same again on purpose.
    pub force: bool,
    /// Ask whether the call is allowed, and place none.
    pub dry_run: bool,
}

/// The largest request body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

impl CallRequest {
    /// All that is known of a request that was lost: whom Twilio calls.
    pub fn of_lost_call(to: &str) -> Option<Self> {
        let known = serde_json::json!({ "to": to, "orderHint": "lost" });
        Self::parse(json::text(&known).as_bytes()).ok()
    }

    /// Checks a request body.
    ///
    /// # Errors
    /// Every problem with its JSON pointer; the caller's fault, and nothing is dialled.
    pub fn parse(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        let malformed = |detail| vec![FieldError::new("", detail)];
        let text = str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8".into()))?;
        let value: Value = serde_json::from_str(text).map_err(|e| {
            malformed(format!(
                "the body is not JSON: line {} column {}",
                e.line(),
                e.column()
            ))
        })?;
        let mut fields = Fields::of(&value, "")?;
        let to = phone_number(&mut fields);
        let order_hint = optional_text(&mut fields, "orderHint", 2_000);
        let hinted = fields.value("orderHint").is_some();
        let mut order = match fields
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
        let max_cost = fields.optional_number("maxCost", 0.01..=1000.0);
        let currency = fields.optional_word("currency", &CURRENCIES);
        let callback_url = fields.optional_text("callbackUrl", callback::MAX_URL_CHARS);
        if callback_url
            .as_deref()
            .is_some_and(|url| !callback::is_url(url))
        {
            fields.problem("callbackUrl", callback::BAD_URL);
        }
        let dial = Dial {
            timezone: timezone(&mut fields),
            force: flag(&mut fields, "force"),
            dry_run: flag(&mut fields, "dryRun"),
        };
        // The budget has its place here; in the order it means the same.
        let in_order = order.max_total.take();
        let max_total = match (max_total.flatten(), in_order) {
            (Some(a), Some(b)) if a != b => {
                fields.problem(
                    "maxTotal",
                    "must be the same as in the order, or left out of one",
                );
                None
            }
            (here, there) => here.or(there),
        };
        order.open = order_hint.is_some();
        fields.finish()?;
        let to = to.ok_or_else(|| vec![FieldError::new("/to", "is required")])?;
        Ok(Self {
            to,
            order_hint,
            order,
            language,
            max_call_ms,
            max_total,
            max_cost: max_cost.map(|dollars| whole(dollars * 1e6)),
            currency: currency.unwrap_or("USD").to_owned(),
            callback_url,
            dial,
        })
    }

    /// Whether the outcome can be sent where the request wants it.
    ///
    /// # Errors
    /// Nothing could be signed, or the URL leads into the Worker's own network.
    pub fn check_callback(&self, config: &Config) -> Result<(), Vec<FieldError>> {
        let problem = match &self.callback_url {
            Some(_) if config.outcome_webhook_secrets.is_empty() => {
                "cannot be used: OUTCOME_WEBHOOK_SECRET is not set"
            }
            // One that runs on loopback is being tried out, together with its receiver.
            Some(url) if !callback::is_public(url) && !config.is_local() => {
                "must have a name of the public network as its host"
            }
            _ => return Ok(()),
        };
        Err(vec![FieldError::new("/callbackUrl", problem)])
    }

    /// The problem of a time zone that the runtime does not know.
    pub fn unknown_timezone() -> Vec<FieldError> {
        vec![FieldError::new("/timezone", TIMEZONE)]
    }

    /// Digest of the number and what is ordered there: equal for two requests that order the same,
    /// in whatever order, case or spacing.
    pub fn order_digest(&self) -> String {
        let items = json::text(&self.order.items);
        let items: Value = serde_json::from_str(&items).unwrap_or_default();
        let hint = folded(self.order_hint.as_deref().unwrap_or_default());
        digest(format!("{} {} {hint}", self.to.as_str(), canonical(&items)).as_bytes())
    }
}

/// What is wrong with a time zone.
const TIMEZONE: &str = "must be an IANA time zone such as \"America/Los_Angeles\"";

/// Only its form: the runtime has the time zones. An offset such as `+01:00` is none, for it knows no
/// summer time.
fn timezone(fields: &mut Fields<'_>) -> Option<String> {
    let name = fields.optional_text("timezone", 64)?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'));
    if !is_name {
        fields.problem("timezone", TIMEZONE);
    }
    Some(name)
}

fn flag(fields: &mut Fields<'_>, key: &'static str) -> bool {
    match fields.value(key) {
        None => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => {
            fields.problem(key, "must be true or false");
            false
        }
    }
}

/// Text in one case, with single spaces.
fn folded(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(lower_case).collect();
    words.join(" ")
}

/// JSON without what makes no difference: the order of lists, case and spacing of texts.
fn canonical(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let mut sorted: Vec<String> = Vec::with_capacity(list.len());
            for text in list.iter().map(canonical) {
                sorted.insert(sorted.partition_point(|other| *other < text), text);
            }
            format!("[{}]", sorted.join(","))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{key}:{}", canonical(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::String(text) => format!("{:?}", folded(text)),
        other => json::text(other),
    }
}

fn phone_number(fields: &mut Fields<'_>) -> Option<E164> {
    fields.required("to");
    match E164::parse(fields.value("to")?.as_str().unwrap_or_default()) {
        Ok(number) => Some(number),
        Err(e) => {
            fields.problem("to", e.to_string());
            None
        }
    }
}

fn minutes_to_ms(minutes: f64) -> u64 {
    whole(minutes * 60_000.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded by the checks of both fields"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// Currencies with hundredths.
const CURRENCIES: [(&str, &str); 12] = [
    ("USD", "USD"),
    ("CAD", "CAD"),
    ("MXN", "MXN"),
    ("BRL", "BRL"),
    ("EUR", "EUR"),
    ("GBP", "GBP"),
    ("CHF", "CHF"),
    ("SEK", "SEK"),
    ("DKK", "DKK"),
    ("PLN", "PLN"),
    ("AUD", "AUD"),
    ("NZD", "NZD"),
];

fn dollars() -> String {
    "USD".to_owned()
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
                r#"{"to":"3105550123","orderHint":"card 4111111111111111","order":{"items":3},"language":"EN","maxCallMinutes":60,"maxTotal":1.001,"timezone":"+01:00","force":"no","dryRun":1,"tip":1}"#
            ),
            [
                "/to",
                "/orderHint",
                "/order/items",
                "/language",
                "/maxCallMinutes",
                "/maxTotal",
                "/timezone",
                "/force",
                "/dryRun",
                "/tip"
            ]
        );
        assert_eq!(pointers(r#"{"to":5551234,"orderHint":"x"}"#), ["/to"]);
    }

    #[test]
    fn a_callback_is_a_url_that_can_be_signed_for_and_is_not_of_our_own_network() {
        let body =
            |url: &str| format!(r#"{{"to":"+13105550123","orderHint":"x","callbackUrl":"{url}"}}"#);
        for bad in [
            "",
            "shop",
            "http://shop.example.com/",
            "https://shop.example.com/#x",
        ] {
            assert_eq!(pointers(&body(bad)), ["/callbackUrl"], "{bad}");
        }
        let config = |base: &str, secret: Option<&str>| {
            let secret = secret.map(str::to_owned);
            Config::read(|name| match name {
                "TWILIO_ACCOUNT_SID" => Some("AC00000000000000000000000000000001".to_owned()),
                "TWILIO_FROM_NUMBER" => Some("+13105550100".to_owned()),
                "PUBLIC_BASE_URL" => Some(base.to_owned()),
                "API_TOKEN" | "OPENAI_API_KEY" | "TWILIO_AUTH_TOKEN" => Some("x".to_owned()),
                "OUTCOME_WEBHOOK_SECRET" => secret.clone(),
                _ => None,
            })
            .unwrap()
        };
        let secret = Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let (deployed, local) = ("https://calls.example.com", "http://127.0.0.1:8787");
        for (url, base, secret, good) in [
            ("https://shop.example.com/hook", deployed, secret, true),
            ("https://shop.example.com/hook", deployed, None, false),
            ("https://10.0.0.1/hook", deployed, secret, false),
            ("http://127.0.0.1:9/hook", deployed, secret, false),
            ("http://127.0.0.1:9/hook", local, secret, true),
            ("http://127.0.0.1:9/hook", local, None, false),
        ] {
            let request = CallRequest::parse(body(url).as_bytes()).unwrap();
            let checked = request.check_callback(&config(base, secret));
            let pointer = checked.err().map(|errors| errors[0].pointer.clone());
            let expected = (!good).then(|| "/callbackUrl".to_owned());
            assert_eq!(pointer, expected, "{url} at {base}");
        }
        let without = CallRequest::parse(br#"{"to":"+13105550123","orderHint":"x"}"#).unwrap();
        assert_eq!(without.check_callback(&config(deployed, None)), Ok(()));
    }

    #[test]
    fn the_same_order_has_the_same_digest_however_it_is_written() {
        let digest = |to: &str, rest: &str| {
            let body = format!(r#"{{"to":"{to}",{rest}}}"#);
            CallRequest::parse(body.as_bytes()).unwrap().order_digest()
        };
        let to = "+13105550123";
        let first = digest(
            to,
            r#""order":{"items":[{"size":"large","toppings":["Ham","olives"]},{"size":"small"}]}"#,
        );
        let same = r#""force":true,"maxTotal":20,"order":{"items":[{"quantity":1,"size":"small","toppings":[]},{"toppings":["olives"," ham "],"size":"large"}]}"#;
        assert_eq!(first, digest(to, same));
        for other in [
            r#""order":{"items":[{"size":"large","toppings":["ham","olives"]}]}"#,
            r#""order":{"items":[{"size":"large","toppings":["ham"]},{"size":"small"}]}"#,
            r#""order":{"items":[{"size":"large","toppings":["ham","olives"]},{"size":"small","quantity":2}]}"#,
            r#""orderHint":"large ham and olives""#,
        ] {
            assert_ne!(first, digest(to, other), "{other}");
        }
        assert_ne!(first, digest("+13105550124", same));
        let hint = |text: &str| digest(to, &format!(r#""orderHint":"{text}""#));
        assert_eq!(hint("1 Large  pepperoni"), hint("1 large pepperoni "));
        assert_ne!(hint("1 large pepperoni"), hint("2 large pepperoni"));
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = CallRequest::parse(&body);
        }
    }
}
