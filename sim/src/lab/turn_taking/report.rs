//! The table of all conversations, with the bars.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a laboratory"
)]

use super::super::table::{Table, Verdict};
use super::Held;
use super::measure::{FalseStop, Reaction, Truncation};
use super::plan::{WAYS, Way};
use super::truth::Kind;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Prints the table; whether every bar was met.
pub(super) fn print(held: &[Held], took: Duration) -> bool {
    let mut table = Table::default();
    counts(held, took, &mut table);
    onsets(held, &mut table);
    truncations(held, &mut table);
    stale(held, &mut table);
    real(held, &mut table);
    go_on(held, &mut table);
    false_stops(held, &mut table);
    echoes(held, &mut table);
    silences(held, &mut table);
    reported(held, &mut table);
    println!();
    table.print();
    table.passed()
}

/// A percentile of values; nothing of none.
fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied()
}

fn summary(values: &[f64], unit: &str) -> String {
    let [p50, p95, worst] = [50, 95, 100].map(|p| percentile(values, p).unwrap_or(0.0));
    format!(
        "p50 {p50:.0} p95 {p95:.0} worst {worst:.0} {unit} of {}",
        values.len()
    )
}

fn must(table: &mut Table, name: &str, measured: String, bar: &str, met: bool) {
    table.must(name, measured, bar, Verdict::new(met, false));
}

/// A few places to look at, as seed@seconds.
fn places(places: impl Iterator<Item = (u64, u64)>) -> String {
    let mut all: Vec<String> = places
        .map(|(seed, ms)| format!("{seed}@{:.1}", ms as f64 / 1_000.0))
        .collect();
    let more = all.len().saturating_sub(6);
    all.truncate(6);
    if all.is_empty() {
        return String::new();
    }
    let tail = if more > 0 {
        format!(" +{more}")
    } else {
        String::new()
    };
    format!("; {}{tail}", all.join(" "))
}

fn all_reactions(held: &[Held]) -> impl Iterator<Item = (&Held, &Reaction)> {
    held.iter().flat_map(|held| {
        held.measured
            .reactions
            .iter()
            .map(move |reaction| (held, reaction))
    })
}

fn counts(held: &[Held], took: Duration, table: &mut Table) {
    let minutes = held.iter().map(|h| h.measured.length_ms).sum::<u64>() as f64 / 60_000.0;
    let agent = held.iter().map(|h| h.measured.agent_ms).sum::<u64>() as f64 / 60_000.0;
    let clears: usize = held.iter().map(|h| h.measured.clears).sum();
    table.note(
        "Conversations",
        format!(
            "{} of {minutes:.0} min, the agent {agent:.0} min; {clears} clears; {:.0} s of work",
            held.len(),
            took.as_secs_f64()
        ),
    );
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for said in held.iter().flat_map(|h| &h.said) {
        *kinds.entry(said.kind).or_default() += 1;
    }
    let echo = held.iter().filter(|h| h.plan.echo.is_some()).count();
    let bed = held.iter().filter(|h| h.plan.has_line_noise()).count();
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, n)| format!("{kind:?} {n}").to_lowercase())
        .collect();
    table.note("Said and sounded at the far end", kinds.join(", "));
    let conversations = |has: &dyn Fn(&Held) -> bool| held.iter().filter(|h| has(h)).count();
    table.note(
        "Conversations with",
        format!(
            "echo {echo}, line noise {bed}, jitter {}, late marks {}, lost marks {}, speech_started faulty {}, keen {}",
            conversations(&|h| h.plan.way == Way::Jitter),
            conversations(&|h| h.plan.marks.late_percent > 0),
            conversations(&|h| h.plan.marks.lost_percent > 0),
            conversations(&|h| h.plan.faulty_vad),
            conversations(&|h| h.plan.keen_vad),
        ),
    );
    let faults: Vec<(u64, String)> = held
        .iter()
        .flat_map(|h| h.faults().into_iter().map(|fault| (h.plan.seed, fault)))
        .collect();
    let unknown: u64 = held.iter().map(|h| h.measured.unknown_ms).sum();
    let first = faults.first().map_or(String::new(), |(seed, fault)| {
        format!("; {seed}: {}", fault.chars().take(60).collect::<String>())
    });
    must(
        table,
        "Protocol and endings: faults",
        format!("{}{first}", faults.len()),
        "0",
        faults.is_empty(),
    );
    must(
        table,
        "Audio that is of no item",
        format!("{unknown} ms"),
        "0 ms",
        unknown == 0,
    );
}

