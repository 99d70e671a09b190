//! The Realtime leg: the socket and its session, responses in flight, what the model says.

use super::ending::Farewell;
use super::failure::{self, Failure, Handling};
use super::filler::{GAP_MS, SLOW_MS};
use super::output::{LogLine, Output};
use super::prompt::{self, Cue};
use super::record::{EndReason, Handoff};
use super::timers::Timer;
use super::{Call, SAVE_AGENT_MS};
use crate::audio::ulaw::BYTES_PER_MS;
use crate::order::state::Totals;
use crate::order::tools;
use crate::order::transcript::{Role, Turn};
use crate::realtime::client;
use crate::realtime::server::{self, ResponseDone, ResponseStatus, ServerError, ServerEvent};
use crate::realtime::session::Session;
use std::collections::VecDeque;

/// How long the model may take to open, to configure, to begin a response, or between two pieces
/// of one, in ms.
const MODEL_PATIENCE_MS: u64 = 5_000;
/// How long to wait when the server says that a response is active which we know nothing of, in ms.
const CONFLICT_PAUSE_MS: u64 = 1_000;
/// How long the shop may be put off while no session can be had, in ms.
const MAX_LOST_MS: u64 = 10_000;
/// How often in a row a response may fail before another session is opened; one that was asked too
/// much of may fail more often.
const MAX_FAILED: u32 = 1;
const MAX_LIMITED: u32 = 4;
/// How many items of a session are remembered for truncation.
const MAX_ITEMS: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Model {
    /// Number of the current socket; 0 before the first.
    pub(super) socket: u32,
    link: Link,
    pub(super) flight: Flight,
    /// The response asked for is not wanted any more: cancel it once it has a name.
    cancel_when_created: bool,
    /// Responses that were cut off: what still comes of them is dropped.
    discarded: Vec<String>,
    /// Bytes of audio received per item of this session.
    items: VecDeque<(String, u64)>,
    /// The response in flight, so far.
    pub(super) current: Current,
    /// Results of tool calls that the model has not been told yet.
    pub(super) outputs: Vec<(String, String)>,
    /// Tool calls that were carried out.
    pub(super) done_calls: Vec<String>,
    /// A total waits for the words of the shop that prove it.
    pub(super) pending_total: Option<(String, Totals)>,
    pub(super) told: Told,
    /// Keys are being pressed.
    pub(super) pending_keys: Option<Keys>,
    /// Losses in a row, without a completed response between them.
    losses: u32,
    /// When the first of them was, in ms.
    lost_at: Option<u64>,
    /// The session was lost when it was the agent's turn: the next one speaks first.
    pub(super) owes: bool,
    /// Failed responses in a row.
    failed_responses: u32,
    next_event: u64,
    complaints: Vec<&'static str>,
}

/// What the model is told once in a call.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// To say why the call is to end.
    pub(super) reason: bool,
    /// To ask the shop for a clear yes.
    pub(super) yes: bool,
}

/// Keys that are being pressed: the model is answered when they have been heard.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) call_id: String,
    pub(super) item_id: String,
    pub(super) bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Link {
    /// Not connected yet.
    #[default]
    Idle,
    /// The socket is being opened.
    Connecting,
    /// The session is being configured.
    Configuring,
    /// Ready to talk.
    Ready,
    /// Lost, and to be opened again.
    Waiting,
    /// Given up.
    Lost,
}

/// The one response that may be in flight.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Flight {
    /// None.
    #[default]
    Free,
    /// Asked for.
    Requested { event_id: String },
    /// Being generated.
    Active { response_id: String },
    /// The server says there is one, and we have not seen it.
    Conflict,
}

/// What came of the response in flight.
#[derive(Debug, Default)]
pub(super) struct Current {
    /// It has audio.
    pub(super) spoke: bool,
    /// Its items with audio.
    pub(super) items: Vec<String>,
    /// It was asked to say the greeting.
    pub(super) greets: bool,
    /// Its words end in a question.
    pub(super) asked: bool,
    pub(super) tools_called: u32,
    pub(super) tools_failed: u32,
    pub(super) farewell: Option<Farewell>,
}

impl Model {
    pub(super) fn is_ready(&self) -> bool {
        self.link == Link::Ready
    }

    pub(super) fn is_idle(&self) -> bool {
        self.link == Link::Idle
    }

    pub(super) fn event_id(&mut self) -> String {
        self.next_event = self.next_event.saturating_add(1);
        format!("e{}", self.next_event)
    }

