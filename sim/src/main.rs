//! A phone network and a Realtime server on loopback, and the commands that use them.

#![allow(
    clippy::disallowed_methods,
    reason = "native only: the clock is there and is needed"
)]

mod api;
mod before_dialling;
mod bench;
mod call_more;
mod calls_per_second;
mod chaos;
mod checks;
mod clips;
mod delivery;
mod demo;
mod e2e;
mod edge;
mod fault;
mod folder;
mod lab;
mod live;
mod picture;
mod play;
mod privacy;
mod realtime;
mod receiver;
mod recording;
mod rig;
mod scenario;
mod serve;
mod simulate;
mod timeline;
mod twilio;
mod verify;
mod virtual_time;
mod worker;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(
    name = "sim",
    about = "Simulated phone calls for Orderline",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Place one call, show it live, and leave a folder with all of it
    Demo(demo::Options),
    /// Play scenarios against the Worker in workerd and check everything
    E2e {
        /// Scenarios of fixtures/scenarios, before-dialling, calls-per-second or delivery; everything when none
        /// is given
        names: Vec<String>,
    },
    /// Measure the Worker against a floor and against what else there is
    Bench(bench::Options),
    /// Kill what can be killed while calls run, and tell in one table what came of them
    Chaos(chaos::Options),
    /// Stream a recording into a Realtime session, without a phone
    Simulate(simulate::Options),
    /// Check an outcome against the events of its call
    Verify(verify::Options),
    /// Go through a recorded call again, and compare every output
    Replay(recording::Options),
    /// Play scenarios in workerd, and keep what was recorded in fixtures/recordings
    Record {
        /// Scenarios of fixtures/scenarios; all of them when none is given
        names: Vec<String>,
    },
    /// Measure against a bar
    #[command(subcommand)]
    Lab(lab::Lab),
    /// Serve the Worker and its simulated peers until standard input closes
    Serve,
}

#[tokio::main]
async fn main() {
    let command = Arguments::parse().command;
    // Either way the command's future is dropped here, and with it every process it started.
    let finished = tokio::select! {
        finished = run(command) => finished,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    let passed = finished.unwrap_or_else(|error| {
        eprintln!("\n{error:#}");
        false
    });
    // A runtime that ends would wait for a pending read of standard input.
    std::process::exit(i32::from(!passed));
}

async fn run(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Demo(options) => demo::run(options).await,
        Command::E2e { names } => e2e::run(&names).await,
        Command::Bench(options) => bench::run(&options).await,
        Command::Chaos(options) => chaos::run(&options).await,
        Command::Simulate(options) => simulate::run(options).await,
        Command::Lab(lab) => lab::run(&lab),
        Command::Verify(options) => verify::run(&options),
        Command::Replay(options) => recording::run(&options),
        Command::Record { names } => e2e::record(&names).await,
        Command::Serve => serve::run().await,
    }
}

async fn interrupted() {
    let terminated = signal(SignalKind::terminate());
    match terminated {
        Ok(mut terminated) => {
            tokio::select! { _ = tokio::signal::ctrl_c() => {}, _ = terminated.recv() => {} }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
