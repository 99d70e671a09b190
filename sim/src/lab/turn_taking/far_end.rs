//! The far end of one conversation: it answers in its own turns, says what the plan has it say
//! into the agent's, and its line carries noise and the agent's echo. It hears only what is played.

use super::super::signals::{Random, add};
use super::plan::{Event, Plan, Reply, THINKS_MS};
use super::sounds::{self, Echo};
use super::truth::{Kind, Truth};
use crate::clips::Clips;
use crate::timeline::What;
use crate::twilio::shop::{Deed, FarEnd, Step};
use orderline::audio::ulaw::{self, BYTES_PER_MS, SILENCE};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

const TICK_MS: u64 = 20;
/// Played audio above this level is the agent's voice, dBFS.
const AUDIBLE: f32 = -55.0;
/// After an event people wait so long for the agent to go on, in ms.
const PATIENCE_MS: u64 = 3_000;
/// So much silence of both, and somebody at the far end asks: the conversation must go on for the
/// lab, which has noted the silence by then. In ms.
const DEAD_AIR_MS: u64 = 10_000;
/// The far end hangs up after this, whatever happens, in ms.
const LONGEST_MS: u64 = 200_000;

/// The shop of one plan.
pub(super) struct LabShop {
    plan: Plan,
    clips: Clips,
    truth: Arc<Mutex<Truth>>,
    random: Random,
    events: VecDeque<Event>,
    replies: VecDeque<Reply>,
    bed: Vec<f32>,
    echo: Option<Echo>,
    /// Sounds being made: what is left of each.
    sounding: Vec<VecDeque<f32>>,
    /// Words being said.
    saying: Option<Saying>,
    now_ms: u64,
    /// How long the agent has spoken in this turn of it.
    spoken_ms: u64,
    /// The same, since the shop's last words.
    heard_ms: u64,
    quiet_ms: u64,
    /// Since the shop's own last words.
    silent_ms: u64,
    /// The next event may come.
    armed: bool,
    /// How much silence the shop needs to take its turn.
    patience_ms: u64,
    /// Until when the agent was asked to wait.
    waits_until: Option<u64>,
}

struct Saying {
    kind: Kind,
    rest: VecDeque<u8>,
}

impl LabShop {
    pub(super) fn new(plan: &Plan, clips: &Clips, truth: Arc<Mutex<Truth>>) -> Self {
        let mut random = Random::new(plan.seed ^ 0x50_0F);
        let bed = plan.bed.map(|level| sounds::bed(&mut random, level));
        if let Some((delay_ms, _)) = plan.echo {
            let late = usize::try_from(delay_ms * BYTES_PER_MS).ok();
            truth
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .echo_bytes = late;
        }
        Self {
            clips: clips.clone(),
            truth,
            random,
            events: plan.events.iter().copied().collect(),
            replies: plan.replies.iter().copied().collect(),
            bed: bed.unwrap_or_default(),
            echo: plan.echo.map(|(delay, loss)| Echo::new(delay, loss)),
            sounding: Vec::new(),
            saying: None,
            now_ms: 0,
            spoken_ms: 0,
            heard_ms: 0,
            quiet_ms: 0,
            silent_ms: 0,
            armed: true,
            patience_ms: plan.replies.first().map_or(500, |reply| reply.after_ms),
            waits_until: None,
            plan: plan.clone(),
        }
    }

    fn truth(&self) -> std::sync::MutexGuard<'_, Truth> {
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn says(&mut self, kind: Kind, line: &str) {
        let line = format!("lab/{}-{line}", self.plan.voice);
        let Some(clip) = self.clips.get(&line) else {
            return;
        };
        let position = self.now_ms * BYTES_PER_MS;
        self.truth()
            .says(kind, &clip.text, position, clip.audio.len());
        let rest = clip.audio.iter().copied().collect();
        self.saying = Some(Saying { kind, rest });
    }

    fn makes(&mut self, kind: Kind) {
        let sound = sounds::make(kind, &mut self.random);
        let position = self.now_ms * BYTES_PER_MS;
        self.truth().says(kind, "", position, sound.len());
        self.sounding.push(sound.into());
    }

    fn listen(&mut self, played: &[u8]) -> bool {
        self.truth().plays(played);
        let audible = ulaw::dbfs(played) > AUDIBLE;
        if audible {
            if self.patience_ms == THINKS_MS && self.quiet_ms >= PATIENCE_MS {
                // Asked whether it is still there, it answers.
                self.patience_ms = 600;
            }
            self.spoken_ms += TICK_MS;
            self.heard_ms += TICK_MS;
            self.quiet_ms = 0;
        } else {
            self.quiet_ms += TICK_MS;
        }
        self.silent_ms += TICK_MS;
        audible
    }

