//! The product: a [`Call`], and what the Durable Object around it does with its outputs. It
//! translates, and decides nothing.

use super::Delivery;
use super::model::ToModel;
use super::phone::ToPhone;
use super::post::{Lane, Post};
use crate::rig::{FROM_NUMBER, HANDOFF_NUMBER};
use crate::twilio::twiml::Request;
use anyhow::{anyhow, bail};
use orderline::call::input::Input;
use orderline::call::output::Output;
use orderline::call::request::CallRequest;
use orderline::call::{self, Call, Settings};
use orderline::config::Config;
use orderline::http::route::{self, Hook, Route};
use orderline::twilio::rest::CreateCall;
use orderline::twilio::sid::CallSid;
use orderline::twilio::webhook::{CallStatus, Form};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use url::Url;
use url::form_urlencoded::Serializer;

/// What every call gets.
pub const CALL_SID: &str = "CA00000000000000000000000000000001";
/// The Twilio account.
pub const ACCOUNT_SID: &str = "AC00000000000000000000000000000001";
/// Unguessable in reality.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// 2026-01-01, in ms since 1970: when every call is placed.
const PLACED_AT: u64 = 1_767_225_600_000;

/// How long it takes to look something up that was kept, in ms.
const LOOK_UP_MS: u64 = 10;

/// What calls keep for later ones, by its key: the audio of greetings.
pub type Kept = BTreeMap<String, Vec<u8>>;

/// What reaches the bridge.
#[derive(Debug)]
pub enum ToBridge {
    /// Twilio answered the placing of the call.
    Placed,
    /// A webhook; the answer names `step` again.
    Webhook {
        path: String,
        form: String,
        step: u64,
    },
    /// Twilio opens the media stream at this path.
    Upgrade { path: String, step: u64 },
    /// A frame of the media stream.
    PhoneText(String),
    /// The media socket is gone.
    PhoneClosed,
    /// Twilio answered our hang-up.
    HungUp,
    /// The socket to the model is open.
    ModelOpened { socket: u32 },
    /// An event of the model.
    ModelText { socket: u32, text: String },
    /// The socket to the model is gone.
    ModelClosed { socket: u32, code: u16 },
    /// The audio of a line that was kept, and where.
    Line(String, Vec<u8>),
}

