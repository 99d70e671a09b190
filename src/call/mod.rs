//! One phone call as a state machine without I/O, without a clock, without randomness.
//!
//! ```text
//! call.handle(now, input);             // something happened
//! while let Some(output) = call.poll() // what to do about it
//! call.next_deadline();                // when to call `handle(now, Input::Deadline)` at the latest
//! ```
//!
//! `now` is milliseconds since the Unix epoch; where it goes back, the call's clock stands still. Webhooks that want TwiML for an
//! answer have methods of their own ([`Call::voice`], [`Call::stream_ended`], [`Call::dial_ended`]);
//! poll after them, too. The same inputs give the same outputs, byte for byte.
//!
//! The parts: `phone` is the Twilio leg, `model` the Realtime leg, `speech` what is said and heard,
//! `toolbox` what the model's tools do; `events` what is written down of it all; `floor` decides what a sound of the shop does to the agent's
//! words, `turn` when the agent speaks, `ending`, `refusal` and `budget` how and why the call ends, `outcome` what is reported, `delivery` when it is sent. [`Record`] is what survives a restart.
//! `recording` writes down what comes in, to go through it again.

mod budget;
pub mod delivery;
mod ending;
pub mod events;
mod failure;
mod filler;
mod floor;
pub mod greeting;
pub mod input;
mod keys;
mod model;
pub mod outcome;
pub mod output;
mod phone;
pub mod prompt;
pub mod record;
pub mod recording;
mod refusal;
pub mod request;
mod speech;
pub mod timers;
mod toolbox;
mod turn;

use crate::config::Config;
use crate::json;
use crate::policy::secret;
use crate::realtime::prices::{Cost, MicroDollars};
use crate::realtime::usage::Usage;
use crate::twilio::number::E164;
use crate::twilio::signature::socket_url;
use crate::twilio::twiml::Twiml;
use crate::twilio::webhook::webhook_url;
use ending::Ending;
use filler::Filler;
use floor::Floor;
use greeting::Greeting;
use input::Input;
use model::Model;
use output::{LogLine, Output};
use phone::Phone;
use record::{EndReason, Handoff, Record};
use request::CallRequest;
use std::collections::VecDeque;
use timers::{Timer, Timers};
use turn::Turn;

use crate::twilio::sid::CallSid;

/// The longest a call may ring, in seconds; Twilio adds up to five.
pub const RING_TIMEOUT_SEC: u32 = 45;
/// How long Twilio's first question may wait for the API's request, in ms: both come from the same
/// placing of the call, on different ways. Less than Twilio waits ([`webhook_url`]).
pub const BEGIN_PATIENCE_MS: u64 = 3_500;
/// How long it may take until it is kept how far the agent was heard, of which less is the safe side, and
/// what was used, in ms.
const SAVE_AGENT_MS: u64 = 3_000;
/// How long the shop's words wait, in ms: the agent's answer to them goes first.
const SAVE_SHOP_MS: u64 = 125;
/// How long after its longest duration a call must have its outcome, in ms.
pub const FINAL_GRACE_MS: u64 = 120_000;

/// How long a human who took over may talk, in ms.
pub const MAX_HANDOFF_MS: u64 = 30 * 60_000;

/// The parts of the configuration that a call works with; no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    base_url: String,
    from: E164,
    handoff_number: Option<E164>,
    max_call_ms: u64,
    silence_ms: u64,
    model: String,
    voice: String,
    transcribe_model: String,
    prices: crate::realtime::prices::Prices,
    max_cost: MicroDollars,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        Self {
            base_url: config.public_base_url.clone(),
            from: config.twilio_from.clone(),
            handoff_number: config.handoff_number.clone(),
            max_call_ms: config.max_call_ms,
            silence_ms: config.silence_prompt_ms,
            model: config.model.clone(),
            voice: config.voice.clone(),
            transcribe_model: config.transcribe_model.clone(),
            prices: config.prices.clone(),
            max_cost: config.max_cost,
        }
    }
}

impl Settings {
    /// What a call costs by the price table.
    fn cost(&self, usage: &Usage, connected_ms: u64) -> Cost {
        let Self {
            prices,
            model,
            transcribe_model,
            ..
        } = self;
        prices.cost(model, transcribe_model, usage, connected_ms)
    }
}

