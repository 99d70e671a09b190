//! Who has the floor: at the first sound of the shop the agent pauses, then it is decided
//! (`design.md` §7).
//!
//! Two detectors listen: ours (`audio::ear`), which hears every frame at once, and the model's,
//! whose word comes later and whose turns make the conversation. Either may be first, late, twice,
//! or silent. What ours says about a sound decides; the model's counts where ours heard nothing.

mod hearing;
mod words;

use super::ending::Farewell;
use super::model::Flight;
use super::output::LogLine;
use super::record::{Detector, Interruption, MAX_METRICS};
use super::timers::Timer;
use super::{Call, SAVE_AGENT_MS};
use crate::audio::ear::Ear;
use crate::audio::echo::{Echo, Source};
use crate::audio::playback::{Cut, Place};
use crate::audio::ulaw;
use crate::realtime::session::SILENCE_MS;
use std::collections::VecDeque;

/// Sound that lasts so long is speech that wants the floor, in ms: an "mm-hmm", an "okay" and a
/// cough are shorter (`peers.md` §4.2 has guards of 250 to 800 ms).
const REAL_SPEECH_MS: u64 = 800;
/// How much longer a sound seems on a noisy line, in ms: the network holds on for up to 220 ms after
/// its end instead of 120, and makes 900 ms of an "mm-hmm" of 680.
const NOISE_HOLD_MS: u64 = 100;
/// Our detector tells that a sound has ended so long after it, in ms (`audio::ear`).
const EAR_HOLD_MS: u64 = 300;
/// Silence that lasts so long ends every turn, also to the model, in ms.
const SILENT_MS: u64 = 1_000;
/// How long the phone may take to tell where it stopped before the model is told an estimate, in ms.
const CUT_PATIENCE_MS: u64 = 1_000;
/// How long an echo is reckoned with after it was heard, in ms.
const ECHO_MEMORY_MS: u64 = 1_500;
/// How late an echo may begin after the agent's last word, in ms.
const TAIL_MS: u64 = 500;

/// What is known of the shop's voice.
#[derive(Debug, Default)]
pub(super) struct Floor {
    ear: Ear,
    pub(super) echo: Echo,
    /// What our detector hears.
    local: Local,
    /// When it heard the agent itself.
    echo_at: Option<u64>,
    /// How long the agent has spoken and nothing was heard on the line, in ms; until its first echo.
    unechoed_ms: u64,
    /// Frames in a row in which somebody was heard in an echo.
    voiced_frames: u32,
    /// Since when the model hears speech.
    model_since: Option<u64>,
    /// From the first sound until the model takes it as a turn.
    utterance: Option<Utterance>,
    /// The model has heard a pause: what was said is a turn in a moment.
    turn_comes: bool,
    /// The agent is held, and it is undecided whether it goes on.
    pause: Option<Pause>,
    /// The agent was stopped for good, and the phone has not told where.
    is_cutting: bool,
    /// The entry in the metrics of the newest stop.
    stop_entry: Option<usize>,
    /// When the shop's last sound ended, until the agent answers.
    pub(super) last_sound: Option<u64>,
    /// Turns whose words have not come.
    doubtful: VecDeque<Doubt>,
    /// The agent's newest turns and all their words, for what comes back of them.
    said: Vec<(String, String)>,
    /// Turns that the model took from an echo of the agent.
    echoes: VecDeque<String>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Local {
    #[default]
    Quiet,
    /// Speech that so far is our own voice coming back.
    Echo { since: u64 },
    /// The shop speaks.
    Speech { since: u64 },
}

/// A turn whose words may be the agent's own.
#[derive(Debug)]
struct Doubt {
    item_id: String,
    /// Our own detector heard a voice in it.
    has_voice: bool,
    /// It began in the middle of the agent's words.
    in_words: bool,
    /// It is answered once it is known for the shop's.
    waits: bool,
}

#[derive(Debug)]
struct Utterance {
    began_at: u64,
    /// When its newest sound ended.
    ended_at: u64,
    /// It lasts long enough to be more than a sound.
    is_long: bool,
    /// It began while the agent was to be heard: what is written down may be the agent's own words.
    overlaps: bool,
    /// It began in the middle of the agent's words.
    in_words: bool,
    /// Whom our own detector knows it for; nobody if only the model hears it.
    source: Source,
    effect: Effect,
}

impl Utterance {
    fn is_echo(&self) -> bool {
        self.source == Source::Echo
    }
}

/// What an utterance did to the agent's words.
#[derive(Clone, Debug)]
enum Effect {
    /// The agent was not speaking.
    None,
    /// It stopped, for now.
    Paused,
    /// It went on from this place, or had not begun. Said so near its end, it answers.
    Resumed { place: Option<Place> },
    /// It stopped.
    Yielded,
}

#[derive(Debug)]
struct Pause {
    /// When the sound began.
    since: u64,
    place: Option<Place>,
    /// Its entry in the metrics.
    entry: Option<usize>,
    /// How the model ended its part of the call meanwhile, and whether it said so.
    farewell: Option<(Farewell, bool)>,
}

impl Floor {
    /// Whether the shop speaks, as far as anybody hears.
    pub(super) fn shop_speaks(&self) -> bool {
        let echo = self.utterance.as_ref().is_some_and(Utterance::is_echo);
        matches!(self.local, Local::Speech { .. }) || (self.model_since.is_some() && !echo)
    }

