//! One response: its events in order and when each is sent (`protocols.md` §1.7).
//!
//! Audio goes out ten times faster than it plays, in pieces of odd sizes, with the transcript in
//! between; a cancelled response still sends a piece or two that were on their way.

use super::conversation::Conversation;
use super::ids::Ids;
use super::model::Reply;
use super::usage::Input;
use crate::clips::Clip;
use crate::scenario::ToolCall;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// From `response.create` to the first output.
const LATENCY_MS: u64 = 150;
/// Between two pieces of audio.
const PIECE_MS: u64 = 40;
/// Sizes of the pieces, about 400 ms: none is a multiple of 3 (base64) or of 160 (a frame).
const PIECES: [usize; 4] = [3_191, 3_209, 3_221, 3_187];
/// Pieces that still arrive after a cancel.
const LATE_PIECES: usize = 2;

enum Step {
    Begin,
    Words(String),
    Audio(Vec<u8>),
    EndMessage,
    Call(ToolCall),
    Drop(u16),
    Finish,
}

/// What a step leads to.
pub enum Effect {
    Send(Value),
    /// A tool was called.
    Called {
        call_id: String,
        name: String,
        arguments: String,
    },
    /// The socket closes with this code.
    Drop(u16),
    /// The response is over.
    Finished {
        completed: bool,
    },
}

/// A response in progress.
pub struct Response {
    pub id: String,
    ids: Ids,
    pub reply: Reply,
    /// Bytes of audio sent.
    pub audio: usize,
    steps: VecDeque<(u64, Step)>,
    head: Value,
    input: Input,
    text_only: bool,
    message_id: String,
    message_index: usize,
    /// The item before the message.
    previous: Value,
    transcript: String,
    spent_text: String,
    output: Vec<Value>,
    cancelled: Option<&'static str>,
}

/// What a response starts from.
pub struct Start<'a> {
    pub ids: &'a Ids,
    pub reply: Reply,
    pub clip: Option<&'a Clip>,
    /// `response` object with the settings that it echoes.
    pub head: Value,
    pub input: Input,
    pub text_only: bool,
    /// The audio differs a little from that of all other responses.
    pub tagged: bool,
}

impl Response {
    /// Plans a response; its events follow from [`Self::poll`].
    pub fn new(now: u64, start: Start<'_>) -> Self {
        let Start {
            ids,
            reply,
            clip,
            head,
            input,
            text_only,
            tagged,
        } = start;
        let message_id = ids.next("item");
        let mut steps = VecDeque::new();
        let mut at = now + LATENCY_MS;
        if let Some(clip) = clip {
            steps.push_back((at, Step::Begin));
            let mut pieces = cut(clip);
            if tagged {
                tag(&mut pieces, &message_id);
            }
            let half = pieces.len() / 2;
            for (n, (words, audio)) in pieces.into_iter().enumerate() {
                if let Some(code) = reply.drop_socket.filter(|_| n == half.max(1)) {
                    steps.push_back((at, Step::Drop(code)));
                }
                steps.push_back((at, Step::Words(words)));
                if !text_only {
                    steps.push_back((at, Step::Audio(audio)));
                }
                at += PIECE_MS;
            }
            if let Some(code) = reply.drop_socket {
                steps.push_back((at, Step::Drop(code)));
            }
            steps.push_back((at, Step::EndMessage));
        }
        for call in &reply.calls {
            at += PIECE_MS;
            steps.push_back((at, Step::Call(call.clone())));
        }
        steps.push_back((at + 10, Step::Finish));
        Self {
            id: ids.next("resp"),
            reply,
            audio: 0,
            steps,
            head,
            input,
            text_only,
            message_id,
            ids: ids.clone(),
            message_index: 0,
            previous: Value::Null,
            transcript: String::new(),
            spent_text: String::new(),
            output: Vec::new(),
            cancelled: None,
        }
    }

    /// The `response.created` event.
    pub fn created(&self) -> Value {
        json!({"type": "response.created", "response": self.object("in_progress", Value::Null)})
    }

    /// When the next step is due.
    pub fn deadline(&self) -> Option<u64> {
        self.steps.front().map(|step| step.0)
    }

    /// Ends the response early; some audio is already on its way.
    pub fn cancel(&mut self, now: u64, reason: &'static str) {
        if self.cancelled.is_some() {
            return;
        }
        self.cancelled = Some(reason);
        let open = self.steps.iter().any(|s| matches!(s.1, Step::EndMessage))
            && !self.steps.iter().any(|s| matches!(s.1, Step::Begin));
        let late: Vec<Step> = self
            .steps
            .drain(..)
            .map(|s| s.1)
            .filter(|s| matches!(s, Step::Audio(_)))
            .take(LATE_PIECES)
            .collect();
        if open {
            self.steps.extend(
                late.into_iter()
                    .enumerate()
                    .map(|(n, step)| (now + 15 * (n as u64 + 1), step)),
            );
            self.steps.push_back((now + 45, Step::EndMessage));
        }
        self.steps.push_back((now + 50, Step::Finish));
    }