    /// Whether this is the response in flight, and was not cut off.
    pub(super) fn is_heard(&self, response_id: &str) -> bool {
        let active =
            matches!(&self.flight, Flight::Active { response_id: active } if active == response_id);
        active && !self.is_discarded(response_id)
    }

    fn is_discarded(&self, response_id: &str) -> bool {
        self.discarded.iter().any(|id| id == response_id)
    }

    /// Counts audio of an item: how many bytes of it had come before.
    pub(super) fn received(&mut self, item_id: &str, bytes: u64) -> u64 {
        if let Some((_, sum)) = self.items.iter_mut().rfind(|(id, _)| id == item_id) {
            let before = *sum;
            *sum = before.saturating_add(bytes);
            return before;
        }
        if self.items.len() >= MAX_ITEMS {
            self.items.pop_front();
        }
        self.items.push_back((item_id.to_owned(), bytes));
        0
    }

    /// The response in flight was cut off.
    pub(super) fn is_cut_off(&self) -> bool {
        matches!(&self.flight, Flight::Active { response_id } if self.is_discarded(response_id))
    }
}

impl Call {
    pub(super) fn connect_model(&mut self, now: u64) {
        self.model.socket = self.model.socket.saturating_add(1);
        self.model.link = Link::Connecting;
        self.model.flight = Flight::Free;
        self.model.cancel_when_created = false;
        self.model.discarded.clear();
        self.model.items.clear();
        self.model.outputs.clear();
        self.model.current = Current::default();
        self.timers
            .set(Timer::Model, now.saturating_add(MODEL_PATIENCE_MS));
        self.out.push_back(Output::ConnectModel {
            socket: self.model.socket,
        });
    }

    pub(super) fn model_opened(&mut self, now: u64) {
        if self.model.link != Link::Connecting {
            return;
        }
        self.model.link = Link::Configuring;
        self.timers
            .set(Timer::Model, now.saturating_add(MODEL_PATIENCE_MS));
        let event_id = self.model.event_id();
        let request = self.record.request.as_ref();
        let session = Session {
            instructions: &prompt::instructions(request),
            voice: &self.settings.voice,
            transcribe_model: &self.settings.transcribe_model,
            language: request.map_or("en", |r| r.language.as_str()),
            tools: &tools::definitions(),
        };
        self.out
            .push_back(Output::Model(session.to_event(&event_id)));
    }

    pub(super) fn model_event(&mut self, now: u64, text: &str) {
        match server::parse(text) {
            Ok(event) => self.on_server_event(now, event),
            Err(_) => self.complain_about_model("bad_model_event"),
        }
    }

    /// Logged once a call: a server that sends one such event sends many.
    fn complain_about_model(&mut self, event: &'static str) {
        if !self.model.complaints.contains(&event) {
            self.model.complaints.push(event);
            self.log(LogLine::warn(event));
        }
    }

    fn on_server_event(&mut self, now: u64, event: ServerEvent<'_>) {
        // A model that reasons sends something, if no audio, while it does; what it hears is no sign of that.
        let is_of_the_shop = matches!(
            event,
            ServerEvent::SpeechStarted
                | ServerEvent::SpeechStopped
                | ServerEvent::Committed { .. }
                | ServerEvent::Transcribed { .. }
                | ServerEvent::TranscriptionFailed { .. }
        );
        if matches!(self.model.flight, Flight::Active { .. }) && !is_of_the_shop {
            self.timers
                .set(Timer::Model, now.saturating_add(MODEL_PATIENCE_MS));
        }
        let is_more = matches!(
            event,
            ServerEvent::AudioDelta { .. } | ServerEvent::TranscriptDelta { .. }
        );
        if !is_more {
            self.ask_for_mark();
        }
        match event {
            ServerEvent::AudioDelta {
                response_id,
                item_id,
                delta,
            } => self.audio_delta(now, &response_id, &item_id, &delta),
            ServerEvent::TranscriptDelta {
                response_id,
                item_id,
                delta,
            } => self.words_delta(now, &response_id, &item_id, &delta),
            ServerEvent::SpeechStarted => self.model_heard_start(now),
            ServerEvent::SpeechStopped => self.model_heard_stop(now),
            ServerEvent::Committed { item_id } => self.shop_turn_taken(now, &item_id),
            ServerEvent::Transcribed {
                item_id,
                transcript,
                usage,
            } => {
                self.record.usage.add_transcription(&usage);
                self.watch_spending(now);
                self.shop_words(now, &item_id, &transcript);
            }
            ServerEvent::TranscriptionFailed { item_id } => {
                self.log(LogLine::warn("transcription_failed"));
                self.shop_words(now, &item_id, "");
            }
            ServerEvent::ResponseCreated { response_id } => self.response_created(now, response_id),
            ServerEvent::ToolCall(call) => self.tool_call(now, call),
            ServerEvent::ResponseDone(done) => self.response_done(now, &done),
            ServerEvent::SessionUpdated => self.model_ready(now),
            ServerEvent::Error(error) => self.server_error(now, &error),
            ServerEvent::MessageDone {
                response_id,
                item_id,
            } => {
                if self.model.is_heard(&response_id) {
                    self.agent_complete(now, &item_id);
                }
            }
            ServerEvent::Unknown => self.complain_about_model("unknown_model_event"),
            ServerEvent::SessionCreated | ServerEvent::Other => {}
        }
    }