    /// Whether the shop has the floor, until the model has taken what it said as a turn.
    pub(super) fn has_open_turn(&self) -> bool {
        self.shop_speaks() || self.utterance.as_ref().is_some_and(|u| !u.is_echo())
    }

    pub(super) fn turn_comes(&self) -> bool {
        self.turn_comes
    }

    /// Whether the model has still to be told where the agent was cut off.
    pub(super) fn is_cutting(&self) -> bool {
        self.is_cutting
    }

    /// Whether the agent is held.
    pub(super) fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// From when on a sound is speech that wants the floor, in ms.
    fn real_speech_ms(&self) -> u64 {
        if self.ear.hears_noise() {
            REAL_SPEECH_MS + NOISE_HOLD_MS
        } else {
            REAL_SPEECH_MS
        }
    }

    fn echoed_lately(&self, now: u64) -> bool {
        self.echo_at
            .is_some_and(|at| now.saturating_sub(at) <= ECHO_MEMORY_MS)
    }

    /// Whether audio is expected to go on: somebody has begun to speak and not stopped.
    pub(super) fn awaits_audio(&self) -> bool {
        self.model_since.is_some() || self.local != Local::Quiet
    }

    /// Whether nobody has made a sound for so long that no detector can wait for what comes next.
    pub(super) fn is_silent(&self) -> bool {
        self.model_since.is_none() && self.ear.silent_ms() >= SILENT_MS
    }

    /// Whether music plays on the line.
    pub(super) fn hears_music(&self) -> bool {
        self.ear.is_music()
    }

    /// The model's session is gone, and what it heard with it.
    pub(super) fn model_lost(&mut self) {
        self.model_since = None;
        self.turn_comes = false;
        // What only the model heard is never taken as a turn any more.
        let by_model = |u: &Utterance| u.source == Source::Nobody;
        if self.local == Local::Quiet && self.utterance.as_ref().is_some_and(by_model) {
            self.utterance = None;
        }
    }
}

impl Call {
    /// Stops the agent for good: on the phone at once, in the model from what was heard.
    pub(super) fn interrupt(&mut self, now: u64) {
        if self.floor.pause.is_none() {
            self.hold(now, Detector::Model, now);
        }
        self.give_up_floor(now);
    }

    /// The model ends the call in the very words that are held: that waits for the decision.
    pub(super) fn hold_farewell(&mut self, farewell: Farewell, spoken: bool) -> bool {
        let Some(pause) = &mut self.floor.pause else {
            return false;
        };
        pause.farewell = Some((farewell, spoken));
        true
    }

    pub(super) fn on_decide(&mut self, now: u64) {
        let Some(pause) = &self.floor.pause else {
            return;
        };
        // Where only the model heard something, its word comes half a second after the sound.
        let settled = pause
            .since
            .saturating_add(self.floor.real_speech_ms().saturating_add(SILENCE_MS));
        if matches!(self.floor.local, Local::Speech { .. }) {
            self.give_up_floor(now);
        } else if self.floor.model_since.is_none() {
            self.go_on(now);
        } else if now < settled {
            self.timers.set(Timer::Decide, settled);
        } else {
            self.give_up_floor(now);
        }
    }

    /// Whether the agent speaks or is about to.
    fn agent_has_floor(&self, now: u64) -> bool {
        let line = self.phone.clock.now(now);
        let about_to = match self.model.flight {
            Flight::Requested { .. } | Flight::Active { .. } => !self.model.is_cut_off(),
            Flight::Free | Flight::Conflict => false,
        };
        self.phone.playback.is_playing(line) || about_to
    }

