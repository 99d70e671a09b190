//! The Durable Object of a call: one per call SID. It holds the sockets and the timer, feeds the
//! [`Call`] and carries out what it wants.
//!
//! Handlers of one object overlap at every `await`, so the state machine runs inside a handler
//! without one: [`Session::input`] borrows, steps and returns the borrow before anything else
//! happens.

use super::call_stub::{Ask, Begin, TOKEN_HEADER};
use super::log;
use super::model_socket::{self, Orphan};
use super::object_storage::ObjectStorage;
use super::outcome_keeper::Kept;
use super::phone_socket;
use super::timer::Timer;
use super::{now_ms, read_config, store, twilio_rest};
use crate::call::input::Input;
use crate::call::output::{LogLine, Output};
use crate::call::record::Record;
use crate::call::recording::{self, Recorder};
use crate::call::{BEGIN_PATIENCE_MS, Call, Settings};
use crate::config::{Config, LogLevel};
use crate::json;
use crate::twilio::sid::CallSid;
use crate::twilio::twiml::Twiml;
use crate::twilio::webhook::CallStatus;
use futures::channel::oneshot;
use futures::future::{Either, select};
use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen_futures::spawn_local;
use worker::{
    Delay, DurableObject, Env, Request, Response, Result, State, WebSocket,
    WebSocketIncomingMessage, WebSocketPair, durable_object,
};

/// Storage key.
pub(super) const ATTEMPT: &str = "attempt";

/// The most status callbacks kept for a call that is not known yet.
const MAX_EARLY: usize = 16;

/// The Durable Object.
#[durable_object]
pub struct CallSession {
    /// Where a panic unwinds, the call it broke is gone from here: [`Session::step`].
    session: AssertUnwindSafe<Rc<Session>>,
}

/// What the object holds while a call runs.
pub(super) struct Session {
    pub(super) state: State,
    pub(super) storage: ObjectStorage,
    orphan: Orphan,
    pub(super) env: Env,
    pub(super) config: Option<Config>,
    pub(super) call: RefCell<Option<Box<Recorder>>>,
    pub(super) sid: RefCell<Option<CallSid>>,
    phone: RefCell<Option<WebSocket>>,
    model: RefCell<Option<(u32, WebSocket)>>,
    /// Number of the socket to the model that the call wants; others are closed when they open.
    model_wanted: Cell<u32>,
    pub(super) timer: Timer,
    /// The outcome is kept, or being kept.
    keeping: Cell<bool>,
    /// The call was erased: nothing is written of it any more.
    pub(super) erased: Cell<bool>,
    /// The outcome, or what is left of it, once it was looked for.
    pub(super) kept: RefCell<Option<Rc<Kept>>>,
    /// It is being made known, which happens once at a time.
    pub(super) settling: Cell<bool>,
    /// Questions that came before the call was known.
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
    /// Status callbacks that came before the call was known.
    early: RefCell<Vec<CallStatus>>,
}

