//! One call between its peers: an agenda, a clock, and what is sent to whom.

mod strike;

use super::audio;
use super::faults::{CODES, Fault};
use super::model::{Kind, Later, Model};
use super::phone::Phone;
use super::random::Random;
use super::watch::Watch;
use orderline::call::input::Input;
use orderline::call::output::Output;
use orderline::call::request::CallRequest;
use orderline::call::{Call, Settings};
use orderline::config::Config;
use orderline::twilio::sid::CallSid;
use orderline::twilio::twiml::Twiml;
use orderline::twilio::webhook::Form;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

const SID: &str = "CA00000000000000000000000000000001";
/// When calls are placed, in ms since the Unix epoch.
const T0: u64 = 1_795_000_000_000;
/// Frames of the line, in ms: two at once, and ten while the agent is silent, so that 100,000 calls can
/// be held.
const FRAME_MS: u64 = 40;
const QUIET_FRAMES_MS: u64 = 200;
/// After the outcome, what is late still comes.
const AFTERMATH_MS: u64 = 6_000;
/// Items of the lines that are kept.
const GREETING: u8 = 250;
const FILLER: u8 = 251;
const LINE_MS: usize = 1_000;
/// What the shop says at last.
const TOTAL: &str = "Yes. That's seventeen fifty, twenty ten with tax.";

enum Event {
    Frame,
    Shop,
    Fault(Fault),
    ToCall(String, u32),
    PhoneClosed(u32),
    Model { life: u32, later: Later },
    ModelOpens(u32, u32),
    ModelCloses(u32, u32, u16),
    Line(String),
    Voice,
    Upgrade(String),
    StreamEnded { alive: bool },
    Status(&'static str),
    DialEnded,
    HungUp,
    Stop,
    StorageHeals,
    CostIsRead,
}

/// What came of a call.
pub(super) struct Told {
    pub(super) confirmed: bool,
    /// What a confirmed outcome would claim is true.
    pub(super) is_true: bool,
    pub(super) virtual_ms: u64,
    /// How much later than its last deadline the outcome came.
    pub(super) overdue_ms: u64,
    pub(super) inputs: u64,
    pub(super) faults: Vec<Fault>,
    pub(super) violations: Vec<String>,
    pub(super) story: String,
}

/// One call.
pub(super) struct World {
    random: Random,
    config: Config,
    tell: bool,
    now: u64,
    /// What the call's clock shows more, in ms.
    skew: i64,
    agenda: BTreeMap<(u64, u64), Event>,
    order: u64,
    call: Option<Call>,
    /// How often the object was made anew.
    life: u32,
    disk: String,
    disk_before: String,
    storage_fails: bool,
    phone: Phone,
    model: Model,
    refusals: u32,
    answered: bool,
    handed_over: bool,
    over: bool,
    asks: bool,
    played_something: bool,
    quiet_since: u64,
    affirmed: bool,
    total_said: bool,
    outcome: Option<(String, String)>,
    outcome_at: u64,
    deadline_seen: u64,
    has_outcome_at: Option<u64>,
    watch: Watch,
    inputs: u64,
    faults: Vec<Fault>,
    story: String,
}

impl World {
    pub(super) fn new(seed: u64, tell: bool) -> Self {
        let mut random = Random::new(seed);
        let faults = Fault::draw(&mut random);
        let handoff = random.percent(20);
        let config = Config::read(|name| {
            Some(match name {
                "API_TOKEN" => "t".to_owned(),
                "OPENAI_API_KEY" => "k".to_owned(),
                "TWILIO_ACCOUNT_SID" => format!("AC{:032x}", 1),
                "TWILIO_AUTH_TOKEN" => "a".to_owned(),
                "TWILIO_FROM_NUMBER" => "+13105550100".to_owned(),
                "PUBLIC_BASE_URL" => "https://calls.example.com".to_owned(),
                "MAX_CALL_MINUTES" => "2".to_owned(),
                "HANDOFF_NUMBER" if handoff => "+13105550199".to_owned(),
                _ => return None,
            })
        });
        let config = config.unwrap_or_else(|errors| panic!("{errors:?}"));
        let mut world = Self {
            config,
            tell,
            now: T0,
            skew: 0,
            agenda: BTreeMap::new(),
            order: 0,
            call: None,
            life: 0,
            disk: String::new(),
            disk_before: String::new(),
            storage_fails: false,
            phone: Phone::default(),
            model: Model::default(),
            refusals: 0,
            answered: false,
            handed_over: false,
            over: false,
            asks: true,
            played_something: false,
            quiet_since: T0,
            affirmed: false,
            total_said: false,
            outcome: None,
            outcome_at: 0,
            deadline_seen: 0,
            has_outcome_at: None,
            watch: Watch::default(),
            inputs: 0,
            faults: faults.iter().map(|(_, fault)| *fault).collect(),
            story: String::new(),
            random,
        };
        world.model.lies = world.random.percent(10);
        for (at, fault) in faults {
            world.at(at, Event::Fault(fault));
        }
        world
    }

