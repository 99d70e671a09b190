//! No phone number, name, address, spoken word or key may reach the Worker's log.

use crate::play::Play;
use crate::timeline::What;
use serde_json::Value;
use std::collections::BTreeSet;

/// Fields of a request that say something about a person, wherever they are.
const PERSONAL: [&str; 7] = [
    "to",
    "name",
    "phone",
    "street",
    "notes",
    "orderHint",
    "address",
];
/// Shorter pieces would be found by chance.
const SHORTEST: usize = 4;
/// Shorter lines are nobody's in particular ("Yes, please.").
const SHORTEST_LINE: usize = 4;

/// Every text that belongs to this call and to nobody's log.
pub fn private_values(play: &Play) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    collect(&play.scenario.request, false, &mut values);
    for event in play.timeline.events() {
        if let What::ShopSpeaks { text, .. } | What::AgentSpeaks { text, .. } = event.what
            && text.split_whitespace().count() >= SHORTEST_LINE
        {
            values.insert(text);
        }
    }
    values
}

/// The forms in which a phone number is written: E.164, its digits, the digits without country code.
pub fn forms_of_number(number: &str) -> Vec<String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let national = digits
        .get(digits.len().saturating_sub(10)..)
        .unwrap_or_default()
        .to_owned();
    vec![number.to_owned(), digits, national]
}

/// The values that occur in the log, each with the line of its first occurrence.
pub fn find<'a>(log: &str, values: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let lower = log.to_lowercase();
    let mut found = Vec::new();
    for value in values {
        if let Some(at) = lower.find(&value.to_lowercase()) {
            let line = lower.get(..at).unwrap_or_default().matches('\n').count() + 1;
            found.push(format!("line {line} of the log has {value:?}"));
        }
    }
    found
}

fn collect(value: &Value, personal: bool, values: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                collect(value, personal || PERSONAL.contains(&key.as_str()), values);
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect(item, personal, values)),
        Value::String(text) if personal => insert(text, values),
        _ => {}
    }
}

fn insert(text: &str, values: &mut BTreeSet<String>) {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if digits >= 7 && !text.chars().any(char::is_alphabetic) {
        values.extend(forms_of_number(text));
    } else if text.chars().any(char::is_whitespace) || text.len() > 12 {
        values.insert(text.to_owned());
        // A name or a street leaks as well when only a part of it does.
        if text.split_whitespace().count() <= 3 {
            let parts = text
                .split_whitespace()
                .filter(|part| part.chars().all(char::is_alphabetic));
            values.extend(
                parts
                    .filter(|part| part.len() > SHORTEST)
                    .map(str::to_owned),
            );
        }
    } else if text.len() > SHORTEST && text.chars().all(char::is_alphabetic) {
        values.insert(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_gives_up_numbers_names_and_streets() {
        let request = json!({"to": "+13105550123", "language": "english", "order": {
            "items": [{"size": "large"}],
            "customer": {"name": "Miriam Okafor", "phone": "(310) 555-0144"},
            "address": {"street": "12 Elm St", "city": "Springfield", "state": "CA", "zip": "90001"}}});
        let mut values = BTreeSet::new();
        collect(&request, false, &mut values);
        for wanted in [
            "+13105550123",
            "13105550123",
            "3105550123",
            "3105550144",
            "Miriam Okafor",
            "Okafor",
            "12 Elm St",
        ] {
            assert!(values.contains(wanted), "{wanted} is missing in {values:?}");
        }
        for harmless in ["large", "english", "CA", "90001", "Elm"] {
            assert!(
                !values.contains(harmless),
                "{harmless} would be found by chance"
            );
        }
    }

    #[test]
    fn a_leak_is_found_in_any_case_of_letters() {
        let values = ["Okafor".to_owned(), "absent".to_owned()];
        assert_eq!(
            find("one\n{\"x\":\"OKAFOR\"}", &values),
            ["line 2 of the log has \"Okafor\""]
        );
    }
}