    /// Performs the next step that is due.
    pub fn poll(&mut self, now: u64, conversation: &mut Conversation) -> Option<Vec<Effect>> {
        if self.deadline()? > now {
            return None;
        }
        let (_, step) = self.steps.pop_front()?;
        Some(match step {
            Step::Begin => self
                .begin(conversation)
                .into_iter()
                .map(Effect::Send)
                .collect(),
            Step::Words(words) => {
                self.transcript.push_str(&words);
                self.spent_text.push_str(&words);
                let kind = if self.text_only {
                    "response.output_text.delta"
                } else {
                    "response.output_audio_transcript.delta"
                };
                vec![Effect::Send(self.part(
                    kind,
                    json!({"delta": words, "obfuscation": obfuscation(words.len())}),
                ))]
            }
            Step::Audio(audio) => {
                self.audio += audio.len();
                if let Some(item) = conversation.find_mut(&self.message_id) {
                    item.audio += audio.len();
                }
                vec![Effect::Send(self.part(
                    "response.output_audio.delta",
                    json!({"delta": STANDARD.encode(audio)}),
                ))]
            }
            Step::EndMessage => self
                .end_message(conversation)
                .into_iter()
                .map(Effect::Send)
                .collect(),
            Step::Call(call) => self.call(&call, conversation),
            Step::Drop(code) => {
                self.steps.clear();
                vec![Effect::Drop(code)]
            }
            Step::Finish => self.finish(),
        })
    }

    fn begin(&mut self, conversation: &mut Conversation) -> Vec<Value> {
        let item = self.message("in_progress", &[]);
        self.previous = conversation.last_id();
        conversation.append(&self.message_id, item.clone(), 0);
        self.message_index = self.output.len();
        let part = if self.text_only {
            json!({"type": "text", "text": ""})
        } else {
            json!({"type": "audio", "transcript": ""})
        };
        vec![
            // A kind of event that no client knows: it has to be ignored (§1.6).
            json!({"type": "response.pace.updated", "response_id": self.id, "pace": 1.0}),
            json!({"type": "response.output_item.added", "response_id": self.id, "output_index": self.message_index, "item": item}),
            json!({"type": "conversation.item.added", "previous_item_id": self.previous, "item": item}),
            self.part("response.content_part.added", json!({"part": part})),
        ]
    }

    fn end_message(&mut self, conversation: &mut Conversation) -> Vec<Value> {
        let status = if self.cancelled.is_some() {
            "incomplete"
        } else {
            "completed"
        };
        let text = &self.transcript;
        let (content, part) = if self.text_only {
            (
                json!({"type": "output_text", "text": text}),
                json!({"type": "text", "text": text}),
            )
        } else {
            (
                json!({"type": "output_audio", "transcript": text}),
                json!({"type": "audio", "transcript": text}),
            )
        };
        let item = self.message(status, &[content]);
        if let Some(stored) = conversation.find_mut(&self.message_id) {
            stored.value = item.clone();
            if stored.truncated
                && let Some(transcript) = stored.value.pointer_mut("/content/0/transcript")
            {
                *transcript = Value::Null;
            }
        }
        self.output.push(item.clone());
        let mut events = if self.text_only {
            vec![self.part("response.output_text.done", json!({"text": text}))]
        } else {
            vec![
                self.part("response.output_audio.done", json!({})),
                self.part(
                    "response.output_audio_transcript.done",
                    json!({"transcript": text}),
                ),
            ]
        };
        events.extend([
            self.part("response.content_part.done", json!({"part": part})),
            json!({"type": "conversation.item.done", "previous_item_id": self.previous, "item": item}),
            json!({"type": "response.output_item.done", "response_id": self.id, "output_index": self.message_index, "item": item}),
        ]);
        events
    }

