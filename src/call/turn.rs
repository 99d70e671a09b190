//! When the agent speaks: what is wanted, what silence does.

use super::Call;
use super::model::Flight;
use super::output::{LogLine, Output};
use super::prompt::Cue;
use super::record::{EndReason, MAX_METRICS};
use super::timers::Timer;
use crate::realtime::client;

/// How long a shop that asked to wait may be silent, in ms.
const HOLD_MS: u64 = 10_000;
/// How often the agent asks into a silence before it gives up.
const MAX_SILENCE_PROMPTS: u32 = 2;

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each may come at any time")]
pub(super) struct Turn {
    /// The conversation was opened.
    pub(super) opened: bool,
    /// Since when nobody speaks.
    pub(super) quiet_since: u64,
    /// Silence prompts since the shop last spoke.
    pub(super) silence_prompts: u32,
    /// A response is wanted as soon as it may be asked for.
    pub(super) wanted: Option<Wanted>,
    /// The shop asked to wait, and has not spoken since.
    pub(super) asked_to_wait: bool,
    /// The model was told that the call has cost nearly as much as it may.
    pub(super) wraps_up: bool,
    /// The model was told to make up for the disclosure since its last words.
    disclosure_cued: bool,
}

/// A response to ask for.
#[derive(Debug)]
pub(super) struct Wanted {
    cues: Vec<Cue>,
    tools: bool,
}

impl Call {
    /// Begins the conversation once somebody can speak: the model, or a greeting that is kept.
    pub(super) fn open_conversation(&mut self, now: u64) {
        let can_speak = self.model.is_ready() || self.can_greet();
        if self.phone.is_streaming() && can_speak && !self.turn.opened {
            self.turn.opened = true;
            self.turn.quiet_since = now;
            self.greet(now);
        }
    }

    /// Wants a response, after a stage direction if there is one.
    pub(super) fn want(&mut self, cue: Option<Cue>, tools: bool) {
        let wanted = self.turn.wanted.get_or_insert(Wanted {
            cues: Vec::new(),
            tools,
        });
        wanted.tools = tools && wanted.tools;
        if let Some(cue) = cue
            && !wanted.cues.contains(&cue)
        {
            wanted.cues.push(cue);
        }
    }

    /// Forgets what was wanted before: something more important is to be said.
    pub(super) fn want_only(&mut self, cue: Cue) {
        self.turn.wanted = Some(Wanted {
            cues: vec![cue],
            tools: false,
        });
    }

    /// Asks for the wanted response, if it may be asked for now: one at a time, and not while the
    /// shop speaks.
    pub(super) fn pump(&mut self, now: u64) {
        let closing = self.ending.is_closing();
        let free = self.model.is_ready()
            && self.model.flight == Flight::Free
            && self.model.pending_total.is_none()
            && self.model.pending_keys.is_none();
        let theirs = self.floor.is_paused()
            || self.floor.is_cutting()
            || ((self.floor.shop_speaks() || self.floor.turn_comes()) && !closing);
        if !free || theirs || !self.phone.is_streaming() {
            return;
        }
        let Some(mut wanted) = self.turn.wanted.take() else {
            return;
        };
        let greets = wanted
            .cues
            .iter()
            .any(|cue| matches!(cue, Cue::Greeting(_)));
        if let Some(text) = self.greeting_to_tell() {
            let event_id = self.model.event_id();
            self.out
                .push_back(Output::Model(client::agent_item(&event_id, text)));
        }
        if self.needs_disclosure_cue() && !closing && !greets {
            wanted.cues.insert(0, Cue::Disclosure);
            self.turn.disclosure_cued = true;
        }
        for cue in &wanted.cues {
            let event_id = self.model.event_id();
            self.out
                .push_back(Output::Model(client::system_item(&event_id, &cue.text())));
        }
        let event_id = self.model.event_id();
        self.out.push_back(Output::Model(client::create_response(
            &event_id,
            wanted.tools,
        )));
        self.request_sent(now, event_id);
        self.model.current.greets = greets;
    }

    /// Agent audio begins or goes on.
    pub(super) fn agent_speaks(&mut self, now: u64) {
        if let Some(stopped) = self.floor.last_sound.take()
            && self.record.metrics.response_ms.len() < MAX_METRICS
        {
            self.record
                .metrics
                .response_ms
                .push(now.saturating_sub(stopped));
        }
        let since_start = now.saturating_sub(self.phone.started_at);
        self.record
            .metrics
            .first_audio_ms
            .get_or_insert(since_start);
        self.turn.disclosure_cued = false;
        self.timers.stop(Timer::Filler);
    }

    /// Arms the silence timer while nobody speaks and nobody is about to.
    pub(super) fn watch_silence(&mut self, now: u64) {
        let busy = self.floor.shop_speaks()
            || self.floor.is_paused()
            || !self.model.is_ready()
            || self.model.flight != Flight::Free
            || self.turn.wanted.is_some()
            || self.model.pending_total.is_some()
            || self.model.pending_keys.is_some()
            || !self.turn.opened
            || !self.phone.is_streaming()
            || self.ending.is_closing();
        if busy {
            self.timers.stop(Timer::Silence);
        } else {
            self.timers.stop(Timer::Filler);
            if self.floor.hears_music() {
                self.turn.quiet_since = now;
            }
            let quiet_since = self.turn.quiet_since.max(self.phone.ends_at());
            let patience = if self.turn.asked_to_wait {
                self.settings.silence_ms.max(HOLD_MS)
            } else {
                self.settings.silence_ms
            };
            let due = quiet_since.saturating_add(patience);
            if !self.timers.is_set(Timer::Silence) || due > now {
                self.timers.set(Timer::Silence, due);
            }
        }
    }

    pub(super) fn on_silence(&mut self, now: u64) {
        self.turn.quiet_since = now;
        self.turn.asked_to_wait = false;
        self.turn.silence_prompts = self.turn.silence_prompts.saturating_add(1);
        self.log(LogLine::info("silence").n(u64::from(self.turn.silence_prompts)));
        if self.turn.silence_prompts > MAX_SILENCE_PROMPTS {
            self.close_with(now, EndReason::Silence, Cue::GiveUp);
        } else {
            self.record.metrics.silence_prompts =
                self.record.metrics.silence_prompts.saturating_add(1);
            self.want(Some(Cue::Silence), true);
        }
    }

    /// The agent has spoken, and the disclosure was not in what was heard.
    fn needs_disclosure_cue(&self) -> bool {
        self.record.disclosed_at.is_none()
            && !self.turn.disclosure_cued
            && self.record.transcript.agent_turns().next().is_some()
            && self.phone.playback.is_drained()
    }
}
