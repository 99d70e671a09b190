//! The chain of events and its head, from the rule in `docs/events.md`.

use super::{File, Finding, finding};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Digits of a hash.
const HASH_LEN: usize = 64;

/// The events, and what is wrong with their chain and with its head in the outcome.
pub(super) fn check(text: &str, outcome: &Value) -> (Vec<Value>, Vec<Finding>) {
    let mut events = Vec::new();
    let mut findings = Vec::new();
    let mut wrong = |line: usize, pointer: &str, what: &str| {
        findings.push(finding(File::Events, line + 1, pointer, what));
    };
    let mut prev = "0".repeat(HASH_LEN);
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let Some(line) = line.strip_suffix('\n') else {
            wrong(at, "", "does not end with a line feed");
            break;
        };
        let (Some((body, hash)), Ok(event)) = (parts(line), serde_json::from_str::<Value>(line))
        else {
            wrong(at, "", "is no event");
            break;
        };
        if event["seq"] != at {
            wrong(at, "/seq", "is not its place");
        }
        if event["prev"] != prev.as_str() || !body.ends_with(&format!(r#","prev":"{prev}""#)) {
            wrong(at, "/prev", "is not the hash of the event before");
        }
        if sha256(&format!("{body}}}")) != hash {
            wrong(at, "/hash", "is not the hash of this event");
        }
        hash.clone_into(&mut prev);
        events.push(event);
    }
    let said = &outcome["events"];
    let mut differs = |pointer: &str, what: &str| {
        findings.push(finding(File::Outcome, 1, pointer, what));
    };
    if said["count"] != events.len() {
        differs("/events/count", "is not the number of events");
    }
    if said["head"] != prev.as_str() {
        differs("/events/head", "is not the hash of the last event");
    }
    match events.last().filter(|event| event["type"] == "outcome") {
        Some(event) if event["digest"] == digest(outcome.clone()).as_str() => {}
        Some(_) => differs("", "is not the outcome of the last event"),
        None => differs("", "is of a call whose events have no outcome"),
    }
    (events, findings)
}

/// The outcome without its head and without how its delivery stands, its members sorted by name,
/// without white space.
fn digest(mut outcome: Value) -> String {
    if let Some(members) = outcome.as_object_mut() {
        members.remove("events");
        members.remove("delivery");
    }
    sha256(&outcome.to_string())
}

/// What is hashed of a line, without its closing brace, and the hash.
fn parts(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_suffix("\"}")?;
    let (body, hash) = line.split_at_checked(line.len().checked_sub(HASH_LEN)?)?;
    let is_hash = hash
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    Some((body.strip_suffix(r#","hash":""#)?, hash)).filter(|_| is_hash)
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
