//! The model: strict about what it is sent, and with a script that depends on what it has heard.

use super::audio::{self, BYTES_PER_MS, WORD_MS};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the agent reads back.
pub(super) const READ_BACK: &str = "So one large pepperoni pizza for pickup by Dana, phone three one oh five five five oh one four two, right?";
/// Words that disclose.
pub(super) const DISCLOSURE: &str = "Hi, I'm an AI assistant calling for a customer.";
/// How the audio of a word is cut, item by item: whole, and in such short deltas that several share a
/// mark.
const DELTA_BYTES: [usize; 4] = [960, 960, 320, 160];
/// How many words run ahead of their audio, item by item; the last has all of them at once.
const WORDS_AHEAD: [usize; 3] = [0, 4, usize::MAX];
/// Between two pieces of a response, in ms.
const PIECE_MS: u64 = 40;

/// What an item of the agent is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Disclosure,
    ReadBack,
    Other,
}

/// An item of the agent: its number in the audio, what it is, and how long.
#[derive(Clone, Copy)]
pub(super) struct Item {
    pub(super) number: u8,
    pub(super) kind: Kind,
    pub(super) bytes: usize,
}

/// Something that the model says later: after so many ms.
pub(super) struct Later {
    pub(super) after_ms: u64,
    /// The response it belongs to; nothing for what comes whatever happens.
    pub(super) response: Option<u64>,
    pub(super) event: Value,
}

/// The model over all of its sessions.
#[derive(Default)]
pub(super) struct Model {
    /// The session that is open, and whether it took its settings.
    pub(super) socket: Option<u32>,
    pub(super) ready: bool,
    pub(super) silent: bool,
    /// The response in flight.
    pub(super) active: Option<u64>,
    responses: u64,
    items: u8,
    /// Items by id, of all sessions.
    pub(super) said: BTreeMap<String, Item>,
    /// Items of this session: bytes sent so far.
    sent: BTreeMap<String, usize>,
    /// The item of the response in flight.
    speaking: Option<String>,
    /// Stage directions since the last response.
    cues: Vec<String>,
    /// It reads the order back, and then has it confirmed.
    has_read_back: bool,
    confirmed: bool,
    waits_for: Option<String>,
    /// The shop said something since it spoke.
    pub(super) heard: Vec<String>,
    pub(super) lies: bool,
    next: u64,
}

impl Model {
    /// Another session, which knows nothing.
    pub(super) fn opened(&mut self, socket: u32) {
        self.socket = Some(socket);
        self.ready = false;
        self.silent = false;
        self.active = None;
        self.sent.clear();
        self.cues.clear();
        self.waits_for = None;
    }

    pub(super) fn closed(&mut self) {
        self.socket = None;
        self.ready = false;
        self.active = None;
    }

