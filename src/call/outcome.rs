//! What is reported of a call. The status is computed from the record: what was heard decides, not
//! what the model claims.

use super::output::Finished;
use super::record::{EndReason, Handoff, Interruption, Metrics, Record};
use super::{Call, Settings};
use crate::json;
use crate::order::disclosure::denies;
use crate::order::evidence::{self, FieldEvidence, Lines, Proof, Quote};
use crate::order::money::Cents;
use crate::order::state::{OrderState, Totals};
use crate::order::transcript::{Acknowledges, Role, Transcript};
use crate::realtime::prices::MicroDollars;
use crate::realtime::usage::Usage;
use crate::timestamp::timestamp;
use crate::twilio::sid::CallSid;
use crate::twilio::webhook::CallStatus;
use serde::Serialize;
use std::collections::BinaryHeap;

/// Form of the outcome; rises when a field changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// How a call ended, for the one who asked for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The order was placed, and what was heard proves every part of it.
    Confirmed,
    /// The shop was reached, and the order is not proven.
    Unconfirmed,
    /// A human took over.
    Escalated,
    /// Nobody answered.
    NoAnswer,
    /// The line was busy.
    Busy,
    /// The call was canceled before it was answered.
    Canceled,
    /// The call could not be held.
    Failed,
}

impl Status {
    /// As in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Unconfirmed => "unconfirmed",
            Self::Escalated => "escalated",
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
        }
    }
}

/// The status of a call that is over.
pub fn status(record: &Record) -> Status {
    status_by(record, &evidence_of(record))
}

fn status_by(record: &Record, evidence: &[FieldEvidence]) -> Status {
    match record.never_connected {
        Some(CallStatus::Busy) => return Status::Busy,
        Some(CallStatus::NoAnswer) => return Status::NoAnswer,
        Some(CallStatus::Canceled) => return Status::Canceled,
        Some(_) => return Status::Failed,
        None => {}
    }
    let never_spoke =
        record.end_reason == Some(EndReason::ModelLost) && record.transcript.turns().is_empty();
    if record.handoff == Handoff::Reached {
        Status::Escalated
    } else if is_complete_by(record, evidence) {
        Status::Confirmed
    } else if !record.stream_claimed || never_spoke {
        Status::Failed
    } else {
        Status::Unconfirmed
    }
}

/// Whether nothing speaks against calling the order confirmed.
pub fn is_complete(record: &Record) -> bool {
    is_complete_by(record, &evidence_of(record))
}

fn is_complete_by(record: &Record, evidence: &[FieldEvidence]) -> bool {
    doubts(record, evidence).is_empty() && reservations(record).is_empty()
}

/// Why a call is not confirmed whatever the order's own evidence says.
fn reservations(record: &Record) -> Vec<String> {
    let denied = || {
        let mut turns = record.transcript.agent_turns();
        turns.any(|turn| denies(turn.heard_text()))
    };
    [
        (
            record.do_not_call == Some(false),
            "the shop asked not to be called again",
        ),
        (denied(), "the agent denied being an AI"),
        (
            record.events.truncated,
            "the call has more events than are kept",
        ),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, why)| why.to_owned())
    .collect()
}

/// What the one who asked for the call gets, and what proves it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    schema_version: u32,
    call_id: &'a CallSid,
    status: Status,
    end_reason: Option<&'static str>,
    started_at: Option<String>,
    ended_at: Option<String>,
    duration_sec: u64,
    order: &'a OrderState,
    /// The total as a whole number.
    total: Option<Amount<'a>>,
    evidence: Vec<Evidence<'a>>,
    disclosure: Disclosure,
    transcript_url: Option<String>,
    usage: Usage,
    cost: CostInDollars,
    metrics: Numbers<'a>,
    attempts: u32,
    warnings: Vec<String>,
}

/// An amount of money in hundredths of its currency (ISO 4217).
#[derive(Serialize)]
struct Amount<'a> {
    minor: u64,
    currency: &'a str,
}

/// The evidence for one field, with the words themselves.
#[derive(Serialize)]
struct Evidence<'a> {
    pointer: String,
    proof: Proof,
    said: Option<Words<'a>>,
    answered: Option<Words<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Words<'a> {
    turn: &'a str,
    role: Role,
    /// When the turn began, in ms since the answer.
    at_ms: u64,
    /// When the quoted words were said, from and to, in ms since the answer; estimated.
    from_ms: u64,
    to_ms: u64,
    /// The fewest words that say it, as they stand in the heard text of the turn.
    quote: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Disclosure {
    heard_at: Option<String>,
}

#[derive(Serialize)]
struct CostInDollars {
    openai: Option<f64>,
    twilio: f64,
    cloudflare: f64,
    total: f64,
    currency: &'static str,
}

/// Numbers about the call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Numbers<'a> {
    first_audio_ms: Option<u64>,
    response_ms: Option<Percentiles>,
    interruptions: &'a [Interruption],
    reconnects: u32,
    silence_prompts: u32,
}

