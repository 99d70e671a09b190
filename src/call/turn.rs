//! Whose turn it is: interruptions, silence, and when the agent speaks.

use super::Call;
use super::model::Flight;
use super::output::{LogLine, Output};
use super::prompt::Cue;
use super::record::{BargeIn, EndReason, MAX_METRICS};
use super::timers::Timer;
use crate::audio::playback::Cut;
use crate::realtime::client;

/// After so long the shop's pause was missed, in ms.
const MAX_SHOP_TURN_MS: u64 = 60_000;
/// How often the agent asks into a silence before it gives up.
const MAX_SILENCE_PROMPTS: u32 = 2;

#[derive(Debug, Default)]
pub(super) struct Turn {
    /// The conversation was opened.
    pub(super) opened: bool,
    /// The model hears the shop speak.
    pub(super) shop_speaking: bool,
    /// When the shop began to speak.
    shop_started_at: u64,
    /// When the shop's last words ended, until the agent answers them.
    shop_stopped_at: Option<u64>,
    /// Since when nobody speaks.
    pub(super) quiet_since: u64,
    /// Silence prompts since the shop last spoke.
    silence_prompts: u32,
    /// A response is wanted as soon as it may be asked for.
    pub(super) wanted: Option<Wanted>,
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
    /// Begins the conversation when both the phone and the model are there, and goes on with it
    /// when the model came back.
    pub(super) fn open_conversation(&mut self, now: u64) {
        if !self.phone.is_streaming() || !self.model.is_ready() {
            return;
        }
        if !self.turn.opened {
            self.turn.opened = true;
            self.turn.quiet_since = now;
            let placed_by_us = self.record.request.is_some();
            self.want(
                Some(if placed_by_us {
                    Cue::Opening
                } else {
                    Cue::Answering
                }),
                true,
            );
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
            && self.model.pending_total.is_none();
        if !free || !self.phone.is_streaming() || (self.turn.shop_speaking && !closing) {
            return;
        }
        let Some(mut wanted) = self.turn.wanted.take() else {
            return;
        };
        if self.needs_disclosure_cue() && !closing {
            wanted.cues.insert(0, Cue::Disclosure);
            self.turn.disclosure_cued = true;
        }
        for cue in &wanted.cues {
            let event_id = self.model.event_id();
            self.out
                .push_back(Output::Model(client::system_item(&event_id, cue.text())));
        }
        let event_id = self.model.event_id();
        self.out.push_back(Output::Model(client::create_response(
            &event_id,
            wanted.tools,
        )));
        self.request_sent(now, event_id);
    }

    /// The model hears the shop.
    pub(super) fn shop_started(&mut self, now: u64) {
        self.turn.shop_speaking = true;
        self.turn.shop_started_at = now;
        self.turn.silence_prompts = 0;
        self.timers
            .set(Timer::ShopTurn, now.saturating_add(MAX_SHOP_TURN_MS));
        self.timers.stop(Timer::Silence);
        // Closing words are heard to their end.
        if !self.ending.is_closing() {
            self.interrupt(now);
        }
    }

    /// The model hears a pause.
    pub(super) fn shop_stopped(&mut self, now: u64) {
        self.turn.shop_speaking = false;
        self.turn.quiet_since = now;
        self.turn.shop_stopped_at = Some(now);
        self.timers.stop(Timer::ShopTurn);
    }

    /// The shop's turn is part of the conversation: it is the agent's turn.
    pub(super) fn shop_turn_taken(&mut self, now: u64, item_id: &str) {
        // A turn that was committed without having been heard to begin begins now.
        let started = std::mem::replace(&mut self.turn.shop_started_at, now);
        self.log(LogLine::debug("shop_turn"));
        let at = self.record.at_ms(if started == 0 { now } else { started });
        self.record.transcript.shop_turn(item_id, at);
        if !self.ending.is_closing() && !self.phone.gone {
            self.want(None, true);
        }
    }

    /// Agent audio begins or goes on.
    pub(super) fn agent_speaks(&mut self, now: u64) {
        if let Some(stopped) = self.turn.shop_stopped_at.take()
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
    }

    /// Arms the silence timer while nobody speaks and nobody is about to.
    pub(super) fn watch_silence(&mut self, now: u64) {
        let busy = self.turn.shop_speaking
            || self.model.flight != Flight::Free
            || self.turn.wanted.is_some()
            || self.model.pending_total.is_some()
            || !self.turn.opened
            || !self.phone.is_streaming()
            || self.ending.is_closing();
        if busy {
            self.timers.stop(Timer::Silence);
        } else {
            let quiet_since = self.turn.quiet_since.max(self.phone.playback.ends_at());
            let due = quiet_since.saturating_add(self.settings.silence_ms);
            if !self.timers.is_set(Timer::Silence) || due > now {
                self.timers.set(Timer::Silence, due);
            }
        }
    }

    pub(super) fn on_silence(&mut self, now: u64) {
        self.turn.quiet_since = now;
        self.turn.silence_prompts += 1;
        self.log(LogLine::info("silence").n(u64::from(self.turn.silence_prompts)));
        if self.turn.silence_prompts > MAX_SILENCE_PROMPTS {
            self.close_with(now, EndReason::Silence, Cue::GiveUp);
        } else {
            self.record.metrics.silence_prompts += 1;
            self.want(Some(Cue::Silence), true);
        }
    }

    pub(super) fn on_shop_turn_overdue(&mut self, now: u64) {
        self.log(LogLine::warn("shop_turn_overdue"));
        if self.model.is_ready() {
            self.out
                .push_back(Output::Model(client::COMMIT_AUDIO.to_owned()));
        }
        self.shop_stopped(now);
    }

    /// Stops the agent: on the phone at once, in the model from what was heard.
    pub(super) fn interrupt(&mut self, now: u64) {
        if self.phone.playback.is_playing(now) {
            for cut in self.clear_phone(now) {
                self.cut_off(now, &cut);
            }
        }
        self.cancel_response();
        self.turn.quiet_since = now;
    }

    fn cut_off(&mut self, now: u64, cut: &Cut) {
        self.record.transcript.agent_cut(&cut.item_id);
        self.truncate(&cut.item_id, cut.heard_ms);
        let at_ms = self.record.at_ms(now);
        if self.record.metrics.barge_ins.len() < MAX_METRICS {
            self.record.metrics.barge_ins.push(BargeIn {
                at_ms,
                heard_ms: cut.heard_ms,
                sent_ms: cut.sent_ms,
            });
        }
        self.log(LogLine::info("barge_in").n(cut.heard_ms));
        self.save();
    }

    /// The agent has spoken, and the disclosure was not in what was heard.
    fn needs_disclosure_cue(&self) -> bool {
        self.record.disclosed_at.is_none()
            && !self.turn.disclosure_cued
            && self.record.transcript.agent_turns().next().is_some()
            && self.phone.playback.is_drained()
    }
}
