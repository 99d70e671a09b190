//! What is reported of a call. The status is computed from the record: what was heard decides, not
//! what the model claims.

use super::output::Finished;
use super::record::{EndReason, Handoff, Interruption, Metrics, Record};
use super::{Call, Settings};
use crate::order::evidence::{self, FieldEvidence, Proof};
use crate::order::money::Cents;
use crate::order::state::OrderState;
use crate::order::transcript::{Acknowledges, Role, Transcript};
use crate::realtime::prices::MicroDollars;
use crate::realtime::usage::Usage;
use crate::twilio::sid::CallSid;
use crate::twilio::webhook::CallStatus;
use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

/// Form of the outcome; rises when a field changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;
/// The most characters of a quote.
const MAX_QUOTE_CHARS: usize = 400;

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
    } else if doubts(record).is_empty() {
        Status::Confirmed
    } else if !record.stream_claimed || never_spoke {
        Status::Failed
    } else {
        Status::Unconfirmed
    }
}

/// What the one who asked for the call gets: section 11 of the build plan, and what proves it.
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
    evidence: Vec<Evidence<'a>>,
    disclosure: Disclosure,
    transcript_url: Option<String>,
    usage: Usage,
    cost: CostInDollars,
    metrics: Numbers<'a>,
    attempts: u32,
    warnings: Vec<String>,
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
    at_ms: u64,
    quote: String,
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
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let rank = |percent: usize| {
            let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(at).copied()
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
pub(super) fn finished(record: &Record, settings: &Settings) -> Finished {
    let status = status(record);
    let ended_at = record.ended_at.unwrap_or(record.placed_at);
    let duration_sec = ended_at.saturating_sub(record.placed_at) / 1000;
    let connected_ms = record
        .answered_at
        .map_or(0, |answered| ended_at.saturating_sub(answered));
    let cost = settings.prices.cost(
        &settings.model,
        &settings.transcribe_model,
        &record.usage,
        connected_ms,
    );
    let total_cost = cost
        .openai
        .unwrap_or(0)
        .saturating_add(cost.twilio)
        .saturating_add(cost.cloudflare);
    let mut warnings = Vec::new();
    if status == Status::Confirmed {
        warnings.extend(unproven(record, |field| field.proof < Proof::Proven));
    } else if record.answered_at.is_some() {
        warnings.extend(doubts(record));
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
        evidence: evidence_of(record)
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
        attempts: 1,
        warnings,
    };
    let total = record.order.totals.map(|totals| totals.total);
    let summary = Summary {
        status,
        started_at: timestamp(record.placed_at),
        duration_sec,
        total,
    };
    Finished {
        json: serde_json::to_string(&outcome).unwrap_or_default(),
        summary: serde_json::to_string(&summary).unwrap_or_default(),
    }
}

impl Call {
    /// The call as it stands, for the API while it runs.
    pub fn live(&self, now: u64) -> String {
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
        serde_json::to_string(&live).unwrap_or_default()
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

/// Why the order cannot be called confirmed; nothing means that it is. Names no private value.
fn doubts(record: &Record) -> Vec<String> {
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
    doubts.extend(unproven(record, |field| !field.is_enough()));
    doubts
}

/// What is missing of these fields' evidence; names no value.
fn unproven(
    record: &Record,
    which: impl Fn(&FieldEvidence) -> bool,
) -> impl Iterator<Item = String> {
    evidence_of(record).into_iter().filter(which).map(|field| {
        let why = match field.proof {
            Proof::Unproven => "was not heard",
            Proof::Contradicted => "was contradicted",
            Proof::Stated | Proof::Proven => "was not affirmed by the shop",
        };
        format!("{} {why}", field.pointer)
    })
}

fn evidence_of(record: &Record) -> Vec<FieldEvidence> {
    let mut fields = evidence::read_back(&record.order, &record.transcript);
    if let Some(totals) = record.order.totals {
        let transcript = &record.transcript;
        fields.extend(
            totals
                .subtotal
                .map(|amount| evidence::subtotal(amount, totals.total, transcript)),
        );
        fields.push(evidence::total(totals.total, transcript));
    }
    fields
}

fn with_quotes(field: FieldEvidence, transcript: &Transcript) -> Evidence<'_> {
    let quote = |id: Option<String>| {
        id.and_then(|id| transcript.get(&id)).map(|turn| Words {
            turn: &turn.id,
            role: turn.role,
            at_ms: turn.at_ms,
            quote: turn.heard_text().chars().take(MAX_QUOTE_CHARS).collect(),
        })
    };
    Evidence {
        pointer: field.pointer,
        proof: field.proof,
        said: quote(field.said_in),
        answered: quote(field.answered_in),
    }
}

/// RFC 3339, in UTC, to the second.
fn timestamp(ms: u64) -> Option<String> {
    let time = DateTime::from_timestamp_millis(i64::try_from(ms).ok()?)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the cost of one call is far below 2^52 micro-dollars"
)]
fn dollars(amount: MicroDollars) -> f64 {
    amount as f64 / 1e6
}
