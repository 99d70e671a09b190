//! The Realtime server's side of one measured session (`protocols.md` part 1). Lean and trusting;
//! `crate::realtime` is the strict one.

use super::frames::{self, Side};
use super::phone::field;
use super::script::DELTA;
use super::tag::{NOBODY, PIECE, Tag};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::ops::Range;
use std::sync::Arc;

/// One session.
pub struct Model {
    /// WebSocket bytes for the bridge.
    pub out: Vec<u8>,
    /// The call it belongs to, known from the first audio.
    pub call: Option<u32>,
    /// The server answers a turn by itself, and stops when it hears speech.
    pub creates: bool,
    pub interrupts: bool,
    pub speaking: Option<Speaking>,
    pub items: Vec<Item>,
    /// Number of the next piece of audio.
    pub next: u32,
    events: u64,
    audio: Vec<u8>,
}

/// A response that is being generated.
pub struct Speaking {
    pub line: Arc<Line>,
    /// Where in the line.
    pub at: usize,
    /// Generated at once, in bytes, and how often, in µs.
    pub piece: usize,
    pub every: u64,
    /// When the next piece is due.
    pub due: u64,
    /// It begins again at its end.
    pub endless: bool,
    /// Pieces that still come of a response that was stopped.
    pub left: Option<u32>,
    words: usize,
}

/// What somebody says.
#[derive(Debug, Default)]
pub struct Line {
    /// μ-law.
    pub audio: Vec<u8>,
    pub words: Vec<String>,
}

/// What was said in one item.
pub struct Item {
    pub id: String,
    pub numbers: Range<u32>,
    /// What the bridge said was heard of it, in ms.
    pub truncated_ms: Option<u64>,
}

impl Item {
    /// What the model believes was heard, in ms.
    pub fn believed_ms(&self) -> u64 {
        let all = u64::from(self.numbers.end - self.numbers.start) * 20;
        self.truncated_ms.map_or(all, |ms| ms.min(all))
    }
}

/// What a bridge wants.
#[derive(Debug, PartialEq)]
pub enum FromBridge<'a> {
    /// Base64.
    Append(&'a str),
    /// A response.
    Respond,
    /// Answered here.
    Other,
}

impl Line {
    /// These words, this audio; a length in whole pieces.
    pub fn new(text: &str, audio: &[u8]) -> Arc<Self> {
        let mut audio = audio.to_vec();
        audio.resize(audio.len().next_multiple_of(PIECE), 0xFF);
        let words = text.split_whitespace().map(|word| format!(" {word}"));
        Arc::new(Self {
            words: words.collect(),
            audio,
        })
    }

    /// Its length in ms.
    pub fn ms(&self) -> u64 {
        self.audio.len() as u64 / 8
    }
}

impl Model {
    /// A session that opens.
    pub fn open() -> Self {
        let mut model = Self {
            out: Vec::new(),
            call: None,
            creates: true,
            interrupts: true,
            speaking: None,
            items: Vec::new(),
            next: 0,
            events: 0,
            audio: Vec::new(),
        };
        let session = session(&json!({}));
        model.send(&json!({"type": "session.created", "session": session}));
        model
    }

    /// Sends an event.
    pub fn send(&mut self, event: &Value) {
        self.events += 1;
        let mut event = event.clone();
        event["event_id"] = format!("event_{}", self.events).into();
        frames::text(&mut self.out, Side::Server, &[event.to_string().as_bytes()]);
    }