fn onsets(held: &[Held], table: &mut Table) {
    for (name, jitter) in [("constant delay", false), ("jitter", true)] {
        let of = |(held, reaction): &(&Held, &Reaction)| {
            (held.plan.way == Way::Jitter) == jitter && reaction.kind.is_speech()
        };
        let clears: Vec<(u64, bool)> = all_reactions(held)
            .filter(of)
            .filter_map(|(_, r)| r.clear)
            .collect();
        let ms = |local: bool| -> Vec<f64> {
            clears
                .iter()
                .filter(|c| c.1 == local)
                .map(|c| c.0 as f64)
                .collect()
        };
        let (local, model) = (ms(true), ms(false));
        let met = percentile(&local, 95).is_some_and(|p95| p95 <= 120.0);
        must(
            table,
            &format!("Onset→clear, local detector, {name}"),
            summary(&local, "ms"),
            "p95 ≤ 120 ms",
            met,
        );
        table.note(
            &format!("Onset→clear, speech_started first, {name}"),
            summary(&model, "ms"),
        );
    }
    let wall = all_reactions(held).filter(|(h, r)| {
        h.plan.way == Way::Jitter && r.kind.is_speech() && r.clear.is_some_and(|c| c.1)
    });
    let wall: Vec<f64> = wall
        .filter_map(|(_, r)| Some(r.clear_wall_ms? as f64))
        .collect();
    table.note(
        "The same, jitter, with what the network puts between frames",
        summary(&wall, "ms"),
    );
    let alone = held.iter().filter(|h| h.plan.echo.is_none());
    let alone = alone
        .flat_map(|h| &h.said)
        .filter(|said| said.kind.is_real() || said.kind == Kind::Backchannel);
    let alone: Vec<f64> = alone.filter_map(|s| Some(s.network_ms? as f64)).collect();
    table.note(
        "The same onsets: a network that never sleeps, without echo",
        summary(&alone, "ms"),
    );
    // With an echo nobody can tell whom the server heard.
    let polls: Vec<(u64, u64, bool)> = all_reactions(held)
        .filter(|(h, r)| r.kind.is_real() && h.plan.echo.is_none())
        .filter_map(|(h, r)| Some((h.plan.seed, r.at, r.same_poll?)))
        .collect();
    let late = polls
        .iter()
        .filter(|(_, _, same)| !same)
        .map(|(seed, at, _)| (*seed, *at));
    let measured = format!(
        "{} of {}{}",
        polls.iter().filter(|p| p.2).count(),
        polls.len(),
        places(late)
    );
    must(
        table,
        "speech_started→clear in the same poll",
        measured,
        "always",
        !polls.is_empty() && polls.iter().all(|p| p.2),
    );
}

fn truncations(held: &[Held], table: &mut Table) {
    for way in WAYS {
        for queued in [false, true] {
            let (name, bar) = match way {
                Way::Constant(ms) => (format!("constant {ms} ms"), 20.0),
                Way::Jitter => ("jitter 0–300 ms".to_owned(), 60.0),
            };
            let of = held.iter().filter(|h| h.plan.way == way);
            let of = of.flat_map(|h| h.measured.truncations.iter().map(|t| (h.plan.seed, t)));
            let of: Vec<(u64, &Truncation)> = of.filter(|(_, t)| t.queued == queued).collect();
            let errors: Vec<f64> = of.iter().map(|(_, t)| t.error_ms.abs()).collect();
            let wrong = of.iter().filter(|(_, t)| t.error_ms.abs() > bar);
            let wrong = places(wrong.map(|(seed, t)| (*seed, t.at)));
            let name = format!(
                "|Truncation error|, {name}, {}",
                if queued { "replies queued" } else { "alone" }
            );
            let met = percentile(&errors, 95).is_some_and(|p95| p95 <= bar);
            must(
                table,
                &name,
                summary(&errors, "ms") + &wrong,
                &format!("p95 ≤ {bar} ms"),
                met,
            );
        }
    }
}

fn stale(held: &[Held], table: &mut Table) {
    let of = held.iter().flat_map(|h| {
        h.measured
            .stale
            .iter()
            .map(|(ms, at)| (h.plan.seed, *ms, *at))
    });
    let all: Vec<(u64, u64, u64)> = of.collect();
    let sum: u64 = all.iter().map(|s| s.1).sum();
    let measured = format!(
        "{sum} ms in {} replies{}",
        all.len(),
        places(all.iter().map(|(seed, _, at)| (*seed, *at)))
    );
    must(
        table,
        "Stale audio after clear",
        measured,
        "0 ms",
        all.is_empty(),
    );
}

