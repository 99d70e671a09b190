//! What a call survives: the real [`orderline::call::Call`] between light peers in virtual time, with
//! seeded faults, and invariants that are checked after every step.
//!
//! ```text
//! seed → faults (when, what) ┐
//! phone: audio, marks, clear ┤
//! model: responses, tools    ┼→ world: one agenda, one clock → call → watch: invariants
//! shop: words, hang-up       ┤        ↑ restart from a snapshot ┘
//! Twilio: webhooks           ┘
//! ```
//!
//! The peers know what was really played and said, so that an outcome that claims more is found.

mod audio;
mod faults;
mod model;
mod phone;
mod random;
mod watch;
mod world;

use clap::Args;
use faults::{Fault, KINDS};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use world::{Told, World};

/// How many calls.
#[derive(Args)]
pub(crate) struct Options {
    /// How many calls
    #[arg(long, default_value_t = 100_000)]
    calls: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only the call with this seed, told in full
    #[arg(long)]
    seed: Option<u64>,
}

/// What came of all calls.
#[derive(Default)]
struct Sums {
    calls: u64,
    confirmed: u64,
    true_confirmed: u64,
    could_be_confirmed: u64,
    virtual_ms: u64,
    inputs: u64,
    faults: [u64; KINDS],
    longest_ms: u64,
    violations: Vec<(u64, String)>,
}

impl Sums {
    fn add(&mut self, seed: u64, told: Told) {
        self.calls += 1;
        self.confirmed += u64::from(told.confirmed);
        self.could_be_confirmed += u64::from(told.is_true);
        self.true_confirmed += u64::from(told.confirmed && told.is_true);
        self.virtual_ms += told.virtual_ms;
        self.inputs += told.inputs;
        self.longest_ms = self.longest_ms.max(told.overdue_ms);
        for kind in told.faults {
            self.faults[kind as usize] += 1;
        }
        self.violations
            .extend(told.violations.into_iter().map(|what| (seed, what)));
    }
}

/// Holds the calls; whether every invariant held.
pub(super) fn run(options: &Options) -> anyhow::Result<bool> {
    if let Some(seed) = options.seed {
        let told = World::new(seed, true).run();
        println!("{}", told.story);
        for violation in &told.violations {
            println!("✗ {violation}");
        }
        return Ok(told.violations.is_empty());
    }
    let started = Instant::now();
    let seeds: Vec<u64> = (options.from..options.from.saturating_add(options.calls)).collect();
    let sums = hold(&seeds);
    print(&sums, started.elapsed().as_secs());
    Ok(sums.violations.is_empty() && sums.calls == options.calls)
}

/// Holds the calls with these seeds, on all cores.
fn hold(seeds: &[u64]) -> Sums {
    let (next, sums) = (AtomicUsize::new(0), Mutex::new(Sums::default()));
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let told = World::new(*seed, false).run();
                    let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
                    sums.add(*seed, told);
                }
            });
        }
    });
    sums.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn print(sums: &Sums, secs: u64) {
    println!("calls                      {} in {secs} s", sums.calls);
    println!(
        "time on the phone          {} h",
        sums.virtual_ms / 3_600_000
    );
    println!("inputs, each checked       {}", sums.inputs);
    println!(
        "confirmed                  {}, all of them true: {}; could have been: {}",
        sums.confirmed,
        sums.confirmed == sums.true_confirmed,
        sums.could_be_confirmed
    );
    println!("outcome after its deadline {} ms at most", sums.longest_ms);
    println!("faults");
    for (fault, count) in Fault::ALL.into_iter().zip(sums.faults) {
        println!("  {:<24} {count}", fault.name());
    }
    println!("violations                 {}", sums.violations.len());
    for (seed, what) in sums.violations.iter().take(10) {
        println!("✗ --seed {seed}: {what}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_invariant_is_violated_in_some_hundred_calls() {
        let seeds: Vec<u64> = (0..300).collect();
        let sums = hold(&seeds);
        assert_eq!(sums.violations, []);
        assert_eq!(sums.calls, 300);
        assert!(sums.confirmed > 200, "{} confirmed", sums.confirmed);
        assert!(sums.faults.iter().all(|count| *count > 0));
    }
}
