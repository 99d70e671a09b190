//! `sim bench`: our Worker against a floor that only passes messages, and against what a user would
//! pick instead, under the same calls in the same run (`docs/bench.json`).
//!
//! ```text
//! system (a bridge, in processes of its own) ⇄ driver (sockets, one thread) ⇄ load (calls, no I/O)
//! ```
//!
//! The shop's and the agent's audio carry numbers ([`tag`]), so that every 20 ms are timed from one
//! socket to the other and none is lost unseen. On a machine that others use as well, only ratios
//! within one run count: the systems take turns, in rounds.

mod chart;
mod driver;
mod frames;
mod front;
mod load;
mod model;
mod phone;
mod process;
mod report;
mod script;
mod system;
mod tag;
mod tally;
#[cfg(test)]
mod tests;
mod trial;
pub mod workerd;

use crate::rig::{self, root};
use clap::{Args, ValueEnum};
use report::Report;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use system::System;
use trial::{Plan, Trial};

/// What `sim bench` is asked for.
#[derive(Args)]
pub struct Options {
    /// Only these systems
    #[arg(long, value_name = "SYSTEM", value_delimiter = ',')]
    systems: Vec<System>,
    /// Calls at the same time
    #[arg(long, default_value_t = 20)]
    calls: usize,
    /// How often each system has its turn
    #[arg(long, default_value_t = 2)]
    rounds: usize,
    /// Neither what a call costs beside so many others, nor how many calls are held
    #[arg(long)]
    mixes_only: bool,
    /// One short round of the Worker and its floor: whether it works, not how fast
    #[arg(long)]
    quick: bool,
    /// Write the result to docs/bench.json and docs/bench.svg
    #[arg(long)]
    keep: bool,
}

/// How many turns more in each round the Worker and its floor take, with the mixes only.
const MORE: usize = 1;

/// Measures, prints the table and writes the files; whether everything could be measured.
pub async fn run(options: &Options) -> anyhow::Result<bool> {
    let started = Instant::now();
    let logs = folder();
    std::fs::create_dir_all(&logs)?;
    let systems: Vec<System> = match (&*options.systems, options.quick) {
        ([], true) => vec![System::FloorHibernatable, System::Orderline],
        ([], false) => System::value_variants().to_vec(),
        (some, _) => some.to_vec(),
    };
    let plan = if options.quick {
        Plan::quick()
    } else {
        Plan::full()
    };
    let calls = if options.quick {
        options.calls.min(6)
    } else {
        options.calls
    };
    let rounds = if options.quick { 1 } else { options.rounds };
    let clips = rig::clips()?;
    let mut report = Report::new(calls, rounds);
    // On a busy host a minute is not like the next: what is compared takes more turns, one right after
    // the other.
    let more = if options.mixes_only || options.quick {
        0
    } else {
        MORE
    };
    let compared: Vec<System> = systems
        .iter()
        .copied()
        .filter(|s| s.is_compared())
        .collect();
    for round in 0..rounds {
        let again = std::iter::repeat_n(&compared, more).flatten();
        let whole = systems.iter().map(|system| (*system, true));
        for (system, whole) in whole.chain(again.map(|system| (*system, false))) {
            let name = system.name();
            println!("round {} of {rounds}, {name}", round + 1);
            // The machine comes to rest.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let trial = Trial::start(system, &clips, &logs).await;
            let measured = match trial {
                Ok(mut trial) => trial.measure(calls, &plan).await,
                Err(error) => Err(error),
            };
            match measured {
                Ok(figures) => report.add(system, figures),
                Err(error) => report.fail(system, &format!("{error:#}")),
            }
            if options.mixes_only || options.quick || !whole {
                continue;
            }
            if system.is_compared() {
                let mut trial = Trial::start(system, &clips, &logs).await?;
                match trial.beside().await {
                    Ok(figures) => report.add(system, figures),
                    Err(error) => report.fail(system, &format!("beside others: {error:#}")),
                }
            }
            if round == 0 && system.climbs() {
                let mut trial = Trial::start(system, &clips, &logs).await?;
                match trial.climb().await {
                    Ok(figures) => report.add(system, figures),
                    Err(error) => report.fail(system, &format!("climbing: {error:#}")),
                }
            }
        }
    }
    println!("\n{}", report.table());
    println!("{} s", started.elapsed().as_secs());
    let json = serde_json::to_string_pretty(&report.json())? + "\n";
    let picture = chart::draw(&report);
    let mut folders = vec![logs];
    if options.keep {
        folders.push(root().join("docs"));
    }
    for folder in folders {
        std::fs::write(folder.join("bench.json"), &json)?;
        std::fs::write(folder.join("bench.svg"), &picture)?;
    }
    Ok(report.is_whole())
}

/// Where logs and results are left.
fn folder() -> PathBuf {
    root().join("runs/bench")
}