    fn model_ready(&mut self, now: u64) {
        if self.model.link != Link::Configuring {
            return;
        }
        self.model.link = Link::Ready;
        self.timers.stop(Timer::Model);
        self.log(LogLine::info("model_ready").n(u64::from(self.model.socket)));
        if self.model.socket > 1 || self.record.lives > 0 {
            self.restore_conversation();
        }
        self.send_unsent();
        self.open_conversation(now);
    }

    /// Tells a new session what was said and recorded on the old one.
    fn restore_conversation(&mut self) {
        let owes = std::mem::take(&mut self.model.owes);
        // What plays goes on playing.
        let heard = |turn: &Turn| {
            let text = if self.phone.playback.plays(&turn.id) {
                turn.coming_text()
            } else {
                turn.heard_text()
            };
            text.to_owned()
        };
        let turns = self.record.transcript.turns();
        let spoken = turns.iter().rev().filter(|turn| turn.role == Role::Agent);
        // The newest may be the filler.
        let unheard = spoken
            .take(2)
            .filter_map(|turn| turn.words().strip_prefix(&heard(turn)));
        let unheard = unheard
            .map(|rest| rest.trim().to_owned())
            .find(|rest| !rest.is_empty());
        let turns: Vec<(Role, String)> = turns
            .iter()
            .map(|turn| (turn.role, heard(turn)))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        if self.record.transcript.turns().is_empty()
            && self.record.order == crate::order::state::OrderState::default()
        {
            // Nothing was said yet: begin as if this were the first session.
            self.turn.opened = false;
            return;
        }
        let note = prompt::state_note(&self.record.order);
        let event_id = self.model.event_id();
        self.out
            .push_back(Output::Model(client::system_item(&event_id, &note)));
        for (role, text) in turns {
            let event_id = self.model.event_id();
            self.out.push_back(Output::Model(match role {
                Role::Agent => client::agent_item(&event_id, &text),
                Role::Shop => client::shop_item(&event_id, &text),
            }));
        }
        if self.ending.is_closing() || !owes {
            return;
        }
        if let Some(rest) = unheard {
            let event_id = self.model.event_id();
            let note = prompt::unheard_note(&rest);
            self.out
                .push_back(Output::Model(client::system_item(&event_id, &note)));
        }
        self.want(Some(Cue::Interrupted), true);
    }

    /// A response was asked for.
    pub(super) fn request_sent(&mut self, now: u64, event_id: String) {
        self.model.flight = Flight::Requested { event_id };
        self.model.current = Current::default();
        self.model.cancel_when_created = false;
        self.timers
            .set(Timer::Model, now.saturating_add(MODEL_PATIENCE_MS));
        if !self.timers.is_set(Timer::Filler) {
            self.expect_agent(now, SLOW_MS);
        }
    }

    fn response_created(&mut self, now: u64, response_id: String) {
        if !matches!(self.model.flight, Flight::Requested { .. }) {
            self.model.current = Current::default();
        }
        self.timers
            .set(Timer::Model, now.saturating_add(MODEL_PATIENCE_MS));
        self.model.flight = Flight::Active { response_id };
        if std::mem::take(&mut self.model.cancel_when_created) {
            self.cancel_response();
        }
    }

    /// Stops the response in flight; what still comes of it is dropped.
    pub(super) fn cancel_response(&mut self) {
        match &self.model.flight {
            Flight::Active { response_id } if !self.model.is_discarded(response_id) => {
                let response_id = response_id.clone();
                let event_id = self.model.event_id();
                self.out.push_back(Output::Model(client::cancel_response(
                    &event_id,
                    &response_id,
                )));
                self.model.discarded.push(response_id);
            }
            Flight::Requested { .. } => self.model.cancel_when_created = true,
            Flight::Active { .. } | Flight::Free | Flight::Conflict => {}
        }
    }