impl DurableObject for CallSession {
    fn new(state: State, env: Env) -> Self {
        let config = read_config(&env).ok();
        let inner = state._inner();
        let ctx = JsValue::from(inner.clone());
        let session = Rc::new_cyclic(|session| Session {
            storage: ObjectStorage::of(&ctx),
            orphan: Orphan::of(&ctx),
            state: State::from(inner),
            env,
            config,
            call: RefCell::default(),
            sid: RefCell::default(),
            phone: RefCell::default(),
            model: RefCell::default(),
            model_wanted: Cell::new(0),
            timer: Timer::of(session.clone()),
            keeping: Cell::new(false),
            erased: Cell::new(false),
            kept: RefCell::default(),
            settling: Cell::new(false),
            waiting: RefCell::default(),
            early: RefCell::default(),
        });
        phone_socket::register(&session, &ctx);
        Self {
            session: AssertUnwindSafe(session),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        self.session.load().await?;
        match request.path().as_str() {
            // Not `Request::json`, which would bring a second deserializer of everything.
            "/begin" => {
                let begin = json::read(&request.text().await?).ok_or("unknown call")?;
                self.session.begin(begin).await
            }
            "/lost" => {
                let lost = json::read(&request.text().await?).ok_or("unknown call")?;
                self.session.lost(lost)
            }
            "/ask" => {
                let ask = json::read(&request.text().await?).ok_or("unknown question")?;
                self.session.ask(ask).await
            }
            "/media" => self.session.media(&request),
            "/state" => self.session.live_state().await,
            "/events" => self.session.events().await,
            "/recording" => self.session.recording().await,
            "/erase" => match CallSid::parse(&request.text().await?) {
                Ok(sid) => self.session.erase(sid).await,
                Err(_) => Response::error("", 404),
            },
            _ => Response::error("", 404),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.session.load().await?;
        self.session.alarm().await?;
        Response::empty()
    }

    async fn websocket_message(
        &self,
        _socket: WebSocket,
        message: WebSocketIncomingMessage,
    ) -> Result<()> {
        self.session.load().await?;
        match message {
            WebSocketIncomingMessage::String(text) => self.session.input(Input::Phone(&text)),
            // Twilio sends text only; an empty message is reported like any other bad one.
            WebSocketIncomingMessage::Binary(_) => self.session.input(Input::Phone("")),
        }
        Ok(())
    }

    async fn websocket_close(
        &self,
        socket: WebSocket,
        _code: usize,
        _reason: String,
        _was_clean: bool,
    ) -> Result<()> {
        // Answering a close is harmless where the runtime has done so already.
        let _ = socket.close(Some(1000), Some("bye"));
        self.session.load().await?;
        self.session.phone_closed(&socket);
        Ok(())
    }

    async fn websocket_error(&self, socket: WebSocket, _error: worker::Error) -> Result<()> {
        self.session.load().await?;
        self.session.phone_closed(&socket);
        Ok(())
    }
}

impl Session {
    /// Steps the call, then does what it wants.
    pub(super) fn input(self: &Rc<Self>, input: Input<'_>) {
        self.step(|call| {
            panic_switch(&input);
            call.handle(now_ms(), input);
        });
        self.drive();
    }

    /// Does something with the call, if there is one. It is taken out meanwhile: a call that broke in
    /// the middle must not be gone on with, and the next handler brings it back from its snapshot.
    pub(super) fn step<T>(&self, work: impl FnOnce(&mut Recorder) -> T) -> Option<T> {
        let mut call = self.call.take()?;
        let done = work(&mut call);
        self.call.replace(Some(call));
        Some(done)
    }

    fn drive(self: &Rc<Self>) {
        // Carrying out an output may step the call again.
        while let Some(output) = self.step(Recorder::poll).flatten() {
            self.perform(output);
        }
        self.arm();
    }

    fn perform(self: &Rc<Self>, output: Output) {
        match output {
            Output::LoadLine { key } => spawn_local(Rc::clone(self).load_line(key)),
            Output::KeepLine { key, audio } => {
                spawn_local(Rc::clone(self).keep_line(key, audio));
            }
            Output::Phone(text) => {
                if let Some(socket) = self.phone.borrow().as_ref() {
                    // A socket that is gone says so by its close event.
                    let _ = socket.send_with_str(text);
                }
            }
            Output::Model(text) => {
                if let Some((_, socket)) = self.model.borrow().as_ref() {
                    let _ = socket.send_with_str(text);
                }
            }
            Output::ClosePhone => {
                if let Some(socket) = self.phone.borrow().as_ref() {
                    let _ = socket.close(Some(1000), Some("done"));
                }
            }
            Output::ConnectModel { socket } => {
                self.model_wanted.set(socket);
                spawn_local(model_socket::run(Rc::clone(self), socket));
            }
            Output::CloseModel => {
                self.model_wanted.set(0);
                if let Some((_, socket)) = self.model.take() {
                    let _ = socket.close(Some(1000), Some("done"));
                }
            }
            Output::HangUp => spawn_local(Rc::clone(self).hang_up()),
            Output::Save(snapshot) => self.save(&snapshot),
            Output::Log(line) => self.log(&line),
            // The alarm may ask for an outcome that is being kept at this moment.
            Output::Outcome(finished) => {
                if !self.keeping.replace(true) {
                    spawn_local(Rc::clone(self).keep(finished));
                }
            }
        }
    }

    /// Runs the timer for the next deadline. When there is nothing to wait for none is left.
    fn arm(&self) {
        let call = self.call.borrow();
        match call.as_ref().and_then(|call| call.next_deadline()) {
            Some(due) => self.timer.set(due),
            None => self.timer.stop(),
        }
    }

    /// The model's socket is open; whether it is still wanted.
    pub(super) fn model_connected(&self, number: u32, socket: &WebSocket) -> bool {
        let wanted = self.model_wanted.get() == number;
        if wanted {
            self.orphan.remember(socket);
            self.model.replace(Some((number, socket.clone())));
        }
        wanted
    }

    pub(super) fn log(&self, line: &LogLine) {
        let level = self
            .config
            .as_ref()
            .map_or(LogLevel::Info, |config| config.log_level);
        log::call(level, self.sid.borrow().as_ref(), line);
    }

    /// Brings back a call that this object has lost from memory.
    async fn load(self: &Rc<Self>) -> Result<()> {
        if self.call.borrow().is_some() {
            return Ok(());
        }
        // A snapshot that did not reach the disk must not bring back a call that has its outcome.
        if self.kept().await?.is_some() {
            return Ok(());
        }
        let snapshot = self.storage.snapshot().await?;
        let (Some(snapshot), Some(config)) = (snapshot, &self.config) else {
            return Ok(());
        };
        let Some(record) = Record::parse(&snapshot) else {
            self.log(&LogLine::error("snapshot_unreadable"));
            return Ok(());
        };
        // Another handler may have been faster.
        if self.call.borrow().is_none() {
            self.orphan.close();
            self.sid.replace(Some(record.sid.clone()));
            let call = Call::restore(Settings::from(config), record);
            self.call.replace(Some(self.recorder(call, false)));
            let phone = self.state.get_websockets().pop();
            let streaming = phone.is_some();
            if let Some(socket) = phone {
                self.take_phone(socket);
            }
            self.input(Input::Restored { streaming });
        }
        Ok(())
    }

    /// With `RECORD`, a call is recorded.
    fn recorder(&self, call: Call, new: bool) -> Box<Recorder> {
        let record = self.config.as_ref().is_some_and(|config| config.record);
        let lookup = |name: &str| self.env.var(name).ok().map(|value| value.to_string());
        let variables = record.then(|| recording::variables(lookup));
        Box::new(Recorder::of(call, new, variables))
    }

    async fn begin(self: &Rc<Self>, begin: Begin) -> Result<Response> {
        let Some(config) = &self.config else {
            return Response::error("", 503);
        };
        if self.kept().await?.is_some() || self.call.borrow().is_some() {
            // Given up before it could begin, and answered so: it does not become another.
            if self.storage.text(ATTEMPT).await? != begin.attempt {
                return Response::error("", 409);
            }
        } else if !self.erased.get() {
            self.sid.replace(Some(begin.sid.clone()));
            let call = Call::new(
                Settings::from(config),
                begin.sid,
                begin.request,
                begin.token,
                now_ms(),
            );
            let alarm_in = call.final_deadline().saturating_sub(now_ms());
            self.call.replace(Some(self.recorder(call, true)));
            if let Some(attempt) = begin.attempt {
                self.storage.put_text(ATTEMPT, &attempt).await?;
            }
            self.state
                .storage()
                .set_alarm(Duration::from_millis(alarm_in))
                .await?;
            self.drive();
            for status in self.early.take() {
                self.input(Input::Status(status));
            }
        }
        for waiting in self.waiting.take() {
            let _ = waiting.send(());
        }
        Response::empty()
    }

    /// Gives a call its outcome that never began here.
    fn lost(self: &Rc<Self>, lost: Begin) -> Result<Response> {
        let Some(config) = &self.config else {
            return Response::error("", 503);
        };
        if self.call.borrow().is_none() && !self.erased.get() {
            self.sid.replace(Some(lost.sid.clone()));
            let settings = Settings::from(config);
            let call = Call::lost(settings, lost.sid, lost.request, lost.token, now_ms());
            self.call.replace(Some(self.recorder(call, true)));
            self.drive();
        }
        Response::empty()
    }

    /// Answers Twilio, after the call is known: Twilio's first question may come before its own
    /// answer to the placing of the call.
    async fn ask(self: &Rc<Self>, ask: Ask) -> Result<Response> {
        // The last status may be all that is ever heard of a call.
        if let (true, Ask::Status(status)) = (self.call.borrow().is_none(), &ask)
            && !status.is_terminal()
        {
            let mut early = self.early.borrow_mut();
            if early.len() < MAX_EARLY {
                early.push(*status);
            }
            return Response::empty();
        }
        if self.call.borrow().is_none() && self.kept().await?.is_none() {
            let (sender, known) = oneshot::channel();
            self.waiting.borrow_mut().push(sender);
            let patience = Delay::from(Duration::from_millis(BEGIN_PATIENCE_MS));
            if let Either::Right(_) = select(pin!(known), pin!(patience)).await {
                self.log(&LogLine::error("unknown_call"));
                return Response::error("", 404);
            }
        }
        let now = now_ms();
        let answer = self.step(|call| match ask {
            Ask::Voice => Some(call.voice(now)),
            Ask::StreamEnded { alive, token } => Some(call.stream_ended(now, alive, token)),
            Ask::DialEnded { reached } => Some(call.dial_ended(now, reached)),
            Ask::Status(status) => {
                call.handle(now, Input::Status(status));
                None
            }
        });
        let twiml = answer.unwrap_or(Some(Twiml::HangUp));
        self.drive();
        Response::ok(twiml.map(|twiml| twiml.to_xml()).unwrap_or_default())
    }

    fn media(self: &Rc<Self>, request: &Request) -> Result<Response> {
        let token = request.headers().get(TOKEN_HEADER)?.unwrap_or_default();
        let claimed = self.step(|call| call.claim_stream(now_ms(), &token));
        self.drive();
        if claimed != Some(true) {
            return Response::error("", 403);
        }
        let pair = WebSocketPair::new()?;
        // Its token tells it from those before it, also after a restart.
        self.state
            .accept_websocket_with_tags(&pair.server, &[&token]);
        self.take_phone(pair.server);
        Response::from_websocket(pair.client)
    }

    /// The socket that the phone is on from now on.
    fn take_phone(&self, socket: WebSocket) {
        if let Some(before) = self.phone.replace(Some(socket)) {
            let _ = before.close(Some(1000), Some("replaced"));
        }
    }

    fn is_current(&self, socket: &WebSocket) -> bool {
        let tags = |socket: &WebSocket| self.state.get_tags(socket);
        let current = self.phone.borrow();
        current
            .as_ref()
            .is_some_and(|phone| tags(phone) == tags(socket))
    }

    /// A media socket is gone.
    fn phone_closed(self: &Rc<Self>, socket: &WebSocket) {
        if self.is_current(socket) {
            self.phone.take();
            self.input(Input::PhoneClosed);
        }
    }

    async fn events(self: &Rc<Self>) -> Result<Response> {
        if let Some(kept) = self.kept().await? {
            return Response::ok(kept.shown_events());
        }
        match self.call.borrow().as_ref() {
            Some(call) => Response::ok(call.events().to_owned()),
            None => Response::error("", 404),
        }
    }

    /// Only what is left of a call that was erased: its recording is in KV.
    async fn recording(&self) -> Result<Response> {
        match self.kept().await?.and_then(|kept| kept.tombstone()) {
            Some(tombstone) => Response::ok(tombstone),
            None => Response::error("", 404),
        }
    }

    async fn live_state(self: &Rc<Self>) -> Result<Response> {
        if let Some(kept) = self.kept().await? {
            return Response::ok(kept.shown());
        }
        match self.call.borrow().as_ref() {
            Some(call) => Response::ok(call.live(now_ms())),
            None => Response::error("", 404),
        }
    }

    /// Without the greeting the model speaks first; without the filler a gap is silent.
    async fn load_line(self: Rc<Self>, key: String) {
        if let Some(audio) = store::line(&self.env, &key).await {
            self.input(Input::Line {
                key: &key,
                audio: &audio,
            });
        }
    }

    async fn keep_line(self: Rc<Self>, key: String, audio: Vec<u8>) {
        if store::put_line(&self.env, &key, &audio).await.is_err() {
            self.log(&LogLine::warn("line_not_kept"));
        }
    }

    async fn hang_up(self: Rc<Self>) {
        let sid = self.sid.borrow().clone();
        let done = match (&self.config, sid) {
            (Some(config), Some(sid)) => twilio_rest::hang_up(config, &sid).await,
            _ => false,
        };
        self.input(Input::HungUp { done });
    }

    fn save(&self, snapshot: &str) {
        if !self.erased.get() && !self.storage.write_snapshot(snapshot) {
            self.log(&LogLine::error("snapshot_failed"));
        }
    }
}

/// In the build that has it, the tone `D` from the phone breaks the call in the middle of a handler,
/// where it is most in the way: `npm run chaos -- --only panic`.
fn panic_switch(input: &Input<'_>) {
    #[cfg(feature = "panic-switch")]
    assert!(
        !matches!(input, Input::Phone(text) if text.contains(r#""digit":"D""#)),
        "the panic switch"
    );
    let _ = input;
}