    /// Takes an event of the bridge.
    pub fn read<'a>(&mut self, text: &'a str) -> FromBridge<'a> {
        if let Some(audio) = field(text, "\"audio\":\"")
            && text.contains("\"input_audio_buffer.append\"")
        {
            return FromBridge::Append(audio);
        }
        let event: Value = serde_json::from_str(text).unwrap_or_default();
        match event["type"].as_str().unwrap_or_default() {
            "session.update" => self.update(&event["session"]),
            "response.create" => return FromBridge::Respond,
            "response.cancel" => {
                if self.speaking.is_some() {
                    self.finish("cancelled");
                } else {
                    self.refuse("response_cancel_not_active", &event["event_id"]);
                }
            }
            "conversation.item.truncate" => {
                let ms = event["audio_end_ms"].as_u64().unwrap_or(0);
                let id = &event["item_id"];
                if self.heard(id, ms) {
                    self.send(
                        &json!({"type": "conversation.item.truncated", "item_id": id,
                        "content_index": 0, "audio_end_ms": ms}),
                    );
                } else {
                    self.refuse("invalid_value", &event["event_id"]);
                }
            }
            "conversation.item.delete" => {
                let id = &event["item_id"];
                self.heard(id, 0);
                self.send(&json!({"type": "conversation.item.deleted", "item_id": id}));
            }
            "conversation.item.create" => {
                let mut item = event["item"].clone();
                if item["id"].is_null() {
                    item["id"] = format!("item_c{}", self.events).into();
                }
                for kind in ["conversation.item.added", "conversation.item.done"] {
                    self.send(&json!({"type": kind, "previous_item_id": null, "item": item}));
                }
            }
            _ => {}
        }
        FromBridge::Other
    }

    fn update(&mut self, update: &Value) {
        let turns = &update["audio"]["input"]["turn_detection"];
        let is_on = |key: &str, before: bool| turns[key].as_bool().unwrap_or(before);
        self.creates = is_on("create_response", self.creates);
        self.interrupts = is_on("interrupt_response", self.interrupts);
        self.send(&json!({"type": "session.updated", "session": session(update)}));
    }

    fn heard(&mut self, id: &Value, ms: u64) -> bool {
        let mut items = self.items.iter_mut().rev();
        let item = items.find(|item| *id == item.id.as_str());
        item.map(|item| item.truncated_ms = Some(ms)).is_some()
    }

    /// Refuses what the bridge wants.
    pub fn refuse(&mut self, code: &str, event_id: &Value) {
        self.send(
            &json!({"type": "error", "error": {"type": "invalid_request_error", "code": code,
            "message": code, "param": null, "event_id": event_id}}),
        );
    }

    /// Begins a response.
    pub fn begin(&mut self, now: u64, line: &Arc<Line>, piece: usize, every: u64, endless: bool) {
        let id = format!("item_{}_{}", self.call.unwrap_or(0), self.items.len());
        self.items.push(Item {
            id: id.clone(),
            numbers: self.next..self.next,
            truncated_ms: None,
        });
        let response = self.response("in_progress", &json!([]));
        self.send(&json!({"type": "response.created", "response": response}));
        let item = json!({"id": id, "object": "realtime.item", "type": "message",
            "status": "in_progress", "role": "assistant", "content": []});
        let response_id = self.response_id();
        self.send(
            &json!({"type": "response.output_item.added", "response_id": response_id,
            "output_index": 0, "item": item}),
        );
        self.send(
            &json!({"type": "conversation.item.added", "previous_item_id": null, "item": item}),
        );
        self.send(
            &json!({"type": "response.content_part.added", "response_id": response_id,
            "item_id": id, "output_index": 0, "content_index": 0, "part": {"type": "audio", "transcript": ""}}),
        );
        self.speaking = Some(Speaking {
            line: Arc::clone(line),
            at: 0,
            piece,
            every,
            due: now,
            endless,
            left: None,
            words: 0,
        });
    }

    /// Says all of a line, before it is known to whom.
    pub fn say_at_once(&mut self, now: u64, line: &Arc<Line>) {
        self.begin(now, line, DELTA.0, 0, false);
        while self.generate().is_some() {}
        self.next = 0;
    }

    fn response_id(&self) -> String {
        format!("resp_{}_{}", self.call.unwrap_or(0), self.items.len())
    }

    fn response(&self, status: &str, output: &Value) -> Value {
        let tokens = json!({"text_tokens": 0, "audio_tokens": 0});
        let usage = json!({"total_tokens": 0, "input_tokens": 0, "output_tokens": 0,
            "input_token_details": tokens, "output_token_details": tokens});
        json!({"id": self.response_id(), "object": "realtime.response", "status": status,
            "status_details": null, "output": output, "metadata": null,
            "usage": if status == "in_progress" { Value::Null } else { usage }})
    }

    /// The next piece of the response; the numbers of its audio. Nothing when it is over.
    pub fn generate(&mut self) -> Option<Range<u32>> {
        let speaking = self.speaking.as_mut()?;
        if speaking.left == Some(0) {
            self.finish("cancelled");
            return None;
        }
        if speaking.at >= speaking.line.audio.len() {
            if !speaking.endless {
                self.finish("completed");
                return None;
            }
            speaking.at = 0;
            speaking.words = 0;
        }
        speaking.left = speaking.left.map(|left| left - 1);
        let line = Arc::clone(&speaking.line);
        let end = line.audio.len().min(speaking.at + speaking.piece);
        self.audio.clear();
        self.audio
            .extend_from_slice(line.audio.get(speaking.at..end).unwrap_or_default());
        speaking.at = end;
        speaking.due += speaking.every;
        // The words come as fast as the audio.
        let due = line.words.len() * end / line.audio.len().max(1);
        let words = line
            .words
            .get(speaking.words..due)
            .unwrap_or_default()
            .concat();
        speaking.words = due;
        let first = self.next;
        let call = self.call.unwrap_or(NOBODY);
        for piece in self.audio.chunks_mut(PIECE) {
            let number = self.next;
            Tag { call, number }.put(piece);
            self.next += 1;
        }
        let response_id = self.response_id();
        let item = self.items.last_mut()?;
        item.numbers.end = self.next;
        let id = item.id.clone();
        self.events += 1;
        let head = format!(
            r#"{{"type":"response.output_audio.delta","event_id":"event_{}","response_id":"{response_id}","item_id":"{id}","output_index":0,"content_index":0,"delta":""#,
            self.events
        );
        let audio = STANDARD.encode(&self.audio);
        let parts = [head.as_bytes(), audio.as_bytes(), b"\"}"];
        frames::text(&mut self.out, Side::Server, &parts);
        if !words.is_empty() {
            self.send(
                &json!({"type": "response.output_audio_transcript.delta", "response_id": response_id,
                "item_id": id, "output_index": 0, "content_index": 0, "delta": words}),
            );
        }
        Some(first..self.next)
    }

    /// Ends the response that is being generated.
    pub fn finish(&mut self, status: &str) {
        let Some(speaking) = self.speaking.take() else {
            return;
        };
        let response_id = self.response_id();
        let id = self
            .items
            .last()
            .map(|item| item.id.clone())
            .unwrap_or_default();
        let said = speaking
            .line
            .words
            .get(..speaking.words)
            .unwrap_or_default();
        let transcript = said.concat().trim().to_owned();
        let of = json!({"response_id": response_id, "item_id": id, "output_index": 0, "content_index": 0});
        let with = |more: Value| {
            let mut event = of.clone();
            for (key, value) in more.as_object().into_iter().flatten() {
                event[key] = value.clone();
            }
            event
        };
        let state = if status == "completed" {
            status
        } else {
            "incomplete"
        };
        let part = json!({"type": "output_audio", "transcript": transcript});
        let item = json!({"id": id, "object": "realtime.item", "type": "message", "status": state,
            "role": "assistant", "content": [part]});
        self.send(&with(json!({"type": "response.output_audio.done"})));
        self.send(&with(
            json!({"type": "response.output_audio_transcript.done", "transcript": transcript}),
        ));
        self.send(&with(json!({"type": "response.content_part.done",
            "part": {"type": "audio", "transcript": transcript}})));
        self.send(
            &json!({"type": "response.output_item.done", "response_id": response_id,
            "output_index": 0, "item": item}),
        );
        let response = self.response(status, &json!([item]));
        self.send(&json!({"type": "response.done", "response": response}));
    }

    /// The server hears speech begin.
    pub fn speech_started(&mut self, at_ms: u64) {
        let item_id = self.turn_id();
        self.send(&json!({"type": "input_audio_buffer.speech_started",
            "audio_start_ms": at_ms, "item_id": item_id}));
    }

    /// The server hears it end, and takes the turn.
    pub fn speech_stopped(&mut self, at_ms: u64, words: &str) {
        let id = self.turn_id();
        self.send(&json!({"type": "input_audio_buffer.speech_stopped",
            "audio_end_ms": at_ms, "item_id": id}));
        self.send(&json!({"type": "input_audio_buffer.committed",
            "previous_item_id": null, "item_id": id}));
        let item = json!({"id": id, "object": "realtime.item", "type": "message", "status": "completed",
            "role": "user", "content": [{"type": "input_audio", "transcript": null}]});
        for kind in ["conversation.item.added", "conversation.item.done"] {
            self.send(&json!({"type": kind, "previous_item_id": null, "item": item}));
        }
        let usage =
            json!({"type": "tokens", "total_tokens": 0, "input_tokens": 0, "output_tokens": 0});
        self.send(
            &json!({"type": "conversation.item.input_audio_transcription.completed", "item_id": id,
            "content_index": 0, "transcript": words.trim(), "usage": usage}),
        );
    }

    /// The shop's turn, until another item follows.
    fn turn_id(&self) -> String {
        format!("turn_{}_{}", self.call.unwrap_or(0), self.items.len())
    }
}

/// A session as the server tells it, with what the bridge wanted of it.
fn session(update: &Value) -> Value {
    let format = json!({"type": "audio/pcmu"});
    let mut session = json!({"type": "realtime", "object": "realtime.session", "id": "sess_1",
        "model": "gpt-realtime-2.1", "output_modalities": ["audio"], "instructions": "", "tools": [],
        "tool_choice": "auto", "max_output_tokens": "inf", "tracing": null, "truncation": "auto",
        "prompt": null, "expires_at": 4_000_000_000u64, "include": null,
        "audio": {"input": {"format": format, "transcription": null, "noise_reduction": null,
                "turn_detection": {"type": "server_vad", "create_response": true, "interrupt_response": true}},
            "output": {"format": format, "voice": "marin", "speed": 1.0}}});
    for (key, value) in update.as_object().into_iter().flatten() {
        session[key] = value.clone();
    }
    session
}
