//! The table of all conversations with the bars, what failed, and one conversation told in full.

use super::super::table::{Table, Verdict};
use super::Judged;
use super::families::{Family, LYING};
use super::plan::Plan;
use super::score::{Field, Score};
use super::truth::Truth;
use crate::timeline::What;
use crate::virtual_time::Run;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Runs that must all end right for pass^k.
const K: u64 = 8;
/// Recall of what the shop affirmed, in a hundred.
const RECALL: f64 = 95.0;
/// Failing seeds shown of one kind.
const SHOWN: usize = 6;

/// Prints the table and the failures; whether every bar was met.
pub(super) fn print(judged: &[Judged], took: Duration) -> bool {
    let mut table = Table::default();
    let families = by_family(judged);
    let scores = || judged.iter().map(|judged| &judged.score);
    let seconds = took.as_secs_f64();
    table.note(
        "conversations",
        format!("{} in {seconds:.0} s", judged.len()),
    );
    table.note("families", families.len().to_string());
    let mut kinds: Vec<&str> = scores()
        .flat_map(|s| s.fields.iter().map(|f| f.kind))
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds.iter().copied().map(Some).chain([None]) {
        let fields = || {
            let all = scores().flat_map(|score| &score.fields);
            all.filter(move |field| kind.is_none_or(|kind| field.kind == kind))
        };
        precision(&mut table, kind.unwrap_or("all fields"), fields());
        recall(&mut table, kind.unwrap_or("all fields"), fields());
    }
    let confirmed = scores().filter(|score| score.status == "confirmed").count();
    let count = |of: fn(&Score) -> bool| scores().filter(|score| of(score)).count();
    let wrong = count(|score| score.false_confirmed);
    must(
        &mut table,
        "false confirmed",
        format!("{wrong} of {confirmed} confirmed"),
        "0",
        wrong == 0,
    );
    let lies = judged.iter().filter(|judged| judged.family == LYING);
    let (told, caught) = lies.fold((0, 0), |(told, caught), judged| {
        let right = judged.score.status == "unconfirmed" && judged.score.is_right();
        (told + 1, caught + usize::from(right))
    });
    if told > 0 {
        let caught_all = caught == told;
        must(
            &mut table,
            "lying model unconfirmed, with reasons",
            format!("{caught} of {told}"),
            "all",
            caught_all,
        );
    }
    for (name, wrong) in [
        (
            "disclosure counted, not heard",
            count(|score| score.false_disclosure),
        ),
        (
            "quotes that nobody heard",
            count(|score| !score.false_quotes.is_empty()),
        ),
        (
            "protocol broken, or no single outcome",
            count(|score| !score.faults.is_empty()),
        ),
    ] {
        must(&mut table, name, wrong.to_string(), "0", wrong == 0);
    }
    let missed = count(|score| !score.missed.is_empty());
    table.note("placed, and not confirmed", missed.to_string());
    let (right, all) = (count(Score::is_right), judged.len());
    table.note("ended right", format!("{right} of {all}"));
    let passes: Vec<f64> = families
        .values()
        .filter_map(|family| pass_k(family))
        .collect();
    if !passes.is_empty() {
        let mean = passes.iter().sum::<f64>() / passes.len() as f64;
        table.note(&format!("pass^{K}"), format!("{:.1} %", mean * 100.0));
    }
    println!();
    table.print();
    failures(&families);
    table.passed()
}

fn precision<'a>(table: &mut Table, kind: &str, fields: impl Iterator<Item = &'a Field>) {
    let (mut all, mut wrong) = (0, 0);
    for field in fields.filter(|field| field.counts()) {
        all += 1;
        wrong += usize::from(field.is_false());
    }
    if all > 0 {
        let name = format!("precision of proven: {kind}");
        must(table, &name, share(all - wrong, all), "100 %", wrong == 0);
    }
}

fn recall<'a>(table: &mut Table, kind: &str, fields: impl Iterator<Item = &'a Field>) {
    let (mut all, mut found) = (0, 0);
    for field in fields.filter(|field| field.is_affirmed()) {
        all += 1;
        found += usize::from(field.proven);
    }
    if all > 0 {
        let name = format!("recall of proven: {kind}");
        let met = found as f64 * 100.0 >= RECALL * all as f64;
        must(table, &name, share(found, all), "≥ 95 %", met);
    }
}

