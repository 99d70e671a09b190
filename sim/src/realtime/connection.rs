//! One Realtime session as a state machine without I/O: client frames and the time go in, server
//! events come out (`protocols.md` part 1).

use super::Shared;
use super::client::{self, ClientEvent, ResponseOptions};
use super::conversation::Conversation;
use super::ears::Ears;
use super::fields::ApiError;
use super::model::{News, Script};
use super::record::Record;
use super::response::{Effect, Response, Start};
use super::session::Session;
use super::usage::Input;
use super::vad::Turn;
use crate::fault::Fault;
use crate::play::Play;
use crate::timeline::What;
use orderline::audio::ulaw::BYTES_PER_MS;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What the socket has to do.
#[derive(Debug, PartialEq)]
pub enum Out {
    Send(Value),
    Close { code: u16, reason: &'static str },
}

/// The server's side of one session.
pub struct Connection {
    shared: Arc<Shared>,
    record: Record,
    session: Session,
    conversation: Conversation,
    conversation_id: String,
    ears: Box<dyn Ears>,
    /// The user item that is being spoken, and when it began, in ms of audio.
    speech: Option<(String, u64)>,
    committed_ms: u64,
    news: Vec<News>,
    response: Option<Response>,
    /// The news that the response in progress is about.
    about: Vec<News>,
    input: Input,
    later: BTreeMap<(u64, u64), Value>,
    deferred: u64,
    out: VecDeque<Out>,
    too_early: bool,
    by_fault: bool,
}

impl Connection {
    /// A session that was just opened.
    pub fn new(shared: Arc<Shared>, model: &str, expires_at: u64) -> Self {
        let ears = (shared.ears)();
        let session = Session::new(&shared.ids.next("sess"), model, expires_at);
        let mut new = Self {
            record: Record::new(shared.clone()),
            session,
            conversation: Conversation::default(),
            conversation_id: shared.ids.next("conv"),
            shared,
            ears,
            speech: None,
            committed_ms: 0,
            news: Vec::new(),
            response: None,
            about: Vec::new(),
            input: Input::default(),
            later: BTreeMap::new(),
            deferred: 0,
            out: VecDeque::new(),
            too_early: false,
            by_fault: false,
        };
        new.ears
            .configure(new.session.at("/audio/input/turn_detection"));
        new.send(json!({"type": "session.created", "session": new.session.value()}));
        new.send(json!({"type": "conversation.created",
            "conversation": {"id": new.conversation_id, "object": "realtime.conversation"}}));
        new
    }

    /// A text frame arrived.
    pub fn handle_text(&mut self, now: u64, text: &str) {
        let Ok(event) = serde_json::from_str::<Value>(text) else {
            return self.refuse(
                &ApiError::new("invalid_event", "The message is not valid JSON."),
                None,
            );
        };
        self.record.event(&event);
        let event_id = event["event_id"].as_str();
        let model = self.session.at("/model").as_str().unwrap_or_default();
        let done = client::parse(&event, model).and_then(|e| self.handle(now, e, event_id));
        match done {
            Ok(()) => {}
            // Where the server makes responses too, nobody can know whether one is active; and where
            // it ends turns, not whether one has just been committed.
            Err(e)
                if e.code == "conversation_already_has_active_response"
                    && self.turns("create_response")
                    || e.code == "input_audio_buffer_commit_empty" && self.ends_turns() =>
            {
                self.send(e.event(event_id));
            }
            Err(e) => self.refuse(&e, event_id),
        }
    }

    /// A binary frame arrived: there are none in this protocol.
    pub fn handle_binary(&mut self) {
        self.refuse(
            &ApiError::new("invalid_event", "Binary messages are not supported."),
            None,
        );
    }

    /// Does what is due.
    pub fn tick(&mut self, now: u64) {
        while let Some(entry) = self.later.first_entry().filter(|e| e.key().0 <= now) {
            let event = entry.remove();
            self.send(event);
        }
        while let Some(effects) = self
            .response
            .as_mut()
            .and_then(|r| r.poll(now, &mut self.conversation))
        {
            effects.into_iter().for_each(|effect| self.perform(effect));
        }
    }

    /// When [`Self::tick`] has something to do.
    pub fn deadline(&self) -> Option<u64> {
        let later = self.later.first_key_value().map(|(key, _)| key.0);
        later
            .into_iter()
            .chain(self.response.as_ref().and_then(Response::deadline))
            .min()
    }

