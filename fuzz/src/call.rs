//! Any sequence of inputs to a whole call, with a phone that knows what was sent to it.
//!
//! After every step: at most one outcome, nothing sent without bound, a deadline armed while the
//! call is open. In the end the alarm comes, and then there is an outcome that follows from the
//! call's own events.

mod steps;

use arbitrary::{Arbitrary, Unstructured};
use orderline::audio::ulaw::SILENCE;
use orderline::audio::wav::Wav;
use orderline::call::input::Input;
use orderline::call::output::Output;
use orderline::call::record::{EndReason, Handoff, Record};
use orderline::call::request::CallRequest;
use orderline::call::{Call, Settings, events, outcome};
use orderline::config::Config;
use orderline::twilio::media;
use orderline::twilio::sid::CallSid;
use orderline::twilio::twiml::Twiml;
use orderline::twilio::webhook::{CallStatus, Form};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::LazyLock;
use steps::{Event, Sound, Start, Step};

const SID: &str = "CA00000000000000000000000000000001";
const STREAM: &str = "MZ00000000000000000000000000000001";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const NEXT_TOKEN: &str = "fedcba9876543210fedcba9876543210";
/// 2026-11-22T12:00:00Z, in ms.
const T0: u64 = 1_795_348_800_000;
const FRAME: usize = 160;
const FRAME_MS: u64 = 20;
/// The most steps of a sequence, and the most that one may lead to: every message that waited for
/// the model, and a snapshot with a full log.
const MAX_STEPS: usize = 300;
const MAX_OUTPUTS: usize = 2_000;
const MAX_OUTPUT_BYTES: usize = 4 << 20;
/// The most deadlines in the same millisecond.
const MAX_AT_ONCE: u32 = 40;

static SPEECH: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let wav = include_bytes!("../../fixtures/speech/lab/m7-wait.wav");
    Wav::parse(wav).unwrap().to_ulaw()
});

/// `SHOW_STEPS=1` tells what an input of a fuzzer means.
static SHOW_STEPS: LazyLock<bool> = LazyLock::new(|| std::env::var_os("SHOW_STEPS").is_some());

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let config = Config::read(|name| {
        let value = match name {
            "TWILIO_ACCOUNT_SID" => "AC00000000000000000000000000000001",
            "TWILIO_FROM_NUMBER" => "+13105550100",
            "HANDOFF_NUMBER" => "+13105550199",
            "PUBLIC_BASE_URL" => "https://calls.example.com",
            "API_TOKEN" | "OPENAI_API_KEY" | "TWILIO_AUTH_TOKEN" => "secret",
            _ => return None,
        };
        Some(value.to_owned())
    });
    Settings::from(&config.unwrap())
});

/// The call from its placing, and everything that the bytes say.
pub fn sequence(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    let Ok(start) = Start::arbitrary(&mut bytes) else {
        return;
    };
    if *SHOW_STEPS {
        eprintln!("{start:?}");
    }
    let mut bench = Bench::started(start);
    for _ in 0..MAX_STEPS {
        if bytes.is_empty() {
            break;
        }
        match Step::arbitrary(&mut bytes) {
            Ok(step) => bench.step(&step),
            Err(_) => break,
        }
    }
    bench.end();
}

/// A call from this snapshot, to its end.
pub fn from_snapshot(record: Record) {
    let Ok(now) = u64::try_from(i64::try_from(record.placed_at).unwrap_or(0)) else {
        return;
    };
    let mut bench = Bench::over(Call::restore(SETTINGS.clone(), record), now);
    bench.is_foreign = true;
    bench.handle(Input::Restored { streaming: false });
    bench.step(&Step::StreamEnded);
    bench.step(&Step::Voice);
    bench.step(&Step::Wait(u16::MAX));
    bench.end();
}

