//! One outcome against the truth, field by field. Of the product nothing is known here but the
//! outcome's JSON.

use super::order::plain;
use super::plan::{End, Plan};
use super::truth::{Standing, Truth};
use crate::timeline::What;
use crate::virtual_time::Run;
use serde_json::Value;

/// What the outcome says of a field, and what is true.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) pointer: String,
    /// As the table names it.
    pub(super) kind: &'static str,
    /// The outcome says `proven`.
    pub(super) proven: bool,
    pub(super) standing: Option<Standing>,
    /// It need not be said to be as it is, so whether it counts as proven is open.
    tacit: bool,
}

impl Field {
    /// Proven, and it is not.
    pub(super) fn is_false(&self) -> bool {
        self.proven && !self.may_stand()
    }

    /// Whether it would not be false to build on it.
    fn may_stand(&self) -> bool {
        self.tacit || matches!(self.standing, Some(Standing::Open | Standing::Affirmed))
    }

    /// Proven, as far as that is no matter of taste.
    pub(super) fn counts(&self) -> bool {
        self.proven && (self.is_false() || self.standing == Some(Standing::Affirmed))
    }

    pub(super) fn is_affirmed(&self) -> bool {
        self.standing == Some(Standing::Affirmed)
    }
}

/// What became of one conversation.
#[derive(Clone, Debug)]
pub(super) struct Score {
    pub(super) status: String,
    pub(super) fields: Vec<Field>,
    /// `confirmed`, and it is not.
    pub(super) false_confirmed: bool,
    /// Not confirmed, and it must be; or no reason is given.
    pub(super) missed: Vec<String>,
    /// The disclosure counts as heard, and was not.
    pub(super) false_disclosure: bool,
    /// Quotes of words that nobody heard.
    pub(super) false_quotes: Vec<String>,
    /// What went wrong besides.
    pub(super) faults: Vec<String>,
}

impl Score {
    /// Whether all of it is as it must be.
    pub(super) fn is_right(&self) -> bool {
        !self.false_confirmed
            && !self.false_disclosure
            && self.missed.is_empty()
            && self.false_quotes.is_empty()
            && self.faults.is_empty()
            && !self.fields.iter().any(Field::is_false)
    }

    /// Every way in which it is not.
    pub(super) fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        if self.false_confirmed {
            failures.push("FALSE CONFIRMED".to_owned());
        }
        let wrong = self.fields.iter().filter(|field| field.is_false());
        failures.extend(wrong.map(|field| {
            let truth = field
                .standing
                .map_or("never said".to_owned(), |s| format!("{s:?}"));
            format!("{} proven, but {}", field.pointer, truth.to_lowercase())
        }));
        if self.false_disclosure {
            failures.push("disclosure not heard".to_owned());
        }
        let quotes = self.false_quotes.iter();
        failures.extend(quotes.map(|quote| format!("never heard: \"{quote}\"")));
        failures.extend(self.missed.iter().cloned());
        failures.extend(self.faults.iter().cloned());
        let lost = self.fields.iter().filter(|f| f.is_affirmed() && !f.proven);
        failures.extend(lost.map(|field| format!("{} affirmed, but not proven", field.pointer)));
        failures
    }
}

/// Compares.
pub(super) fn score(plan: &Plan, truth: &Truth, run: &Run) -> Score {
    let outcome = run.outcome.as_deref().unwrap_or("null");
    let outcome: Value = serde_json::from_str(outcome).unwrap_or_default();
    let status = outcome["status"].as_str().unwrap_or("none").to_owned();
    let mut leaves = Vec::new();
    collect(&outcome["order"], "/order".to_owned(), &mut leaves);
    let evidence: Vec<(&str, bool)> = outcome["evidence"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry["pointer"].as_str()?, entry["proof"] == "proven")))
        .collect();
    let mut fields: Vec<Field> = leaves
        .iter()
        .filter_map(|(pointer, values)| field(pointer, values, &evidence, truth))
        .collect();
    let tried = run.play.timeline.events();
    let tried = tried
        .iter()
        .any(|event| matches!(&event.what, What::Tool { name, .. } if name == "confirm_total"));
    let has_total = fields.iter().any(|field| field.kind == "total");
    if plan.end == End::Confirmed && tried && !has_total {
        fields.push(Field {
            pointer: TOTAL.to_owned(),
            kind: "total",
            proven: false,
            standing: truth.affirmed(TOTAL).map(|_| Standing::Affirmed),
            tacit: false,
        });
    }
    let confirmed = status == "confirmed";
    let false_confirmed =
        confirmed && (plan.end == End::NotConfirmed || !stands(plan, truth, &fields));
    let mut missed = Vec::new();
    if plan.end == End::Confirmed && !confirmed {
        missed.push(format!(
            "is {status}, not confirmed: {}",
            outcome["warnings"]
        ));
    }
    if status == "unconfirmed" && outcome["warnings"].as_array().is_none_or(Vec::is_empty) {
        missed.push("unconfirmed without a reason".to_owned());
    }
    let quotes = ["/said/quote", "/answered/quote"];
    let quotes = outcome["evidence"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|entry| quotes.iter().filter_map(|at| entry.pointer(at)?.as_str()));
    let false_quotes = quotes
        .filter(|quote| !truth.was_said(quote, plan))
        .map(str::to_owned);
    Score {
        false_confirmed,
        missed,
        false_disclosure: !outcome["disclosure"]["heardAt"].is_null() && !truth.disclosed,
        false_quotes: false_quotes.collect(),
        faults: faults(run),
        fields,
        status,
    }
}

