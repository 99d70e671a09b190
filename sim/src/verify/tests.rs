use super::*;
use crate::clips::Clips;
use crate::scenario::load_all;
use crate::virtual_time::{Delays, Kept, Run, run};
use proptest::prelude::*;
use std::path::Path;
use std::sync::LazyLock;

/// Outcome and events of a call that is confirmed.
static CALL: LazyLock<(String, String)> = LazyLock::new(|| {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures"));
    let clips = Clips::load(&fixtures.join("speech")).unwrap();
    let mut scenarios = load_all(&fixtures.join("scenarios"), &clips).unwrap();
    scenarios.retain(|scenario| scenario.name == "happy-delivery");
    let scenario = scenarios.pop().unwrap();
    let Run { outcome, log, .. } = run(scenario, &clips, Delays::default(), Kept::new()).unwrap();
    (outcome.unwrap(), log)
});

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Makes the chain and the head of the outcome good again, as somebody would who may write both.
fn forge(outcome: &Value, lines: &[Value]) -> (String, String) {
    let mut log = orderline::call::events::Log::default();
    let mut bare = outcome.clone();
    bare.as_object_mut().unwrap().remove("events");
    for event in lines {
        let mut fields = event.clone();
        let members = fields.as_object_mut().unwrap();
        let (at, kind) = (
            event["at"].as_u64().unwrap(),
            event["type"].as_str().unwrap(),
        );
        for header in ["seq", "at", "type", "prev", "hash"] {
            members.remove(header);
        }
        if kind == "outcome" {
            fields["digest"] = json!(orderline::call::events::outcome_digest(&bare));
        }
        let fields = fields.to_string();
        log.add(at, kind, &fields[1..fields.len() - 1]);
    }
    let events = log.text().to_owned();
    let mut outcome = outcome.clone();
    outcome["events"] = value(&log.summary());
    (outcome.to_string(), events)
}

fn events() -> Vec<Value> {
    CALL.1.lines().map(value).collect()
}

#[test]
fn how_its_delivery_stands_is_no_part_of_an_outcome() {
    let (outcome, log) = &*CALL;
    let mut shown = value(outcome);
    shown["delivery"] = json!({"status": "pending", "attempts": 1});
    assert_eq!(check(&shown.to_string(), log), []);
    shown["deliveries"] = json!(1);
    assert_eq!(check(&shown.to_string(), log).len(), 1);
}

#[test]
fn a_call_agrees_with_its_events_however_its_outcome_is_formatted() {
    let (outcome, log) = &*CALL;
    assert_eq!(check(outcome, log), []);
    assert_eq!(value(outcome)["status"], "confirmed");
    let pretty = serde_json::to_string_pretty(&value(outcome)).unwrap();
    assert_eq!(check(&pretty, log), []);
    let kinds: Vec<Value> = events().into_iter().map(|mut e| e["type"].take()).collect();
    for kind in [
        "placed",
        "answered",
        "stream_opened",
        "turn",
        "disclosed",
        "tool",
        "order",
        "end",
        "outcome",
    ] {
        assert!(kinds.contains(&json!(kind)), "{kind} is missing: {kinds:?}");
    }
    let (forged, forged_log) = forge(&value(outcome), &events());
    assert_eq!(
        check(&forged, &forged_log),
        [],
        "the forger of these tests is good"
    );
}

#[test]
fn a_removed_a_swapped_and_an_added_event_are_found() {
    let (outcome, log) = &*CALL;
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    for at in 0..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(at);
        assert_ne!(check(outcome, &fewer.concat()), [], "event {at} is gone");
        let mut more = lines.clone();
        more.insert(at, lines[at]);
        assert_ne!(check(outcome, &more.concat()), [], "event {at} comes twice");
        if at > 0 {
            let mut other = lines.clone();
            other.swap(at - 1, at);
            assert_ne!(
                check(outcome, &other.concat()),
                [],
                "event {at} comes before"
            );
        }
    }
    assert_ne!(check(outcome, &(log.clone() + lines[0])), []);
    assert_ne!(check(outcome, log.trim_end()), [], "the last line feed");
    assert_ne!(check(outcome, ""), []);
}

#[test]
fn an_outcome_that_does_not_follow_is_found_even_under_a_good_chain() {
    let outcome = value(&CALL.0);
    for (pointer, other) in [
        ("/status", json!("unconfirmed")),
        ("/endReason", json!("silence")),
        ("/order/totals/total", json!(1.5)),
        ("/order/items/0/quantity", json!(9)),
        ("/evidence/0/proof", json!("stated")),
        ("/evidence/0/said/quote", json!("I never said that")),
        ("/evidence/0/said/turn", json!("item_none")),
        ("/disclosure/heardAt", json!(null)),
    ] {
        let mut forged = outcome.clone();
        *forged.pointer_mut(pointer).unwrap() = other;
        let (forged, log) = forge(&forged, &events());
        let found = check(&forged, &log);
        let at = found
            .iter()
            .any(|finding| finding.pointer.starts_with(pointer));
        assert!(at, "{pointer}: {found:?}");
    }
}

#[test]
fn what_was_changed_is_named() {
    let changed = CALL
        .0
        .replace(r#""status":"confirmed""#, r#""status":"unconfirmed""#);
    let said: Vec<String> = check(&changed, &CALL.1)
        .iter()
        .map(ToString::to_string)
        .collect();
    let says = r#"outcome, line 1, "/status": says "unconfirmed", and from the events follows "confirmed""#;
    assert!(said.iter().any(|line| line == says), "{said:?}");
}

#[test]
fn an_event_that_does_not_lead_to_the_outcome_is_found_even_under_a_good_chain() {
    let outcome = value(&CALL.0);
    let proof = CALL.0.clone();
    let is_proof =
        |event: &Value| event["type"] == "turn" && proof.contains(&event["turn"].to_string());
    let proofs: Vec<usize> = (0..events().len())
        .filter(|at| is_proof(&events()[*at]))
        .collect();
    assert!(proofs.len() >= 2, "{proofs:?}");
    for at in proofs {
        let mut changed = events();
        changed[at]["text"] = json!("No, that's wrong. We can't do that.");
        let (forged, log) = forge(&outcome, &changed);
        assert_ne!(check(&forged, &log), [], "turn at {at}");
    }
}

proptest! {
    #[test]
    fn a_flipped_byte_is_found(in_events: bool, at in any::<prop::sample::Index>(), other in 1u8..=127) {
        let (outcome, log) = &*CALL;
        let (mut outcome_bytes, mut log_bytes) = (outcome.clone().into_bytes(), log.clone().into_bytes());
        let bytes = if in_events { &mut log_bytes } else { &mut outcome_bytes };
        let at = at.index(bytes.len());
        bytes[at] ^= other;
        let (Ok(changed), Ok(changed_log)) = (String::from_utf8(outcome_bytes), String::from_utf8(log_bytes)) else {
            // No text at all: refused when it is read.
            return Ok(());
        };
        // Another way to write the same number or text is no change.
        let same = !in_events && serde_json::from_str::<Value>(&changed).is_ok_and(|v| v == value(outcome));
        prop_assert!(same || !check(&changed, &changed_log).is_empty(), "byte {at}");
    }
}
