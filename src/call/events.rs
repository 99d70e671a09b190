//! The event log of a call: what matters of it, in order, as a chain that shows any later change.
//!
//! One event is one line of JSON. Its last two members are `prev`, the hash of the event before
//! (64 zeros for the first), and `hash`: SHA-256, in hexadecimal digits, of the line's own bytes
//! without `,"hash":"…"`. The head of the chain is in the outcome, and the last event has the
//! digest of the outcome without its head, so that neither can be changed without the other.
//! An event is never changed: a turn is written down once nothing more can be learnt of it, and
//! frozen in the transcript from then on. Everything else that the status depends on is written
//! down when it changes, before the call's snapshot is saved.
//!
//! [`replay`] makes a record of the events again, for whoever checks an outcome.

use super::record::{Handoff, Record};
use super::request::{CallRequest, Dial};
use crate::json::text;
use crate::order::money::Cents;
use crate::order::request::OrderRequest;
use crate::order::state::OrderState;
use crate::order::transcript::{Role, Turn};
use crate::policy::idempotency::digest;
use crate::twilio::number::E164;
use crate::twilio::sid::CallSid;
use crate::twilio::webhook::CallStatus;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// `prev` of the first event.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The most events of a call, and the most bytes of them: a call of a quarter of an hour has some
/// hundred. When the log is full it says so (`truncated`), and the call cannot be confirmed any more.
const MAX_EVENTS: u64 = 2_000;
const MAX_BYTES: usize = 384 * 1024;

/// The events so far.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Log {
    text: String,
    count: u64,
    /// Hash of the last event.
    head: String,
    /// Events are missing.
    pub truncated: bool,
    /// Kind and fields of the newest event of each kind that is noted when it changes.
    noted: Vec<String>,
}

