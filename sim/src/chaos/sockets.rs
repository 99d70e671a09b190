//! Rows about sockets: the model's is lost, the phone's is lost, and what nobody wants comes in.
//! All of them run in one Worker, some calls at a time.

use super::calls::{self, Played};
use super::table::{Row, percentile};
use super::{Name, Plan, dead_air, folder};
use crate::fault::{Fault, TimedFault};
use crate::rig::{self, Peers, Rig};
use crate::scenario::Scenario;
use crate::timeline::What;
use anyhow::ensure;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// Calls at the same time: two cores must keep every media clock.
const AT_ONCE: usize = 13;
/// Calls do not begin all at once.
const APART: Duration = Duration::from_millis(700);
/// How soon the agent has to be heard again, in ms: 95 of 100 times.
const SPEECH_AGAIN_MS: u64 = 1_000;
/// When a fault may strike, in ms after the answer: an undisturbed call lasts about 33 s.
const MOMENTS: (u64, u64) = (1_500, 25_000);
const STORMS: [Fault; 8] = [
    Fault::SecondStream,
    Fault::FramesAfterStop,
    Fault::UnknownCall,
    Fault::Replay,
    Fault::StreamNotRead { ms: 6_000 },
    Fault::StreamHalfOpen,
    Fault::ModelFloods { events: 20_000 },
    Fault::ModelFallsSilent,
];

/// The model does not come back. After all others, because it refuses every call.
const MODEL_GONE: Fault = Fault::ModelRefuses {
    status: 401,
    times: 100,
};

/// How the model's socket is lost, by turns.
const MODEL_LOSSES: [Fault; 10] = [
    Fault::ModelCloses { code: 1006 },
    Fault::ModelCloses { code: 1011 },
    Fault::ModelCloses { code: 1000 },
    Fault::ModelCloses { code: 1001 },
    Fault::ModelCloses { code: 1006 },
    Fault::ModelCloses { code: 1012 },
    Fault::ModelCloses { code: 4000 },
    Fault::ModelRefuses {
        status: 503,
        times: 1,
    },
    Fault::ModelRefuses {
        status: 429,
        times: 1,
    },
    Fault::ModelOpensSlowly { ms: 600 },
];

/// One case: a call, and the row it counts for.
struct Case {
    name: Name,
    fault: Fault,
    scenario: Scenario,
}

/// The rows that are wanted.
pub(super) async fn rows(plan: Plan, wants: impl Fn(Name) -> bool) -> Vec<Row> {
    let wanted: Vec<Name> = [Name::Model, Name::Stream, Name::Storms]
        .into_iter()
        .filter(|name| wants(*name))
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    match measure(plan, &wanted).await {
        Ok(rows) => rows,
        Err(error) => wanted
            .into_iter()
            .map(|name| Row::broken(name, what(name), &error))
            .collect(),
    }
}

fn what(name: Name) -> &'static str {
    match name {
        Name::Model => "model socket killed, call goes on",
        Name::Stream => "media socket lost, call goes on",
        _ => "storms: truthful outcome, nothing wrong",
    }
}

async fn measure(plan: Plan, wanted: &[Name]) -> anyhow::Result<Vec<Row>> {
    let cases = cases(plan, wanted)?;
    let last = if wanted.contains(&Name::Storms) {
        vec![case(Name::Storms, MODEL_GONE, 6_000, cases.len())?]
    } else {
        Vec::new()
    };
    // As in any deployment after its first call: that one leaves the line which fills a gap.
    let first = if wanted.contains(&Name::Model) && !plan.quick {
        vec![calls::order(cases.len() + last.len(), &[])?]
    } else {
        Vec::new()
    };
    let faulty = cases.iter().chain(&last).map(|case| &case.scenario);
    let scenarios = faulty.chain(&first).cloned().collect();
    let log = folder().join("sockets.log");
    let clips = rig::clips()?;
    // Nobody takes over: what the network says in the end can be heard.
    let changes = [("HANDOFF_NUMBER", String::new())];
    let rig = Rig::start_with(&changes, scenarios, clips, &Peers::Simulated, &log).await?;
    for play in rig.plays.iter().skip(cases.len() + last.len()) {
        let call = calls::play(&rig, play, &[]).await;
        ensure!(call.wrong.is_empty(), "the first call: {:?}", call.wrong);
    }
    let gate = Semaphore::new(AT_ONCE);
    let played = cases.iter().enumerate().map(|(n, case)| {
        let (rig, gate) = (&rig, &gate);
        async move {
            sleep(APART * u32::try_from(n % AT_ONCE).unwrap_or(0)).await;
            let _turn = gate.acquire().await;
            let played = calls::play(rig, &rig.plays[n], &[]).await;
            (case.name, judge(case, played))
        }
    });
    let mut played = join_all(played).await;
    for (case, play) in last.iter().zip(rig.plays.iter().skip(cases.len())) {
        let call = calls::play(&rig, play, &[]).await;
        played.push((case.name, judge(case, call)));
    }
    let log = rig.worker.log_text();
    let mut rows = Vec::new();
    for &name in wanted {
        let mine = played.extract_if(.., |(of, _)| *of == name);
        let (mine, times): (Vec<Played>, Vec<Option<u64>>) = mine.map(|(_, of)| of).unzip();
        let mut row = Row::of(name, what(name), &mine, &log);
        if name != Name::Storms {
            row.measured = heard_again(&times);
        }
        // A few cases on a busy machine tell nothing about time.
        if name == Name::Model && !plan.quick {
            bar(&mut row, &times);
        }
        rows.push(row);
    }
    Ok(rows)
}

