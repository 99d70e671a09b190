//! A call under test on a virtual clock, with a phone that plays audio and echoes marks, and a
//! model that says what the test tells it to. No sockets, no sleeping, no audio content.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "shared by the test files, each of which uses another part"
)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test support: a failure here is a failed test"
)]

use orderline::audio::ulaw;
use orderline::audio::wav::Wav;
use orderline::call::input::Input;
use orderline::call::output::Output;
use orderline::call::record::Record;
use orderline::call::request::CallRequest;
use orderline::call::{Call, Settings};
use orderline::config::Config;
use orderline::twilio::media;
use orderline::twilio::sid::CallSid;
use orderline::twilio::twiml::Twiml;
use serde_json::{Value, json};
use std::collections::VecDeque;

pub const SID: &str = "CA00000000000000000000000000000001";
pub const STREAM: &str = "MZ00000000000000000000000000000001";
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// Places of the kept lines in `Bench::line_keys`.
pub const GREETING: usize = 0;
pub const FILLER: usize = 1;
/// The line that fills a gap, in ms.
pub const FILLER_MS: usize = 1_000;
pub const NEXT_STREAM: &str = "MZ00000000000000000000000000000002";
pub const NEXT_TOKEN: &str = "fedcba9876543210fedcba9876543210";
/// Start of the virtual clock: 2026-11-22T12:00:00Z.
pub const T0: u64 = 1_795_348_800_000;
/// Milliseconds of speech per word of the agent.
const WORD_MS: u64 = 300;

/// A call, its phone and its model.
pub struct Bench {
    pub call: Call,
    pub now: u64,
    /// What the phone still has to play: audio (ms) and marks.
    queue: VecDeque<Queued>,
    /// When the audio at the head of the queue began to play.
    head_started: u64,
    /// The phone echoes no marks.
    pub marks_lost: bool,
    /// Events sent to the model, oldest first.
    pub to_model: Vec<Value>,
    /// Messages sent to the phone except audio and marks.
    pub to_phone: Vec<String>,
    pub connects: Vec<u32>,
    pub hang_ups: usize,
    audio_ms: u64,
    /// How many marks the phone was asked for.
    pub marks: usize,
    pub phone_closed: bool,
    pub model_closed: usize,
    pub saves: Vec<String>,
    pub logs: Vec<String>,
    /// Where the call looked for its greeting, and what it kept.
    pub line_keys: Vec<String>,
    pub lines_kept: Vec<(String, Vec<u8>)>,
    pub outcomes: Vec<Value>,
    /// The events of the newest outcome, one a line.
    pub events: String,
    /// Numbers that asked not to be called again.
    pub suppressed: Vec<String>,
    /// The stream that runs.
    pub stream: &'static str,
    socket: u32,
    next_id: u32,
}

enum Queued {
    Audio(u64),
    Mark(String),
}

/// The configuration of the tests, with changes.
pub fn config(changes: &[(&str, &str)]) -> Config {
    let base = [
        ("API_TOKEN", "t"),
        ("OPENAI_API_KEY", "k"),
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
        ("TWILIO_AUTH_TOKEN", "a"),
        ("TWILIO_FROM_NUMBER", "+13105550100"),
        ("PUBLIC_BASE_URL", "https://calls.example.com"),
    ];
    Config::read(|name| {
        let found = changes.iter().chain(&base).find(|(n, _)| *n == name);
        found.map(|(_, v)| (*v).to_owned())
    })
    .unwrap()
}

