//! A recording of a call: all that came in, as NDJSON, so that the call can be gone through again
//! after it (`npm run replay`), and whether every output is the same, byte for byte.
//!
//! The first line is what the call was made from: `recording` ([`VERSION`]), `orderline` (the
//! version of the code), `new` (the call is made anew for what `record` says; otherwise it goes on
//! from it as a snapshot), `variables` (those of the [`VARIABLES`] that were set), `record` (the
//! call's [`super::Record`]) and `out`. Every line after it is an input: `at` (ms since 1970), `in`
//! (which [`Input`], or which method of [`Call`]), and as far as it has them `n` (number of a socket,
//! or 1 for true), `code` (of a close) and `text` (the message, the word, the token, or base64 of the
//! audio); and `out`: the first 8 hexadecimal digits of a running SHA-256 over all outputs up to and
//! with this input, so that a replay can say where it begins to differ.
//!
//! Off by default: a recording has everything that was heard.

use super::Call;
use super::input::Input;
use super::output::Output;
use crate::json;
use crate::twilio::media;
use crate::twilio::twiml::Twiml;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Deref;

/// Form of the recording.
pub const VERSION: u32 = 1;
/// The longest recording, in bytes: KV takes 25 MiB. Some 15 minutes of a call; what comes then is
/// left out, behind a line whose input is `cut`.
pub const MAX_BYTES: usize = 24_000_000;

/// The variables that [`super::Settings`] come from; no secret is among them.
pub const VARIABLES: [&str; 10] = [
    "HANDOFF_NUMBER",
    "MAX_CALL_MINUTES",
    "MAX_COST_PER_CALL",
    "OPENAI_REALTIME_MODEL",
    "OPENAI_TRANSCRIBE_MODEL",
    "OPENAI_VOICE",
    "PRICES",
    "PUBLIC_BASE_URL",
    "SILENCE_PROMPT_MS",
    "TWILIO_FROM_NUMBER",
];

/// The [`VARIABLES`] that `lookup` knows, as a JSON object.
pub fn variables(lookup: impl Fn(&str) -> Option<String>) -> String {
    let mut object = String::new();
    for name in VARIABLES {
        if let Some(value) = lookup(name) {
            let comma = if object.is_empty() { "{" } else { "," };
            for part in [comma, "\"", name, "\":", &json::text(value.as_str())] {
                object.push_str(part);
            }
        }
    }
    object.push_str(if object.is_empty() { "{}" } else { "}" });
    object
}

/// A call, and its recording if one is made. The methods are those of [`Call`].
#[derive(Debug)]
pub struct Recorder {
    call: Call,
    tape: Option<Tape>,
}

#[derive(Debug, Default)]
struct Tape {
    text: String,
    digest: Sha256,
    /// How many of the outputs that wait to be polled are in the digest.
    digested: usize,
    /// It is full.
    is_cut: bool,
}

impl Deref for Recorder {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl Recorder {
    /// A call that was just made, anew or from its snapshot; to be recorded if the [`variables`] are
    /// given.
    pub fn of(call: Call, new: bool, variables: Option<String>) -> Self {
        let tape = variables.map(|variables| {
            let record = json::text(&call.record);
            let mut tape = Tape::default();
            let out = tape.digest(&call);
            tape.text = format!(
                r#"{{"recording":{VERSION},"orderline":"{}","new":{new},"variables":{variables},"record":{record},"out":"{out}"}}"#,
                env!("CARGO_PKG_VERSION"),
            );
            tape.text.push('\n');
            tape
        });
        Self { call, tape }
    }

    /// The recording up to here; ends it.
    pub fn take(&mut self) -> Option<String> {
        self.tape.take().map(|tape| tape.text)
    }

    /// See [`Call::handle`].
    pub fn handle(&mut self, now: u64, input: Input<'_>) {
        self.call.handle(now, input);
        if self.tape.is_none() {
            return;
        }
        let (mut n, mut code, mut text) = (0, 0, Cow::Borrowed(""));
        let name = match input {
            Input::Phone(message) => {
                text = message.into();
                "phone"
            }
            Input::PhoneClosed => "phone_closed",
            Input::ModelOpened { socket } => {
                n = socket;
                "model_opened"
            }
            Input::Model {
                socket,
                text: event,
            } => {
                (n, text) = (socket, event.into());
                "model"
            }
            Input::ModelClosed { socket, code: with } => {
                (n, code) = (socket, u32::from(with));
                "model_closed"
            }
            Input::Line { key, audio } => {
                text = format!("{key} {}", media::encode(audio)).into();
                "line"
            }
            Input::Status(status) => {
                let word = json::text(&status);
                text = word.trim_matches('"').to_owned().into();
                "status"
            }
            Input::HungUp { done } => {
                n = u32::from(done);
                "hung_up"
            }
            Input::Restored { streaming } => {
                n = u32::from(streaming);
                "restored"
            }
            Input::Alarm => "alarm",
            Input::Deadline => "deadline",
        };
        self.note(now, name, n, code, &text);
    }