    /// What to send.
    pub fn poll(&mut self) -> Option<Out> {
        self.out.pop_front()
    }

    /// The call it belongs to, once its instructions have told.
    pub fn play(&self) -> Option<Arc<Play>> {
        self.record.current()
    }

    /// Something goes wrong on purpose.
    pub fn suffer(&mut self, fault: Fault) {
        self.record.note(What::Fault {
            fault: fault.name(),
        });
        // The response will never be over: what it was to say is still to be said.
        if !matches!(fault, Fault::ModelFloods { .. })
            && let Some(response) = self.response.take()
        {
            self.record.script(|script| script.undo(&response.reply));
        }
        match fault {
            Fault::ModelCloses { code } => self.perform(Effect::Drop(code)),
            Fault::ModelRefuses { .. } | Fault::ModelOpensSlowly { .. } => {
                self.perform(Effect::Drop(1006));
            }
            Fault::ModelFloods { events } => {
                for n in 0..events {
                    self.send(
                        json!({"type": "response.pace.updated", "response_id": "resp_flood",
                        "pace": n, "padding": "x".repeat(200)}),
                    );
                }
            }
            _ => {}
        }
    }

    /// The socket is gone.
    pub fn closed(&mut self, code: Option<u16>) {
        self.record.note(What::ModelClosed {
            code,
            by_fault: self.by_fault,
        });
    }

    fn handle(
        &mut self,
        now: u64,
        event: ClientEvent,
        event_id: Option<&str>,
    ) -> Result<(), ApiError> {
        match event {
            ClientEvent::SessionUpdate(update) => {
                self.session.update(&update)?;
                self.ears
                    .configure(self.session.at("/audio/input/turn_detection"));
                self.record.find_play(
                    self.session
                        .at("/instructions")
                        .as_str()
                        .unwrap_or_default(),
                );
                self.send(json!({"type": "session.updated", "session": self.session.value()}));
            }
            ClientEvent::Append(audio) => self.append(now, &audio),
            ClientEvent::Commit => {
                let ms = self.ears.ms() - self.committed_ms;
                if ms < 100 {
                    return Err(ApiError::new(
                        "input_audio_buffer_commit_empty",
                        format!(
                            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has {ms}.00ms of audio."
                        ),
                    ));
                }
                let (item_id, start) = self
                    .speech
                    .take()
                    .unwrap_or_else(|| (self.shared.ids.next("item"), self.committed_ms));
                self.ears.abandon();
                self.commit(now, &item_id, start);
            }
            ClientEvent::Clear => {
                self.speech = None;
                self.committed_ms = self.ears.ms();
                self.ears.abandon();
                self.send(json!({"type": "input_audio_buffer.cleared"}));
            }
            ClientEvent::ItemCreate { item, previous } => {
                self.create_item(item, previous.as_deref())?
            }
            ClientEvent::Retrieve { item_id } => {
                let unknown = || {
                    ApiError::at(
                        "item_retrieve_invalid_item_id",
                        "item_id",
                        format!("Item with item_id not found: {item_id}"),
                    )
                };
                let item = self
                    .conversation
                    .find(&item_id)
                    .ok_or_else(unknown)?
                    .value
                    .clone();
                self.send(json!({"type": "conversation.item.retrieved", "item": item}));
            }
            ClientEvent::Truncate {
                item_id,
                audio_end_ms,
            } => {
                self.conversation.truncate(&item_id, audio_end_ms)?;
                self.send(json!({"type": "conversation.item.truncated", "item_id": item_id, "content_index": 0, "audio_end_ms": audio_end_ms}));
            }
            ClientEvent::Delete { item_id } => {
                self.conversation.delete(&item_id)?;
                self.send(json!({"type": "conversation.item.deleted", "item_id": item_id}));
            }
            ClientEvent::ResponseCreate(options) => self.respond(now, options)?,
            ClientEvent::Cancel { response_id } => {
                let named = |r: &&mut Response| response_id.as_ref().is_none_or(|id| *id == r.id);
                let Some(response) = self.response.as_mut().filter(named) else {
                    // The response may just have ended: no fault of the bridge.
                    let e = ApiError::new(
                        "response_cancel_not_active",
                        "Cancellation failed: no active response found",
                    );
                    self.send(e.event(event_id));
                    return Ok(());
                };
                response.cancel(now, "client_cancelled");
            }
        }
        Ok(())
    }

