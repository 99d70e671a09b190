//! The row about memory: many short calls in one isolate, and whether the process that holds it
//! grows with them.

use super::calls::{self, Played};
use super::table::Row;
use super::{Name, Plan, folder};
use crate::rig::{self, Peers, Rig};
use crate::scenario::DialResult;
use futures_util::StreamExt;
use futures_util::stream;

const WHAT: &str = "memory over many calls in one isolate";
/// A few calls overlap, so that many fit into little time.
const AT_ONCE: usize = 8;
/// Between two looks at the memory.
const CALLS_PER_LOOK: usize = 20;
/// This share of the looks comes first: caches fill, and objects of calls that are over are let go
/// only some time later.
const WARM_UP: f64 = 0.5;
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
    let (clips, peers) = (rig::clips()?, Peers::Simulated);
    let changes = [("MAX_CALLS_PER_DAY", "100000".to_owned())];
    let rig = Rig::start_with(&changes, scenarios?, clips, &peers, &log).await?;
    let (mut played, mut looks): (Vec<Played>, Vec<(f64, f64)>) = (Vec::new(), Vec::new());
    for plays in rig.plays.chunks(CALLS_PER_LOOK) {
        let calls = plays.iter().map(|play| calls::play(&rig, play, &[]));
        let these: Vec<Played> = stream::iter(calls)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        played.extend(these);
        let kib = rig.worker.resident_bytes() as f64 / 1024.0;
        looks.push((played.len() as f64, kib));
    }
    let settled = (looks.len() as f64 * WARM_UP) as usize;
    let slope = slope(&looks[settled.min(looks.len())..]);
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