/// One phone call.
#[derive(Debug)]
pub struct Call {
    settings: Settings,
    record: Record,
    phone: Phone,
    model: Model,
    turn: Turn,
    floor: Floor,
    greeting: Greeting,
    filler: Filler,
    ending: Ending,
    timers: Timers,
    out: VecDeque<Output>,
    /// The record changed in a way that must survive.
    dirty: bool,
    /// The time of the newest input, in ms.
    clock: u64,
}

impl Call {
    /// A call that was just placed for a request, or came to us (without one).
    ///
    /// `stream_token` is the unguessable part of the media stream's URL.
    pub fn new(
        settings: Settings,
        sid: CallSid,
        request: Option<CallRequest>,
        stream_token: String,
        now: u64,
    ) -> Self {
        let mut call = Self::restore(settings, Record::new(sid, request, stream_token, now));
        call.load_lines();
        call.save();
        call.flush_save();
        call
    }

    /// A call that Twilio tells of and nobody began: the process died after the dialling and before the
    /// hand-over. It has its outcome at once.
    pub fn lost(
        settings: Settings,
        sid: CallSid,
        request: Option<CallRequest>,
        stream_token: String,
        now: u64,
    ) -> Self {
        let mut call = Self::restore(settings, Record::new(sid, request, stream_token, now));
        call.record.end_reason = Some(EndReason::Crashed);
        call.finish(now);
        call
    }

