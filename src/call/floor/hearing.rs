//! Who is heard: the shop by our own detector and the model's, and the agent itself by its echo.

use super::super::Call;
use super::super::output::LogLine;
use super::super::record::Detector;
use super::super::timers::Timer;
use super::{Floor, Local};
use crate::audio::ear::Change;
use crate::audio::echo::Source;
use crate::audio::ulaw::BYTES_PER_MS;
use crate::realtime::session::SILENCE_MS;

/// How long somebody must be heard in an echo to be a voice, in frames of 20 ms; how much of it is
/// there then, in ms.
const VOICED_FRAMES: u32 = 3;
const JUDGED_MS: u64 = 100;
/// So much of a sound must be there for it to be called an echo, in ms (`audio::echo`); and on a line
/// where the agent has been heard by nobody for so long that it seems to have none.
const ECHO_JUDGED_MS: u64 = 50;
const FIRST_ECHO_JUDGED_MS: u64 = 150;
const SEEMS_CLEAR_MS: u64 = 2_000;
/// How much of the line is judged at once, in ms (`audio::echo`).
const WINDOW_MS: u64 = 200;
/// How long after the last sound the model should have taken the shop's turn, in ms: its own pause
/// of half a second, and both ways of a bad network.
const TURN_PATIENCE_MS: u64 = 1_500;
/// After so long the shop's pause was missed, in ms.
const MAX_SHOP_TURN_MS: u64 = 60_000;

impl Floor {
    /// So much of a sound must be there for it to be called an echo, in ms.
    fn echo_judged_ms(&self) -> u64 {
        if self.echo_at.is_none() && self.unechoed_ms >= SEEMS_CLEAR_MS {
            FIRST_ECHO_JUDGED_MS
        } else {
            ECHO_JUDGED_MS
        }
    }
}

impl Call {
    /// The next audio of the line; it ended at this time of the stream.
    pub(in crate::call) fn listen(&mut self, now: u64, ends_at: u64, audio: &[u8]) {
        self.floor.echo.heard(ends_at, audio);
        match self.floor.ear.hear(audio) {
            Some(Change::SpeechStarted { ago_ms }) => {
                let since = now.saturating_sub(ago_ms.into());
                self.floor.local = Local::Echo { since };
            }
            Some(Change::SpeechStopped { ago_ms }) => {
                let was = std::mem::take(&mut self.floor.local);
                if let Local::Speech { since } = was {
                    self.local_stopped(now, since, now.saturating_sub(ago_ms.into()));
                }
            }
            None => {}
        }
        let playing = || self.phone.playback.is_playing(ends_at);
        if self.floor.local == Local::Quiet && self.floor.echo_at.is_none() && playing() {
            let ms = audio.len() as u64 / BYTES_PER_MS;
            self.floor.unechoed_ms = self.floor.unechoed_ms.saturating_add(ms);
        }
        match self.floor.local {
            Local::Echo { since } => self.listen_behind_echo(now, since),
            Local::Speech { since } if self.floor.echoed_lately(now) => {
                // What the ear hears after a voice may be the agent's last words, still coming back.
                if self.floor.echo.source() != Source::Somebody {
                    self.floor.local = Local::Echo { since: now };
                    self.floor.voiced_frames = 0;
                    self.local_stopped(now, since, now.saturating_sub(WINDOW_MS).max(since));
                }
            }
            Local::Quiet | Local::Speech { .. } => {}
        }
    }

    /// The ear hears speech that was our own voice so far, or has just begun.
    fn listen_behind_echo(&mut self, now: u64, since: u64) {
        let source = self.floor.echo.source();
        let was_echo = self.floor.echoed_lately(now);
        match source {
            // A copy of what was sent explains the first moment of anything.
            Source::Echo if now.saturating_sub(since) < self.floor.echo_judged_ms() => {}
            Source::Nobody => {}
            Source::Echo => {
                self.floor.echo_at = Some(now);
                self.floor.voiced_frames = 0;
            }
            Source::Somebody => {
                self.floor.voiced_frames = self.floor.voiced_frames.saturating_add(1);
                // In an echo, a click looks like somebody for a moment, and keys and music do for long:
                // there the ear has heard the agent, and what is beside it has still to be heard.
                let is_short = self.floor.voiced_frames < VOICED_FRAMES;
                if was_echo && (is_short || !self.floor.echo.is_voice()) {
                    return;
                }
                let since = if was_echo {
                    now.saturating_sub(JUDGED_MS)
                } else {
                    since
                };
                self.floor.local = Local::Speech { since };
                self.floor.voiced_frames = 0;
                self.shop_began(now, Detector::Local, since);
            }
        }
    }

