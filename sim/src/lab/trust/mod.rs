//! Whether an outcome can be trusted: seeded conversations with the real call in virtual time, each
//! with its truth, and the outcome judged by it.
//!
//! ```text
//! family (seed) → talk: lines, steps, the model's script, what each line means
//!      shop (far end) ⇄ Twilio ⇄ the product ⇄ Realtime server with the plan's transcription
//!           ↓ both directions of the line, byte by byte             ↓ the outcome's JSON
//!      playback: which words were heard → truth: what was affirmed → score → report
//! ```
//!
//! Nothing of the truth comes from reading words: a line of the agent carries the facts that it
//! tells, one of the shop what it means, and both count from the moment they were played.

mod ears;
mod families;
mod far_end;
mod order;
mod phrases;
mod plan;
mod playback;
mod report;
mod score;
mod speech;
mod spoken;
mod talk;
#[cfg(test)]
mod tests;
mod truth;

use crate::clips::Clips;
use crate::play::Play;
use crate::realtime::Shared;
use crate::rig;
use crate::virtual_time::{Run, hold};
use anyhow::{Context, bail};
use clap::Args;
use ears::TrustEars;
use families::{Family, LYING};
use far_end::TrustShop;
use plan::Plan;
use score::{Score, score};
use speech::Voices;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use truth::Truth;

/// What to hold.
#[derive(Args)]
pub(crate) struct Options {
    /// How many conversations of each family
    #[arg(long, default_value_t = 50)]
    seeds: u64,
    /// How many of the model that lies
    #[arg(long, default_value_t = 1_000)]
    lies: u64,
    /// Only this family
    #[arg(long)]
    family: Option<String>,
    /// Only the conversation with this seed, told in full
    #[arg(long, requires = "family")]
    seed: Option<u64>,
}

/// A conversation that is over and judged.
struct Judged {
    family: &'static str,
    seed: u64,
    score: Score,
}

/// Runs everything; whether every bar was met.
pub(crate) fn run(options: &Options) -> anyhow::Result<bool> {
    let lab = Lab::new(&rig::clips()?);
    let families = families::all();
    let known = |name: &str| families.iter().find(|family| family.name == name);
    let chosen = match &options.family {
        None => families.clone(),
        Some(name) => match known(name) {
            Some(family) => vec![*family],
            None => {
                let names: Vec<&str> = families.iter().map(|family| family.name).collect();
                bail!("there is no family {name}; there are: {}", names.join(", "));
            }
        },
    };
    if let (Some(seed), [family]) = (options.seed, chosen.as_slice()) {
        return lab.tell(family, seed);
    }
    let begun = std::time::Instant::now();
    let judged = lab.hold_all(&chosen, options.seeds, options.lies)?;
    Ok(report::print(&judged, begun.elapsed()))
}

struct Lab {
    voices: Voices,
}

impl Lab {
    fn new(clips: &Clips) -> Self {
        Self {
            voices: Voices::new(clips),
        }
    }

    /// Holds every conversation of these families.
    fn hold_all(
        &self,
        families: &[&'static Family],
        seeds: u64,
        lies: u64,
    ) -> anyhow::Result<Vec<Judged>> {
        let of = |family: &&'static Family| {
            let family = *family;
            let count = if family.name == LYING { lies } else { seeds };
            (0..count).map(move |seed| (family, seed))
        };
        let all: Vec<(&Family, u64)> = families.iter().flat_map(of).collect();
        let next = AtomicUsize::new(0);
        let judged = Mutex::new(Vec::new());
        let work = || {
            while let Some((family, seed)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                let one = self.hold(family, *seed).map(|(_, _, _, judged)| judged);
                let mut judged = judged.lock().unwrap_or_else(PoisonError::into_inner);
                judged.push(one);
            }
        };
        let threads = std::thread::available_parallelism().map_or(2, NonZero::get);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        let judged = judged.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut judged: Vec<Judged> = judged.into_iter().collect::<anyhow::Result<_>>()?;
        judged.sort_by_key(|judged| (judged.family, judged.seed));
        Ok(judged)
    }

    fn hold(&self, family: &Family, seed: u64) -> anyhow::Result<(Plan, Run, Truth, Judged)> {
        let plan = family.plan(&self.voices, seed)?;
        let play = Arc::new(Play::in_virtual_time(plan.scenario.clone()));
        let (transcripts, writings) = (plan.transcripts.clone(), Arc::new(plan.writings.clone()));
        let ears = move || -> Box<dyn crate::realtime::ears::Ears> {
            let ears = TrustEars::new(transcripts.clone(), Arc::clone(&writings), seed);
            Box::new(ears)
        };
        let plays = Arc::new(vec![Arc::clone(&play)]);
        let server = Shared::heard_by(plays, plan.clips.clone(), Box::new(ears));
        let shop = TrustShop::new(&plan.clips, plan.steps.clone());
        let run = hold(play, Box::new(shop), server, plan.delays, &mut ())
            .with_context(|| format!("{} {seed}", family.name))?;
        let truth = {
            let line = run.play.line.lock().unwrap_or_else(PoisonError::into_inner);
            Truth::of(&plan, &line)
        };
        let judged = Judged {
            family: family.name,
            seed,
            score: score(&plan, &truth, &run),
        };
        Ok((plan, run, truth, judged))
    }

    /// Holds one conversation and prints all of it; whether it ended as it must.
    fn tell(&self, family: &Family, seed: u64) -> anyhow::Result<bool> {
        let (plan, run, truth, judged) = self.hold(family, seed)?;
        let folder = rig::root().join("target/lab/trust");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{}-{seed}-trace.txt", family.name));
        std::fs::write(&file, &run.trace)?;
        report::tell(family, &plan, &run, &truth, &judged);
        println!("\neverything that passed: {}", file.display());
        Ok(judged.score.is_right())
    }
}