    pub(super) fn run(mut self) -> Told {
        self.place();
        while let Some((at, what)) = self.next() {
            if self
                .has_outcome_at
                .is_some_and(|had| at > had + AFTERMATH_MS)
            {
                break;
            }
            self.now = at;
            match what {
                Next::Event(event) => self.happen(event),
                Next::Marks => self.play(),
                Next::Deadline => self.input(Input::Deadline),
                Next::Alarm => {
                    self.note(|| "alarm".into());
                    self.input(Input::Alarm);
                }
            }
        }
        self.judge()
    }

    fn judge(mut self) -> Told {
        let is_true = self.affirmed && self.total_said && self.disclosed();
        let (affirmed, total, disclosed) = (self.affirmed, self.total_said, self.disclosed());
        let kept = [GREETING, FILLER].map(|line| self.phone.played.bytes(line));
        self.note(|| {
            format!(
                "affirmed {affirmed}, total {total}, disclosed {disclosed}, kept lines {kept:?}"
            )
        });
        let mut confirmed = false;
        match self.outcome.take() {
            Some((json, events)) => {
                confirmed = self
                    .watch
                    .outcome(&json, &events, is_true, &self.model, &self.phone);
            }
            None => self.watch.fail("no outcome".into()),
        }
        Told {
            confirmed,
            is_true,
            virtual_ms: self.now - T0,
            overdue_ms: self.outcome_at.saturating_sub(self.deadline_seen),
            inputs: self.inputs,
            faults: self.faults,
            violations: self.watch.violations,
            story: self.story,
        }
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if self.tell {
            let what: String = what().chars().take(220).collect();
            let _ = writeln!(self.story, "{:7} {what}", self.now - T0);
        }
    }

    fn at(&mut self, after_ms: u64, event: Event) {
        self.order += 1;
        self.agenda.insert((self.now + after_ms, self.order), event);
    }

    fn soon(&mut self, event: Event) {
        let after = self.random.within(20, 150);
        self.at(after, event);
    }

    fn next(&mut self) -> Option<(u64, Next)> {
        let agenda = self.agenda.keys().next().map(|(at, _)| *at);
        let marks = self.phone.next_mark_at();
        let call = self.call.as_ref().filter(|call| !call.is_finished());
        let real = |at: u64| at.saturating_add_signed(-self.skew);
        let deadline = call.and_then(Call::next_deadline).map(real);
        let alarm = call.map(|call| real(call.final_deadline()));
        let now = self.now;
        let first = [agenda, marks, deadline, alarm]
            .into_iter()
            .flatten()
            .map(|at| at.max(now))
            .min()?;
        let is = |at: Option<u64>| at.is_some_and(|at| at.max(now) == first);
        let what = if is(marks) {
            Next::Marks
        } else if is(agenda) {
            Next::Event(self.agenda.pop_first()?.1)
        } else if is(deadline) {
            Next::Deadline
        } else {
            Next::Alarm
        };
        Some((first, what))
    }

    fn clock(&self) -> u64 {
        self.now.saturating_add_signed(self.skew)
    }