    /// Tells the model where an item of this session was cut off.
    pub(super) fn truncate(&mut self, item_id: &str, heard_ms: u64) {
        if !self.model.is_ready() {
            return;
        }
        let known = self.model.items.iter().find(|(id, _)| id == item_id);
        if let Some((_, bytes)) = known {
            let audio_end_ms = heard_ms.min(bytes / BYTES_PER_MS);
            let event_id = self.model.event_id();
            self.out.push_back(Output::Model(client::truncate(
                &event_id,
                item_id,
                audio_end_ms,
            )));
        }
    }

    fn response_done(&mut self, now: u64, done: &ResponseDone) {
        self.record.usage.add_response(&done.usage);
        self.watch_spending(now);
        let cut_off = self.model.is_cut_off();
        self.model.discarded.retain(|id| *id != done.response_id);
        self.model.flight = Flight::Free;
        self.timers.stop(Timer::Model);
        self.turn.quiet_since = now;
        let mut current = std::mem::take(&mut self.model.current);
        if cut_off {
            current.farewell = None;
            current.greets = false;
        }
        self.log(LogLine::debug("agent_turn"));
        self.save_within(SAVE_AGENT_MS);
        if self.filler.is_recording() {
            self.filler_spoken(done.status == ResponseStatus::Completed);
            if !self.record.transcript.is_pending() {
                self.finish(now);
            }
            return;
        }
        let is_silent = !current.spoke && current.tools_called == 0;
        if done.status != ResponseStatus::Completed || cut_off {
            for item_id in &current.items {
                self.record.transcript.agent_broke_off(item_id);
            }
        }
        match done.status {
            ResponseStatus::Incomplete if is_silent => {
                return self.response_failed(now, None, Failure::Incomplete);
            }
            ResponseStatus::Completed | ResponseStatus::Incomplete => {
                if done.status == ResponseStatus::Completed && !cut_off {
                    for item_id in &current.items {
                        self.record.transcript.agent_complete(item_id);
                    }
                }
                self.note_disclosure(now);
                if current.greets {
                    self.greeting_spoken();
                }
                self.model.losses = 0;
                self.model.lost_at = None;
                self.model.failed_responses = 0;
            }
            ResponseStatus::Cancelled => {}
            ResponseStatus::Failed => {
                let failure = Failure::Response(&done.error);
                return self.response_failed(now, current.farewell, failure);
            }
        }
        self.send_tool_outputs();
        match current.farewell {
            Some(farewell) => self.say_farewell(now, farewell, current.spoke),
            // Words that end in a question want an answer from the shop, not more words from us.
            None if current.tools_called > 0
                && !(current.spoke && current.asked && current.tools_failed == 0) =>
            {
                self.want_after_tools();
            }
            None => {}
        }
    }

    /// Goes on speaking after a tool call, unless the call is ending.
    pub(super) fn want_after_tools(&mut self) {
        if !self.ending.is_closing() && !self.phone.gone {
            self.want(None, true);
        }
    }

    /// Tells the model what its tool calls did.
    pub(super) fn send_tool_outputs(&mut self) {
        for (call_id, output) in std::mem::take(&mut self.model.outputs) {
            let event_id = self.model.event_id();
            self.out.push_back(Output::Model(client::tool_output(
                &event_id, &call_id, &output,
            )));
        }
    }

    /// A failed response is silence for whoever listens.
    fn response_failed(&mut self, now: u64, farewell: Option<Farewell>, failure: Failure<'_>) {
        self.log(LogLine::warn("response_failed").n(u64::from(self.model.failed_responses)));
        self.send_tool_outputs();
        self.model.failed_responses = self.model.failed_responses.saturating_add(1);
        let failed = self.model.failed_responses;
        if let Some(farewell) = farewell {
            return self.say_farewell(now, farewell, false);
        }
        let closing = self.ending.is_closing();
        match failure.handling() {
            Handling::AskLater if failed <= MAX_LIMITED => self.ask_later(now),
            Handling::AskAgain | Handling::Ignore if failed <= MAX_FAILED => {
                self.want(None, !closing);
            }
            // What was said is heard to its end, and then the line ends.
            _ if closing => {}
            handling => self.lose_model(now, handling == Handling::GiveUp),
        }
    }