    /// See [`Call::voice`].
    pub fn voice(&mut self, now: u64) -> Twiml {
        let twiml = self.call.voice(now);
        self.answered(now, "voice", 0, "", twiml)
    }

    /// See [`Call::claim_stream`].
    pub fn claim_stream(&mut self, now: u64, token: &str) -> bool {
        let good = self.call.claim_stream(now, token);
        self.add(&[&[u8::from(good)]]);
        self.note(now, "claim_stream", 0, 0, token);
        good
    }

    /// See [`Call::stream_ended`].
    pub fn stream_ended(&mut self, now: u64, alive: bool, token: String) -> Twiml {
        let text = token.clone();
        let twiml = self.call.stream_ended(now, alive, token);
        self.answered(now, "stream_ended", u32::from(alive), &text, twiml)
    }

    /// See [`Call::dial_ended`].
    pub fn dial_ended(&mut self, now: u64, reached: bool) -> Twiml {
        let twiml = self.call.dial_ended(now, reached);
        self.answered(now, "dial_ended", u32::from(reached), "", twiml)
    }

    /// See [`Call::poll`].
    pub fn poll(&mut self) -> Option<Output> {
        let output = self.call.poll()?;
        if let Some(tape) = &mut self.tape {
            tape.digested = tape.digested.saturating_sub(1);
        }
        Some(output)
    }

    fn answered(&mut self, now: u64, input: &str, n: u32, text: &str, twiml: Twiml) -> Twiml {
        if self.tape.is_some() {
            self.add(&[twiml.to_xml().as_bytes()]);
            self.note(now, input, n, 0, text);
        }
        twiml
    }

    fn add(&mut self, parts: &[&[u8]]) {
        if let Some(tape) = &mut self.tape {
            tape.add(parts);
        }
    }

    fn note(&mut self, at: u64, input: &str, n: u32, code: u32, text: &str) {
        let Some(tape) = self.tape.as_mut().filter(|tape| !tape.is_cut) else {
            return;
        };
        tape.is_cut = tape.text.len().saturating_add(text.len()) > MAX_BYTES;
        let input = if tape.is_cut { "cut" } else { input };
        let line = &mut tape.text;
        let _ = write!(line, r#"{{"at":{at},"in":"{input}""#);
        for (name, number) in [("n", n), ("code", code)] {
            if number > 0 {
                let _ = write!(line, r#","{name}":{number}"#);
            }
        }
        if !text.is_empty() && !tape.is_cut {
            line.push_str(r#","text":"#);
            line.push_str(&json::text(text));
        }
        let out = tape.digest(&self.call);
        let _ = writeln!(tape.text, r#","out":"{out}"}}"#);
    }
}

impl Tape {
    /// Takes in what the call wants done and nobody has polled yet; the digest of all up to here.
    fn digest(&mut self, call: &Call) -> String {
        for output in call.out.iter().skip(self.digested) {
            self.output(output);
        }
        self.digested = call.out.len();
        let digest = self.digest.clone().finalize();
        let digits = digest.iter().take(4);
        digits.fold(String::new(), |hex, b| hex + &format!("{b:02x}"))
    }

    fn output(&mut self, output: &Output) {
        match output {
            Output::LoadLine { key } => self.add(&[b"load_line", key.as_bytes()]),
            Output::KeepLine { key, audio } => {
                self.add(&[b"keep_line", key.as_bytes(), audio]);
            }
            Output::Phone(text) => self.add(&[b"phone", text.as_bytes()]),
            Output::ClosePhone => self.add(&[b"close_phone"]),
            Output::ConnectModel { socket } => {
                self.add(&[b"connect_model", &socket.to_le_bytes()]);
            }
            Output::Model(text) => self.add(&[b"model", text.as_bytes()]),
            Output::CloseModel => self.add(&[b"close_model"]),
            Output::HangUp => self.add(&[b"hang_up"]),
            Output::Save(snapshot) => self.add(&[b"save", snapshot.as_bytes()]),
            Output::Log(line) => {
                let line = json::text(line);
                self.add(&[b"log", line.as_bytes()]);
            }
            Output::Outcome(finished) => self.add(&[
                b"outcome",
                finished.json.as_bytes(),
                finished.summary.as_bytes(),
                &finished.cost.to_le_bytes(),
                &[u8::from(finished.reached)],
                finished
                    .suppress
                    .as_ref()
                    .map_or("", |to| to.as_str())
                    .as_bytes(),
                finished.events.as_bytes(),
            ]),
        }
    }

    /// Each with its length, so that no two outputs run into the same bytes.
    fn add(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.digest.update((part.len() as u64).to_le_bytes());
            self.digest.update(part);
        }
    }
}