    fn create_item(&mut self, mut item: Value, previous: Option<&str>) -> Result<(), ApiError> {
        let id = item["id"]
            .as_str()
            .map_or_else(|| self.shared.ids.next("item"), str::to_owned);
        item["id"] = json!(id);
        item["object"] = json!("realtime.item");
        item["status"] = json!("completed");
        if item["type"] == "function_call" && item["call_id"].is_null() {
            item["call_id"] = json!(self.shared.ids.next("call"));
        }
        let previous = self.conversation.insert(&id, item.clone(), previous)?;
        for kind in ["conversation.item.added", "conversation.item.done"] {
            self.send(json!({"type": kind, "previous_item_id": previous, "item": item}));
        }
        if item["type"] == "function_call_output" {
            let (call_id, output) = (
                item["call_id"].as_str().unwrap_or_default(),
                item["output"].as_str().unwrap_or_default(),
            );
            // Not the output of a call that the client itself put into the conversation.
            if let Some(name) = self.record.script(|script| script.answered(call_id)) {
                self.record.note(What::ToolResult {
                    name: name.clone(),
                    output: output.to_owned(),
                });
                self.news.push(News::Output {
                    tool: name,
                    output: output.to_owned(),
                });
            }
        } else if item["role"] == "system" || item["role"] == "user" {
            let parts = item["content"].as_array().into_iter().flatten();
            let text: Vec<&str> = parts.filter_map(|part| part["text"].as_str()).collect();
            self.news.push(News::Text(text.join(" ")));
        } else if item["role"] == "assistant" {
            self.record.script(Script::said);
        }
        Ok(())
    }

    fn append(&mut self, now: u64, audio: &[u8]) {
        if !self.session.is_pcmu("input") {
            if !std::mem::replace(&mut self.too_early, true) {
                self.record.violation(
                    "audio was appended while the session's input format is not audio/pcmu",
                );
            }
            return;
        }
        for turn in self.ears.push(audio) {
            match turn {
                Turn::Started { audio_start_ms } => {
                    let item_id = self.shared.ids.next("item");
                    for _ in 0..self.ears.announcements() {
                        self.send(json!({"type": "input_audio_buffer.speech_started", "audio_start_ms": audio_start_ms, "item_id": item_id}));
                    }
                    self.speech = Some((item_id, audio_start_ms));
                    if self.turns("interrupt_response")
                        && let Some(response) = &mut self.response
                    {
                        response.cancel(now, "turn_detected");
                    }
                }
                Turn::Stopped { audio_end_ms } => {
                    let Some((item_id, start)) = self.speech.take() else {
                        continue;
                    };
                    self.send(json!({"type": "input_audio_buffer.speech_stopped", "audio_end_ms": audio_end_ms, "item_id": item_id}));
                    self.commit(now, &item_id, start);
                    if self.turns("create_response")
                        && let Err(e) = self.respond(now, ResponseOptions::default())
                    {
                        self.send(e.event(None));
                    }
                }
            }
        }
    }

    fn ends_turns(&self) -> bool {
        self.session.at("/audio/input/turn_detection").is_object()
    }

    fn turns(&self, key: &str) -> bool {
        self.session.at("/audio/input/turn_detection")[key] == true
    }

    fn commit(&mut self, now: u64, item_id: &str, start_ms: u64) {
        let ms = self.ears.ms() - start_ms.min(self.ears.ms());
        self.committed_ms = self.ears.ms();
        let turn = self.ears.take();
        let previous = self.conversation.last_id();
        let item = json!({"id": item_id, "object": "realtime.item", "type": "message", "status": "completed",
            "role": "user", "content": [{"type": "input_audio", "transcript": null}]});
        self.conversation.append(
            item_id,
            item.clone(),
            usize::try_from(ms * BYTES_PER_MS).unwrap_or(0),
        );
        self.send(json!({"type": "input_audio_buffer.committed", "previous_item_id": previous, "item_id": item_id}));
        for kind in ["conversation.item.added", "conversation.item.done"] {
            self.send(json!({"type": kind, "previous_item_id": previous, "item": item}));
        }
        self.news.push(News::Heard { line: turn.line });
        if self.session.at("/audio/input/transcription").is_null() {
            return;
        }
        let (tokens, words) = (ms / 100, turn.text.split_whitespace().count() as u64);
        let usage = json!({"type": "tokens", "total_tokens": tokens + words, "input_tokens": tokens,
            "input_token_details": {"text_tokens": 0, "audio_tokens": tokens}, "output_tokens": words});
        let at = now + self.ears.transcription_ms();
        let kind = |last: &str| format!("conversation.item.input_audio_transcription.{last}");
        if !turn.text.is_empty() {
            self.defer(at, json!({"type": kind("delta"), "item_id": item_id, "content_index": 0, "delta": turn.text, "obfuscation": "Kq3"}));
        }
        for _ in 0..self.ears.transcripts() {
            self.defer(at, json!({"type": kind("completed"), "item_id": item_id, "content_index": 0, "transcript": turn.text, "usage": usage}));
        }
    }