    /// The server is busy with something: the response is asked for after a pause.
    fn ask_later(&mut self, now: u64) {
        self.model.flight = Flight::Conflict;
        self.want(None, !self.ending.is_closing());
        self.timers
            .set(Timer::Model, now.saturating_add(CONFLICT_PAUSE_MS));
    }

    fn server_error(&mut self, now: u64, error: &ServerError) {
        let of_response = matches!(&self.model.flight, Flight::Requested { event_id } if error.event_id.as_ref() == Some(event_id));
        let failure = Failure::Error {
            code: &error.code,
            link: self.model.link,
            of_response,
        };
        match failure.handling() {
            Handling::Ignore => self.complain_about_model("model_error"),
            Handling::AskLater | Handling::AskAgain => {
                self.log(LogLine::warn("response_refused"));
                self.model.flight = Flight::Free;
                self.response_failed(now, None, failure);
            }
            Handling::Reconnect => self.lose_model(now, false),
            Handling::GiveUp => {
                self.log(LogLine::error("session_refused"));
                self.lose_model(now, true);
            }
        }
    }

    pub(super) fn on_model_overdue(&mut self, now: u64) {
        match self.model.flight {
            Flight::Conflict => self.model.flight = Flight::Free,
            Flight::Free if self.model.is_ready() => {}
            _ => {
                self.log(LogLine::warn("model_overdue"));
                let handling = Failure::Overdue.handling();
                self.lose_model(now, handling == Handling::GiveUp);
            }
        }
    }

    /// The socket was refused, with an HTTP status, or is gone, with a close code.
    pub(super) fn model_closed(&mut self, now: u64, code: u16) {
        let failure = if code < 1000 {
            Failure::Refused(code)
        } else {
            Failure::Closed(code, self.model.link)
        };
        self.log(LogLine::warn("model_closed").n(u64::from(code)));
        self.lose_model(now, failure.handling() == Handling::GiveUp);
    }

    /// The session is gone, or as good as gone: another is opened, unless that was tried often enough
    /// or would be in vain.
    fn lose_model(&mut self, now: u64, for_good: bool) {
        self.ask_for_mark();
        if self.record.finished || matches!(self.model.link, Link::Lost | Link::Waiting) {
            return;
        }
        if self.phone.gone {
            // The last words will not be written down any more. A handoff goes on without a model.
            if self.record.handoff == Handoff::None {
                self.finish(now);
            }
            return;
        }
        self.log(LogLine::warn("model_lost").n(u64::from(self.model.losses)));
        self.out.push_back(Output::CloseModel);
        self.model.owes |= self.model.flight != Flight::Free
            || self.turn.wanted.is_some()
            || self.floor.has_open_turn()
            || self.record.transcript.is_pending();
        self.record.transcript.settle();
        self.model.pending_total = None;
        self.model.pending_keys = None;
        self.model.flight = Flight::Free;
        self.floor.model_lost();
        self.timers.stop(Timer::Model);
        self.timers.stop(Timer::ShopTurn);
        self.turn.quiet_since = now;
        if self.model.is_ready() {
            self.model.lost_at = None;
        }
        let lost_at = *self.model.lost_at.get_or_insert(now);
        let hopeless = for_good || now.saturating_sub(lost_at) >= MAX_LOST_MS;
        let pause = failure::pause_ms(self.model.losses);
        let Some(pause) = pause.filter(|_| !hopeless && !self.ending.is_closing()) else {
            self.model.link = Link::Lost;
            return self.model_given_up(now);
        };
        self.model.losses = self.model.losses.saturating_add(1);
        self.record.metrics.reconnects = self.record.metrics.reconnects.saturating_add(1);
        if pause == 0 {
            self.connect_model(now);
        } else {
            self.model.link = Link::Waiting;
            self.timers.set(Timer::Reconnect, now.saturating_add(pause));
        }
        if self.model.owes {
            self.expect_agent(now, GAP_MS);
        }
    }

    /// Without a model nobody can speak for us: a human takes over, or Twilio's voice apologises.
    fn model_given_up(&mut self, now: u64) {
        if self.ending.is_closing() {
            // What was said of the goodbye is still heard to its end.
            self.turn.wanted = None;
        } else if self.settings.handoff_number.is_some() {
            self.hand_off_silently(now);
        } else {
            self.record.end_reason = Some(EndReason::ModelLost);
            self.save();
            if self.phone.is_streaming() {
                self.out.push_back(Output::ClosePhone);
                self.await_line(now);
            }
        }
    }
}
