//! The figures of all turns: medians, ratios to the floor, the table and the JSON.

use super::system::System;
use super::tally::median;
use super::trial::BESIDE;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What one turn measured, by name.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    values: BTreeMap<String, f64>,
    /// While the most calls were searched for: calls, inbound p99 in ms, CPU-ms per call-minute.
    steps: Vec<(usize, f64, f64)>,
}

impl Figures {
    pub fn set(&mut self, name: &str, value: f64) {
        self.values.insert(name.to_owned(), value);
    }

    /// Keeps the larger.
    pub fn worst(&mut self, name: &str, value: f64) {
        let known = self.values.entry(name.to_owned()).or_insert(value);
        *known = known.max(value);
    }

    pub fn step(&mut self, calls: usize, p99_ms: f64, cpu: f64) {
        self.steps.push((calls, p99_ms, cpu));
    }
}

/// How a figure is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// As a ratio to the floor.
    Ratio,
    /// By itself.
    Alone,
}

/// A row of the table: name in the JSON, words, digits behind the point.
pub const ROWS: [(&str, &str, usize, Compared); 34] = [
    (
        "cpu_order",
        "CPU-ms per call-minute, an order",
        0,
        Compared::Ratio,
    ),
    (
        "cpu_both",
        "CPU-ms per call-minute, sound both ways",
        0,
        Compared::Ratio,
    ),
    (
        "cpu_silence",
        "CPU-ms per call-minute, silence",
        0,
        Compared::Ratio,
    ),
    ("in_p50", "added inbound, p50 ms", 2, Compared::Ratio),
    ("in_p99", "added inbound, p99 ms", 1, Compared::Ratio),
    ("out_p50", "added outbound, p50 ms", 2, Compared::Ratio),
    ("out_p99", "added outbound, p99 ms", 1, Compared::Ratio),
    (
        "order_in_p50",
        "added inbound in an order, p50 ms",
        2,
        Compared::Ratio,
    ),
    (
        "order_in_p99",
        "added inbound in an order, p99 ms",
        1,
        Compared::Ratio,
    ),
    (
        "order_out_p50",
        "added outbound in an order, p50 ms",
        2,
        Compared::Ratio,
    ),
    (
        "order_out_p99",
        "added outbound in an order, p99 ms",
        1,
        Compared::Ratio,
    ),
    (
        "clear_p50",
        "speech_started to clear, p50 ms",
        2,
        Compared::Ratio,
    ),
    (
        "clear_p95",
        "speech_started to clear, p95 ms",
        1,
        Compared::Ratio,
    ),
    (
        "error_generating_0",
        "truncation error while generating, p95 ms",
        0,
        Compared::Alone,
    ),
    (
        "error_playing_0",
        "truncation error while playing, p95 ms",
        0,
        Compared::Alone,
    ),
    (
        "error_queued_0",
        "truncation error with replies queued, p95 ms",
        0,
        Compared::Alone,
    ),
    (
        "error_generating_60",
        "the same 60 ms away, generating",
        0,
        Compared::Alone,
    ),
    (
        "error_playing_60",
        "the same 60 ms away, playing",
        0,
        Compared::Alone,
    ),
    (
        "error_queued_60",
        "the same 60 ms away, queued",
        0,
        Compared::Alone,
    ),
    ("stale", "audio after a clear, worst ms", 0, Compared::Alone),
    ("no_clear", "cuts without a clear", 0, Compared::Alone),
    ("lost_in", "frames lost inbound", 0, Compared::Alone),
    ("lost_out", "frames lost outbound", 0, Compared::Alone),
    (
        "order_lost_in",
        "frames lost inbound in an order",
        0,
        Compared::Alone,
    ),
    (
        "appends",
        "messages to the model per call-second, an order",
        1,
        Compared::Ratio,
    ),
    (
        "clears_both",
        "clears that nobody wanted",
        0,
        Compared::Alone,
    ),
    (
        "unanswered",
        "turns of the shop without an answer",
        0,
        Compared::Alone,
    ),
    ("closed", "sockets closed by the bridge", 0, Compared::Alone),
    ("mib_per_call", "resident MiB per call", 2, Compared::Ratio),
    (
        "mib_per_call_minute",
        "its growth per minute",
        2,
        Compared::Alone,
    ),
    (
        "most_calls",
        "most calls with inbound p99 < 20 ms",
        0,
        Compared::Ratio,
    ),
    (
        "own_late_p99",
        "generator: late, p99 ms",
        1,
        Compared::Alone,
    ),
    ("own_cpu", "generator: CPU, % of a core", 0, Compared::Alone),
    (
        "others",
        "other things on this machine, cores",
        1,
        Compared::Alone,
    ),
];

