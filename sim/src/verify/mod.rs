//! `sim verify`: whether an outcome follows from its events, without a model and without a network.
//!
//! `chain` checks that nothing was changed, from the rule in `docs/events.md` and not from the
//! product's code. Then the product's own code computes evidence and status from the events, and
//! what the outcome says is compared with it. Whoever can change both files together can make a new
//! chain: keep the head of the outcome that was delivered to you.

mod chain;
#[cfg(test)]
mod tests;

use orderline::call::events::replay;
use orderline::call::outcome;
use orderline::call::record::EndReason;
use orderline::timestamp::timestamp;
use serde_json::{Value, json};
use std::fmt;
use std::path::PathBuf;

/// Files to check.
#[derive(clap::Args)]
pub struct Options {
    /// The outcome, as `GET /api/calls/{sid}` gave it
    outcome: PathBuf,
    /// Its events, as `GET /api/calls/{sid}/events` gave them
    events: PathBuf,
}

/// Something that disagrees.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    file: File,
    /// Counted from 1.
    line: usize,
    /// JSON pointer into the file, or into the line.
    pointer: String,
    what: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum File {
    Outcome,
    Events,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = match self.file {
            File::Outcome => "outcome",
            File::Events => "events",
        };
        let (line, pointer, what) = (self.line, &self.pointer, &self.what);
        write!(f, "{file}, line {line}, {pointer:?}: {what}")
    }
}

/// Checks, and prints what disagrees. True if nothing does.
pub fn run(options: &Options) -> anyhow::Result<bool> {
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))
    };
    let (outcome, events) = (read(&options.outcome)?, read(&options.events)?);
    let findings = check(&outcome, &events);
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        let count = events.lines().count();
        println!("{count} events, chain, quotes, evidence and status agree");
    }
    Ok(findings.is_empty())
}

/// Everything that disagrees.
pub fn check(outcome_text: &str, events_text: &str) -> Vec<Finding> {
    let outcome: Value = match serde_json::from_str(outcome_text) {
        Ok(outcome) => outcome,
        Err(e) => return vec![finding(File::Outcome, e.line(), "", "is not JSON")],
    };
    let (events, mut findings) = chain::check(events_text, &outcome);
    for finding in &mut findings {
        if finding.file == File::Outcome {
            finding.line = line_of(outcome_text, &finding.pointer);
        }
    }
    if findings.iter().all(|finding| finding.file == File::Outcome) {
        let said = follow(&events, &outcome);
        findings.extend(said.into_iter().map(|finding| match finding.file {
            File::Outcome => Finding {
                line: line_of(outcome_text, &finding.pointer),
                ..finding
            },
            File::Events => finding,
        }));
    }
    findings
}

/// What of the outcome does not follow from the events.
fn follow(events: &[Value], said: &Value) -> Vec<Finding> {
    let mut findings = quotes(events, said);
    let record = match replay(events) {
        Ok(record) => record,
        Err(fault) => {
            findings.push(finding(
                File::Events,
                fault.at + 1,
                fault.pointer,
                fault.what,
            ));
            return findings;
        }
    };
    let heard_at = record.disclosed_at.and_then(timestamp);
    for (pointer, computed) in [
        ("/callId", json!(record.sid)),
        ("/status", json!(outcome::status(&record))),
        ("/endReason", json!(record.end_reason.map(EndReason::word))),
        ("/order", json!(record.order)),
        ("/disclosure/heardAt", json!(heard_at)),
        ("/evidence", outcome::evidence_json(&record)),
    ] {
        let said = said.pointer(pointer).unwrap_or(&Value::Null);
        differences(pointer, &computed, said, &mut findings);
    }
    findings
}

/// Where two values differ, as deep as they are alike.
fn differences(pointer: &str, computed: &Value, said: &Value, findings: &mut Vec<Finding>) {
    match (computed, said) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            for ((key, a), b) in a.iter().zip(b.values()) {
                differences(&format!("{pointer}/{key}"), a, b, findings);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{pointer}/{at}"), a, b, findings);
            }
        }
        _ if computed == said => {}
        _ => {
            let what = format!("says {said}, and from the events follows {computed}");
            findings.push(finding(File::Outcome, 1, pointer, &what));
        }
    }
}

/// Every quote has to stand, word for word, in what was heard of its turn.
fn quotes(events: &[Value], outcome: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let fields = outcome["evidence"].as_array();
    for (at, field) in fields.into_iter().flatten().enumerate() {
        for part in ["said", "answered"] {
            let words = &field[part];
            let Some(quote) = words["quote"].as_str() else {
                continue;
            };
            let mut turns = events
                .iter()
                .filter(|event| event["type"] == "turn" && event["turn"] == words["turn"]);
            let what = match turns.next().map(|turn| turn["text"].as_str()) {
                Some(Some(text)) if text.contains(quote) => continue,
                Some(_) => "does not occur in its turn",
                None => "is of a turn that is not in the events",
            };
            let pointer = format!("/evidence/{at}/{part}/quote");
            findings.push(finding(File::Outcome, 1, &pointer, what));
        }
    }
    findings
}

fn finding(file: File, line: usize, pointer: &str, what: &str) -> Finding {
    Finding {
        file,
        line,
        pointer: pointer.to_owned(),
        what: what.to_owned(),
    }
}

/// The line of the outcome on which the first member of the pointer stands.
fn line_of(text: &str, pointer: &str) -> usize {
    let member = pointer.split('/').nth(1).unwrap_or_default();
    let at = text.find(&format!("\"{member}\"")).unwrap_or(0);
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}