    fn call(&mut self, call: &ToolCall, conversation: &mut Conversation) -> Vec<Effect> {
        let (item_id, call_id, arguments) = (
            self.ids.next("item"),
            self.ids.next("call"),
            call.arguments.to_string(),
        );
        let index = self.output.len();
        let item = |status: &str, arguments: &str| {
            json!({"id": item_id, "object": "realtime.item", "type": "function_call",
            "status": status, "name": call.name, "call_id": call_id, "arguments": arguments})
        };
        let event = |kind: &str, more: Value| {
            with(
                json!({"type": kind, "response_id": self.id, "item_id": item_id,
            "output_index": index, "call_id": call_id}),
                more,
            )
        };
        let (begun, done) = (item("in_progress", ""), item("completed", &arguments));
        let mut events = vec![
            json!({"type": "response.output_item.added", "response_id": self.id, "output_index": index, "item": begun}),
            json!({"type": "conversation.item.added", "previous_item_id": conversation.last_id(), "item": begun}),
        ];
        let letters: Vec<char> = arguments.chars().collect();
        for piece in letters.chunks(7) {
            let more = json!({"delta": piece.iter().collect::<String>(), "obfuscation": obfuscation(piece.len())});
            events.push(event("response.function_call_arguments.delta", more));
        }
        events.extend([
            event("response.function_call_arguments.done", json!({"name": call.name, "arguments": arguments})),
            json!({"type": "conversation.item.done", "previous_item_id": conversation.last_id(), "item": done}),
            json!({"type": "response.output_item.done", "response_id": self.id, "output_index": index, "item": done}),
        ]);
        conversation.append(&item_id, done.clone(), 0);
        self.spent_text.push_str(&done.to_string());
        self.output.push(done);
        let called = Effect::Called {
            call_id,
            name: call.name.clone(),
            arguments,
        };
        // Known as called before the client can answer.
        std::iter::once(called)
            .chain(events.into_iter().map(Effect::Send))
            .collect()
    }

    fn finish(&mut self) -> Vec<Effect> {
        let usage = self.input.usage(&self.spent_text, self.audio);
        let status = if self.cancelled.is_some() {
            "cancelled"
        } else {
            "completed"
        };
        let left = 39_000_u64.saturating_sub(usage["total_tokens"].as_u64().unwrap_or(0));
        vec![
            Effect::Send(json!({"type": "response.done", "response": self.object(status, usage)})),
            Effect::Send(json!({"type": "rate_limits.updated", "rate_limits": [
                {"name": "tokens", "limit": 40_000, "remaining": left, "reset_seconds": 1.5}]})),
            Effect::Finished {
                completed: self.cancelled.is_none(),
            },
        ]
    }

    fn object(&self, status: &str, usage: Value) -> Value {
        let details = self
            .cancelled
            .map(|reason| json!({"type": "cancelled", "reason": reason}));
        with(
            json!({"object": "realtime.response", "id": self.id, "status": status, "status_details": details,
            "output": self.output, "usage": usage}),
            self.head.clone(),
        )
    }

    fn message(&self, status: &str, content: &[Value]) -> Value {
        json!({"id": self.message_id, "object": "realtime.item", "type": "message", "status": status,
            "role": "assistant", "content": content})
    }

    fn part(&self, kind: &str, more: Value) -> Value {
        with(
            json!({"type": kind, "response_id": self.id, "item_id": self.message_id,
            "output_index": self.message_index, "content_index": 0}),
            more,
        )
    }
}

/// Cuts a line into pieces of audio with the words that belong to each.
fn cut(clip: &Clip) -> Vec<(String, Vec<u8>)> {
    let words: Vec<&str> = clip.text.split_inclusive(' ').collect();
    let (mut sizes, mut from, mut said) = (PIECES.iter().cycle(), 0, 0);
    let mut pieces = Vec::new();
    if clip.audio.is_empty() {
        // Words that nobody will hear.
        pieces.push((clip.text.clone(), Vec::new()));
    }
    while from < clip.audio.len() {
        let to = (from + sizes.next().copied().unwrap_or(PIECES[0])).min(clip.audio.len());
        // The transcript runs a little ahead of the audio.
        let until = (words.len() * to).div_ceil(clip.audio.len());
        pieces.push((words[said..until].concat(), clip.audio[from..to].to_vec()));
        (from, said) = (to, until);
    }
    pieces
}

/// Changes the last bit of about every fourth byte, by the item's name: too little to be heard, and
/// enough that no stretch of its audio occurs in another item.
fn tag(pieces: &mut [(String, Vec<u8>)], item_id: &str) {
    let mut hasher = DefaultHasher::new();
    item_id.hash(&mut hasher);
    let mut random = hasher.finish();
    for byte in pieces.iter_mut().flat_map(|(_, audio)| audio) {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *byte ^= u8::from(random >> 62 == 0);
    }
}

/// Random-looking padding like the real `obfuscation` fields.
fn obfuscation(seed: usize) -> String {
    "aGk4X2sPq9wZr7"
        .chars()
        .cycle()
        .skip(seed % 14)
        .take(5 + seed % 9)
        .collect()
}

fn with(mut event: Value, more: Value) -> Value {
    if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
        event.extend(more);
    }
    event
}