    /// A call from its snapshot; [`Input::Restored`] tells it that its sockets are gone.
    pub fn restore(settings: Settings, record: Record) -> Self {
        let clock = record.placed_at;
        Self {
            settings,
            record,
            phone: Phone::default(),
            model: Model::default(),
            turn: Turn::default(),
            floor: Floor::default(),
            greeting: Greeting::default(),
            filler: Filler::default(),
            ending: Ending::default(),
            timers: Timers::default(),
            out: VecDeque::new(),
            dirty: false,
            clock,
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: u64, input: Input<'_>) {
        let now = self.tick(now);
        // What the outcome follows from stays as it is: it may have to be written again.
        if self.record.finished && !matches!(input, Input::Alarm | Input::Restored { .. }) {
            return;
        }
        match input {
            Input::Phone(text) => self.phone_message(now, text),
            Input::PhoneClosed => self.phone_closed(now),
            Input::ModelOpened { socket } if socket == self.model.socket => self.model_opened(now),
            Input::Model { socket, text } if socket == self.model.socket => {
                self.model_event(now, text);
            }
            Input::ModelClosed { socket, code } if socket == self.model.socket => {
                self.model_closed(now, code);
            }
            Input::Line { key, audio } => self.line_loaded(key, audio),
            Input::Status(status) => self.status(now, status),
            Input::HungUp { done } => self.hung_up(done),
            Input::Restored { streaming } => self.restored(now, streaming),
            Input::Alarm => self.give_up(now),
            Input::ModelOpened { .. }
            | Input::Model { .. }
            | Input::ModelClosed { .. }
            | Input::Deadline => {}
        }
        self.settle(now);
    }

    /// The next thing to do, if there is one.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Input::Deadline`] is due at the latest.
    pub fn next_deadline(&self) -> Option<u64> {
        self.timers.next()
    }

    /// When the call must have its outcome, whatever happens: the Durable Object's alarm.
    pub fn final_deadline(&self) -> u64 {
        if let (Handoff::Dialling, Some(at)) = (self.record.handoff, self.record.handoff_at) {
            return at.saturating_add(MAX_HANDOFF_MS);
        }
        let ringing = u64::from(RING_TIMEOUT_SEC) * 1000;
        let longest = ringing
            .saturating_add(self.max_call_ms())
            .saturating_add(FINAL_GRACE_MS);
        self.record.placed_at.saturating_add(longest)
    }

    /// The call was answered (or came in): Twilio asks what to do. Asked again, it gives the same
    /// answer.
    pub fn voice(&mut self, now: u64) -> Twiml {
        let now = self.tick(now);
        if self.record.finished || self.record.end_reason.is_some() {
            return Twiml::HangUp;
        }
        if self.record.answered_at.is_none() {
            self.record.answered_at = Some(now);
            self.timers
                .set(Timer::MaxDuration, now.saturating_add(self.max_call_ms()));
            self.on_minute(now);
            self.log(LogLine::info("answered"));
            self.save();
            self.connect_model(now);
            self.settle(now);
        }
        self.record.streams = self.record.streams.max(1);
        self.connect_stream()
    }

    fn connect_stream(&self) -> Twiml {
        let base = &self.settings.base_url;
        Twiml::ConnectStream {
            url: format!(
                "{}{}",
                socket_url(base),
                stream_path(&self.record.sid, &self.record.stream_token)
            ),
            action: webhook_url(base, "stream-ended"),
            status_callback: webhook_url(base, "stream"),
        }
    }

    /// Whether a media socket with this token may be opened; works once. It takes the place of the one
    /// before.
    pub fn claim_stream(&mut self, now: u64, token: &str) -> bool {
        let now = self.tick(now);
        let good = secret::equal(token.as_bytes(), self.record.stream_token.as_bytes())
            && !token.is_empty()
            && !self.record.finished
            && !self.phone.gone
            && self.record.answered_at.is_some();
        if good {
            if self.record.stream_claimed {
                self.phone_lost(now);
            }
            self.record.stream_claimed = true;
            self.record.stream_token.clear();
            self.save();
        } else {
            self.log(LogLine::warn("stream_refused"));
        }
        self.flush_save();
        good
    }

    /// The media stream has ended: Twilio asks what to do. While the call is `alive` and can go on,
    /// another stream is opened, with this token; a stream that still runs is left alone until then,
    /// so that a question asked twice does no harm.
    pub fn stream_ended(&mut self, now: u64, alive: bool, token: String) -> Twiml {
        let now = self.tick(now);
        if alive {
            self.assume_answered(now);
        }
        if alive && self.may_stream_again() {
            if self.record.stream_token.is_empty() {
                self.record.stream_token = token;
                self.record.streams = self.record.streams.saturating_add(1);
            }
            if !self.phone.is_streaming() && !self.timers.is_set(Timer::LineGone) {
                self.await_line(now);
            }
            if self.model.is_idle() {
                self.connect_model(now);
                self.model.owes = true;
            }
            self.save();
            self.settle(now);
            return self.connect_stream();
        }
        let reason = if alive || self.phone.lost {
            EndReason::MediaLost
        } else {
            EndReason::ShopHungUp
        };
        self.phone_gone(now, reason);
        if !alive {
            self.settle(now);
            return Twiml::HangUp;
        }
        let twiml = match (self.record.handoff, &self.settings.handoff_number) {
            (Handoff::Pending | Handoff::Dialling, Some(number)) => Twiml::Dial {
                number: number.as_str().to_owned(),
                caller_id: self.settings.from.as_str().to_owned(),
                action: webhook_url(&self.settings.base_url, "dial-ended"),
            },
            _ if alive
                && matches!(
                    self.record.end_reason,
                    Some(EndReason::ModelLost | EndReason::MediaLost)
                ) =>
            {
                prompt::spoken(prompt::FAREWELL)
            }
            _ => Twiml::HangUp,
        };
        if self.record.handoff == Handoff::Pending && !self.record.finished {
            self.record.handoff = Handoff::Dialling;
            self.record.handoff_at = Some(now);
            self.timers.stop(Timer::Finish);
            self.log(LogLine::info("handoff_dialled"));
            self.save();
        }
        self.settle(now);
        twiml
    }

    /// The call to the human has ended: Twilio asks what to do.
    pub fn dial_ended(&mut self, now: u64, reached: bool) -> Twiml {
        let now = self.tick(now);
        let is_away = matches!(self.record.handoff, Handoff::Dialling | Handoff::Pending);
        if is_away && !self.record.finished {
            self.record.handoff = if reached {
                Handoff::Reached
            } else {
                Handoff::Failed
            };
            self.log(LogLine::info("handoff_ended").what(if reached {
                "reached"
            } else {
                "failed"
            }));
            self.finish(now);
        }
        self.settle(now);
        if reached {
            Twiml::HangUp
        } else {
            prompt::spoken(prompt::NOBODY_THERE)
        }
    }

    /// Whether the outcome has been written.
    pub fn is_finished(&self) -> bool {
        self.record.finished
    }

    /// What is written down of the call so far, one event a line.
    pub fn events(&self) -> &str {
        self.record.events.text()
    }

    /// The time of the newest input; a clock that was set back stands still.
    fn tick(&mut self, now: u64) -> u64 {
        self.clock = self.clock.max(now);
        self.clock
    }

    /// After every step: deadlines that are due, and what can be done now.
    fn settle(&mut self, now: u64) {
        while let Some(timer) = self.timers.take_due(now) {
            self.on_timer(now, timer);
        }
        self.pump(now);
        self.watch_silence(now);
        self.leave_when_heard(now);
        self.flush_save();
    }

    fn on_timer(&mut self, now: u64, timer: Timer) {
        match timer {
            Timer::Silence => self.on_silence(now),
            Timer::Decide => self.on_decide(now),
            Timer::Cut => self.finish_cut(),
            Timer::Commit => self.on_commit_overdue(now),
            Timer::Stall => self.on_stall(now),
            Timer::ShopTurn => self.on_shop_turn_overdue(now),
            Timer::MaxDuration => self.on_time_limit(now),
            Timer::Minute => self.on_minute(now),
            Timer::Drain => {
                let waits = self.timers.is_set(Timer::Closing) && self.phone.is_streaming();
                if !(waits && self.floor.shop_speaks()) {
                    self.leave(now);
                }
            }
            Timer::Closing => self.on_closing_overdue(now),
            Timer::LineGone => self.line_overdue(now),
            Timer::Words => self.run_pending_total(),
            Timer::Keys => self.keys_done(true),
            Timer::Model => self.on_model_overdue(now),
            Timer::Finish => self.finish(now),
            Timer::Reconnect => self.connect_model(now),
            Timer::Filler => self.on_gap(now),
            Timer::Save => self.save(),
        }
    }

    /// Looks for the audio of the lines that are the same on every call.
    fn load_lines(&mut self) {
        let keys = [self.greeting_key(), self.filler_key()];
        let keys = keys.into_iter().flatten();
        self.out.extend(keys.map(|key| Output::LoadLine { key }));
    }

    fn line_loaded(&mut self, key: &str, audio: &[u8]) {
        if self.greeting_key().as_deref() == Some(key) {
            self.greeting_loaded(audio);
        } else if self.filler_key().as_deref() == Some(key) {
            self.filler_loaded(audio);
        }
    }

    fn max_call_ms(&self) -> u64 {
        self.record
            .request
            .as_ref()
            .and_then(|r| r.max_call_ms)
            .unwrap_or(self.settings.max_call_ms)
    }

    fn log(&mut self, line: LogLine) {
        self.out.push_back(Output::Log(line));
    }

    /// What has changed must survive: what is ordered, and what becomes of the call.
    fn save(&mut self) {
        self.dirty = true;
    }

    /// What has changed should survive, but a restart that loses it does no harm yet. Every write holds up
    /// all calls of the process, so that a turn makes few.
    fn save_within(&mut self, ms: u64) {
        self.timers
            .set_by(Timer::Save, self.clock.saturating_add(ms));
    }

    fn flush_save(&mut self) {
        if std::mem::take(&mut self.dirty) {
            self.timers.stop(Timer::Save);
            self.record.log_events(self.clock);
            let snapshot = json::text(&self.record);
            self.out.push_back(Output::Save(snapshot));
        }
    }
}

/// Twilio's own limit for a call of this length, in seconds: ringing, closing words, and the human
/// who may take over included.
pub fn time_limit_sec(max_call_ms: u64, handoff: bool) -> u32 {
    let human_ms = if handoff { MAX_HANDOFF_MS } else { 0 };
    u32::try_from(max_call_ms.saturating_add(human_ms) / 1000)
        .unwrap_or(u32::MAX)
        .saturating_add(60)
}

/// Path of a call's media stream.
pub fn stream_path(sid: &CallSid, token: &str) -> String {
    format!("/ws/media/{sid}/{token}")
}
