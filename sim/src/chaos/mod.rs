//! `sim chaos`: what dies is killed while calls run against the Worker in real workerd, at moments
//! that a seed chooses, and one table tells what came of it. Each row is a promise of the README;
//! a row that misses its bar fails the run.

mod callbacks;
mod calls;
mod dead_air;
mod memory;
mod panic;
mod random;
mod receiver;
mod runtime;
mod sockets;
mod table;

use crate::rig::root;
use clap::{Args, ValueEnum};
use random::Random;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use table::Row;
use tokio::time::Instant;

/// The rows of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// The model's socket is lost at random moments
    Model,
    /// The runtime is killed and restarted
    Runtime,
    /// The phone's media socket is lost
    Stream,
    /// Status callbacks come twice and out of order
    Callbacks,
    /// The receiver of outcomes is down for the whole call
    Receiver,
    /// Sockets, frames and requests that nobody wants
    Storms,
    /// Many calls in one isolate
    Memory,
    /// A call panics in the middle, in a build made for it
    Panic,
}

/// What `sim chaos` is asked for.
#[derive(Args)]
pub struct Options {
    /// Only these rows
    #[arg(long, value_name = "ROW")]
    only: Vec<Name>,
    /// The moments of the faults; printed, and random when not given
    #[arg(long)]
    seed: Option<u64>,
    /// Fewer cases of each
    #[arg(long)]
    quick: bool,
}

/// What every row needs to know.
#[derive(Clone, Copy)]
struct Plan {
    seed: u64,
    quick: bool,
}

impl Plan {
    /// So many cases, or so many where time is short.
    fn cases(self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    fn random(self, purpose: &str) -> Random {
        Random::new(self.seed, purpose)
    }
}

/// Runs the rows; whether all of them hold.
pub async fn run(options: &Options) -> anyhow::Result<bool> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = options
        .seed
        .unwrap_or_else(|| now().map_or(1, |time| u64::from(time.subsec_nanos())));
    let plan = Plan {
        seed,
        quick: options.quick,
    };
    let wants = |name: Name| options.only.is_empty() || options.only.contains(&name);
    println!("seed {seed}");
    std::fs::create_dir_all(folder())?;
    let started = Instant::now();
    // What measures time has the machine almost to itself; the rest shares it.
    let (sockets, receiver) = tokio::join!(
        sockets::rows(plan, wants),
        only(wants(Name::Receiver), receiver::row(plan)),
    );
    let (runtime, many) = tokio::join!(only(wants(Name::Runtime), runtime::row(plan)), async {
        let callbacks = only(wants(Name::Callbacks), callbacks::row(plan)).await;
        let memory = only(wants(Name::Memory), memory::row(plan)).await;
        let panic = only(wants(Name::Panic), panic::row(plan)).await;
        callbacks.into_iter().chain(memory).chain(panic)
    },);
    let few = sockets.into_iter().chain(receiver).chain(runtime);
    let mut rows: Vec<Row> = few.chain(many).collect();
    rows.sort_by_key(|row| row.name as usize);
    println!("\n{}", table::text(&rows));
    let seconds = started.elapsed().as_secs();
    println!("seed {seed}, {seconds} s");
    Ok(rows.iter().all(|row| row.holds()))
}

/// A row, if it is wanted.
async fn only(wanted: bool, row: impl Future<Output = Row>) -> Option<Row> {
    if wanted { Some(row.await) } else { None }
}

/// Where logs and failed calls are left.
fn folder() -> PathBuf {
    root().join("target/chaos")
}
