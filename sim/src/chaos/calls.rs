//! The calls of chaos: an order that bears interruptions, a call that is over at once, and what
//! must be true of each afterwards.

use crate::api::Outcome;
use crate::fault::TimedFault;
use crate::live::{Display, follow};
use crate::play::Play;
use crate::rig::{Rig, root};
use crate::scenario::{DialResult, Scenario};
use crate::timeline::{Event, What};
use crate::{checks, folder};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const ORDER: &str = include_str!("order.toml");
const CALL_LIMIT: Duration = Duration::from_secs(150);
const OUTCOME_LIMIT: Duration = Duration::from_secs(40);
/// Lines of the Worker's log that a failure shows.
const LOG_LINES: usize = 40;

/// A call that was played.
pub struct Played {
    pub sid: String,
    pub play: Arc<Play>,
    pub outcome: Option<Outcome>,
    /// Everything that is not as it has to be.
    pub wrong: Vec<String>,
}

/// The `n`th call of a run: its number and its limit are its own, so that both simulated peers
/// know it.
fn own(text: &str, n: usize) -> String {
    let number = format!("+1213{:07}", 5_550_000 + n);
    let max = format!("{}.{:02}", 100 + n / 100, n % 100);
    text.replace("NUMBER", &number).replace("MAX_TOTAL", &max)
}

/// An order with these faults.
pub fn order(n: usize, faults: &[TimedFault]) -> anyhow::Result<Scenario> {
    let mut scenario = Scenario::parse(&format!("order-{n}"), &own(ORDER, n))?;
    scenario.faults = faults.to_vec();
    Ok(scenario)
}

/// A call that is over at once: the shop hangs up after `talk_ms`, or nobody is reached.
pub fn short(n: usize, result: DialResult, talk_ms: u64, messy: bool) -> anyhow::Result<Scenario> {
    let (head, _) = ORDER.split_once("[[shop]]").context("no shop")?;
    let status = match result {
        DialResult::Answered => "unconfirmed",
        DialResult::Busy => "busy",
        DialResult::NoAnswer => "no_answer",
        DialResult::Failed => "failed",
    };
    let rest = format!(
        "[[shop]]\nanswered = true\nafter_ms = {talk_ms}\nhang_up = true\n\
         [[model]]\nalways = true\nsay = 'generic/disclosure'\nrepeat = true\n[expect]\nstatus = '{status}'\n"
    );
    let mut scenario = Scenario::parse(&format!("short-{n}"), &(own(head, n) + &rest))?;
    scenario.network.result = result;
    scenario.network.ring_ms = 20;
    scenario.network.messy_callbacks = messy;
    Ok(scenario)
}

/// Places the call, waits for its end and checks its outcome. Breaches that begin with one of
/// `excused` are part of the fault.
pub async fn play(rig: &Rig, play: &Arc<Play>, excused: &[&str]) -> Played {
    let mut played = Played {
        sid: String::new(),
        play: Arc::clone(play),
        outcome: None,
        wrong: Vec::new(),
    };
    if let Err(error) = observe(rig, &mut played).await {
        played.wrong.push(format!("{error:#}"));
    }
    let breaches = breaches(&play.timeline.events(), excused);
    played.wrong.extend(breaches);
    played
}

async fn observe(rig: &Rig, played: &mut Played) -> anyhow::Result<()> {
    let scenario = &played.play.scenario;
    played.sid = rig.api.place(&scenario.request).await?;
    if !follow(&played.play.timeline, CALL_LIMIT, |_| {}).await {
        bail!("the call is not over after {} s", CALL_LIMIT.as_secs());
    }
    let outcome = rig.api.outcome(&played.sid, OUTCOME_LIMIT).await?;
    let found = checks::outcome_differences(&scenario.expect, &outcome.json);
    played.wrong.extend(found);
    played.outcome = Some(outcome);
    Ok(())
}

fn breaches(events: &[Event], excused: &[&str]) -> Vec<String> {
    let breach = |event: &Event| match &event.what {
        What::Violation { side, detail } => Some((side.clone(), detail.clone())),
        _ => None,
    };
    events
        .iter()
        .filter_map(breach)
        .filter(|(_, detail)| !excused.iter().any(|start| detail.starts_with(start)))
        .map(|(side, detail)| format!("protocol breach towards {side}: {detail}"))
        .collect()
}

impl Played {
    /// When the faults struck, in ms of the timeline.
    pub fn struck(&self) -> Vec<u64> {
        let events = self.play.timeline.events();
        let faults = events
            .iter()
            .filter(|event| matches!(event.what, What::Fault { .. }));
        faults.map(|event| event.ms).collect()
    }

    /// How often the Worker logged this event about the call.
    pub fn logged(&self, log: &str, event: &str) -> usize {
        let named = format!("\"{event}\"");
        log.lines()
            .filter(|line| line.contains(&self.sid) && line.contains(&named))
            .count()
    }

    /// Prints what went wrong, the call as it happened and the Worker's log of it, and leaves a folder.
    pub fn report(&self, row: &str, n: usize, log: &str) {
        // Failures of calls that run at the same time are told one after the other.
        static TELLING: Mutex<()> = Mutex::new(());
        let _telling = TELLING.lock().unwrap_or_else(PoisonError::into_inner);
        println!("\nFAIL  {row}, case {n}");
        for wrong in &self.wrong {
            println!("        {wrong}");
        }
        let mut display = Display::new();
        for event in self.play.timeline.events() {
            display.show(&event);
        }
        let about = |line: &&str| !self.sid.is_empty() && line.contains(&self.sid);
        let lines: Vec<&str> = log.lines().filter(about).collect();
        for line in lines.iter().skip(lines.len().saturating_sub(LOG_LINES)) {
            println!("        {line}");
        }
        match self.write(row, n) {
            Ok(path) => println!("        in {}", path.display()),
            Err(error) => println!("        nothing kept: {error:#}"),
        }
    }

    fn write(&self, row: &str, n: usize) -> anyhow::Result<PathBuf> {
        let path = Path::new("target/chaos").join(format!("{row}-{n}"));
        let folder = root().join(&path);
        std::fs::create_dir_all(&folder)?;
        folder::write_call(&folder, &self.play)?;
        if let Some(outcome) = &self.outcome {
            std::fs::write(folder.join("outcome.json"), outcome.pretty() + "\n")?;
        }
        Ok(path)
    }
}