    /// The model hears the shop.
    pub(in crate::call) fn model_heard_start(&mut self, now: u64) {
        self.floor.model_since = Some(now);
        self.timers
            .set(Timer::ShopTurn, now.saturating_add(MAX_SHOP_TURN_MS));
        let known = self.floor.utterance.as_ref();
        if matches!(self.floor.local, Local::Speech { .. }) || known.is_some_and(|u| !u.is_echo()) {
            // Our detector was faster; the sound may even be over.
        } else if self.hears_echo(now) {
            self.utterance(now).source = Source::Echo;
        } else if self.floor.echoed_lately(now) && !self.floor.echo.is_voice() {
            // The agent, and something beside it that is no voice. Words will tell, if there are any.
            self.utterance(now);
        } else {
            self.shop_began(now, Detector::Model, now);
        }
    }

    /// The model hears a pause.
    pub(in crate::call) fn model_heard_stop(&mut self, now: u64) {
        self.timers.stop(Timer::ShopTurn);
        let started = self.floor.model_since.take().unwrap_or(now);
        self.floor.turn_comes = self.floor.utterance.as_ref().is_some_and(|u| !u.is_echo());
        self.turn.quiet_since = now;
        self.timers
            .set(Timer::Commit, now.saturating_add(TURN_PATIENCE_MS));
        if self.floor.local == Local::Quiet {
            // It waits for half a second of silence before it says so.
            let ended = now.saturating_sub(SILENCE_MS).max(started);
            self.sound_ended(now, started, ended);
        }
    }

    /// The model has not taken the turn that was heard to end.
    pub(in crate::call) fn on_commit_overdue(&mut self, now: u64) {
        self.floor.turn_comes = false;
        let long = self
            .floor
            .utterance
            .as_ref()
            .is_some_and(|u| u.is_long && !u.is_echo());
        if matches!(self.floor.local, Local::Speech { .. }) {
            return;
        }
        // In an echo of the agent the model may hear neither its beginning nor its end.
        let in_echo = self.floor.echoed_lately(now)
            && self
                .floor
                .utterance
                .as_ref()
                .is_some_and(|u| u.source == Source::Somebody);
        if self.floor.model_since.is_some() || long || in_echo {
            self.commit_turn(now);
            return;
        }
        let ended_at = self.floor.utterance.as_ref().map_or(0, |u| u.ended_at);
        let given_up_at = ended_at.saturating_add(TURN_PATIENCE_MS);
        if now < given_up_at {
            self.timers.set(Timer::Commit, given_up_at);
        } else {
            self.floor.utterance = None;
        }
    }

    pub(in crate::call) fn on_shop_turn_overdue(&mut self, now: u64) {
        self.commit_turn(now);
    }

    /// What the shop said is a turn, whatever the model thinks of it.
    fn commit_turn(&mut self, now: u64) {
        self.log(LogLine::warn("shop_turn_overdue"));
        if self.model.is_ready() {
            self.commit_audio();
        }
        self.model_heard_stop(now);
        // Tried once.
        if let Some(utterance) = &mut self.floor.utterance {
            utterance.is_long = false;
        }
    }

    /// Somebody in the shop began to make sounds.
    fn shop_began(&mut self, now: u64, detector: Detector, since: u64) {
        self.turn.silence_prompts = 0;
        self.turn.asked_to_wait = false;
        self.timers.stop(Timer::Silence);
        let utterance = self.utterance(since);
        utterance.source = match (detector, utterance.source) {
            (Detector::Model, Source::Nobody | Source::Echo) => Source::Nobody,
            (Detector::Local, _) | (Detector::Model, Source::Somebody) => Source::Somebody,
        };
        // Closing words are heard to their end.
        if self.floor.pause.is_none() && self.agent_has_floor(now) && !self.ending.is_closing() {
            self.hold(now, detector, since);
        }
    }

    /// Whether what the model hears is the agent itself. Its word may come late, or so soon that a copy
    /// of what was sent still explains anything: then only a line that is known to have an echo has one.
    fn hears_echo(&mut self, now: u64) -> bool {
        let is_judged = match self.floor.local {
            Local::Echo { since } => now.saturating_sub(since) >= self.floor.echo_judged_ms(),
            Local::Quiet | Local::Speech { .. } => false,
        };
        if !is_judged && self.floor.echo_at.is_none() {
            return false;
        }
        match self.floor.echo.source() {
            Source::Echo => {
                self.floor.echo_at = Some(now);
                true
            }
            Source::Somebody => false,
            Source::Nobody => self.floor.echoed_lately(now),
        }
    }

    fn local_stopped(&mut self, now: u64, since: u64, ended: u64) {
        self.turn.quiet_since = now;
        // In an echo of the agent the model hears no pause.
        let patience = if self.floor.echoed_lately(now) {
            SILENCE_MS
        } else {
            TURN_PATIENCE_MS
        };
        self.timers.set(Timer::Commit, now.saturating_add(patience));
        self.sound_ended(now, since, ended);
    }

    fn sound_ended(&mut self, now: u64, since: u64, ended: u64) {
        let is_long = ended.saturating_sub(since) >= self.floor.real_speech_ms();
        self.floor.last_sound = Some(ended);
        if let Some(utterance) = &mut self.floor.utterance {
            utterance.is_long |= is_long;
            utterance.ended_at = ended;
        }
        if is_long {
            self.give_up_floor(now);
        } else {
            self.go_on(now);
        }
    }
}