fn real(held: &[Held], table: &mut Table) {
    let mut both = (0, 0);
    for (name, kind) in [("long", Kind::Interruption), ("short", Kind::Short)] {
        let (of, unheard): (Vec<_>, Vec<_>) = all_reactions(held)
            .filter(|(_, r)| r.kind == kind)
            .partition(|(_, r)| r.audible);
        let good = of.iter().filter(|(_, r)| r.good).count();
        both = (both.0 + good, both.1 + of.len());
        let bad = of.iter().filter(|(_, r)| !r.good);
        let measured = format!(
            "{}{}; {} more that the network does not hear",
            share(good, of.len()),
            places(bad.map(|(h, r)| (h.plan.seed, r.at))),
            unheard.len()
        );
        table.note(&format!("Real interruptions yielded, {name}"), measured);
    }
    let met = both.1 > 0 && both.0 * 100 >= both.1 * 99;
    must(
        table,
        "Real interruptions yielded",
        share(both.0, both.1),
        "≥ 99 %",
        met,
    );
}

fn share(good: usize, all: usize) -> String {
    format!(
        "{good} of {all}, {:.1} %",
        100.0 * good as f64 / all.max(1) as f64
    )
}

fn go_on(held: &[Held], table: &mut Table) {
    let mut both = (0, 0);
    for (name, kind) in [("backchannels", Kind::Backchannel), ("coughs", Kind::Cough)] {
        let of: Vec<_> = all_reactions(held)
            .filter(|(_, r)| r.kind == kind)
            .collect();
        let good: Vec<_> = of.iter().filter(|(_, r)| r.good).collect();
        both = (both.0 + good.len(), both.1 + of.len());
        let through = good.iter().filter(|(_, r)| r.clear.is_none()).count();
        let bad = of.iter().filter(|(_, r)| !r.good);
        let measured = format!(
            "{}, {through} of them without a stop{}",
            share(good.len(), of.len()),
            places(bad.map(|(h, r)| (h.plan.seed, r.at)))
        );
        table.note(&format!("Talked through or resumed, {name}"), measured);
        let resumed: Vec<&Reaction> = good
            .iter()
            .filter(|(_, r)| r.clear.is_some())
            .map(|(_, r)| *r)
            .collect();
        let ms = |of: fn(&Reaction) -> f64| resumed.iter().map(|r| of(r)).collect::<Vec<_>>();
        let pauses = summary(&ms(|r| r.pause_ms as f64), "ms");
        let overlaps = summary(&ms(|r| r.overlap_ms as f64), "ms");
        table.note(
            &format!("Resumed, {name}"),
            format!("pause {pauses}; heard twice {overlaps}"),
        );
    }
    let met = both.1 > 0 && both.0 * 100 >= both.1 * 95;
    must(
        table,
        "Backchannels and coughs talked through or resumed",
        share(both.0, both.1),
        "≥ 95 %",
        met,
    );
}

fn false_stops(held: &[Held], table: &mut Table) {
    let stops = |held: &[&Held]| -> Vec<(u64, FalseStop)> {
        let of = held.iter();
        of.flat_map(|h| {
            h.measured
                .false_stops
                .iter()
                .map(|stop| (h.plan.seed, *stop))
        })
        .collect()
    };
    let minutes =
        |held: &[&Held]| held.iter().map(|h| h.measured.length_ms).sum::<u64>() as f64 / 60_000.0;
    let rate = |count: usize, minutes: f64| 10.0 * count as f64 / minutes.max(0.01);
    let noisy: Vec<&Held> = held.iter().filter(|h| h.plan.has_noise()).collect();
    let quiet: Vec<&Held> = held.iter().filter(|h| !h.plan.has_noise()).collect();
    let all = stops(&noisy);
    let per_10 = rate(all.len(), minutes(&noisy));
    let measured = format!("{per_10:.2}, {} in {:.0} min", all.len(), minutes(&noisy));
    must(
        table,
        "False stops per 10 min, noise, echo and tones",
        measured,
        "≤ 1",
        per_10 <= 1.0,
    );
    let with = |kind: Kind| -> Vec<&Held> {
        noisy
            .iter()
            .filter(|h| h.plan.events.iter().any(|e| e.kind == kind))
            .copied()
            .collect()
    };
    let mut row = |name: &str, of: &[&Held], caused: &dyn Fn(&Held, &FalseStop) -> bool| {
        let found: Vec<(u64, u64)> = of
            .iter()
            .flat_map(|h| h.measured.false_stops.iter().map(move |stop| (*h, stop)))
            .filter(|(h, stop)| caused(h, stop))
            .map(|(h, stop)| (h.plan.seed, stop.at))
            .collect();
        let (count, minutes) = (found.len(), minutes(of));
        let measured = format!(
            "{:.2}, {count} in {minutes:.0} min{}",
            rate(count, minutes),
            places(found.into_iter())
        );
        table.note(&format!("False stops per 10 min, {name}"), measured);
    };
    for (name, kind) in [
        ("clatter", Kind::Clatter),
        ("DTMF", Kind::Digits),
        ("ring-back", Kind::RingBack),
        ("hold music", Kind::Music),
    ] {
        row(name, &with(kind), &|_, stop| stop.sound == Some(kind));
    }
    let echo: Vec<&Held> = noisy
        .iter()
        .filter(|h| h.plan.echo.is_some())
        .copied()
        .collect();
    row("echo", &echo, &|_, stop| stop.sound.is_none());
    let bed: Vec<&Held> = noisy
        .iter()
        .filter(|h| h.plan.echo.is_none() && h.plan.has_line_noise())
        .copied()
        .collect();
    row("line noise", &bed, &|_, stop| stop.sound.is_none());
    row("clean line", &quiet, &|_, _| true);
}