#[derive(Serialize)]
struct Percentiles {
    p50: u64,
    p95: u64,
    turns: usize,
}

impl<'a> Numbers<'a> {
    fn of(metrics: &'a Metrics) -> Self {
        Self {
            first_audio_ms: metrics.first_audio_ms,
            response_ms: Percentiles::of(&metrics.response_ms),
            interruptions: &metrics.interruptions,
            reconnects: metrics.reconnects,
            silence_prompts: metrics.silence_prompts,
        }
    }
}

impl Percentiles {
    /// By nearest rank.
    fn of(values: &[u64]) -> Option<Self> {
        let sorted = BinaryHeap::from_iter(values).into_sorted_vec();
        let rank = |percent: usize| {
            let at = sorted
                .len()
                .saturating_mul(percent)
                .div_ceil(100)
                .saturating_sub(1);
            sorted.get(at).map(|value| **value)
        };
        Some(Self {
            p50: rank(50)?,
            p95: rank(95)?,
            turns: sorted.len(),
        })
    }
}

/// What a listing shows of a call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    status: Status,
    started_at: Option<String>,
    duration_sec: u64,
    total: Option<Cents>,
}

/// The outcome and its summary.
pub(super) fn finished(record: &mut Record, settings: &Settings) -> Finished {
    // Nothing of it changes any more, so that the evidence is that of the events.
    record.transcript.settle();
    record.log_events(record.ended_at.unwrap_or(record.placed_at));
    let evidence = evidence_of(record);
    let status = status_by(record, &evidence);
    let (json, summary, cost) = written(record, settings, status, evidence);
    Finished {
        status,
        json: record.seal(&json),
        summary,
        cost,
        reached: record.answered_at.is_some(),
        suppress: record
            .request
            .as_ref()
            .filter(|_| record.do_not_call.is_some())
            .map(|request| request.to.clone()),
        events: record.events.text().to_owned(),
        callback_url: (record.request.as_ref()).and_then(|request| request.callback_url.clone()),
    }
}

/// The outcome without the head of its events, and its summary, as JSON; and what the call cost.
fn written(
    record: &Record,
    settings: &Settings,
    status: Status,
    evidence: Vec<FieldEvidence>,
) -> (String, String, MicroDollars) {
    let ended_at = record.ended_at.unwrap_or(record.placed_at);
    let duration_sec = ended_at.saturating_sub(record.placed_at) / 1000;
    let connected_ms = record
        .answered_at
        .map_or(0, |answered| ended_at.saturating_sub(answered));
    let cost = settings.cost(&record.usage, connected_ms);
    let total_cost = cost.total();
    let mut warnings = Vec::new();
    if status == Status::Confirmed {
        warnings.extend(unproven(&evidence, |field| field.proof < Proof::Proven));
        if record.do_not_call.is_some() {
            warnings.push("the shop asked not to be called again".into());
        }
    } else if record.answered_at.is_some() {
        warnings.extend(doubts(record, &evidence));
        warnings.extend(reservations(record));
    }
    if !settings
        .prices
        .knows_transcription(&settings.transcribe_model)
    {
        warnings.push(
            "the price table has no entry for this transcription model; it is not in cost.openai"
                .into(),
        );
    }
    if cost.openai.is_none() {
        warnings
            .push("the price table has no entry for this model; cost.openai is not known".into());
    }
    let outcome = Outcome {
        schema_version: SCHEMA_VERSION,
        call_id: &record.sid,
        status,
        end_reason: record.end_reason.map(EndReason::word),
        started_at: timestamp(record.placed_at),
        ended_at: timestamp(ended_at),
        duration_sec,
        order: &record.order,
        total: record.order.totals.map(|totals| Amount {
            minor: totals.total.0,
            currency: record.request.as_ref().map_or("USD", |r| &r.currency),
        }),
        evidence: evidence
            .into_iter()
            .map(|field| with_quotes(field, &record.transcript))
            .collect(),
        disclosure: Disclosure {
            heard_at: record.disclosed_at.and_then(timestamp),
        },
        transcript_url: None,
        usage: record.usage,
        cost: CostInDollars {
            openai: cost.openai.map(dollars),
            twilio: dollars(cost.twilio),
            cloudflare: dollars(cost.cloudflare),
            total: dollars(total_cost),
            currency: "USD",
        },
        metrics: Numbers::of(&record.metrics),
        attempts: record.streams.max(1),
        warnings,
    };
    let total = record.order.totals.map(|totals| totals.total);
    let summary = Summary {
        status,
        started_at: timestamp(record.placed_at),
        duration_sec,
        total,
    };
    let json = json::text(&outcome);
    let summary = json::text(&summary);
    (json, summary, total_cost)
}