    /// Silences the agent at once, and keeps what it had still to say.
    fn hold(&mut self, now: u64, detector: Detector, since: u64) {
        self.finish_cut();
        let place = self.hold_phone(now);
        let mut entry = None;
        if let Some(place) = &place
            && self.record.metrics.interruptions.len() < MAX_METRICS
        {
            entry = Some(self.record.metrics.interruptions.len());
            let heard = matches!(detector, Detector::Local).then(|| now.saturating_sub(since));
            self.record.metrics.interruptions.push(Interruption {
                at_ms: self.record.at_ms(now),
                detector,
                onset_to_clear_ms: heard,
                heard_ms: place.bytes / ulaw::BYTES_PER_MS,
                rest_ms: place.rest_ms,
                resumed: false,
                truncation_error_ms: None,
                stale_ms: None,
            });
        }
        self.floor.stop_entry = entry;
        self.log(LogLine::debug("paused").what(detector.word()));
        if let Some(utterance) = &mut self.floor.utterance {
            utterance.effect = Effect::Paused;
        }
        self.floor.pause = Some(Pause {
            since,
            place,
            entry,
            farewell: None,
        });
        let due = since
            .saturating_add(self.floor.real_speech_ms().saturating_add(EAR_HOLD_MS))
            .max(now);
        self.timers.set(Timer::Decide, due);
    }

    /// It was a mere sound: the agent goes on where it stopped.
    fn go_on(&mut self, now: u64) {
        self.timers.stop(Timer::Decide);
        let Some(pause) = self.floor.pause.take() else {
            return;
        };
        // What goes on is no answer.
        self.floor.last_sound = None;
        self.resume_phone(now);
        self.turn.quiet_since = now;
        self.log(LogLine::debug("resumed"));
        if let Some(entry) = self.interruption(pause.entry) {
            entry.resumed = true;
        }
        self.note_stop();
        if let Some(utterance) = &mut self.floor.utterance {
            utterance.effect = Effect::Resumed { place: pause.place };
        }
        if let Some((farewell, spoken)) = pause.farewell {
            self.say_farewell(now, farewell, spoken);
        }
    }

    /// The shop wants the floor: the agent's words end where they were heard to end.
    fn give_up_floor(&mut self, now: u64) {
        self.timers.stop(Timer::Decide);
        let Some(pause) = self.floor.pause.take() else {
            return;
        };
        self.cancel_response();
        self.floor.is_cutting = true;
        if let Some(place) = &pause.place {
            self.greeting_cut_off(&place.item_id);
        }
        self.timers
            .set(Timer::Cut, now.saturating_add(CUT_PATIENCE_MS));
        self.finish_cut_if_known();
        if let Some(utterance) = &mut self.floor.utterance {
            utterance.effect = Effect::Yielded;
            utterance.is_long = true;
        }
        self.turn.quiet_since = now;
        self.save_within(SAVE_AGENT_MS);
    }

    /// Tells the model where the agent was cut off, once the phone has told.
    pub(super) fn finish_cut_if_known(&mut self) {
        if self.phone.playback.is_known() {
            self.finish_cut();
        }
    }

    /// Tells the model where the agent was cut off, as far as that is known.
    pub(super) fn finish_cut(&mut self) {
        if !std::mem::take(&mut self.floor.is_cutting) {
            return;
        }
        self.timers.stop(Timer::Cut);
        self.drop_words();
        self.note_stop();
        self.save_within(SAVE_AGENT_MS);
    }

    /// What is held back will not be said: the model is told how much of it was heard.
    pub(super) fn drop_words(&mut self) {
        for cut in self.phone.playback.drop_held() {
            self.cut_off(&cut);
            self.keys_cut_off(&cut.item_id);
            self.greeting_cut_off(&cut.item_id);
        }
    }

    fn cut_off(&mut self, cut: &Cut) {
        self.record.transcript.agent_cut(&cut.item_id);
        self.truncate(&cut.item_id, cut.heard_ms);
        self.log(LogLine::debug("cut_off").n(cut.heard_ms));
    }

    /// The marks of a `clear` tell where the phone stopped, often only now.
    pub(super) fn note_stop(&mut self) {
        if let Some(stop) = self.phone.playback.newest_stop()
            && let Some(entry) = self.interruption(self.floor.stop_entry)
        {
            entry.stale_ms = Some(stop.stale_ms);
            entry.truncation_error_ms = stop.error_ms;
        }
    }

    fn interruption(&mut self, entry: Option<usize>) -> Option<&mut Interruption> {
        self.record.metrics.interruptions.get_mut(entry?)
    }

    fn utterance(&mut self, began_at: u64) -> &mut Utterance {
        let agent_ended_at = self.phone.ends_at();
        self.floor.utterance.get_or_insert_with(|| Utterance {
            began_at,
            ended_at: began_at,
            is_long: false,
            overlaps: began_at < agent_ended_at.saturating_add(TAIL_MS),
            in_words: began_at < agent_ended_at,
            source: Source::Nobody,
            effect: Effect::None,
        })
    }
}
