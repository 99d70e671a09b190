//! The row about status callbacks: each comes twice and out of order, all webhooks come once more
//! after the call, and every call still has exactly one outcome.

use super::calls::{self, Played};
use super::receiver::Receiver;
use super::table::Row;
use super::{Name, Plan, folder};
use crate::rig::{self, Peers, Rig};
use crate::scenario::DialResult;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::Value;
use std::time::Duration;

const WHAT: &str = "callbacks doubled, reordered, replayed";
const AT_ONCE: usize = 12;
/// How long deliveries may take to come in after the last call.
const DELIVERY: Duration = Duration::from_secs(15);
const RESULTS: [DialResult; 8] = [
    DialResult::Answered,
    DialResult::Busy,
    DialResult::Answered,
    DialResult::NoAnswer,
    DialResult::Answered,
    DialResult::Failed,
    DialResult::Answered,
    DialResult::Answered,
];

pub(super) async fn row(plan: Plan) -> Row {
    match measure(plan).await {
        Ok(row) => row,
        Err(error) => Row::broken(Name::Callbacks, WHAT, &error),
    }
}

async fn measure(plan: Plan) -> anyhow::Result<Row> {
    let mut random = plan.random("callbacks");
    let scenarios: anyhow::Result<Vec<_>> = (0..plan.cases(200, 24))
        .map(|n| {
            let talk_ms = random.within(0, 600);
            calls::short(n, RESULTS[n % RESULTS.len()], talk_ms, true)
        })
        .collect();
    let receiver = Receiver::start().await?;
    let log = folder().join("callbacks.log");
    let (clips, peers) = (rig::clips()?, Peers::Simulated);
    let changes = [
        receiver.variables(),
        vec![("MAX_CALLS_PER_DAY", "100000".to_owned())],
    ]
    .concat();
    let rig = Rig::start_with(&changes, scenarios?, clips, &peers, &log).await?;
    let calls = rig.plays.iter().map(|play| calls::play(&rig, play, &[]));
    let mut played: Vec<Played> = stream::iter(calls)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    // What was sent long ago comes once more.
    for call in &mut played {
        call.wrong.extend(rig.twilio.replay(&call.sid).await);
    }
    let delivers = receiver.has_all(&played, DELIVERY).await;
    let log = rig.worker.log_text();
    for call in &mut played {
        let outcomes = call.logged(&log, "outcome");
        if outcomes != 1 {
            call.wrong.push(format!("{outcomes} outcomes in the log"));
        }
        let again = rig.api.call(&call.sid).await;
        if let (Some(outcome), Ok(again)) = (&call.outcome, again)
            && without_delivery(&again.json) != without_delivery(&outcome.json)
        {
            call.wrong
                .push("the outcome, read again, is another one".to_owned());
        }
        call.wrong.extend(receiver.wrong_about(call));
    }
    let mut row = Row::of(Name::Callbacks, WHAT, &played, &log);
    row.measured = receiver.measured();
    if !delivers {
        row.misses = Some("not every outcome was delivered".to_owned());
    }
    Ok(row)
}

/// How far its delivery is may change.
fn without_delivery(outcome: &Value) -> Value {
    let mut outcome = outcome.clone();
    if let Some(fields) = outcome.as_object_mut() {
        fields.remove("delivery");
    }
    outcome
}
