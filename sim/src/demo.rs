//! `sim demo`: one call, live in the terminal, and a folder with all of it.

use crate::api::Outcome;
use crate::live::{Display, follow};
use crate::play::Play;
use crate::rig::{Peers, Rig, root};
use crate::{checks, folder, rig};
use anyhow::{Context, bail};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const CALL_LIMIT: Duration = Duration::from_secs(15 * 60);
const OUTCOME_LIMIT: Duration = Duration::from_secs(20);

/// What `sim demo` is asked for.
#[derive(clap::Args)]
pub struct Options {
    /// Scenario to play, of fixtures/scenarios
    #[arg(long, default_value = "happy-delivery")]
    scenario: String,
    /// Use the real Realtime API against the simulated shop; needs OPENAI_API_KEY
    #[arg(long)]
    real_model: bool,
    /// Call this number for real (E.164); needs OPENAI_API_KEY, TWILIO_ACCOUNT_SID,
    /// TWILIO_AUTH_TOKEN, TWILIO_FROM_NUMBER and PUBLIC_BASE_URL
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,
    /// With --to: local port that PUBLIC_BASE_URL leads to
    #[arg(long, default_value_t = 8787)]
    port: u16,
}

/// Places the call; whether everything was as it should be.
pub async fn run(options: Options) -> anyhow::Result<bool> {
    let root = root();
    let clips = rig::clips()?;
    let scenario = if options.real_model || options.to.is_some() {
        rig::real_model(&clips)?
    } else {
        rig::scenarios(&clips, &[options.scenario])?
            .pop()
            .context("no such scenario")?
    };
    let peers = match &options.to {
        Some(_) => Peers::Real { port: options.port },
        None if options.real_model => Peers::RealModel,
        None => Peers::Simulated,
    };
    let folder = folder::create(&root, &scenario.name)?;
    let mut request = scenario.request.clone();
    if let Some(number) = &options.to {
        request["to"] = json!(number);
    }
    println!("{}\n{}\n", scenario.name, scenario.about);
    let rig = Rig::start(vec![scenario], clips, &peers, &folder.join("worker.log")).await?;
    let sid = rig.api.place(&request).await?;
    let play = rig.plays.first().context("no scenario")?;
    let right = if options.to.is_some() {
        real_call(&rig, &sid, &folder).await
    } else {
        simulated_call(&rig, &sid, play, &folder).await
    };
    println!(
        "\nThis run: {}",
        folder.strip_prefix(&root).unwrap_or(&folder).display()
    );
    right
}

async fn simulated_call(rig: &Rig, sid: &str, play: &Play, folder: &Path) -> anyhow::Result<bool> {
    let mut display = Display::new();
    let over = follow(&play.timeline, CALL_LIMIT, |event| display.show(event)).await;
    let outcome = rig.api.outcome(sid, OUTCOME_LIMIT).await;
    if let Ok(outcome) = &outcome {
        folder::write_outcome(folder, outcome, &rig.api.events(sid).await?)?;
    }
    folder::write_call(folder, play)?;
    folder::write_picture(folder, play, outcome.as_ref().ok())?;
    if !over {
        bail!("the call is not over after {} s", CALL_LIMIT.as_secs());
    }
    let outcome = outcome?;
    println!("\nGET /api/calls/{sid}\n{}\n", outcome.pretty());
    let mut wrong = checks::outcome_differences(&play.scenario.expect, &outcome.json);
    wrong.extend(checks::call_differences(play));
    if wrong.is_empty() && outcome.status() != "confirmed" {
        println!(
            "The outcome is {}, as the scenario expects: no order was placed.",
            outcome.status()
        );
        return Ok(false);
    }
    if wrong.is_empty() {
        println!(
            "{}",
            display.paint(
                "1;32",
                &format!(
                    "The outcome is {}, as the scenario expects.",
                    outcome.status()
                )
            )
        );
    } else {
        println!(
            "{}\n  {}",
            display.paint("1;31", "Not as the scenario expects:"),
            wrong.join("\n  ")
        );
    }
    Ok(wrong.is_empty())
}

/// Nothing of a real call can be seen from here but what the API says about it.
async fn real_call(rig: &Rig, sid: &str, folder: &Path) -> anyhow::Result<bool> {
    let (started, mut last) = (Instant::now(), String::new());
    println!("Call {sid} placed.");
    while started.elapsed() < CALL_LIMIT {
        let call = rig.api.call(sid).await?;
        if call.is_final() {
            folder::write_outcome(folder, &call, &rig.api.events(sid).await?)?;
            println!("\n{}", call.pretty());
            return Ok(confirmed(&call));
        }
        if call.status() != last {
            last = call.status().to_owned();
            println!("{:6.1} s  {last}", started.elapsed().as_secs_f64());
        }
        sleep(Duration::from_secs(1)).await;
    }
    bail!("the call is not over after {} s", CALL_LIMIT.as_secs())
}

fn confirmed(outcome: &Outcome) -> bool {
    outcome.status() == "confirmed"
}