    fn act(&mut self, audible: bool) -> Option<Deed> {
        if self.saying.is_some() {
            return None;
        }
        if self.plan.hello_ms.is_some_and(|at| self.now_ms >= at) {
            self.plan.hello_ms = None;
            self.says(Kind::Reply, "go-on");
            return None;
        }
        if let Some(event) = self.events.front().copied()
            && self.armed
            && audible
            && self.spoken_ms >= event.at_ms
        {
            self.events.pop_front();
            self.armed = false;
            self.patience_ms = PATIENCE_MS;
            if event.line.is_empty() {
                self.makes(event.kind);
            } else {
                self.says(event.kind, event.line);
            }
            return None;
        }
        if self.now_ms >= LONGEST_MS {
            return Some(Deed::HangUp);
        }
        if let Some(until) = self.waits_until {
            if self.now_ms >= until {
                self.waits_until = None;
                self.says(Kind::Reply, "go-on");
            }
            return None;
        }
        let its_turn = self.heard_ms >= 200 && self.quiet_ms >= self.patience_ms;
        let dead_air = self.quiet_ms.min(self.silent_ms) >= DEAD_AIR_MS;
        if !its_turn && !dead_air {
            return None;
        }
        let Some(reply) = self.replies.pop_front() else {
            return (self.quiet_ms >= 1_500).then_some(Deed::HangUp);
        };
        self.armed = true;
        self.patience_ms = self.replies.front().map_or(1_500, |next| next.after_ms);
        let Some((wait_ms, music)) = reply.wait else {
            self.says(Kind::Reply, reply.line);
            return None;
        };
        self.says(Kind::Wait, reply.line);
        self.waits_until = Some(self.now_ms + wait_ms);
        if music {
            self.makes(Kind::Music);
        }
        None
    }

    /// The next samples of what it says.
    fn voice(&mut self, bytes: usize) -> Vec<u8> {
        let Some(saying) = &mut self.saying else {
            return vec![SILENCE; bytes];
        };
        let part = bytes.min(saying.rest.len());
        let mut said: Vec<u8> = saying.rest.drain(..part).collect();
        said.resize(bytes, SILENCE);
        if saying.rest.is_empty() {
            let kind = saying.kind;
            self.saying = None;
            self.finished(kind);
        }
        said
    }

    fn finished(&mut self, kind: Kind) {
        self.silent_ms = 0;
        if kind != Kind::Backchannel {
            self.heard_ms = 0;
            self.spoken_ms = 0;
        }
        if kind == Kind::Interruption {
            self.armed = true;
            self.patience_ms = self.replies.front().map_or(1_500, |next| next.after_ms);
        }
        if kind == Kind::Short {
            self.armed = true;
        }
    }

    /// Everything on the line at once.
    fn mixed(&mut self, voice: Vec<u8>, played: &[u8]) -> Vec<u8> {
        let bytes = voice.len();
        let echo = self.echo.as_mut().map(|echo| echo.step(played));
        if self.bed.is_empty() && echo.is_none() && self.sounding.is_empty() {
            return voice;
        }
        let mut line = sounds::decoded(&voice);
        for sound in &mut self.sounding {
            let part: Vec<f32> = sound.drain(..bytes.min(sound.len())).collect();
            for (sample, sound) in line.iter_mut().zip(part) {
                *sample += sound;
            }
        }
        self.sounding.retain(|sound| !sound.is_empty());
        if let Some(echo) = echo {
            add(&mut line, &echo);
        }
        if !self.bed.is_empty() {
            let at = usize::try_from(self.now_ms * BYTES_PER_MS).unwrap_or(0) % self.bed.len();
            add(&mut line, self.bed.get(at..).unwrap_or_default());
        }
        #[allow(clippy::cast_possible_truncation, reason = "clamped")]
        let encode = |s: f32| ulaw::encode((s * 32_768.0).clamp(-32_768.0, 32_767.0) as i16);
        line.into_iter().map(encode).collect()
    }
}

impl FarEnd for LabShop {
    fn step(&mut self, played: &[u8]) -> Step {
        let audible = self.listen(played);
        let deed = self.act(audible);
        let voice = self.voice(played.len());
        let said = self.mixed(voice, played);
        self.now_ms += TICK_MS;
        Step {
            said,
            events: Vec::new(),
            deed,
        }
    }

    fn cut_off(&mut self) -> Vec<What> {
        Vec::new()
    }
}
