//! How the agent takes turns: seeded conversations with the real call in virtual time, measured
//! from outside, against the bars of the turn-taking.
//!
//! ```text
//! plan (seed) → far end ⇄ Twilio ⇄ the product ⇄ Realtime server with its ears
//!                  ↓ truth            ↓ log of the wires     → measure → report
//! ```
//!
//! `plan` is a conversation before it is held, `far_end` the people and the noise on their line,
//! `ears` what the Realtime server makes of it. `truth` is what really happened there, `log` what
//! passed over the wires, `ledger` which byte of which item the phone played when. `measure` makes
//! numbers of these, `report` the table.

mod ears;
mod far_end;
mod ledger;
mod log;
mod measure;
mod plan;
mod report;
mod sounds;
#[cfg(test)]
mod tests;
mod truth;

use crate::clips::Clips;
use crate::play::Play;
use crate::realtime::Shared;
use crate::rig::root;
use crate::timeline::What;
use crate::virtual_time::{Run, hold};
use anyhow::Context;
use clap::Args;
use ears::LabEars;
use far_end::LabShop;
use log::Log;
use measure::Measured;
use orderline::audio::wav::Wav;
use plan::Plan;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use truth::{Said, Truth, Voice};

/// What to hold.
#[derive(Args)]
pub(crate) struct Options {
    /// How many conversations
    #[arg(long, default_value_t = 240)]
    conversations: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Hold only the conversation with this seed, and leave all of it in target/lab/turn-taking
    #[arg(long)]
    seed: Option<u64>,
}

/// A conversation that is over.
struct Held {
    plan: Plan,
    measured: Measured,
    /// Transcripts of nothing but echo.
    echo_transcripts: Vec<String>,
    /// What was really said.
    said: Vec<Said>,
    run: Run,
}

/// Runs everything; whether every bar was met.
pub(crate) fn run(options: &Options) -> anyhow::Result<bool> {
    let lab = Lab::new()?;
    if let Some(seed) = options.seed {
        let held = lab.hold(seed)?;
        leave(&held)?;
        return Ok(true);
    }
    let begun = std::time::Instant::now();
    let held = lab.hold_all(options.from, options.conversations)?;
    Ok(report::print(&held, begun.elapsed()))
}

struct Lab {
    clips: Clips,
    voice: Arc<Voice>,
}

impl Lab {
    fn new() -> anyhow::Result<Self> {
        let clips = Clips::load(&root().join("fixtures/speech"))?;
        let lines = [&plan::LINES[..], &plan::PHRASES].concat();
        let voice = Voice::new(&clips, &lines);
        Ok(Self { clips, voice })
    }

    fn hold_all(&self, first: u64, conversations: u64) -> anyhow::Result<Vec<Held>> {
        let next = AtomicU64::new(first);
        let held = Mutex::new(Vec::new());
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first.saturating_add(conversations) {
                    return;
                }
                let one = self.hold(seed);
                held.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(one);
            }
        };
        let threads = std::thread::available_parallelism().map_or(2, NonZero::get);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        let held = held.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut held: Vec<Held> = held.into_iter().collect::<anyhow::Result<_>>()?;
        held.sort_by_key(|held| held.plan.seed);
        Ok(held)
    }

    fn hold(&self, seed: u64) -> anyhow::Result<Held> {
        let plan = Plan::new(seed);
        let truth = Arc::new(Mutex::new(Truth::default()));
        let play = Arc::new(Play::in_virtual_time(plan.scenario()));
        let (heard, voice) = (Arc::clone(&truth), Arc::clone(&self.voice));
        let vad = (plan.faulty_vad, plan.keen_vad);
        let ears = move || -> Box<dyn crate::realtime::ears::Ears> {
            let ears = LabEars::new(Arc::clone(&heard), Arc::clone(&voice), seed ^ 0xEA25, vad);
            Box::new(ears)
        };
        let plays = Arc::new(vec![Arc::clone(&play)]);
        let server = Shared::tagged(plays, self.clips.clone(), Box::new(ears));
        let shop = LabShop::new(&plan, &self.clips, Arc::clone(&truth));
        let mut log = Log::default();
        let run = hold(play, Box::new(shop), server, plan.delays(), &mut log)
            .with_context(|| format!("conversation {seed}"))?;
        let truth = truth.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Held {
            measured: measure::measure(&log.entries, &truth.said),
            echo_transcripts: truth.echo_transcripts.clone(),
            said: truth.said.clone(),
            plan,
            run,
        })
    }
}

impl Held {
    /// What the bridge did wrong besides its turns.
    fn faults(&self) -> Vec<String> {
        let mut faults = self.run.faults.clone();
        let events = self.run.play.timeline.events();
        faults.extend(events.into_iter().filter_map(|event| match event.what {
            What::Violation { side, detail } => Some(format!("{side}: {detail}")),
            _ => None,
        }));
        faults
    }
}

/// Leaves one conversation on disk: its trace, its measurements and its line as two channels.
fn leave(held: &Held) -> anyhow::Result<()> {
    let folder = root().join("target/lab/turn-taking");
    std::fs::create_dir_all(&folder)?;
    let seed = held.plan.seed;
    let file = |name: &str| folder.join(format!("{seed}-{name}"));
    std::fs::write(file("trace.txt"), &held.run.trace)?;
    let outcome = held.run.outcome.clone().unwrap_or_default();
    std::fs::write(file("outcome.json"), outcome)?;
    std::fs::write(file("live.json"), &held.run.live)?;
    let line = held
        .run
        .play
        .line
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let both = Wav::stereo_from_ulaw(&line.from_shop, &line.to_shop);
    std::fs::write(file("line.wav"), both.to_bytes())?;
    println!("{:#?}\n{:#?}", held.plan, held.measured);
    println!("faults: {:#?}", held.faults());
    println!("in {}", folder.display());
    Ok(())
}
