//! The row about a panic: a build of the Worker with a switch panics in the middle of a call, while
//! it holds that call, and others run in the same isolate.

use super::calls::{self, Played};
use super::table::Row;
use super::{Name, Plan, dead_air, folder, sockets};
use crate::fault::{self, Fault};
use crate::play::Play;
use crate::rig::{self, Rig};
use crate::timeline::What;
use anyhow::bail;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const WHAT: &str = "a call panics, it and the others go on";
/// `node scripts/build.mjs --panic-switch`.
const MAIN: &str = "build/panic-switch/index.js";
/// Calls at a time; the first of them panics.
const AT_ONCE: usize = 3;
const APART: Duration = Duration::from_millis(1_500);
/// When, in ms after the last of them was answered.
const MOMENTS: (u64, u64) = (2_000, 14_000);
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How long after a call its sockets may still be open.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn row(plan: Plan) -> Row {
    match measure(plan).await {
        Ok(row) => row,
        Err(error) => Row::broken(Name::Panic, WHAT, &error),
    }
}

async fn measure(plan: Plan) -> anyhow::Result<Row> {
    let panics = plan.cases(6, 1);
    let scenarios: anyhow::Result<Vec<_>> = (0..panics * AT_ONCE)
        .map(|n| calls::order(n, &[]))
        .collect();
    let log = folder().join("panic.log");
    let rig = Rig::start_build(MAIN, scenarios?, rig::clips()?, &log).await?;
    let mut random = plan.random("panic");
    let (mut played, mut hit, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut undisturbed = 0;
    for plays in rig.plays.chunks(AT_ONCE) {
        let moment = random.within(MOMENTS.0, MOMENTS.1);
        let calls = plays.iter().enumerate().map(|(n, play)| {
            let rig = &rig;
            async move {
                sleep(APART * u32::try_from(n).unwrap_or(0)).await;
                calls::play(rig, play, &[]).await
            }
        });
        let (calls, broken) = tokio::join!(join_all(calls), panic(plays, moment));
        broken?;
        for (n, mut call) in calls.into_iter().enumerate() {
            let at = call.struck().first().copied();
            let silence = at.and_then(|at| dead_air::after_lost_model(&call.play, at));
            if n == 0 { &mut hit } else { &mut others }.push(silence);
            undisturbed += usize::from(n > 0 && sessions(&call).0 == 1);
            if let Some(wrong) = leaks(&call).await {
                call.wrong.push(wrong);
            }
            played.push(call);
        }
    }
    let log = rig.worker.log_text();
    let mut row = Row::of(Name::Panic, WHAT, &played, &log);
    row.measured = format!(
        "{panics} panics; in the call, {}; in the others, {}, {undisturbed} of {} kept their session",
        sockets::heard_again(&hit),
        sockets::heard_again(&others),
        others.len()
    );
    let told = log.matches("the panic switch").count();
    if told < panics {
        row.misses = Some(format!("{told} of {panics} panics are in the log"));
    }
    Ok(row)
}

/// Breaks the first of these calls so long after all of them were answered.
async fn panic(plays: &[Arc<Play>], after_ms: u64) -> anyhow::Result<()> {
    let talks = |play: &Arc<Play>| {
        let events = play.timeline.events();
        events.iter().any(|event| event.what == What::Answered)
    };
    let deadline = Instant::now() + ANSWER_LIMIT;
    while !plays.iter().all(talks) {
        if Instant::now() > deadline {
            bail!("no answer within {} s", ANSWER_LIMIT.as_secs());
        }
        sleep(Duration::from_millis(20)).await;
    }
    sleep(Duration::from_millis(after_ms)).await;
    for (n, play) in plays.iter().enumerate() {
        if n == 0 {
            fault::strike(play, Fault::Panic);
        } else {
            let fault = "another-call-panics".to_owned();
            play.timeline.push(What::Fault { fault });
        }
    }
    Ok(())
}

/// Whether a socket to the model is still open although the call is over.
async fn leaks(call: &Played) -> Option<String> {
    let deadline = Instant::now() + CLOSE_LIMIT;
    loop {
        let (opened, closed) = sessions(call);
        if opened == closed {
            return None;
        }
        if Instant::now() > deadline {
            return Some(format!("{opened} sessions opened, {closed} closed"));
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// How many sessions of the model were opened, and closed.
fn sessions(call: &Played) -> (usize, usize) {
    let events = call.play.timeline.events();
    let count =
        |wanted: fn(&What) -> bool| events.iter().filter(|event| wanted(&event.what)).count();
    (
        count(|what| matches!(what, What::ModelConnected)),
        count(|what| matches!(what, What::ModelClosed { .. })),
    )
}