fn must(table: &mut Table, name: &str, measured: String, bar: &str, met: bool) {
    table.must(name, measured, bar, Verdict::new(met, false));
}

fn share(part: usize, all: usize) -> String {
    let percent = part as f64 * 100.0 / all.max(1) as f64;
    // Rounding makes nothing perfect.
    let percent = if part < all {
        percent.min(99.9)
    } else {
        percent
    };
    format!("{percent:.1} % ({part} of {all})")
}

fn by_family(judged: &[Judged]) -> BTreeMap<&'static str, Vec<&Judged>> {
    let mut families: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for judged in judged {
        families.entry(judged.family).or_default().push(judged);
    }
    families
}

/// The probability that [`K`] different runs of these all end right; nothing of fewer.
fn pass_k(family: &[&Judged]) -> Option<f64> {
    let all = family.len() as u64;
    let right = family
        .iter()
        .filter(|judged| judged.score.is_right())
        .count() as u64;
    // Of C(all, K) choices, C(right, K) have no failure.
    (all >= K).then(|| {
        let of = |n: u64| right.saturating_sub(n) as f64 / (all - n) as f64;
        (0..K).map(of).product()
    })
}

/// What failed, by family and kind, with the seeds.
fn failures(families: &BTreeMap<&'static str, Vec<&Judged>>) {
    for (name, family) in families {
        let mut kinds: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for judged in family {
            for failure in judged.score.failures() {
                let seeds = kinds.entry(failure).or_default();
                seeds.push(judged.seed);
            }
        }
        if kinds.is_empty() {
            continue;
        }
        let right = family
            .iter()
            .filter(|judged| judged.score.is_right())
            .count();
        println!("\n{name}: {right} of {} ended right", family.len());
        for (kind, mut seeds) in kinds {
            seeds.dedup();
            let more = seeds.len().saturating_sub(SHOWN);
            let shown: Vec<String> = seeds.iter().take(SHOWN).map(u64::to_string).collect();
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            println!("  {kind}: seeds {}{more}", shown.join(", "));
        }
    }
}

/// One conversation, for people.
pub(super) fn tell(family: &Family, plan: &Plan, run: &Run, truth: &Truth, judged: &Judged) {
    println!("{} {}: {}\n", family.name, plan.seed, family.about);
    println!("request: {}\n", plan.scenario.request);
    let mut lines: Vec<(u64, String)> = Vec::new();
    let answered = run.play.timeline.events();
    let answered = answered.iter().find(|event| event.what == What::Answered);
    let answered = answered.map_or(0, |event| event.ms);
    for turn in &truth.turns {
        let who = if turn.shop { "shop " } else { "agent" };
        let cut = if turn.cut { " —" } else { "" };
        let written = turn.written.as_ref();
        let written = written.map_or(String::new(), |text| format!("  [written: {text}]"));
        lines.push((turn.ms, format!("{who}  {}{cut}{written}", turn.text)));
    }
    for event in run.play.timeline.events() {
        let told = match event.what {
            What::Tool { name, arguments } => format!("  model  {name} {arguments}"),
            What::ToolResult { name, output } => format!("    {name} → {output}"),
            What::Ended { by, .. } => format!("  the {by} ends the call"),
            _ => continue,
        };
        lines.push((event.ms.saturating_sub(answered), told));
    }
    lines.sort_by_key(|(ms, _)| *ms);
    for (ms, line) in lines {
        println!("{:6.1}  {line}", ms as f64 / 1_000.0);
    }
    let outcome = run.outcome.as_deref().unwrap_or("null");
    let outcome: Value = serde_json::from_str(outcome).unwrap_or_default();
    println!(
        "\nstatus: {}   must be: {:?}",
        judged.score.status, plan.end
    );
    println!("order: {}", outcome["order"]);
    for entry in outcome["evidence"].as_array().into_iter().flatten() {
        println!("  {entry}");
    }
    println!("warnings: {}\n", outcome["warnings"]);
    for Field {
        pointer,
        proven,
        standing,
        ..
    } in &judged.score.fields
    {
        let standing =
            standing.map_or("never said".to_owned(), |s| format!("{s:?}").to_lowercase());
        println!(
            "  {pointer}: {standing}{}",
            if *proven { ", proven" } else { "" }
        );
    }
    for failure in judged.score.failures() {
        println!("✗ {failure}");
    }
}