pub fn request() -> CallRequest {
    CallRequest::parse(br#"{"to":"+13105550123","orderHint":"one large pepperoni"}"#).unwrap()
}

/// A human who may take over.
pub const HANDOFF: (&str, &str) = ("HANDOFF_NUMBER", "+13105550199");

impl Bench {
    /// A call that was placed.
    pub fn placed(changes: &[(&str, &str)]) -> Self {
        Self::placed_for(changes, request())
    }

    /// A call that was placed for this request.
    pub fn placed_for(changes: &[(&str, &str)], request: CallRequest) -> Self {
        let mut bench = Self::without_filler(changes, request);
        bench.line_loaded(FILLER, &[0x55; FILLER_MS * 8]);
        bench
    }

    /// A call that was placed for this request, the first in its language: no line is kept.
    pub fn without_filler(changes: &[(&str, &str)], request: CallRequest) -> Self {
        let settings = Settings::from(&config(changes));
        let sid = CallSid::parse(SID).unwrap();
        let call = Call::new(settings, sid, Some(request), TOKEN.into(), T0);
        let mut bench = Self {
            call,
            now: T0,
            queue: VecDeque::new(),
            head_started: 0,
            marks_lost: false,
            to_model: Vec::new(),
            to_phone: Vec::new(),
            connects: Vec::new(),
            hang_ups: 0,
            audio_ms: 0,
            marks: 0,
            phone_closed: false,
            model_closed: 0,
            saves: Vec::new(),
            logs: Vec::new(),
            line_keys: Vec::new(),
            lines_kept: Vec::new(),
            outcomes: Vec::new(),
            events: String::new(),
            suppressed: Vec::new(),
            stream: STREAM,
            socket: 0,
            next_id: 0,
        };
        bench.drain();
        bench
    }

    /// A call that was answered, with the phone and the model connected.
    pub fn answered(changes: &[(&str, &str)]) -> Self {
        let mut bench = Self::placed(changes);
        bench.voice();
        bench.model_up();
        bench.stream_up();
        bench
    }

    /// A call for this order, with the phone and the model connected.
    pub fn answered_for(order: Value) -> Self {
        let body = json!({ "to": "+13105550123", "order": order }).to_string();
        let request = CallRequest::parse(body.as_bytes()).unwrap();
        let mut bench = Self::placed_for(&[], request);
        bench.voice();
        bench.model_up();
        bench.stream_up();
        bench
    }

    /// A call in which the agent has greeted and disclosed, and the shop has answered.
    pub fn greeted(changes: &[(&str, &str)]) -> Self {
        let mut bench = Self::answered(changes);
        bench.agent_says("Hello! I'm an AI assistant calling for a customer.");
        bench.play_out();
        bench.shop_says("Sure, go ahead.");
        bench.audio_ms = 0;
        bench
    }

    /// A call that is complete but for the total.
    pub fn ordered(changes: &[(&str, &str)]) -> Self {
        let mut bench = Self::greeted(changes);
        let created = bench.agent_starts();
        bench.tool(
            &created,
            "save_order_item",
            json!({ "size": "large", "toppings": ["pepperoni"] }),
        );
        let customer =
            json!({ "name": "Dana", "phone": "+13105550142", "delivery_method": "pickup" });
        bench.tool(&created, "set_customer", customer);
        bench.agent_speaks(&created, "item_read_back", READ_BACK);
        bench.done(&created, "completed");
        bench
    }

    /// A call that a human is to take over, once the agent has been heard to say so.
    pub fn handing_over() -> Self {
        let mut bench = Self::greeted(&[HANDOFF]);
        let response = bench.agent_starts();
        bench.agent_speaks(&response, "item_h", "One moment, I'll connect you.");
        let reason = json!({ "reason": "refused" });
        bench.tool(&response, "escalate_to_human", reason);
        bench.done(&response, "completed");
        bench
    }

    /// The shop states the total and the model confirms it and says goodbye.
    pub fn conclude(&mut self) {
        self.play_out();
        self.shop_says("Yes. That's seventeen fifty, twenty ten with tax.");
        let call = self.confirm_total();
        assert_eq!(self.output_of(&call).unwrap()["ok"], true);
        let response = self.agent_starts();
        self.agent_speaks(&response, "item_bye", "Thank you, goodbye!");
        self.tool(&response, "end_call", json!({}));
        self.done(&response, "completed");
    }

    /// The model claims the total.
    pub fn confirm_total(&mut self) -> String {
        let response = self.agent_starts();
        let totals = json!({ "subtotal": 17.5, "total": 20.1 });
        let call = self.tool(&response, "confirm_total", totals);
        self.done(&response, "completed");
        call
    }

    pub fn voice(&mut self) -> Twiml {
        let twiml = self.call.voice(self.now);
        self.drain();
        twiml
    }

    /// The model's socket opens and is configured.
    pub fn model_up(&mut self) {
        let socket = *self.connects.last().expect("a connection was asked for");
        self.socket = socket;
        self.input(Input::ModelOpened { socket });
        self.event(json!({ "type": "session.updated", "session": {} }));
    }

    pub fn model_down(&mut self, code: u16) {
        let socket = self.socket;
        self.input(Input::ModelClosed { socket, code });
    }

    /// Twilio asks what to do, now that the stream has ended.
    pub fn stream_ended(&mut self) -> Twiml {
        let twiml = self.call.stream_ended(self.now, true, NEXT_TOKEN.into());
        self.drain();
        twiml
    }

    /// The audio of a line was kept.
    pub fn line_loaded(&mut self, key: usize, audio: &[u8]) {
        let key = self.line_keys[key].clone();
        self.input(Input::Line { key: &key, audio });
    }

    pub fn stream_up(&mut self) {
        assert!(self.call.claim_stream(self.now, TOKEN));
        self.drain();
        self.phone(
            json!({ "event": "start", "streamSid": self.stream, "start": { "callSid": SID } }),
        );
    }

    /// The media socket breaks, Twilio asks what to do, and opens the stream that it is told to open.
    pub fn stream_lost(&mut self) {
        self.input(Input::PhoneClosed);
        self.stream_again();
    }

    pub fn stream_again(&mut self) {
        let twiml = self.stream_ended().to_xml();
        let path = format!("/ws/media/{SID}/{NEXT_TOKEN}");
        assert!(twiml.contains(&path), "{twiml}");
        assert!(self.call.claim_stream(self.now, NEXT_TOKEN));
        self.drain();
        self.queue.clear();
        self.stream = NEXT_STREAM;
        self.phone(
            json!({ "event": "start", "streamSid": self.stream, "start": { "callSid": SID } }),
        );
    }

    /// The object loses its memory.
    pub fn restart(&mut self, streaming: bool) {
        let record = Record::parse(self.saves.last().unwrap()).unwrap();
        self.call = Call::restore(Settings::from(&config(&[])), record);
        if !streaming {
            self.queue.clear();
        }
        self.line_keys.clear();
        self.input(Input::Restored { streaming });
        if streaming {
            self.silence(20);
        }
        if let Some(key) = self.line_keys.get(FILLER).cloned() {
            let audio = &[0x55; FILLER_MS * 8];
            self.input(Input::Line { key: &key, audio });
        }
    }

    pub fn phone(&mut self, message: Value) {
        self.input(Input::Phone(&message.to_string()));
    }

    pub fn event(&mut self, event: Value) {
        let socket = self.socket;
        self.input(Input::Model {
            socket,
            text: &event.to_string(),
        });
    }

    pub fn input(&mut self, input: Input<'_>) {
        self.call.handle(self.now, input);
        self.drain();
    }

    /// A whole turn of the shop: words of a second, half a second of silence, then the transcription.
    pub fn shop_says(&mut self, words: &str) -> String {
        let item = self.shop_speaks();
        self.transcribed(&item, words);
        item
    }

    /// A turn of the shop without its transcription.
    pub fn shop_speaks(&mut self) -> String {
        self.next_id += 1;
        let item = format!("item_S{}", self.next_id);
        self.event(json!({ "type": "input_audio_buffer.speech_started", "item_id": item }));
        self.advance(1_600);
        self.event(json!({ "type": "input_audio_buffer.speech_stopped", "item_id": item }));
        self.event(json!({ "type": "input_audio_buffer.committed", "item_id": item }));
        item
    }

    /// The model's detector hears speech, or a pause.
    pub fn model_hears(&mut self, speech: bool) {
        let edge = if speech { "started" } else { "stopped" };
        self.event(json!({ "type": format!("input_audio_buffer.speech_{edge}") }));
    }

    /// A sound of 300 ms that the model takes for a turn.
    pub fn shop_mutters(&mut self) -> String {
        self.next_id += 1;
        let item = format!("item_S{}", self.next_id);
        self.model_hears(true);
        self.advance(300 + 500);
        self.model_hears(false);
        self.event(json!({ "type": "input_audio_buffer.committed", "item_id": item }));
        item
    }

    pub fn transcribed(&mut self, item: &str, words: &str) {
        let kind = "conversation.item.input_audio_transcription.completed";
        self.event(json!({ "type": kind, "item_id": item, "transcript": words }));
    }

    /// A whole response with words, generated at once; it has not been played yet.
    pub fn agent_says(&mut self, words: &str) -> String {
        let response = self.agent_starts();
        self.next_id += 1;
        let item = format!("item_A{}", self.next_id);
        self.agent_speaks(&response, &item, words);
        self.done(&response, "completed");
        item
    }

    /// `response.created`.
    pub fn agent_starts(&mut self) -> String {
        self.next_id += 1;
        let response = format!("resp_{}", self.next_id);
        self.event(json!({ "type": "response.created", "response": { "id": response, "status": "in_progress" } }));
        response
    }

    /// Audio and words of an item, one delta a word.
    pub fn agent_speaks(&mut self, response: &str, item: &str, words: &str) {
        let payload = base64(WORD_MS * 8);
        for word in words.split_inclusive(' ') {
            let common = json!({ "response_id": response, "item_id": item });
            self.event(merge(
                &common,
                json!({ "type": "response.output_audio_transcript.delta", "delta": word }),
            ));
            self.event(merge(
                &common,
                json!({ "type": "response.output_audio.delta", "delta": payload }),
            ));
        }
    }

    /// Audio and words of an item: a sentence of the fixtures, in deltas of 400 ms.
    /// Words of which the audio has not come yet.
    pub fn agent_words(&mut self, response: &str, item: &str, words: &str) {
        self.event(json!({ "type": "response.output_audio_transcript.delta", "response_id": response, "item_id": item, "delta": words }));
    }

    /// Audio of an item without its words, in pieces of 300 ms.
    pub fn agent_audio(&mut self, response: &str, item: &str, ms: u64) {
        for _ in 0..ms / 300 {
            self.event(json!({
                "type": "response.output_audio.delta", "response_id": response, "item_id": item,
                "delta": base64(300 * 8),
            }));
        }
    }

    /// An item ends, as it does in a response that was cut off, too: `status` tells.
    pub fn agent_item_ends(&mut self, response: &str, item: &str, status: &str) {
        self.event(json!({ "type": "response.output_audio.done", "response_id": response, "item_id": item }));
        let item = json!({ "id": item, "type": "message", "status": status, "role": "assistant" });
        self.event(
            json!({ "type": "response.output_item.done", "response_id": response, "item": item }),
        );
    }

    /// The model takes what the shop said as a turn.
    pub fn committed(&mut self, item: &str) {
        self.event(json!({ "type": "input_audio_buffer.committed", "item_id": item }));
    }

    /// What was heard of the agent's turns.
    pub fn agent_heard(&self) -> Vec<String> {
        let live = self.live();
        let turns = live["transcript"].as_array().into_iter().flatten();
        let agents = turns.filter(|turn| turn["role"] == "agent");
        agents
            .filter_map(|turn| Some(turn["text"].as_str()?.to_owned()))
            .collect()
    }

    pub fn agent_sounds(&mut self, response: &str, item: &str, words: &str, audio: &[u8]) {
        let common = json!({ "response_id": response, "item_id": item });
        self.event(merge(
            &common,
            json!({ "type": "response.output_audio_transcript.delta", "delta": words }),
        ));
        for piece in audio.chunks(3_200) {
            self.event(merge(
                &common,
                json!({ "type": "response.output_audio.delta", "delta": media::encode(piece) }),
            ));
        }
    }

    pub fn tool(&mut self, response: &str, name: &str, arguments: Value) -> String {
        self.next_id += 1;
        let call_id = format!("call_{}", self.next_id);
        let item = json!({ "type": "function_call", "status": "completed", "name": name, "call_id": call_id, "arguments": arguments.to_string() });
        self.event(
            json!({ "type": "response.output_item.done", "response_id": response, "item": item }),
        );
        call_id
    }

    pub fn done(&mut self, response: &str, status: &str) {
        let usage = json!({ "input_token_details": { "text_tokens": 100, "audio_tokens": 10 }, "output_token_details": { "text_tokens": 5, "audio_tokens": 20 } });
        self.event(json!({ "type": "response.done", "response": { "id": response, "status": status, "usage": usage } }));
    }

    /// The phone's audio reaches the call in frames of 20 ms, and time passes with it.
    pub fn line(&mut self, audio: &[u8]) {
        for frame in audio.chunks(160) {
            self.advance(20);
            let timestamp = (self.now - T0 - 20).to_string();
            let media = json!({ "payload": media::encode(frame), "timestamp": timestamp });
            self.phone(json!({ "event": "media", "streamSid": self.stream, "media": media }));
        }
    }

    /// Silence on the line.
    pub fn silence(&mut self, ms: usize) {
        self.line(&vec![0xFF; ms * 8]);
    }

    /// Lets time pass: deadlines fire when they are due, audio plays, marks are echoed.
    pub fn advance(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            let played = self.next_mark_at();
            let due = self.call.next_deadline();
            let Some(next) = played.into_iter().chain(due).min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(next);
            if played.is_some_and(|at| at <= self.now) {
                self.echo();
            } else {
                self.input(Input::Deadline);
            }
        }
        self.now = end;
    }

    /// Lets everything queued play, and its marks come back.
    pub fn play_out(&mut self) {
        while let Some(at) = self.next_mark_at() {
            let wait = at.saturating_sub(self.now);
            self.advance(wait);
        }
    }

    /// The shop hangs up.
    pub fn stop(&mut self) {
        self.phone(json!({ "event": "stop", "streamSid": self.stream, "stop": {} }));
    }

    pub fn sent(&self, kind: &str) -> Vec<&Value> {
        self.to_model
            .iter()
            .filter(|event| event["type"] == kind)
            .collect()
    }

    /// How much audio each message to the model carried, in ms.
    pub fn appended_ms(&self) -> Vec<u64> {
        let sent = self.sent("input_audio_buffer.append").into_iter();
        sent.map(|e| decoded_len(e["audio"].as_str().unwrap()) / 8)
            .collect()
    }

    /// The texts of the stage directions sent so far.
    pub fn cues(&self) -> Vec<String> {
        let items = self.sent("conversation.item.create").into_iter();
        items
            .filter(|e| e["item"]["role"] == "system")
            .map(|e| e["item"]["content"][0]["text"].as_str().unwrap().to_owned())
            .collect()
    }

    /// What the model was told of a tool call.
    pub fn output_of(&self, call_id: &str) -> Option<Value> {
        let mut outputs = self.sent("conversation.item.create").into_iter();
        let found = outputs.rfind(|e| e["item"]["call_id"] == call_id)?;
        serde_json::from_str(found["item"]["output"].as_str()?).ok()
    }

    /// Where the model was told that its items were cut off, in ms.
    pub fn truncations(&self) -> Vec<(String, u64)> {
        let sent = self.sent("conversation.item.truncate").into_iter();
        sent.map(|event| {
            let item = event["item_id"].as_str().unwrap().to_owned();
            (item, event["audio_end_ms"].as_u64().unwrap())
        })
        .collect()
    }

    /// The call as the API shows it.
    pub fn live(&self) -> Value {
        serde_json::from_str(&self.call.live(self.now)).unwrap()
    }

    /// What the shop is taken to have said.
    pub fn shop_said(&self) -> Vec<String> {
        let live = self.live();
        let turns = live["transcript"].as_array().into_iter().flatten();
        let shop = turns.filter(|turn| turn["role"] == "human");
        shop.map(|turn| turn["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// The newest mark that has still to come back.
    pub fn mark(&self) -> Option<&str> {
        self.queue.iter().rev().find_map(|queued| match queued {
            Queued::Mark(name) => Some(name.as_str()),
            Queued::Audio(_) => None,
        })
    }

    /// Milliseconds of audio sent to the phone so far, since the greeting.
    pub fn audio_ms(&self) -> u64 {
        self.audio_ms
    }

    pub fn clears(&self) -> usize {
        self.to_phone
            .iter()
            .filter(|m| m.contains("\"clear\""))
            .count()
    }

    pub fn responses_wanted(&self) -> usize {
        self.sent("response.create").len()
    }

    /// The events so far, or all of them.
    pub fn logged(&self) -> Vec<Value> {
        let events = self.call.events();
        let lines = events.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The one outcome.
    pub fn outcome(&self) -> &Value {
        assert_eq!(self.outcomes.len(), 1, "exactly one outcome");
        &self.outcomes[0]
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.call.poll() {
            match output {
                Output::LoadLine { key } => self.line_keys.push(key),
                Output::KeepLine { key, audio } => self.lines_kept.push((key, audio)),
                Output::Phone(text) => self.phone_gets(text),
                Output::ClosePhone => self.phone_closed = true,
                Output::ConnectModel { socket } => self.connects.push(socket),
                Output::Model(text) => self.to_model.push(serde_json::from_str(&text).unwrap()),
                Output::CloseModel => self.model_closed += 1,
                Output::HangUp => self.hang_ups += 1,
                Output::Save(text) => self.saves.push(text),
                Output::Log(line) => self.logs.push(serde_json::to_string(&line).unwrap()),
                Output::Outcome(finished) => {
                    self.outcomes
                        .push(serde_json::from_str(&finished.json).unwrap());
                    self.events = finished.events;
                    let number = finished.suppress;
                    self.suppressed
                        .extend(number.map(|number| number.as_str().to_owned()));
                }
            }
        }
    }

    fn phone_gets(&mut self, text: String) {
        let message: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(message["streamSid"], self.stream);
        if self.queue.is_empty() {
            self.head_started = self.now;
        }
        match message["event"].as_str().unwrap() {
            "media" => {
                let payload = message["media"]["payload"].as_str().unwrap();
                let ms = decoded_len(payload) / 8;
                self.audio_ms += ms;
                self.queue.push_back(Queued::Audio(ms));
            }
            "mark" => {
                self.marks += 1;
                let name = message["mark"]["name"].as_str().unwrap();
                self.queue.push_back(Queued::Mark(name.into()));
            }
            "clear" => {
                self.to_phone.push(text);
                // Twilio echoes the marks it throws away, too.
                let flushed: Vec<Queued> = self.queue.drain(..).collect();
                for queued in flushed {
                    if let Queued::Mark(name) = queued {
                        self.phone(json!({ "event": "mark", "streamSid": self.stream, "mark": { "name": name } }));
                    }
                }
            }
            _ => self.to_phone.push(text),
        }
    }

    /// When the next mark in the queue will have been reached.
    fn next_mark_at(&self) -> Option<u64> {
        let mut at = self.head_started;
        for queued in &self.queue {
            match queued {
                Queued::Audio(ms) => at += ms,
                Queued::Mark(_) => return Some(at),
            }
        }
        None
    }

    fn echo(&mut self) {
        while let Some(queued) = self.queue.pop_front() {
            match queued {
                Queued::Audio(ms) => self.head_started += ms,
                Queued::Mark(name) => {
                    if !self.marks_lost {
                        self.phone(json!({ "event": "mark", "streamSid": self.stream, "mark": { "name": name } }));
                    }
                    return;
                }
            }
        }
    }
}

/// A read-back of everything `Bench::ordered` records.
pub const READ_BACK: &str = "So one large pepperoni pizza for pickup by Dana, phone three one oh five five five oh one four two, right?";

/// A sentence of the fixtures as μ-law.
pub fn sentence(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/speech/{name}.wav", env!("CARGO_MANIFEST_DIR"));
    let wav = Wav::parse(&std::fs::read(path).unwrap()).unwrap();
    wav.samples.into_iter().map(ulaw::encode).collect()
}

/// Base64 of so many bytes of silence.
pub fn base64(bytes: u64) -> String {
    media::encode(&vec![0xFF; usize::try_from(bytes).unwrap()])
}

/// How many bytes this base64 stands for.
pub fn decoded_len(payload: &str) -> u64 {
    media::decode(payload).unwrap().len() as u64
}

fn merge(a: &Value, b: Value) -> Value {
    let (Value::Object(mut map), Value::Object(more)) = (a.clone(), b) else {
        panic!("objects")
    };
    map.extend(more);
    Value::Object(map)
}