const TOTAL: &str = "/order/totals/total";

/// Whether the truth allows this order to be called confirmed.
fn stands(plan: &Plan, truth: &Truth, fields: &[Field]) -> bool {
    let fits = |field: &Field| {
        let needed = matches!(
            field.kind,
            "quantity" | "size" | "crust" | "toppings" | "phone" | "total"
        ) || field.pointer.ends_with("/street");
        !needed || field.may_stand()
    };
    let total = fields.iter().find(|field| field.pointer == TOTAL);
    let affordable = truth
        .affirmed(TOTAL)
        .and_then(|cents| cents.parse::<u64>().ok());
    let affordable = affordable
        .zip(plan.max_total)
        .is_none_or(|(total, max)| total <= max);
    truth.disclosed && !truth.cancelled && affordable && total.is_some() && fields.iter().all(fits)
}

/// A value of the order, as all that it may be meant for.
type Values = Vec<String>;

fn collect(value: &Value, pointer: String, leaves: &mut Vec<(String, Values)>) {
    // Money may come to be an object with its currency; the amount is its number.
    let money = pointer.starts_with("/order/totals/");
    match value {
        Value::Object(fields) if money => {
            let number = fields.values().find(|value| value.is_number());
            leaves.extend(number.map(|number| (pointer, amounts(number))));
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                collect(value, format!("{pointer}/{key}"), leaves);
            }
        }
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                collect(value, format!("{pointer}/{at}"), leaves);
            }
        }
        Value::Number(_) if money => leaves.push((pointer, amounts(value))),
        Value::Number(number) => leaves.push((pointer, vec![number.to_string()])),
        Value::String(text) => leaves.push((pointer, vec![plain(text)])),
        Value::Null | Value::Bool(_) => {}
    }
}

/// In cents, whether written in dollars or in cents.
fn amounts(number: &Value) -> Values {
    let amount = number.as_f64().unwrap_or(0.0);
    vec![format!("{:.0}", amount * 100.0), format!("{amount:.0}")]
}

fn field(
    pointer: &str,
    values: &Values,
    evidence: &[(&str, bool)],
    truth: &Truth,
) -> Option<Field> {
    let kind = kind(pointer)?;
    let inside = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // The evidence of the field itself, or of what it is a part of; or of all its parts.
    let around = evidence.iter().filter(|(at, _)| inside(pointer, at));
    let around = around.max_by_key(|(at, _)| at.len());
    let mut parts = evidence
        .iter()
        .filter(|(at, _)| inside(at, pointer))
        .peekable();
    let proven = match around {
        Some((_, proven)) => *proven,
        None => parts.peek().is_some() && parts.all(|(_, proven)| *proven),
    };
    let whole = around.is_some_and(|(at, _)| *at != pointer);
    let standing = values
        .iter()
        .find_map(|value| truth.standing(pointer, value));
    // Another value was said in its place.
    let other = standing.is_none() && truth.mentions(pointer);
    let tacit = match kind {
        "crust" => values.iter().any(|crust| crust == "regular"),
        // A city or a code that nobody named is no part of what an address as a whole proves.
        "address" => whole && !pointer.ends_with("/street") && standing != Some(Standing::Denied),
        // Where only one amount was named, it is both.
        "subtotal" => truth
            .affirmed(TOTAL)
            .is_some_and(|total| values.iter().any(|v| v == total)),
        _ => false,
    };
    let pointer = pointer.to_owned();
    Some(Field {
        pointer,
        kind,
        proven,
        standing,
        tacit: tacit && !other,
    })
}

fn kind(pointer: &str) -> Option<&'static str> {
    let words = [
        ("/quantity", "quantity"),
        ("/size", "size"),
        ("/crust", "crust"),
        ("/toppings/", "toppings"),
        ("/customer/phone", "phone"),
        ("/customer/name", "name"),
        ("/address/", "address"),
        ("/delivery_method", "method"),
        ("/totals/subtotal", "subtotal"),
        ("/totals/total", "total"),
    ];
    let found = words.iter().find(|(word, _)| pointer.contains(word));
    found.map(|(_, kind)| *kind)
}

fn faults(run: &Run) -> Vec<String> {
    let mut faults = run.faults.clone();
    let events = run.play.timeline.events().into_iter();
    faults.extend(events.filter_map(|event| match event.what {
        What::Violation { side, detail } => Some(format!("{side}: {detail}")),
        _ => None,
    }));
    faults
}