impl Log {
    /// The events, one a line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `{"count":…,"head":"…"}`, for the outcome.
    pub fn summary(&self) -> String {
        format!(r#"{{"count":{},"head":"{}"}}"#, self.count, self.head)
    }

    /// Writes an event down; `fields` are members of its object, as JSON.
    pub fn add(&mut self, at: u64, kind: &str, fields: &str) {
        let is_full = self.count >= MAX_EVENTS || self.text.len() >= MAX_BYTES;
        if is_full && !matches!(kind, "end" | "outcome" | "not_connected") {
            if !self.truncated {
                self.truncated = true;
                self.chain(at, "truncated", "");
            }
            return;
        }
        self.chain(at, kind, fields);
    }

    fn chain(&mut self, at: u64, kind: &str, fields: &str) {
        let comma = if fields.is_empty() { "" } else { "," };
        let prev = if self.head.is_empty() {
            GENESIS
        } else {
            &self.head
        };
        let seq = self.count;
        let body =
            format!(r#"{{"seq":{seq},"at":{at},"type":"{kind}"{comma}{fields},"prev":"{prev}""#);
        self.head = digest(format!("{body}}}").as_bytes());
        self.count = self.count.saturating_add(1);
        for part in [&body, r#","hash":""#, &self.head, "\"}\n"] {
            self.text.push_str(part);
        }
    }

    /// Writes an event down if it says something else than the last of its kind.
    fn note(&mut self, at: u64, kind: &str, fields: &str) {
        let noted = format!("{kind} {fields}");
        if !self.noted.contains(&noted) {
            self.forget(kind);
            self.noted.push(noted);
            self.add(at, kind, fields);
        }
    }

    /// Forgets what was noted of this kind; false if nothing was.
    fn forget(&mut self, kind: &str) -> bool {
        let known = self.noted.len();
        self.noted
            .retain(|noted| noted.split(' ').next() != Some(kind));
        self.noted.len() < known
    }
}

/// `"name":value`
fn member(name: &str, value: &str) -> String {
    format!(r#""{name}":{value}"#)
}

/// Digest of an outcome without its member `events`: SHA-256 of its JSON with the members of every
/// object sorted by name and without white space, so that it may be reformatted on the way.
pub fn outcome_digest(outcome: &Value) -> String {
    digest(text(outcome).as_bytes())
}

impl Record {
    /// Writes down what has changed; everything when the call is over.
    pub(super) fn log_events(&mut self, at: u64) {
        let turns = self.transcript.settle_turns(self.finished);
        let dropped = self.transcript.take_dropped();
        let log = &mut self.events;
        if log.count == 0 {
            let request = self.request.as_ref();
            let direction = request.map_or("inbound", |_| "outbound");
            let max_total = text(&request.and_then(|r| r.max_total).map(Cents::to_decimal));
            let (sid, order) = (&self.sid, text(&request.map(|r| &r.order)));
            let placed = format!(
                r#""callId":"{sid}","direction":"{direction}","maxTotal":{max_total},"requested":{order}"#
            );
            log.add(self.placed_at, "placed", &placed);
        }
        if let Some(answered_at) = self.answered_at {
            log.note(answered_at, "answered", "");
        }
        if self.stream_claimed {
            let attempt = self.streams.max(1).to_string();
            log.note(at, "stream_opened", &member("attempt", &attempt));
        }
        if let Some(status) = &self.never_connected {
            log.note(at, "not_connected", &member("status", &text(status)));
        }
        for turn in &turns {
            log.add(at, "turn", &turn_fields(turn));
        }
        for turn in &dropped {
            log.add(at, "turn_dropped", &member("turn", &text(turn)));
        }
        if let Some(heard_at) = self.disclosed_at {
            log.note(at, "disclosed", &member("heardAt", &heard_at.to_string()));
        }
        if self.handoff != Handoff::None {
            log.note(at, "handoff", &member("state", &text(&self.handoff)));
        }
        if self.order != OrderState::default() {
            log.note(at, "order", &member("order", &text(&self.order)));
        }
        if let Some(complete) = self.do_not_call {
            let complete = if complete { "true" } else { "false" };
            log.note(at, "do_not_call", &member("orderComplete", complete));
        }
        if let Some(reason) = self.end_reason {
            log.note(at, "end", &format!(r#""reason":"{}""#, reason.word()));
        } else if log.forget("end") {
            log.add(at, "reopened", "");
        }
    }

    /// Writes down what became of a tool call; `refused` are the reasons.
    pub(super) fn log_tool(&mut self, at: u64, name: &str, refused: &[String]) {
        let (ok, refused) = (refused.is_empty(), text(refused));
        let fields = format!(r#""name":"{name}","ok":{ok},"refused":{refused}"#);
        self.events.add(at, "tool", &fields);
    }

    /// Closes the chain over the outcome, and puts its head there.
    pub(super) fn seal(&mut self, outcome: &str) -> String {
        let at = self.ended_at.unwrap_or(self.placed_at);
        let value: Value = serde_json::from_str(outcome).unwrap_or_default();
        // An outcome that was lost before it was kept is written again, most often the same.
        let fields = format!(r#""digest":"{}""#, outcome_digest(&value));
        self.events.note(at, "outcome", &fields);
        let open = outcome.strip_suffix('}').unwrap_or(outcome);
        format!(r#"{open},"events":{}}}"#, self.events.summary())
    }
}

fn turn_fields(turn: &Turn) -> String {
    let (id, role, words) = (text(&turn.id), text(&turn.role), text(turn.heard_text()));
    let (at_ms, heard_ms, cut) = (turn.at_ms, turn.heard_ms(), turn.cut);
    let ended_ms = text(&turn.ended_ms);
    let acknowledges = text(&turn.acknowledges);
    format!(
        r#""turn":{id},"role":{role},"atMs":{at_ms},"endedMs":{ended_ms},"text":{words},"heardMs":{heard_ms},"cut":{cut},"acknowledges":{acknowledges}"#
    )
}

/// An event that cannot be: its position, and what is wrong with it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{what}")]
pub struct Fault {
    /// Counted from 0.
    pub at: usize,
    /// JSON pointer into the event.
    pub pointer: &'static str,
    /// What is wrong.
    pub what: &'static str,
}

/// What the events say: a record with everything that the evidence and the status depend on. Checks
/// the events' sense, not the chain.
///
/// # Errors
/// The first event that cannot be.
pub fn replay(events: &[Value]) -> Result<Record, Fault> {
    let first = events.first().filter(|event| event["type"] == "placed");
    let start = first.and_then(placed).ok_or(Fault {
        at: 0,
        pointer: "",
        what: "is not the placing of a call",
    })?;
    let mut record = start;
    let mut clock = record.placed_at;
    for (at, event) in events.iter().enumerate().skip(1) {
        let fault = |pointer, what| Fault { at, pointer, what };
        let time = event["at"].as_u64().unwrap_or(0);
        if time < clock {
            return Err(fault("/at", "is earlier than the event before"));
        }
        clock = time;
        apply(&mut record, event, time).map_err(|pointer| fault(pointer, "cannot be"))?;
    }
    Ok(record)
}

fn placed(event: &Value) -> Option<Record> {
    let sid = CallSid::parse(event["callId"].as_str()?).ok()?;
    let max_total = get::<Option<Cents>>(event, "/maxTotal").ok()?;
    // Of the request the log has only what the status depends on.
    let request = || {
        Some(CallRequest {
            to: E164::parse("+10000000000").ok()?,
            order_hint: None,
            order: get::<OrderRequest>(event, "/requested").ok()?,
            language: String::new(),
            max_call_ms: None,
            max_total,
            max_cost: None,
            currency: String::new(),
            callback_url: None,
            dial: Dial::default(),
        })
    };
    let request = if event["direction"] == "outbound" {
        Some(request()?)
    } else {
        None
    };
    let at = event["at"].as_u64()?;
    Some(Record::new(sid, request, String::new(), at))
}

fn apply(record: &mut Record, event: &Value, at: u64) -> Result<(), &'static str> {
    match event["type"].as_str().unwrap_or_default() {
        "answered" => record.answered_at = Some(at),
        "stream_opened" => {
            record.stream_claimed = true;
            record.streams = get(event, "/attempt")?;
        }
        "not_connected" => record.never_connected = Some(get::<CallStatus>(event, "/status")?),
        "turn" => {
            let id: String = get(event, "/turn")?;
            if record.transcript.get(&id).is_some() {
                return Err("/turn");
            }
            let (role, at_ms) = (get::<Role>(event, "/role")?, get(event, "/atMs")?);
            let (text, heard_ms) = (get(event, "/text")?, get(event, "/heardMs")?);
            let mut turn = Turn::settled(id, role, at_ms, text, heard_ms);
            turn.ended_ms = get(event, "/endedMs")?;
            turn.cut = event["cut"] == true;
            turn.acknowledges = get(event, "/acknowledges")?;
            record.transcript.push_settled(turn);
        }
        "turn_dropped" => record
            .transcript
            .drop_settled(&get::<String>(event, "/turn")?),
        "disclosed" => record.disclosed_at = Some(get(event, "/heardAt")?),
        "handoff" => record.handoff = get(event, "/state")?,
        "order" => record.order = get(event, "/order")?,
        "do_not_call" => record.do_not_call = Some(get(event, "/orderComplete")?),
        "end" => record.end_reason = Some(get(event, "/reason")?),
        "reopened" => record.end_reason = None,
        "truncated" => record.events.truncated = true,
        "tool" | "outcome" => {}
        _ => return Err("/type"),
    }
    Ok(())
}

fn get<T: DeserializeOwned>(event: &Value, pointer: &'static str) -> Result<T, &'static str> {
    let value = event.pointer(pointer).cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|_| pointer)
}
