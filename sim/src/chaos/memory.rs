//! The row about memory: many short calls in one isolate, and whether the process that holds it
//! grows with them.

use super::calls::{self, Played};
use super::table::Row;
use super::{Name, Plan, folder};
use crate::rig::{self, Rig};
use crate::scenario::DialResult;
use futures_util::StreamExt;
use futures_util::stream;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

const WHAT: &str = "memory over many calls in one isolate";
/// A few calls overlap, so that many fit into little time.
const AT_ONCE: usize = 8;
/// Between two looks at the memory, and how long that takes at least: the time below is the same on
/// a machine that is fast.
const CALLS_PER_LOOK: usize = 20;
const PACE: Duration = Duration::from_secs(5);
/// The first looks do not count. Caches fill; workerd lets an object go 10 s after its last event, and
/// what it remembers of it 70 to 140 s after that, so that memory rises for 150 s, whatever the object is.
const WARM_UP: Duration = Duration::from_secs(160);
/// Growth after that, in KiB per call: of 500 calls an object of this size each would be 16 MiB.
const MOST_KIB_PER_CALL: f64 = 32.0;

pub(super) async fn row(plan: Plan) -> Row {
    match measure(plan).await {
        Ok(row) => row,
        Err(error) => Row::broken(Name::Memory, WHAT, &error),
    }
}

async fn measure(plan: Plan) -> anyhow::Result<Row> {
    let scenarios: anyhow::Result<Vec<_>> = (0..plan.cases(1000, 40))
        .map(|n| calls::short(n, DialResult::Answered, 60, false))
        .collect();
    let log = folder().join("memory.log");
    let changes = [("MAX_CALLS_PER_DAY", "100000".to_owned())];
    let rig = Rig::start_plain(&changes, scenarios?, rig::clips()?, &log).await?;
    let (mut played, mut looks): (Vec<Played>, Vec<(f64, f64)>) = (Vec::new(), Vec::new());
    let (begun, mut settled) = (Instant::now(), 0);
    for plays in rig.plays.chunks(CALLS_PER_LOOK) {
        let next = Instant::now() + if plan.quick { Duration::ZERO } else { PACE };
        let calls = plays.iter().map(|play| calls::play(&rig, play, &[]));
        let these: Vec<Played> = stream::iter(calls)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        played.extend(these);
        let kib = rig.worker.resident_bytes() as f64 / 1024.0;
        looks.push((played.len() as f64, kib));
        if begun.elapsed() < WARM_UP {
            settled = looks.len();
        }
        sleep_until(next).await;
    }
    let slope = slope(looks.get(settled..).unwrap_or_default());
    let mib = |look: Option<&(f64, f64)>| look.map_or(0.0, |(_, kib)| kib / 1024.0);
    let mut row = Row::of(Name::Memory, WHAT, &played, &rig.worker.log_text());
    row.measured = format!(
        "{:.0} MiB, then {:.0} MiB: {slope:.1} KiB per call (at most {MOST_KIB_PER_CALL})",
        mib(looks.first()),
        mib(looks.last())
    );
    // Too few looks for a slope.
    if slope > MOST_KIB_PER_CALL && !plan.quick {
        row.misses = Some(format!("it grows: {looks:.0?} (calls, KiB)"));
    }
    Ok(row)
}

/// Of the line through these points, by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| {
        (x + point.0 / n, y + point.1 / n)
    });
    let (up, across) = points.iter().fold((0.0, 0.0), |(up, across), point| {
        let dx = point.0 - x;
        (up + dx * (point.1 - y), across + dx * dx)
    });
    if across == 0.0 { 0.0 } else { up / across }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_of_a_line_is_its_slope() {
        assert!((slope(&[(0.0, 1.0), (10.0, 6.0), (20.0, 11.0)]) - 0.5).abs() < 1e-9);
        assert!(slope(&[(5.0, 1.0)]).abs() < 1e-9);
    }
}