    fn respond(&mut self, now: u64, options: ResponseOptions) -> Result<(), ApiError> {
        if let Some(active) = &self.response {
            return Err(ApiError::new(
                "conversation_already_has_active_response",
                format!(
                    "Conversation already has an active response in progress: {}. Wait until the response is finished before creating a new one.",
                    active.id
                ),
            ));
        }
        let text_only = options.text_only || self.session.at("/output_modalities/0") == "text";
        if !text_only && !self.session.is_pcmu("output") {
            self.record.violation(
                "a response was asked for while the session's output format is not audio/pcmu",
            );
        }
        let mut news = std::mem::take(&mut self.news);
        news.extend(options.instructions.map(News::Text));
        let mut reply = self.record.ask_model(&news);
        self.about = news;
        if options.no_tools || self.session.at("/tool_choice") == "none" {
            reply.calls.clear();
        }
        let (known, unknown): (Vec<_>, Vec<_>) = reply
            .calls
            .into_iter()
            .partition(|c| self.session.has_tool(&c.name));
        reply.calls = known;
        for call in unknown {
            self.record.violation(&format!(
                "the tool `{}` is not declared in the session",
                call.name
            ));
        }
        self.input = Input::of(&self.session, &self.conversation, self.input);
        let head = json!({"conversation_id": self.conversation_id, "metadata": options.metadata,
            "output_modalities": [if text_only { "text" } else { "audio" }],
            "max_output_tokens": self.session.at("/max_output_tokens"),
            "audio": {"output": {"format": self.session.at("/audio/output/format"), "voice": self.session.at("/audio/output/voice")}}});
        let clip = reply.say.clone();
        let clip = clip.and_then(|line| self.shared.clips.get(&line));
        let response = Response::new(
            now,
            Start {
                ids: &self.shared.ids,
                reply,
                clip,
                head,
                input: self.input,
                text_only,
                tagged: self.shared.tagged,
            },
        );
        self.send(response.created());
        self.response = Some(response);
        Ok(())
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send(event) => self.send(event),
            Effect::Called {
                call_id,
                name,
                arguments,
            } => {
                self.record.script(|script| script.called(&call_id, &name));
                self.record.note(What::Tool { name, arguments });
            }
            Effect::Drop(code) => {
                self.by_fault = true;
                self.response = None;
                self.out.push_back(Out::Close {
                    code,
                    reason: "The server had an error while processing your request",
                });
            }
            Effect::Finished { completed } => {
                let Some(response) = self.response.take() else {
                    return;
                };
                let spoke = response.audio > 0;
                self.session.spoke |= spoke;
                if !completed {
                    self.record.script(|script| script.undo(&response.reply));
                    let newer = std::mem::take(&mut self.news);
                    self.news = std::mem::take(&mut self.about)
                        .into_iter()
                        .chain(newer)
                        .collect();
                } else if spoke {
                    self.record.script(Script::said);
                }
            }
        }
    }

    fn refuse(&mut self, e: &ApiError, event_id: Option<&str>) {
        self.record.violation(&format!("{}: {}", e.code, e.message));
        self.send(e.event(event_id));
    }

    fn defer(&mut self, at: u64, event: Value) {
        self.deferred += 1;
        self.later.insert((at, self.deferred), event);
    }

    fn send(&mut self, mut event: Value) {
        event["event_id"] = json!(self.shared.ids.next("event"));
        self.out.push_back(Out::Send(event));
    }
}
