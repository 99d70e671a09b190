//! The row about the runtime: SIGKILL in the middle of calls, a restart on the same port with the
//! same storage, and Twilio asks at `<Connect action>` how to go on.

use super::calls;
use super::table::Row;
use super::{Name, Plan, dead_air, folder, sockets};
use crate::play::Play;
use crate::rig::{self, Rig, root};
use crate::timeline::What;
use anyhow::bail;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const WHAT: &str = "runtime killed and restarted, call goes on";
/// When it is killed, in ms after the newest call's stream began.
const MOMENTS: (u64, u64) = (3_000, 16_000);
/// How often a call may lose its stream and go on.
const MAX_HITS: usize = 3;
/// Twilio's side of a killed socket is part of the fault.
const EXCUSED: [&str; 1] = ["31903"];
const STREAM_LIMIT: Duration = Duration::from_secs(30);

/// Kills the runtime again and again. A call begins as soon as the runtime is there, and is in its
/// middle when the runtime dies; the call before it may be hit once more.
pub(super) async fn row(plan: Plan) -> Row {
    match measure(plan).await {
        Ok(row) => row,
        Err(error) => Row::broken(Name::Runtime, WHAT, &error),
    }
}

async fn measure(plan: Plan) -> anyhow::Result<Row> {
    let kills = plan.cases(10, 2);
    let scenarios: anyhow::Result<Vec<_>> = (0..kills).map(|n| calls::order(n, &[])).collect();
    let log = folder().join("runtime.log");
    let rig = Rig::start_behind_edge(&[], scenarios?, rig::clips()?, &log).await?;
    let mut random = plan.random("runtime");
    let (mut running, mut played) = (FuturesUnordered::new(), Vec::new());
    let mut longest = Duration::ZERO;
    for play in rig.plays.iter() {
        // A call goes on three times; the next kill waits for those that have been hit so often.
        while rig.plays.iter().any(|play| is_worn(play)) {
            match running.next().await {
                Some(call) => played.push(call),
                None => break,
            }
        }
        running.push(calls::play(&rig, play, &EXCUSED));
        let mut kill = pin!(kill(&rig, play, random.within(MOMENTS.0, MOMENTS.1)));
        loop {
            tokio::select! {
                down = &mut kill => {
                    longest = longest.max(down?);
                    break;
                }
                Some(call) = running.next() => played.push(call),
            }
        }
    }
    while let Some(call) = running.next().await {
        played.push(call);
    }
    for call in &mut played {
        let hits = call.struck().len();
        if hits == 0 {
            call.wrong
                .push("the runtime was not killed during this call".to_owned());
        }
    }
    let times: Vec<Option<u64>> = played
        .iter()
        .flat_map(|call| {
            let struck = call.struck().into_iter();
            struck.map(move |at| dead_air::after_lost_stream(&call.play, at))
        })
        .collect();
    let hits = times.len();
    let mut row = Row::of(Name::Runtime, WHAT, &played, &rig.worker.log_text());
    row.measured = format!(
        "{kills} kills hit calls {hits} times, down for up to {:.1} s; {}",
        longest.as_secs_f64(),
        sockets::heard_again(&times)
    );
    Ok(row)
}

/// Whether a call that runs has been hit as often as it may be.
fn is_worn(play: &Play) -> bool {
    let events = play.timeline.events();
    let hits = events
        .iter()
        .filter(|event| matches!(event.what, What::Fault { .. }));
    let over = events
        .iter()
        .any(|event| matches!(event.what, What::Ended { .. }));
    hits.count() >= MAX_HITS && !over
}

/// Kills the runtime this long after the call's stream began, and restarts it; how long it was down.
async fn kill(rig: &Rig, newest: &Play, after_ms: u64) -> anyhow::Result<Duration> {
    let deadline = Instant::now() + STREAM_LIMIT;
    let streams = |play: &Play| {
        let events = play.timeline.events();
        let happened = |wanted: fn(&What) -> bool| events.iter().any(|event| wanted(&event.what));
        happened(|what| *what == What::StreamStarted)
            && !happened(|what| matches!(what, What::Ended { .. }))
    };
    while !streams(newest) {
        if Instant::now() > deadline {
            bail!("no stream within {} s", STREAM_LIMIT.as_secs());
        }
        sleep(Duration::from_millis(20)).await;
    }
    sleep(Duration::from_millis(after_ms)).await;
    for play in rig.plays.iter().filter(|play| streams(play)) {
        let fault = "runtime-killed".to_owned();
        play.timeline.push(What::Fault { fault });
    }
    let from = Instant::now();
    rig.worker.kill();
    rig.worker.restart(&root()).await?;
    Ok(from.elapsed())
}