    fn id(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}_{}", self.next)
    }

    /// Takes an event of the call's; what it says to it later, or what is wrong with it.
    pub(super) fn take(&mut self, text: &str) -> Result<Vec<Later>, String> {
        if text.starts_with(r#"{"type":"input_audio_buffer.append""#) {
            return if self.ready {
                Ok(Vec::new())
            } else {
                Err("audio before session.updated".into())
            };
        }
        let event: Value = serde_json::from_str(text).map_err(|e| format!("bad JSON: {e}"))?;
        let kind = event["type"].as_str().unwrap_or_default();
        let later = |event| Later {
            after_ms: 20,
            response: None,
            event,
        };
        let now = |event| Ok(vec![later(event)]);
        let error = |code: &str| {
            now(
                json!({ "type": "error", "error": { "type": "invalid_request_error", "code": code, "event_id": event["event_id"] } }),
            )
        };
        match kind {
            "session.update" => {
                self.ready = true;
                now(json!({ "type": "session.updated", "session": {} }))
            }
            _ if !self.ready => Err(format!("{kind} before session.updated")),
            "conversation.item.create" => {
                let item = &event["item"];
                if item["role"] == "system" {
                    let text = item["content"][0]["text"].as_str().unwrap_or_default();
                    self.cues.push(text.to_owned());
                }
                if item["type"] == "function_call_output"
                    && item["call_id"].as_str() == self.waits_for.as_deref()
                {
                    let output = item["output"].as_str().unwrap_or_default();
                    self.confirmed |= output.contains(r#""ok":true"#);
                    self.has_read_back &= self.confirmed;
                    self.waits_for = None;
                }
                Ok(Vec::new())
            }
            "response.create" if self.active.is_some() => Err("two responses in flight".into()),
            "response.create" => Ok(self.respond()),
            "response.cancel" => match self.cut("cancelled", "") {
                Some(events) => Ok(events.into_iter().map(later).collect()),
                None => error("response_cancel_not_active"),
            },
            "conversation.item.truncate" => {
                let id = event["item_id"].as_str().unwrap_or_default();
                let length = self.sent.get(id).copied();
                let end = event["audio_end_ms"].as_u64().unwrap_or(u64::MAX);
                match length {
                    None => Err(format!("{id} is not of this session")),
                    Some(bytes) if end > (bytes / BYTES_PER_MS) as u64 => {
                        Err(format!("{id} is shorter than {end} ms"))
                    }
                    Some(_) => Ok(Vec::new()),
                }
            }
            "input_audio_buffer.commit" => error("input_audio_buffer_commit_empty"),
            "input_audio_buffer.clear" | "conversation.item.delete" => Ok(Vec::new()),
            other => Err(format!("an unknown event {other}")),
        }
    }

    /// What the event told, when it is delivered.
    pub(super) fn tells(&mut self, event: &Value) {
        if event["type"] == "response.output_audio.delta" {
            let id = event["item_id"].as_str().unwrap_or_default();
            let payload = event["delta"].as_str().unwrap_or_default();
            *self.sent.entry(id.to_owned()).or_default() += audio::decode(payload).len();
        } else if event["type"] == "response.done" {
            self.active = None;
        }
    }

    /// The response in flight ends like this before its time: what it has said is not complete.
    pub(super) fn cut(&mut self, status: &str, code: &str) -> Option<Vec<Value>> {
        let number = self.active.take()?;
        let item = self.speaking.take();
        let item = item.map(|id| message_done(number, &id, "incomplete"));
        Some(
            item.into_iter()
                .chain([done(number, status, code)])
                .collect(),
        )
    }

    /// The script: by the last stage direction, else by how far the order is.
    fn respond(&mut self) -> Vec<Later> {
        let cues = std::mem::take(&mut self.cues);
        let heard = std::mem::take(&mut self.heard);
        let last = cues.last().map_or("", String::as_str);
        let exactly = last
            .split_once("Say exactly this and nothing else: \"")
            .or_else(|| last.split_once("say exactly this and nothing else: \""));
        let total = heard.iter().any(|words| words.contains("twenty ten"));
        let mut tools = Vec::new();
        let (kind, words) = if let Some((_, text)) = exactly {
            (
                if text.starts_with("Hi") {
                    Kind::Disclosure
                } else {
                    Kind::Other
                },
                text.trim_end_matches('"').to_owned(),
            )
        } else if last.contains("say goodbye") || last.contains("goodbye and nothing") {
            (Kind::Other, "Sorry, goodbye.".to_owned())
        } else if cues
            .iter()
            .any(|cue| cue.contains("not been heard yet that you are an AI"))
        {
            (Kind::Disclosure, DISCLOSURE.to_owned())
        } else if self.confirmed {
            tools.push(("end_call", json!({ "reason": "done" })));
            (Kind::Other, "Thank you, goodbye!".to_owned())
        } else if self.has_read_back && (total || self.lies) {
            tools.push(("confirm_total", json!({ "subtotal": 17.5, "total": 20.1 })));
            (Kind::Other, String::new())
        } else if last.contains("silent for a while") {
            (Kind::Other, "Are you still there?".to_owned())
        } else {
            tools.push((
                "save_order_item",
                json!({ "size": "large", "toppings": ["pepperoni"] }),
            ));
            tools.push((
                "set_customer",
                json!({ "name": "Dana", "phone": "+13105550142", "delivery_method": "pickup" }),
            ));
            self.has_read_back = true;
            (Kind::ReadBack, READ_BACK.to_owned())
        };
        self.say(kind, &words, &tools)
    }

    fn say(&mut self, kind: Kind, words: &str, tools: &[(&str, Value)]) -> Vec<Later> {
        self.responses += 1;
        let number = self.responses;
        self.active = Some(number);
        self.speaking = None;
        let response_id = format!("resp_{number}");
        let mut at = 250;
        let mut out = Vec::new();
        let mut push = |after_ms: u64, event| {
            out.push(Later {
                after_ms,
                response: Some(number),
                event,
            });
        };
        push(
            at,
            json!({ "type": "response.created", "response": { "id": response_id } }),
        );
        if !words.is_empty() {
            self.items = self.items.wrapping_add(1);
            let item_id = self.id("item");
            let mut bytes = 0;
            let of = usize::from(self.items) % DELTA_BYTES.len();
            let piece = DELTA_BYTES.get(of).copied().unwrap_or(160);
            let ahead = usize::from(self.items) / DELTA_BYTES.len() % WORDS_AHEAD.len();
            let ahead = WORDS_AHEAD.get(ahead).copied().unwrap_or(0);
            let mut words = words.split_inclusive(' ').peekable();
            let mut said = 0_usize;
            for nth in 0.. {
                if nth == said && words.peek().is_none() {
                    break;
                }
                at += PIECE_MS;
                while said <= nth.saturating_add(ahead)
                    && let Some(word) = words.next()
                {
                    said += 1;
                    push(
                        at,
                        json!({ "type": "response.output_audio_transcript.delta", "response_id": response_id, "item_id": item_id, "delta": word }),
                    );
                }
                let audio = audio::of(self.items, bytes, WORD_MS);
                bytes += audio.len();
                for piece in audio.chunks(piece) {
                    let delta = orderline::twilio::media::encode(piece);
                    push(
                        at,
                        json!({ "type": "response.output_audio.delta", "response_id": response_id, "item_id": item_id, "delta": delta }),
                    );
                }
            }
            self.speaking = Some(item_id.clone());
            push(at + PIECE_MS, message_done(number, &item_id, "completed"));
            self.said.insert(
                item_id,
                Item {
                    number: self.items,
                    kind,
                    bytes,
                },
            );
        }
        for (name, arguments) in tools {
            at += PIECE_MS;
            let call_id = self.id("call");
            if *name == "confirm_total" {
                self.waits_for = Some(call_id.clone());
            }
            let item = json!({ "type": "function_call", "status": "completed", "name": name, "call_id": call_id, "arguments": arguments.to_string() });
            push(
                at,
                json!({ "type": "response.output_item.done", "response_id": response_id, "item": item }),
            );
        }
        push(at + PIECE_MS, done(number, "completed", ""));
        out
    }
}

fn message_done(number: u64, item_id: &str, status: &str) -> Value {
    let item = json!({ "id": item_id, "type": "message", "status": status, "role": "assistant" });
    json!({ "type": "response.output_item.done", "response_id": format!("resp_{number}"), "item": item })
}

fn done(number: u64, status: &str, code: &str) -> Value {
    let details = json!({ "type": status, "error": { "type": "server_error", "code": (!code.is_empty()).then_some(code) } });
    let usage = json!({ "input_token_details": { "text_tokens": 100, "audio_tokens": 10 }, "output_token_details": { "text_tokens": 5, "audio_tokens": 20 } });
    json!({ "type": "response.done", "response": { "id": format!("resp_{number}"), "status": status, "status_details": details, "usage": usage } })
}
