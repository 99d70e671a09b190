//! What must be true after a call: its outcome, and what happened on the line.

use crate::play::Play;
use crate::realtime::SORRY;
use crate::scenario::Expect;
use crate::timeline::{Event, What};
use serde_json::{Value, json};

/// So much of a line may get lost where the agent paused in it, in ms: about a phoneme.
const MAX_MISSED_MS: u64 = 60;

/// What every outcome must have, as JSON pointers.
const FIELDS: [&str; 12] = [
    "/callId",
    "/startedAt",
    "/endedAt",
    "/durationSec",
    "/order",
    "/order/items",
    "/order/delivery_method",
    "/order/customer",
    "/order/address",
    "/order/totals",
    "/transcriptUrl",
    "/status",
];

/// Every way in which the outcome is not the expected one.
pub fn outcome_differences(expect: &Expect, outcome: &Value) -> Vec<String> {
    let missing = FIELDS
        .iter()
        .filter(|field| outcome.pointer(field).is_none());
    let mut found: Vec<String> = missing.map(|field| format!("{field}: missing")).collect();
    compare(
        "/status",
        &json!(expect.status),
        outcome.get("status"),
        &mut found,
    );
    if !expect.outcome.is_null() {
        compare("", &expect.outcome, Some(outcome), &mut found);
    }
    found
}

/// Every way in which the call went otherwise than expected.
pub fn call_differences(play: &Play) -> Vec<String> {
    let (expect, events) = (&play.scenario.expect, play.timeline.events());
    let mut found = Vec::new();
    for event in &events {
        if let What::Violation { side, detail } = &event.what {
            found.push(format!("protocol breach towards {side}: {detail}"));
        }
    }
    for line in &expect.heard {
        let heard = |what: &What| matches!(what, What::AgentStopped { line: l, cut: false, missed_ms, .. } if l == line && *missed_ms <= MAX_MISSED_MS);
        if count(&events, heard) == 0 {
            found.push(format!("the line {line} was not heard in full"));
        }
    }
    let sorry = |what: &What| matches!(what, What::AgentSpeaks { line, .. } if line == SORRY);
    if count(&events, sorry) > 0 {
        found.push("the model was asked for something that no rule of it fits".to_owned());
    }
    let clears = count(&events, |what| matches!(what, What::Cleared { .. }));
    if clears < expect.clears {
        found.push(format!(
            "clear: {clears} times, expected {} at least",
            expect.clears
        ));
    }
    if let Some(number) = &expect.handed_to {
        let dialled = |what: &What| matches!(what, What::Dials { number: n } if n == number);
        if count(&events, dialled) == 0 {
            found.push(format!("the call was not handed to {number}"));
        }
    }
    let ends = count(&events, |what| matches!(what, What::Ended { .. }));
    if ends != 1 {
        found.push(format!("the call ended {ends} times"));
    }
    found
}

fn count(events: &[Event], wanted: impl Fn(&What) -> bool) -> usize {
    events.iter().filter(|event| wanted(&event.what)).count()
}

/// Objects are compared key by key, numbers as numbers; what is not expected may be there.
fn compare(path: &str, expected: &Value, actual: Option<&Value>, found: &mut Vec<String>) {
    let at = |key: &str| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
    match (expected, actual) {
        (Value::Object(fields), Some(Value::Object(_))) => {
            for (key, value) in fields {
                compare(
                    &at(key),
                    value,
                    actual.and_then(|object| object.get(key)),
                    found,
                );
            }
        }
        (Value::Array(items), Some(Value::Array(others))) if items.len() == others.len() => {
            for (index, item) in items.iter().enumerate() {
                compare(&at(&index.to_string()), item, others.get(index), found);
            }
        }
        (Value::Number(a), Some(Value::Number(b))) if a.as_f64() == b.as_f64() => {}
        (expected, Some(actual)) if expected == actual => {}
        // Two checks may look at the same field; it is reported once.
        (expected, Some(actual)) => {
            note(found, format!("{path}: expected {expected}, is {actual}"))
        }
        (expected, None) => note(found, format!("{path}: expected {expected}, is missing")),
    }
}

fn note(found: &mut Vec<String>, difference: String) {
    if !found.contains(&difference) {
        found.push(difference);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(expected: &Value, actual: &Value) -> Vec<String> {
        let mut found = Vec::new();
        compare("", expected, Some(actual), &mut found);
        found
    }

    #[test]
    fn a_part_of_the_outcome_is_enough() {
        let actual = json!({"order": {"items": [{"size": "large", "quantity": 1}], "totals": {"total": 20.0}}});
        assert!(differences(&json!({"order": {"totals": {"total": 20}}}), &actual).is_empty());
        assert!(differences(&json!({"order": {"items": [{"size": "large"}]}}), &actual).is_empty());
    }

    #[test]
    fn a_difference_is_named_by_its_json_pointer() {
        let actual = json!({"a/b": {"total": 20.1}, "items": [1, 2]});
        assert_eq!(
            differences(&json!({"a/b": {"total": 17}}), &actual),
            ["/a~1b/total: expected 17, is 20.1"]
        );
        assert_eq!(
            differences(&json!({"gone": true}), &actual),
            ["/gone: expected true, is missing"]
        );
        assert_eq!(
            differences(&json!({"items": [1]}), &actual),
            ["/items: expected [1], is [1,2]"]
        );
    }

    #[test]
    fn missing_fields_of_the_payload_are_found() {
        let expect: Expect = toml::from_str("status = 'busy'").unwrap();
        let found = outcome_differences(&expect, &json!({"status": "failed"}));
        assert!(found.contains(&"/callId: missing".to_owned()));
        assert!(found.contains(&"/status: expected \"busy\", is \"failed\"".to_owned()));
    }
}
