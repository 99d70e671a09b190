//! The shop of one conversation: it does one step of its script after the other, each once it has
//! heard what the step waits for, and hangs up when nothing happens any more.

use crate::clips::Clips;
use crate::timeline::What;
use crate::twilio::ear::Ear;
use crate::twilio::shop::{Deed, FarEnd, Step};
use orderline::audio::ulaw::{BYTES_PER_MS, SILENCE};
use std::collections::{BTreeSet, VecDeque};

const TICK_MS: u64 = 20;
/// After so much silence of both the shop hangs up, in ms.
const PATIENCE_MS: u64 = 25_000;
/// And after this, whatever happens, in ms.
const LONGEST_MS: u64 = 240_000;

/// What a step waits for.
#[derive(Clone, Debug)]
pub(super) enum When {
    /// So long after the phone was picked up, in ms.
    Answered(u64),
    /// This line of the agent was heard to its end, and so many ms have passed.
    Heard(String, u64),
    /// So many ms of this line of the agent were heard.
    Hearing(String, u64),
    /// Nobody has spoken for so long since the step before, in ms.
    Quiet(u64),
}

/// What it does then.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Says a line.
    Say(String),
    HangUp,
}

/// The shop.
pub(super) struct TrustShop {
    clips: Clips,
    ear: Ear,
    steps: VecDeque<(When, Act)>,
    heard: BTreeSet<String>,
    saying: VecDeque<u8>,
    now_ms: u64,
    quiet_ms: u64,
    /// How long the step's own pause has lasted.
    waited_ms: u64,
}

impl TrustShop {
    pub(super) fn new(clips: &Clips, steps: Vec<(When, Act)>) -> Self {
        Self {
            ear: Ear::new(clips.clone()),
            clips: clips.clone(),
            steps: steps.into(),
            heard: BTreeSet::new(),
            saying: VecDeque::new(),
            now_ms: 0,
            quiet_ms: 0,
            waited_ms: 0,
        }
    }

    fn is_time(&mut self) -> bool {
        let Some((when, _)) = self.steps.front() else {
            return false;
        };
        match when {
            When::Answered(ms) => self.now_ms >= *ms,
            When::Quiet(ms) => self.quiet_ms >= *ms,
            When::Hearing(line, ms) => {
                let heard = self.ear.hearing();
                heard.is_some_and(|(now, heard)| now == line && heard >= *ms)
            }
            When::Heard(line, ms) => {
                if !self.heard.contains(line) || !self.ear.is_quiet() {
                    self.waited_ms = 0;
                    return false;
                }
                self.waited_ms += TICK_MS;
                self.waited_ms > *ms
            }
        }
    }

    fn act(&mut self, events: &mut Vec<What>) -> Option<Deed> {
        if self.now_ms >= LONGEST_MS || self.quiet_ms >= PATIENCE_MS {
            return Some(Deed::HangUp);
        }
        if !self.is_time() {
            return None;
        }
        self.waited_ms = 0;
        let (_, act) = self.steps.pop_front()?;
        let Act::Say(line) = act else {
            return Some(Deed::HangUp);
        };
        let clip = self.clips.get(&line)?;
        self.saying = clip.audio.iter().copied().collect();
        events.push(What::ShopSpeaks {
            duration_ms: clip.ms(),
            text: clip.text.clone(),
            line,
        });
        None
    }
}

impl FarEnd for TrustShop {
    fn step(&mut self, played: &[u8]) -> Step {
        let heard = self.ear.hear(played);
        self.heard.extend(heard.complete);
        let mut events = heard.events;
        let mut deed = None;
        if self.saying.is_empty() {
            let quiet = self.ear.is_quiet();
            self.quiet_ms = if quiet { self.quiet_ms + TICK_MS } else { 0 };
            deed = self.act(&mut events);
        }
        let length = played.len().min(self.saying.len());
        let mut said: Vec<u8> = self.saying.drain(..length).collect();
        if !said.is_empty() {
            self.quiet_ms = 0;
        }
        said.resize(played.len(), SILENCE);
        self.now_ms += played.len() as u64 / BYTES_PER_MS;
        Step { said, events, deed }
    }

    fn cut_off(&mut self) -> Vec<What> {
        let heard = self.ear.cut_off();
        self.heard.extend(heard.complete);
        heard.events
    }
}