    fn place(&mut self) {
        let request =
            CallRequest::parse(br#"{"to":"+13105550123","orderHint":"one large pepperoni"}"#);
        let (Ok(request), Ok(sid)) = (request, CallSid::parse(SID)) else {
            return self.watch.fail("the request is refused".into());
        };
        let token = format!("{:032x}", self.random.next());
        self.call = Some(Call::new(
            Settings::from(&self.config),
            sid,
            Some(request),
            token,
            self.now,
        ));
        self.drive();
        for (after, status) in [(100, "initiated"), (900, "ringing")] {
            self.at(after, Event::Status(status));
        }
        if self.random.percent(3) {
            let status = self
                .random
                .pick(&["busy", "no-answer", "failed", "canceled"]);
            self.at(3_000, Event::Status(status));
        } else {
            self.at(3_000, Event::Voice);
            self.at(3_050, Event::Status("in-progress"));
        }
        self.at(4_000, Event::Shop);
        self.at(4_000, Event::CostIsRead);
    }

    fn input(&mut self, input: Input<'_>) {
        self.inputs += 1;
        let clock = self.clock();
        if let Some(call) = &mut self.call {
            call.handle(clock, input);
        }
        self.drive();
    }

    fn drive(&mut self) {
        let mut outputs = 0;
        while let Some(output) = self.call.as_mut().and_then(Call::poll) {
            outputs += 1;
            self.perform(output);
        }
        if let Some(call) = &self.call {
            self.deadline_seen = self
                .deadline_seen
                .max(call.final_deadline().saturating_add_signed(-self.skew));
            self.watch
                .step(call, self.answered, self.handed_over, outputs, &self.phone);
        }
    }

    fn perform(&mut self, output: Output) {
        self.note(|| match &output {
            Output::Save(_) => "< save".into(),
            other => format!("< {other:?}"),
        });
        match output {
            Output::Phone(text) => {
                let was_quiet = self.phone.is_quiet();
                match self.phone.take(self.now, &text) {
                    Ok(echoes) => self.echo(echoes),
                    Err(what) => self.watch.fail(format!("to the phone: {what}")),
                }
                self.played_something |= was_quiet && !self.phone.is_quiet();
            }
            Output::Model(text) if self.model.socket.is_some() => match self.model.take(&text) {
                Ok(later) => self.model_says(later),
                Err(what) => self.watch.fail(format!("to the model: {what}")),
            },
            Output::ConnectModel { socket } => {
                let life = self.life;
                if self.refusals > 0 {
                    self.refusals -= 1;
                    let code = self.random.pick(&CODES);
                    self.soon(Event::ModelCloses(life, socket, code));
                } else {
                    self.soon(Event::ModelOpens(life, socket));
                }
            }
            Output::CloseModel => self.model.closed(),
            Output::ClosePhone if self.phone.open => {
                self.phone.close();
                self.soon(Event::PhoneClosed(self.phone.stream));
                self.at(200, Event::StreamEnded { alive: true });
            }
            Output::ClosePhone | Output::Model(_) | Output::Log(_) | Output::KeepLine { .. } => {}
            Output::HangUp => {
                self.at(100, Event::HungUp);
                self.at(150, Event::Stop);
            }
            Output::LoadLine { key } => {
                if self.random.percent(80) {
                    self.soon(Event::Line(key));
                }
            }
            Output::Save(snapshot) => {
                if !self.storage_fails {
                    self.disk_before = std::mem::replace(&mut self.disk, snapshot);
                }
            }
            Output::Outcome(finished) => {
                if self
                    .outcome
                    .replace((finished.json, finished.events))
                    .is_some()
                {
                    self.watch.fail("two outcomes".into());
                }
                self.outcome_at = self.now;
                self.has_outcome_at = Some(self.now);
            }
        }
    }

    fn model_says(&mut self, later: Vec<Later>) {
        let life = self.life * 1_000 + self.model.socket.unwrap_or(0);
        for later in later {
            self.at(later.after_ms, Event::Model { life, later });
        }
    }

    fn echo(&mut self, echoes: Vec<String>) {
        let stream = self.phone.stream;
        for echo in echoes {
            if !self.phone.marks_lost {
                self.at(20, Event::ToCall(echo, stream));
            }
        }
    }

    fn play(&mut self) {
        let echoes = self.phone.play(self.now);
        self.echo(echoes);
        if self.phone.is_quiet() {
            self.quiet_since = self.now;
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Frame if self.phone.open && !self.over => {
                let behind = self.phone.behind(self.now);
                if behind >= FRAME_MS {
                    let frame = self.phone.frame(usize::try_from(behind).unwrap_or(0));
                    self.input(Input::Phone(&frame));
                }
                let quiet = self.phone.is_quiet() && self.now > self.quiet_since + 1_000;
                self.at(if quiet { QUIET_FRAMES_MS } else { FRAME_MS }, Event::Frame);
            }
            Event::Frame => {}
            Event::CostIsRead => {
                if let Some(call) = &self.call {
                    self.watch.cost(&call.live(self.clock()));
                }
                if self.outcome.is_none() {
                    self.at(3_000, Event::CostIsRead);
                }
            }
            Event::Shop => self.shop(),
            Event::Fault(fault) => {
                self.note(|| format!("! {fault:?}"));
                self.fault(fault);
            }
            Event::ToCall(text, stream) => {
                if self.phone.open && self.phone.stream == stream {
                    self.note(|| format!("> {text}"));
                    self.input(Input::Phone(&text));
                }
            }
            Event::PhoneClosed(stream) => {
                if stream == self.phone.stream {
                    self.note(|| "> phone closed".into());
                    self.input(Input::PhoneClosed);
                }
            }
            Event::Model { life, later } => self.model_spoke(life, &later),
            Event::ModelOpens(life, socket) if life == self.life => {
                self.model.opened(socket);
                self.input(Input::ModelOpened { socket });
            }
            Event::ModelCloses(life, socket, code) if life == self.life => {
                self.note(|| format!("> model {socket} closed: {code}"));
                if self.model.socket == Some(socket) {
                    self.model.closed();
                }
                self.input(Input::ModelClosed { socket, code });
            }
            Event::ModelOpens(..) | Event::ModelCloses(..) => {}
            Event::Line(key) => {
                // The greeting's key comes first.
                let greeting = self.call.as_ref().is_some_and(|_| self.random.percent(50));
                let number = if greeting { GREETING } else { FILLER };
                let line = audio::of(number, 0, LINE_MS);
                self.input(Input::Line {
                    key: &key,
                    audio: &line,
                });
            }
            Event::Voice => {
                let clock = self.clock();
                let twiml = self.call.as_mut().map(|call| call.voice(clock));
                self.answered = true;
                self.drive();
                self.obey(twiml);
            }
            Event::StreamEnded { alive } if !self.over && self.asks => {
                let token = format!("{:032x}", self.random.next());
                let clock = self.clock();
                let twiml = self
                    .call
                    .as_mut()
                    .map(|call| call.stream_ended(clock, alive, token));
                self.handed_over |= matches!(twiml, Some(Twiml::Dial { .. }));
                self.drive();
                self.obey(twiml);
            }
            Event::StreamEnded { .. } => {}
            Event::Upgrade(token) if !self.over => {
                let clock = self.clock();
                let claimed = self
                    .call
                    .as_mut()
                    .is_some_and(|call| call.claim_stream(clock, &token));
                self.drive();
                if claimed {
                    let start = self.phone.start(self.now, SID);
                    self.input(Input::Phone(r#"{"event":"connected"}"#));
                    self.input(Input::Phone(&start));
                    self.at(FRAME_MS, Event::Frame);
                } else {
                    self.at(300, Event::StreamEnded { alive: true });
                }
            }
            Event::Upgrade(_) => {}
            Event::Status(status) => self.status(status),
            Event::DialEnded => {
                let clock = self.clock();
                let reached = self.random.percent(50);
                if let Some(call) = &mut self.call {
                    call.dial_ended(clock, reached);
                }
                self.handed_over = false;
                self.drive();
                self.at(200, Event::Status("completed"));
            }
            Event::HungUp => self.input(Input::HungUp { done: true }),
            Event::Stop => self.stop(),
            Event::StorageHeals => self.storage_fails = false,
        }
    }

    /// The call is over for Twilio: the stream stops, and the status follows.
    fn stop(&mut self) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        if self.phone.open {
            let stop = json!({ "event": "stop", "streamSid": self.phone.stream_sid(), "stop": {} });
            self.input(Input::Phone(&stop.to_string()));
            self.phone.close();
            self.at(10, Event::PhoneClosed(self.phone.stream));
        }
        self.at(150, Event::Status("completed"));
    }

    fn status(&mut self, status: &'static str) {
        self.note(|| format!("> status {status}"));
        if matches!(
            status,
            "completed" | "busy" | "no-answer" | "failed" | "canceled"
        ) {
            self.over = true;
        }
        let form = Form::decode(format!("CallStatus={status}").as_bytes());
        if let Some(status) = form.status() {
            self.input(Input::Status(status));
        }
    }

    /// Twilio does as it is told.
    fn obey(&mut self, twiml: Option<Twiml>) {
        self.note(|| format!("< {twiml:?}"));
        match twiml {
            Some(Twiml::ConnectStream { url, .. }) => {
                let token = url.rsplit('/').next().unwrap_or_default().to_owned();
                self.soon(Event::Upgrade(token));
            }
            Some(Twiml::Dial { .. }) => {
                self.handed_over = true;
                self.at(2_000, Event::DialEnded);
            }
            Some(Twiml::SayAndHangUp { .. }) => self.at(3_000, Event::Stop),
            Some(Twiml::HangUp) | None => self.at(50, Event::Stop),
        }
    }

    fn model_spoke(&mut self, life: u32, later: &Later) {
        let socket = self.model.socket.unwrap_or(0);
        let wanted = later.response.is_none() || later.response == self.model.active;
        if life != self.life * 1_000 + socket || socket == 0 || !wanted || self.model.silent {
            return;
        }
        self.model.tells(&later.event);
        if let Some(words) = later.event["transcript"].as_str() {
            self.model.heard.push(words.to_owned());
        }
        let text = later.event.to_string();
        if later.event["type"] != "response.output_audio.delta" {
            self.note(|| format!("> {text}"));
        }
        self.input(Input::Model {
            socket,
            text: &text,
        });
    }

    /// The shop speaks when the agent has finished, and sometimes before.
    fn shop(&mut self) {
        if self.over || self.outcome.is_some() {
            return;
        }
        self.at(700, Event::Shop);
        let quiet = self.phone.is_quiet() && self.now >= self.quiet_since + 500;
        let answers = quiet && self.played_something;
        let interrupts = !self.phone.is_quiet() && self.random.percent(4);
        if !self.phone.open || self.model.socket.is_none() || !(answers || interrupts) {
            return;
        }
        self.played_something = false;
        let read_backs = || {
            self.model
                .said
                .values()
                .filter(|item| item.kind == Kind::ReadBack)
        };
        let whole = read_backs().any(|item| self.phone.played.whole(item.number, item.bytes));
        let hardly = read_backs().all(|item| self.phone.played.bytes(item.number) * 2 < item.bytes);
        let careless = hardly && self.random.percent(10);
        let words = if (whole && answers) || careless {
            TOTAL
        } else {
            self.random.pick(&[
                "Sure, go ahead.",
                "Okay.",
                "What?",
                "Hello?",
                "Mm-hmm.",
                "No, wait.",
                "",
            ])
        };
        self.note(|| format!("shop: {words}"));
        self.affirmed |= whole && matches!(words, TOTAL | "Sure, go ahead." | "Okay." | "Mm-hmm.");
        self.total_said |= words == TOTAL;
        let item = format!("item_S{}", self.now);
        let event =
            |kind: &str| json!({ "type": format!("input_audio_buffer.{kind}"), "item_id": item });
        let lasts = if words.len() < 10 { 400 } else { 1_500 };
        let done = json!({ "type": "conversation.item.input_audio_transcription.completed", "item_id": item, "transcript": words });
        let late = self.random.within(50, 1_200);
        let later = |after_ms, event: Value| Later {
            after_ms,
            response: None,
            event,
        };
        self.model_says(vec![
            later(0, event("speech_started")),
            later(lasts + 500, event("speech_stopped")),
            later(lasts + 510, event("committed")),
            later(lasts + 510 + late, done),
        ]);
    }

    fn disclosed(&self) -> bool {
        let played = &self.phone.played;
        let kept = played.whole(GREETING, LINE_MS * 8) || played.whole(FILLER, LINE_MS * 8);
        let said = |item: &super::model::Item| {
            item.kind == Kind::Disclosure && played.whole(item.number, item.bytes)
        };
        kept || self.model.said.values().any(said)
    }
}

enum Next {
    Event(Event),
    Marks,
    Deadline,
    Alarm,
}