/// The evidence as it is in the outcome, for whoever checks one.
pub fn evidence_json(record: &Record) -> serde_json::Value {
    let fields = evidence_of(record).into_iter();
    let evidence: Vec<_> = fields
        .map(|field| with_quotes(field, &record.transcript))
        .collect();
    serde_json::to_value(evidence).unwrap_or_default()
}

impl Call {
    /// The call as it stands, for the API while it runs.
    pub fn live(&self, now: u64) -> String {
        let now = now.max(self.clock);
        let record = &self.record;
        let turns = record
            .transcript
            .turns()
            .iter()
            .filter(|turn| !turn.heard_text().is_empty());
        let live = Live {
            call_id: &record.sid,
            status: if record.answered_at.is_some() {
                "in_progress"
            } else {
                "dialling"
            },
            started_at: timestamp(record.placed_at),
            duration_sec: now.saturating_sub(record.placed_at) / 1000,
            order: &record.order,
            cost: dollars(self.spent(now)),
            transcript: turns
                .map(|turn| Line {
                    role: turn.role,
                    text: turn.heard_text(),
                    ts: turn.at_ms,
                    cut: turn.cut,
                    acknowledges: turn.acknowledges.as_ref(),
                })
                .collect(),
        };
        json::text(&live)
    }
}

/// A call that is not over.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Live<'a> {
    call_id: &'a CallSid,
    status: &'static str,
    started_at: Option<String>,
    duration_sec: u64,
    order: &'a OrderState,
    /// What the call has cost so far, in US dollars.
    cost: f64,
    transcript: Vec<Line<'a>>,
}

/// What was heard of one turn; `ts` is ms since the answer.
#[derive(Serialize)]
struct Line<'a> {
    role: Role,
    text: &'a str,
    ts: u64,
    /// The agent was interrupted here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    /// The shop only acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledges: Option<&'a Acknowledges>,
}

/// Why the order cannot be called confirmed; nothing means that it is. Names no private value, but
/// for what the agent gives as its reason.
fn doubts(record: &Record, evidence: &[FieldEvidence]) -> Vec<String> {
    let mut doubts: Vec<String> = evidence::incomplete(&record.order)
        .into_iter()
        .map(|missing| missing.describe().to_owned())
        .collect();
    if record.disclosed_at.is_none() {
        doubts.push("it was not heard that an AI was calling".into());
    }
    match record.order.totals {
        None => doubts.push("no total was confirmed".into()),
        Some(totals) => {
            let max_total = record.request.as_ref().and_then(|r| r.max_total);
            if max_total.is_some_and(|max| totals.total > max) {
                doubts.push("the total is above the limit".into());
            }
        }
    }
    let wanted = record.request.as_ref().map(|request| &request.order);
    let deviations = wanted.map(|wanted| wanted.deviations(&record.order));
    doubts.extend(
        deviations
            .unwrap_or_default()
            .into_iter()
            .map(|field| format!("{} {}", field.pointer, field.detail)),
    );
    if let (Some(reason), None, Some(EndReason::Goodbye)) =
        (&record.gave_up, record.order.totals, record.end_reason)
    {
        doubts.push(format!(
            "the agent ended the call, it says because: {reason}"
        ));
    }
    doubts.extend(unproven(evidence, |field| !field.is_enough()));
    doubts
}

/// What is missing of these fields' evidence; names no value.
fn unproven(
    evidence: &[FieldEvidence],
    which: impl Fn(&FieldEvidence) -> bool,
) -> impl Iterator<Item = String> {
    let fields = evidence.iter().filter(move |field| which(field));
    fields.map(|field| {
        let why = match field.proof {
            Proof::Unproven => "was not heard",
            Proof::Contradicted => "was contradicted",
            Proof::Stated | Proof::Proven => "was not affirmed by the shop",
        };
        format!("{} {why}", field.pointer)
    })
}

fn evidence_of(record: &Record) -> Vec<FieldEvidence> {
    let heard = Lines::new(&record.order, &record.transcript);
    let mut fields = heard.fields();
    if let Some(Totals { subtotal, total }) = record.order.totals {
        fields.extend(subtotal.map(|amount| heard.subtotal(amount, total)));
        fields.push(heard.total(total));
    }
    fields
}

fn with_quotes(field: FieldEvidence, transcript: &Transcript) -> Evidence<'_> {
    let quote = |quote: Option<Quote>| {
        let quote = quote?;
        let turn = transcript.get(&quote.turn)?;
        let (from_ms, to_ms) = turn.said_ms(quote.words.clone());
        Some(Words {
            turn: &turn.id,
            role: turn.role,
            at_ms: turn.at_ms,
            from_ms,
            to_ms,
            quote: turn.heard_text().get(quote.words)?,
        })
    };
    Evidence {
        pointer: field.pointer,
        proof: field.proof,
        said: quote(field.said),
        answered: quote(field.answered),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the cost of one call is far below 2^52 micro-dollars"
)]
fn dollars(amount: MicroDollars) -> f64 {
    amount as f64 / 1e6
}