/// The call, and what its phone and its Durable Object know.
struct Bench {
    call: Call,
    now: u64,
    /// Stream time of the shop's audio, in ms.
    heard_ms: u64,
    /// Names of marks that have not come back.
    marks: VecDeque<String>,
    socket: u32,
    snapshot: Option<String>,
    /// Where the call looked for the audio of its lines.
    lines: Vec<String>,
    answered: bool,
    outcomes: u32,
    last: Option<(String, String)>,
    next_id: u8,
    /// The snapshot may be anybody's: what it says need not fit together.
    is_foreign: bool,
}

impl Bench {
    fn over(call: Call, now: u64) -> Self {
        Self {
            call,
            now,
            heard_ms: 0,
            marks: VecDeque::new(),
            socket: 0,
            snapshot: None,
            lines: Vec::new(),
            answered: false,
            outcomes: 0,
            last: None,
            next_id: 0,
            is_foreign: false,
        }
    }

    fn started(start: Start) -> Self {
        let body =
            br#"{"to":"+13105550123","order":{"items":[{"size":"large","toppings":["pepperoni"]}],
            "customer":{"name":"Dana","phone":"+13105550142"},"delivery_method":"pickup"}}"#;
        let request = CallRequest::parse(body);
        let request = (start != Start::CameIn).then(|| request.unwrap());
        let sid = CallSid::parse(SID).unwrap();
        let call = Call::new(SETTINGS.clone(), sid, request, TOKEN.into(), T0);
        let mut bench = Self::over(call, T0);
        bench.drain();
        if matches!(start, Start::Answered | Start::Talking) {
            for step in [Step::Voice, Step::Claim(true), Step::Start] {
                bench.step(&step);
            }
        }
        if start == Start::Talking {
            bench.step(&Step::ModelOpen);
            bench.step(&Step::Event(Event::Session));
        }
        bench
    }

    fn step(&mut self, step: &Step<'_>) {
        if *SHOW_STEPS {
            eprintln!("{} {step:?}", self.now - T0);
        }
        match *step {
            Step::Wait(ms) => self.wait(u64::from(ms)),
            Step::Voice => {
                let twiml = self.call.voice(self.now);
                assert_eq!(self.call.voice(self.now), twiml, "asked again");
                // An unanswered call waits for its status, and the alarm.
                self.answered |= twiml != Twiml::HangUp;
                self.drain();
            }
            Step::Claim(good) => {
                let tokens: &[&str] = if good {
                    &[TOKEN, NEXT_TOKEN]
                } else {
                    &["0", ""]
                };
                for token in tokens {
                    let claimed = self.call.claim_stream(self.now, token);
                    assert!(good || !claimed || self.is_foreign);
                    assert!(!self.call.claim_stream(self.now, token), "works once");
                }
                self.drain();
            }
            Step::StreamEnded => {
                self.call
                    .stream_ended(self.now, true, NEXT_TOKEN.to_owned());
                self.drain();
            }
            Step::DialEnded(reached) => {
                self.call.dial_ended(self.now, reached);
                self.drain();
            }
            Step::Status(status) => self.handle(Input::Status(status_named(status))),
            Step::HungUp(done) => self.handle(Input::HungUp { done }),
            Step::Restart(streaming) => self.restart(streaming),
            Step::Alarm => self.handle(Input::Alarm),
            Step::Start => self.phone(&json!({"event": "start", "streamSid": STREAM,
                "start": {"callSid": SID}})),
            Step::Stop => self.phone(&json!({"event": "stop", "streamSid": STREAM})),
            Step::PhoneClosed => self.handle(Input::PhoneClosed),
            Step::Shop(sound, frames) => self.shop(sound, frames),
            Step::Echo(marks) => self.echo(usize::from(marks)),
            Step::PlayOut => self.echo(usize::MAX),
            Step::Key(key) => {
                let digit = char::from(key).to_string();
                self.phone(
                    &json!({"event": "dtmf", "streamSid": STREAM, "dtmf": {"digit": digit}}),
                );
            }
            Step::PhoneText(text) => self.handle(Input::Phone(text)),
            Step::ModelOpen => self.handle(Input::ModelOpened {
                socket: self.socket,
            }),
            Step::ModelClosed(code) => self.handle(Input::ModelClosed {
                socket: self.socket,
                code,
            }),
            Step::Event(ref event) => self.event(event),
            Step::Agent(line, bytes) => {
                let id = self.id();
                let bytes = u16::from(bytes) * 100;
                for event in [
                    Event::Response(id),
                    Event::Words(id, id, line),
                    Event::Audio(id, id, bytes),
                    Event::MessageDone(id),
                    Event::Done(id, 0),
                ] {
                    self.event(&event);
                }
            }
            Step::Turn(line) => {
                let id = self.id();
                self.event(&Event::Speech(true));
                self.shop(Sound::Speech, 20);
                self.event(&Event::Speech(false));
                self.event(&Event::Committed(id));
                self.event(&Event::Transcribed(id, line));
            }
            Step::ModelText(text) => self.handle(Input::Model {
                socket: self.socket,
                text,
            }),
            Step::StaleText(text) => self.handle(Input::Model {
                socket: self.socket.wrapping_sub(1),
                text,
            }),
            Step::Greeting(bytes) => {
                let audio = vec![SILENCE; usize::from(bytes)];
                let key = self.lines.get(usize::from(bytes) % 2).cloned();
                let key = &key.unwrap_or_default();
                self.handle(Input::Line { key, audio: &audio });
            }
        }
    }

    fn id(&mut self) -> u8 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }

    fn event(&mut self, event: &Event<'_>) {
        let text = event
            .to_json(|bytes| media::encode(&vec![0x55; bytes]))
            .to_string();
        let socket = self.socket;
        self.handle(Input::Model {
            socket,
            text: &text,
        });
    }

    fn phone(&mut self, message: &Value) {
        self.handle(Input::Phone(&message.to_string()));
    }

    fn shop(&mut self, sound: Sound, frames: u8) {
        let from = usize::try_from(self.heard_ms).unwrap_or(0) * 8;
        for n in 0..usize::from(frames) {
            self.wait(FRAME_MS);
            let audio: Vec<u8> = match sound {
                Sound::Silence => vec![SILENCE; FRAME],
                Sound::Speech => {
                    let endless = SPEECH.iter().cycle();
                    let at = (from + n * FRAME) % SPEECH.len();
                    endless.skip(at).take(FRAME).copied().collect()
                }
                Sound::Hum => [0x10, 0x90].repeat(FRAME / 2),
                Sound::Lost => Vec::new(),
            };
            let timestamp = self.heard_ms.to_string();
            self.heard_ms += FRAME_MS;
            if !audio.is_empty() {
                let payload = media::encode(&audio);
                self.phone(&json!({"event": "media", "streamSid": STREAM,
                    "media": {"timestamp": timestamp, "payload": payload}}));
            }
        }
    }

    fn echo(&mut self, marks: usize) {
        for _ in 0..marks.min(self.marks.len()) {
            let name = self.marks.pop_front().unwrap_or_default();
            self.wait(FRAME_MS);
            self.phone(&json!({"event": "mark", "streamSid": STREAM, "mark": {"name": name}}));
        }
    }

    fn wait(&mut self, ms: u64) {
        let until = self.now.saturating_add(ms);
        let mut at_once = 0;
        while let Some(due) = self.call.next_deadline().filter(|due| *due <= until) {
            at_once = if due > self.now { 0 } else { at_once + 1 };
            assert!(at_once < MAX_AT_ONCE, "a deadline comes again and again");
            self.now = self.now.max(due);
            self.handle(Input::Deadline);
        }
        self.now = until;
    }

    fn restart(&mut self, streaming: bool) {
        let Some(snapshot) = self.snapshot.clone() else {
            return;
        };
        let record = Record::parse(&snapshot).expect("our own snapshot");
        assert_eq!(serde_json::to_string(&record).unwrap(), snapshot);
        self.call = Call::restore(SETTINGS.clone(), record);
        self.marks.clear();
        self.socket = 0;
        self.handle(Input::Restored { streaming });
    }

    fn handle(&mut self, input: Input<'_>) {
        // No socket to the model has been opened.
        if matches!(input, Input::Model { .. } | Input::ModelOpened { .. }) && self.socket == 0 {
            return;
        }
        // An outcome may have been lost before it was kept.
        if matches!(input, Input::Alarm | Input::Restored { .. }) && self.call.is_finished() {
            self.outcomes = 0;
        }
        self.call.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        let (mut count, mut bytes) = (0, 0);
        while let Some(output) = self.call.poll() {
            count += 1;
            bytes += match output {
                Output::Phone(text) => {
                    let message: Value = serde_json::from_str(&text).expect("JSON to the phone");
                    match message["event"].as_str() {
                        Some("mark") => {
                            let name = message["mark"]["name"].as_str();
                            self.marks.push_back(name.unwrap_or_default().to_owned());
                        }
                        Some("media" | "clear") => {}
                        other => panic!("{other:?} to the phone"),
                    }
                    text.len()
                }
                Output::Model(text) => {
                    let event: Value = serde_json::from_str(&text).expect("JSON to the model");
                    assert!(event["type"].is_string());
                    text.len()
                }
                Output::ConnectModel { socket } => {
                    assert!(socket > self.socket, "an old number");
                    self.socket = socket;
                    0
                }
                Output::LoadLine { key } => {
                    if self.lines.len() < 2 {
                        self.lines.push(key);
                    }
                    0
                }
                Output::Save(snapshot) => {
                    let bytes = snapshot.len();
                    self.snapshot = Some(snapshot);
                    bytes
                }
                Output::Outcome(finished) => {
                    self.outcomes += 1;
                    let bytes = finished.json.len() + finished.events.len();
                    assert!(serde_json::from_str::<Value>(&finished.summary).is_ok());
                    self.last = Some((finished.json, finished.events));
                    bytes
                }
                _ => 0,
            };
        }
        assert!(count <= MAX_OUTPUTS, "{count} outputs");
        assert!(bytes <= MAX_OUTPUT_BYTES, "{bytes} bytes of outputs");
        assert!(self.outcomes <= 1, "{} outcomes", self.outcomes);
        let is_open = self.answered && !self.call.is_finished() && !self.is_foreign;
        if is_open && self.call.next_deadline().is_none() {
            // While a human has the call, or Twilio is to give it to one, only the alarm is armed.
            let record = self.snapshot.as_deref().and_then(Record::parse);
            let handoff = record.map_or(Handoff::None, |record| record.handoff);
            let is_away = matches!(handoff, Handoff::Pending | Handoff::Dialling);
            assert!(is_away, "no deadline is armed");
        }
        assert!(self.call.final_deadline() >= T0 || self.is_foreign);
    }

    /// The alarm comes, however the call stands.
    fn end(mut self) {
        let live = self.call.live(self.now);
        assert!(serde_json::from_str::<Value>(&live).is_ok());
        if !self.call.is_finished() {
            self.now = self.now.max(self.call.final_deadline());
            self.handle(Input::Alarm);
        }
        assert!(self.call.is_finished(), "the alarm ended nothing");
        let (text, log) = self.last.take().expect("an outcome");
        let said: Value = serde_json::from_str(&text).expect("an outcome in JSON");
        if self.is_foreign {
            return;
        }
        let lines = log
            .lines()
            .map(|line| serde_json::from_str(line).expect("an event"));
        let events: Vec<Value> = lines.collect();
        let record = events::replay(&events).expect("events that can be");
        for (name, follows) in [
            ("status", json!(outcome::status(&record))),
            ("endReason", json!(record.end_reason.map(EndReason::word))),
            ("order", json!(record.order)),
            ("evidence", outcome::evidence_json(&record)),
        ] {
            assert_eq!(
                said[name], follows,
                "{name} does not follow from the events"
            );
        }
    }
}

fn status_named(n: u8) -> CallStatus {
    let names = [
        "ringing",
        "in-progress",
        "completed",
        "busy",
        "no-answer",
        "failed",
        "canceled",
    ];
    let name = names[usize::from(n) % names.len()];
    let form = Form::decode(format!("CallStatus={name}").as_bytes());
    form.status().unwrap()
}