fn echoes(held: &[Held], table: &mut Table) {
    let mut heard = 0;
    let mut taken = Vec::new();
    for held in held {
        heard += held.echo_transcripts.len();
        let words = shop_words(held);
        let wrong = held.echo_transcripts.iter().filter(|echo| {
            let known = held
                .said
                .iter()
                .any(|said| said.text.contains(echo.as_str()));
            !known && words.iter().any(|line| line.contains(echo.as_str()))
        });
        taken.extend(wrong.map(|_| (held.plan.seed, 0)));
    }
    let measured = format!(
        "{} of {heard} transcripts of echo{}",
        taken.len(),
        places(taken.iter().copied())
    );
    must(
        table,
        "Echo written down as the shop's words",
        measured,
        "never",
        taken.is_empty(),
    );
}

/// What the product says that the shop said.
fn shop_words(held: &Held) -> Vec<String> {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let live = read(&held.run.live);
    let outcome = read(held.run.outcome.as_deref().unwrap_or_default());
    let lines = live["transcript"].as_array().into_iter().flatten();
    let lines = lines
        .filter(|line| line["role"] != "agent")
        .map(|line| &line["text"]);
    let quotes = outcome["evidence"].as_array().into_iter().flatten();
    let quotes = quotes.flat_map(|e| [&e["said"], &e["answered"]]);
    let quotes = quotes
        .filter(|words| words["role"] == "human")
        .map(|words| &words["quote"]);
    lines
        .chain(quotes)
        .filter_map(|text| Some(text.as_str()?.to_owned()))
        .collect()
}

fn silences(held: &[Held], table: &mut Table) {
    let longest: Vec<f64> = held
        .iter()
        .map(|h| h.measured.silence.0 as f64 / 1_000.0)
        .collect();
    let long = held.iter().filter(|h| h.measured.silence.0 > 6_000);
    let count = long.clone().count();
    let worst = percentile(&longest, 100).unwrap_or(0.0);
    let measured = format!(
        "{count} conversations, the longest {worst:.1} s{}",
        places(long.map(|h| (h.plan.seed, h.measured.silence.1)))
    );
    must(
        table,
        "Both silent for more than 6 s",
        measured,
        "none",
        count == 0,
    );
}

/// What the product says of itself, beside what was seen from outside.
fn reported(held: &[Held], table: &mut Table) {
    let mut numbers: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut entries = 0;
    for held in held {
        let outcome = held.run.outcome.as_deref().unwrap_or_default();
        let outcome: Value = serde_json::from_str(outcome).unwrap_or_default();
        let metrics = &outcome["metrics"];
        entries += metrics["interruptions"].as_array().map_or(0, Vec::len);
        collect("", metrics, &mut numbers);
    }
    let seen: usize = held.iter().map(|h| h.measured.truncations.len()).sum();
    table.note(
        "Reported by the product: interruptions",
        format!("{entries}; from outside {seen} truncations"),
    );
    for (name, values) in numbers.iter().filter(|(name, _)| name.ends_with("Ms")) {
        table.note(
            &format!("Reported by the product: {name}"),
            summary(values, "ms"),
        );
    }
}

fn collect(name: &str, value: &Value, numbers: &mut BTreeMap<String, Vec<f64>>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                collect(&name, value, numbers);
            }
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect(name, value, numbers)),
        value => numbers
            .entry(name.to_owned())
            .or_default()
            .extend(value.as_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(percentile(&values, 50), Some(10.0));
        assert_eq!(percentile(&values, 95), Some(19.0));
        assert_eq!(percentile(&values, 100), Some(20.0));
        assert_eq!(percentile(&[], 95), None);
    }
}