/// What speaks against the figures of a system.
const DOUBTS: [(&str, &str); 5] = [
    ("own_limit", "the generator itself was the limit"),
    (
        "starved",
        "the machine was busy with other things: its times say nothing",
    ),
    (
        "generator_limit",
        "held more calls than the generator can drive",
    ),
    (
        "unknown_beside",
        "what a call costs beside so many others is not known: the machine was busy with other things",
    ),
    (
        "unknown_from",
        "how many calls it holds is not known: the machine was busy with other things",
    ),
];

/// All systems, in the order in which they came.
pub struct Report {
    calls: usize,
    rounds: usize,
    turns: Vec<(System, Vec<Figures>)>,
    failures: Vec<(System, String)>,
}

impl Report {
    pub fn new(calls: usize, rounds: usize) -> Self {
        Self {
            calls,
            rounds,
            turns: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub fn add(&mut self, system: System, figures: Figures) {
        match self.turns.iter_mut().find(|(known, _)| *known == system) {
            Some((_, turns)) => turns.push(figures),
            None => self.turns.push((system, vec![figures])),
        }
    }

    pub fn fail(&mut self, system: System, why: &str) {
        println!("  {}: {why}", system.name());
        self.failures.push((system, why.to_owned()));
    }

    /// Everything that was asked for was measured, and nothing speaks against it.
    pub fn is_whole(&self) -> bool {
        let doubted = |system| {
            let mut doubts = DOUBTS.iter();
            doubts.any(|(name, _)| self.median(system, name) > Some(0.0))
        };
        self.failures.is_empty() && !self.systems().any(doubted)
    }

    pub fn systems(&self) -> impl Iterator<Item = System> {
        self.turns.iter().map(|(system, _)| *system)
    }

    fn values(&self, system: System, name: &str) -> Vec<f64> {
        let turns = self.turns.iter().find(|(known, _)| *known == system);
        let turns = turns.map(|(_, turns)| turns.as_slice()).unwrap_or_default();
        turns
            .iter()
            .filter_map(|turn| turn.values.get(name).copied())
            .collect()
    }

    pub fn median(&self, system: System, name: &str) -> Option<f64> {
        let values = self.values(system, name);
        (!values.is_empty()).then(|| median(&values))
    }

    /// Against the floor of the same kind of socket, within rounds: the median of their ratios.
    pub fn ratio(&self, system: System, name: &str) -> Option<f64> {
        let floor = self.values(system.floor()?, name);
        let ours = self.values(system, name);
        let ratios: Vec<f64> = ours
            .iter()
            .zip(&floor)
            .map(|(ours, floor)| ours / floor)
            .collect();
        let ratio = (!ratios.is_empty()).then(|| median(&ratios));
        ratio.filter(|ratio| ratio.is_finite())
    }

    /// One table: a column for every system, with the ratio to its floor.
    pub fn table(&self) -> String {
        let width = 24;
        let mut text = format!(
            "{} calls, medians of {} rounds (of the Worker {} turns); in brackets the ratio to the floor\n",
            self.calls,
            self.rounds,
            self.values(System::Orderline, "cpu_order").len()
        );
        text += &format!("{:48}", "");
        for system in self.systems() {
            text += &format!("{:>width$}", system.name());
        }
        text.push('\n');
        for (name, words, digits, compared) in ROWS {
            text += &format!("{words:48}");
            for system in self.systems() {
                let value = self.median(system, name);
                let value = value.map_or("-".to_owned(), |value| format!("{value:.digits$}"));
                let ratio = self
                    .ratio(system, name)
                    .filter(|_| compared == Compared::Ratio);
                let ratio = ratio.map_or(String::new(), |ratio| format!(" ({ratio:.2}x)"));
                text += &format!("{:>width$}", value + &ratio);
            }
            text.push('\n');
        }
        text += &self.beside();
        for system in self.systems() {
            for (name, why) in DOUBTS {
                if self.median(system, name) > Some(0.0) {
                    text += &format!("{}: {why}\n", system.name());
                }
            }
        }
        for (system, why) in &self.failures {
            text += &format!("{}: not measured: {why}\n", system.name());
        }
        text
    }

    /// What a call costs beside others: a row for every number of calls.
    fn beside(&self) -> String {
        let width = 24;
        let compared: Vec<System> = self
            .systems()
            .filter(|system| self.median(*system, "beside_1_cpu").is_some())
            .collect();
        if compared.is_empty() {
            return String::new();
        }
        let mut text = format!("\n{:48}", "calls: CPU-ms per call-minute of an order; p99");
        for system in &compared {
            text += &format!("{:>width$}", system.name());
        }
        text.push('\n');
        for calls in BESIDE {
            text += &format!("{calls:<48}");
            for &system in &compared {
                let cpu = self.median(system, &format!("beside_{calls}_cpu"));
                let p99 = self.median(system, &format!("beside_{calls}_in_p99"));
                let ratio = self.ratio(system, &format!("beside_{calls}_cpu"));
                let ratio = ratio.map_or(String::new(), |ratio| format!(" ({ratio:.2}x)"));
                let cell = cpu.zip(p99).map_or("-".to_owned(), |(cpu, p99)| {
                    format!("{cpu:.0}{ratio}; {p99:.1} ms")
                });
                text += &format!("{cell:>width$}");
            }
            text.push('\n');
        }
        text
    }

    /// All of it, every round.
    pub fn json(&self) -> Value {
        let systems = self.turns.iter().map(|(system, turns)| {
            let mut figures = serde_json::Map::new();
            let names = turns.iter().flat_map(|turn| turn.values.keys());
            for name in names {
                let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
                let values: Vec<f64> = self.values(*system, name).into_iter().map(round).collect();
                figures.entry(name).or_insert_with(|| {
                    json!({"median": round(median(&values)), "rounds": values,
                        "ratio": self.ratio(*system, name).map(round)})
                });
            }
            let steps = turns.iter().flat_map(|turn| &turn.steps).map(
                |(calls, p99, cpu)| json!({"calls": calls, "in_p99": p99, "cpu_both": cpu.round()}),
            );
            json!({"name": system.name(), "floor": system.floor().map(System::name),
                "figures": figures, "steps": steps.collect::<Vec<_>>()})
        });
        let failures = self
            .failures
            .iter()
            .map(|(system, why)| json!({"name": system.name(), "why": why}));
        json!({
            "calls": self.calls, "rounds": self.rounds,
            "cores": std::thread::available_parallelism().map_or(0, usize::from),
            "units": ROWS.iter().map(|(name, words, ..)| ((*name).to_owned(), json!(words)))
                .collect::<serde_json::Map<_, _>>(),
            "systems": systems.collect::<Vec<_>>(),
            "failures": failures.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        let mut report = Report::new(1, 2);
        for (ours, floor) in [(100.0, 200.0), (600.0, 400.0), (300.0, 300.0)] {
            for (system, value) in [
                (System::FloorHibernatable, floor),
                (System::Orderline, ours),
            ] {
                let mut figures = Figures::default();
                figures.set("cpu_both", value);
                report.add(system, figures);
            }
        }
        assert_eq!(report.median(System::Orderline, "cpu_both"), Some(300.0));
        assert_eq!(report.ratio(System::Orderline, "cpu_both"), Some(1.0));
        assert_eq!(report.ratio(System::FloorHibernatable, "cpu_both"), None);
        assert!(report.is_whole());
        report.fail(System::Node, "it ended");
        assert!(!report.is_whole() && report.table().contains("node: not measured: it ended"));
    }
}