impl ToBridge {
    /// A webhook with these parameters.
    pub fn webhook(to: &Request, form: &[(String, String)], step: u64) -> Self {
        let path = Url::parse(&to.url).map(|url| url.path().to_owned());
        Self::Webhook {
            path: path.unwrap_or_default(),
            form: Serializer::new(String::new()).extend_pairs(form).finish(),
            step,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum MediaSocket {
    None,
    Open,
    /// We have sent our closing frame.
    Closing,
    Gone,
}

/// The Durable Object of one call.
pub struct Bridge {
    config: Config,
    request: CallRequest,
    call: Option<Call>,
    /// Webhooks that came before the call was known.
    waiting: Vec<ToBridge>,
    media: MediaSocket,
    model: Option<u32>,
    /// Number of the socket that the call wants; others are closed when they open.
    model_wanted: u32,
    /// When the call was last woken for a deadline.
    woken_at: u64,
    outcomes: u32,
    /// What earlier calls kept, and this one.
    pub kept: Kept,
    /// The outcome, as the call wrote it.
    pub outcome: Option<String>,
    /// The events that it follows from.
    pub log: String,
    /// The call as the API showed it last, before its outcome.
    pub live: String,
    /// Everything that came in and went out.
    pub trace: String,
}

impl Bridge {
    /// The product with the variables of `rig.rs`, about to place a call, and what earlier calls kept.
    pub fn new(request: &Value, kept: Kept) -> anyhow::Result<Self> {
        let variables = [
            ("API_TOKEN", "api"),
            ("OPENAI_API_KEY", "sk"),
            ("TWILIO_ACCOUNT_SID", ACCOUNT_SID),
            ("TWILIO_AUTH_TOKEN", "auth"),
            ("TWILIO_FROM_NUMBER", FROM_NUMBER),
            ("HANDOFF_NUMBER", HANDOFF_NUMBER),
            ("PUBLIC_BASE_URL", "https://orderline.example"),
        ];
        let lookup = |name: &str| variables.iter().find(|(known, _)| *known == name);
        let config = Config::read(|name| lookup(name).map(|(_, value)| (*value).to_owned()))
            .map_err(|errors| anyhow!("{errors:?}"))?;
        let request = CallRequest::parse(request.to_string().as_bytes())
            .map_err(|errors| anyhow!("{errors:?}"))?;
        Ok(Self {
            config,
            request,
            call: None,
            waiting: Vec::new(),
            media: MediaSocket::None,
            model: None,
            model_wanted: 0,
            woken_at: 0,
            outcomes: 0,
            kept,
            outcome: None,
            log: String::new(),
            live: String::new(),
            trace: String::new(),
        })
    }

    /// The form of `POST …/Calls.json`.
    pub fn create_call(&self) -> String {
        let max_call_ms = self.request.max_call_ms.unwrap_or(self.config.max_call_ms);
        let create = CreateCall {
            to: &self.request.to,
            from: &self.config.twilio_from,
            base_url: &self.config.public_base_url,
            ring_timeout_sec: call::RING_TIMEOUT_SEC,
            time_limit_sec: call::time_limit_sec(max_call_ms, true),
        };
        create.to_form()
    }

    /// When [`Self::wake`] has something to do.
    pub fn deadline(&self) -> Option<u64> {
        let call = self.call.as_ref()?;
        let alarm = (self.outcomes == 0).then(|| call.final_deadline());
        let due = call.next_deadline().into_iter().chain(alarm).min()?;
        // A timer takes a millisecond at least.
        Some(due.saturating_sub(PLACED_AT).max(self.woken_at + 1))
    }

    /// Wakes the call, if a deadline is due.
    pub fn wake(&mut self, post: &mut Post) {
        if self.deadline().is_none_or(|due| due > post.now()) {
            return;
        }
        self.woken_at = post.now();
        let now = PLACED_AT + post.now();
        let alarm = self
            .call
            .as_ref()
            .is_some_and(|call| self.outcomes == 0 && call.final_deadline() <= now);
        self.input(post, if alarm { Input::Alarm } else { Input::Deadline });
    }

    /// Something arrived.
    pub fn handle(&mut self, post: &mut Post, event: ToBridge) {
        match event {
            ToBridge::Placed => self.begin(post),
            ToBridge::Webhook { .. } if self.call.is_none() => self.waiting.push(event),
            ToBridge::Webhook { path, form, step } => {
                let xml = self
                    .webhook(post, &path, &form)
                    .unwrap_or_else(|error| format!("{path}: {error}"));
                self.drive(post);
                if !xml.is_empty() {
                    let answer = ToPhone::Document { xml, step };
                    post.send(Lane::Documents, Delivery::Phone(answer));
                }
            }
            ToBridge::Upgrade { path, step } => {
                let accepted = self.upgrade(PLACED_AT + post.now(), &path);
                self.drive(post);
                let answer = ToPhone::Upgraded { accepted, step };
                post.send(Lane::StreamOut, Delivery::Phone(answer));
            }
            ToBridge::PhoneText(text) => self.input(post, Input::Phone(&text)),
            ToBridge::PhoneClosed if self.media == MediaSocket::None => {}
            ToBridge::PhoneClosed => {
                self.media = MediaSocket::Gone;
                self.input(post, Input::PhoneClosed);
            }
            ToBridge::HungUp => self.input(post, Input::HungUp { done: true }),
            ToBridge::ModelOpened { socket } if socket == self.model_wanted => {
                self.model = Some(socket);
                self.input(post, Input::ModelOpened { socket });
            }
            ToBridge::ModelOpened { socket } => {
                post.send(Lane::ModelOut, Delivery::Model(ToModel::Closed { socket }));
            }
            ToBridge::ModelText { socket, text } => {
                let text = &text;
                self.input(post, Input::Model { socket, text });
            }
            ToBridge::ModelClosed { socket, code } => {
                self.input(post, Input::ModelClosed { socket, code });
            }
            ToBridge::Line(key, audio) => {
                let (key, audio) = (&key, &audio);
                self.input(post, Input::Line { key, audio });
            }
        }
    }

    /// What the call left undone.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.outcomes != 1 {
            faults.push(format!("the outcome was written {} times", self.outcomes));
        }
        if let Some(socket) = self.model {
            faults.push(format!("socket {socket} to the model was left open"));
        }
        if self.media == MediaSocket::Open {
            faults.push("the media socket was left open".to_owned());
        }
        faults
    }

    fn begin(&mut self, post: &mut Post) {
        if let Ok(sid) = CallSid::parse(CALL_SID) {
            let settings = Settings::from(&self.config);
            let request = Some(self.request.clone());
            let now = PLACED_AT + post.now();
            self.call = Some(Call::new(settings, sid, request, TOKEN.into(), now));
        }
        self.drive(post);
        for webhook in std::mem::take(&mut self.waiting) {
            self.handle(post, webhook);
        }
    }

    /// The answer's TwiML; empty where none is asked for.
    fn webhook(&mut self, post: &Post, path: &str, form: &str) -> anyhow::Result<String> {
        let _ = writeln!(self.trace, "{} > {path} {form}", post.now());
        let form = Form::decode(form.as_bytes());
        form.call_sid(&self.config.twilio_account_sid)?;
        let (Ok(Route::Hook(hook)), Some(call)) = (route::find("POST", path), &mut self.call)
        else {
            bail!("no webhook");
        };
        let now = PLACED_AT + post.now();
        let twiml = match hook {
            Hook::Voice => call.voice(now),
            Hook::StreamEnded => {
                let alive = !form.status().is_some_and(CallStatus::is_terminal);
                call.stream_ended(now, alive, format!("{now:032x}"))
            }
            Hook::DialEnded => call.dial_ended(now, form.dial_was_answered()),
            Hook::Stream => return Ok(String::new()),
            Hook::Status => {
                if let Some(status) = form.status() {
                    call.handle(now, Input::Status(status));
                }
                return Ok(String::new());
            }
        };
        let xml = twiml.to_xml();
        let _ = writeln!(self.trace, "{} < {xml}", post.now());
        Ok(xml)
    }

    fn upgrade(&mut self, now: u64, path: &str) -> bool {
        let (Ok(Route::Media { sid, token }), Some(call)) =
            (route::find("GET", path), &mut self.call)
        else {
            return false;
        };
        let accepted = sid.as_str() == CALL_SID && call.claim_stream(now, &token);
        if accepted {
            self.media = MediaSocket::Open;
        }
        accepted
    }

    fn input(&mut self, post: &mut Post, input: Input<'_>) {
        let _ = writeln!(self.trace, "{} > {input:?}", post.now());
        if let Some(call) = &mut self.call {
            call.handle(PLACED_AT + post.now(), input);
        }
        self.drive(post);
    }

    fn drive(&mut self, post: &mut Post) {
        while let Some(output) = self.call.as_mut().and_then(Call::poll) {
            let _ = writeln!(self.trace, "{} < {output:?}", post.now());
            self.perform(post, output);
        }
    }

    fn perform(&mut self, post: &mut Post, output: Output) {
        match output {
            Output::Phone(text) => {
                if self.media == MediaSocket::Open {
                    let text = ToPhone::Text(text);
                    post.send(Lane::StreamOut, Delivery::Phone(text));
                }
            }
            Output::ClosePhone => {
                if self.media == MediaSocket::Open {
                    self.media = MediaSocket::Closing;
                    post.send(Lane::StreamOut, Delivery::Phone(ToPhone::Closed));
                }
            }
            Output::ConnectModel { socket } => {
                self.model_wanted = socket;
                post.send(Lane::ModelOut, Delivery::Model(ToModel::Open { socket }));
            }
            Output::Model(text) => {
                if let Some(socket) = self.model {
                    let text = ToModel::Text { socket, text };
                    post.send(Lane::ModelOut, Delivery::Model(text));
                }
            }
            Output::CloseModel => {
                self.model_wanted = 0;
                if let Some(socket) = self.model.take() {
                    post.send(Lane::ModelOut, Delivery::Model(ToModel::Closed { socket }));
                }
            }
            Output::HangUp => post.send(Lane::Rest, Delivery::Phone(ToPhone::HangUp)),
            Output::LoadLine { key } => {
                if let Some(audio) = self.kept.get(&key) {
                    let line = ToBridge::Line(key, audio.clone());
                    post.after(LOOK_UP_MS, Delivery::Bridge(line));
                }
            }
            Output::KeepLine { key, audio } => {
                self.kept.insert(key, audio);
            }
            Output::Save(_) | Output::Log(_) => {}
            Output::Outcome(finished) => {
                self.outcomes += 1;
                let now = PLACED_AT + post.now();
                self.live = self
                    .call
                    .as_ref()
                    .map_or_else(String::new, |call| call.live(now));
                self.outcome = Some(finished.json);
                self.log = finished.events;
            }
        }
    }
}