fn cases(plan: Plan, wanted: &[Name]) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for &name in wanted {
        let mut random = plan.random(&format!("{name:?}"));
        let faults: Vec<Fault> = match name {
            Name::Model => MODEL_LOSSES
                .iter()
                .cycle()
                // All of them after ten, and different ones first.
                .step_by(3)
                .copied()
                .take(plan.cases(20, 4))
                .collect(),
            Name::Stream => vec![Fault::StreamLost; plan.cases(10, 2)],
            _ => STORMS.to_vec(),
        };
        for fault in faults {
            let after_ms = random.within(MOMENTS.0, MOMENTS.1);
            cases.push(case(name, fault, after_ms, cases.len())?);
        }
    }
    Ok(cases)
}

fn case(name: Name, fault: Fault, after_ms: u64, n: usize) -> anyhow::Result<Case> {
    let scenario = calls::order(n, &[TimedFault { after_ms, fault }])?;
    Ok(Case {
        name,
        fault,
        scenario,
    })
}

/// What else must be true, and how long nobody was heard after the fault.
fn judge(case: &Case, mut played: Played) -> (Played, Option<u64>) {
    let struck = played.struck();
    let [at] = struck[..] else {
        played.wrong.push(format!(
            "{} struck {} times",
            case.fault.name(),
            struck.len()
        ));
        return (played, None);
    };
    if matches!(case.fault, Fault::FramesAfterStop | MODEL_GONE) {
        // The call cannot go on; what the outcome says of it has to be true.
        played.wrong.retain(|wrong| !wrong.starts_with('/'));
        let outcome = played.outcome.as_ref().map(|outcome| &outcome.json);
        let field = |name: &str| outcome.and_then(|json| json[name].as_str()).unwrap_or("");
        let (status, reason) = (field("status"), field("endReason"));
        let expected = if case.fault == MODEL_GONE {
            "model_lost"
        } else {
            "shop_hung_up"
        };
        if status != "unconfirmed" || reason != expected {
            let wrong =
                format!("the outcome is {status}, {reason}; expected unconfirmed, {expected}");
            played.wrong.push(wrong);
        }
    }
    if case.fault == MODEL_GONE && !says_sorry(&played) {
        played.wrong.push("nobody apologised".to_owned());
    }
    let ms = if case.name == Name::Model {
        dead_air::after_lost_model(&played.play, at)
    } else {
        dead_air::after_lost_stream(&played.play, at)
    };
    (played, ms)
}

fn says_sorry(played: &Played) -> bool {
    let events = played.play.timeline.events();
    events
        .iter()
        .any(|event| matches!(event.what, What::NetworkSays { .. }))
}

/// For the table.
pub(super) fn heard_again(times: &[Option<u64>]) -> String {
    let known = sorted(times);
    let value = |share| {
        percentile(&known, share).map_or_else(|| "none".to_owned(), |ms| format!("{ms} ms"))
    };
    let never = match times.len() - known.len() {
        0 => String::new(),
        never => format!(", never {never} times"),
    };
    let (p50, p95, worst) = (value(0.5), value(0.95), value(1.0));
    format!("agent heard again: p50 {p50}, p95 {p95}, worst {worst}{never}")
}

fn bar(row: &mut Row, times: &[Option<u64>]) {
    let known = sorted(times);
    let p95 = percentile(&known, 0.95);
    if known.len() < times.len() || p95.is_none_or(|ms| ms > SPEECH_AGAIN_MS) {
        let each: Vec<String> = times
            .iter()
            .map(|ms| ms.map_or_else(|| "never".to_owned(), |ms| ms.to_string()))
            .collect();
        let each = each.join(" ");
        row.misses = Some(format!(
            "p95 at most {SPEECH_AGAIN_MS} ms; case by case: {each}"
        ));
    }
}

fn sorted(times: &[Option<u64>]) -> Vec<u64> {
    let mut known: Vec<u64> = times.iter().flatten().copied().collect();
    known.sort_unstable();
    known
}
