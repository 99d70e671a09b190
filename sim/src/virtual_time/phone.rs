//! Twilio and the shop: dialling, TwiML and the media stream of one call.
//! What needs no socket is the simulator's own (`twilio/`); this is `call.rs` and `leg.rs` as a
//! state machine.

use super::bridge::{ACCOUNT_SID, CALL_SID, ToBridge};
use super::callbacks::Callbacks;
use super::post::{Lane, Post};
use super::{Delivery, violation};
use crate::play::Play;
use crate::rig::FROM_NUMBER;
use crate::scenario::DialResult;
use crate::timeline::What;
use crate::twilio::create::{self, Settings};
use crate::twilio::leg::{HANDOFF_RINGS, HANDOFF_TALKS, SAY_MS_PER_LETTER, Source};
use crate::twilio::line::Recording;
use crate::twilio::shop::{Deed, FarEnd};
use crate::twilio::status::Status;
use crate::twilio::stream::{Effects, Stream, TICK_MS};
use crate::twilio::twiml::{self, Request, Verb};
use crate::twilio::webhook::Form;
use crate::twilio::wire::Frames;
use anyhow::{anyhow, ensure};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use url::form_urlencoded::parse;

/// What reaches Twilio, and what its own clock brings.
#[derive(Debug)]
pub enum ToPhone {
    /// A webhook's answer.
    Document { xml: String, step: u64 },
    /// The answer to the opening of a media stream.
    Upgraded { accepted: bool, step: u64 },
    /// A frame of the media stream.
    Text(String),
    /// The bridge closed the media stream.
    Closed,
    /// The bridge ends the call by REST.
    HangUp,
    /// It has rung for as long as it rings.
    Rung,
    /// The next 20 ms of a stream.
    Tick { step: u64 },
    /// A verb's time is over.
    Waited { step: u64 },
}

enum Stage {
    Ringing,
    /// TwiML is asked for.
    Asking,
    /// A media stream is being opened.
    Opening {
        stream: twiml::Stream,
        action: Option<Request>,
    },
    Streaming {
        stream: Stream,
        action: Option<Request>,
    },
    /// A verb takes its time.
    Waiting(Then),
    Over,
}

/// What follows a wait.
enum Then {
    NextVerb,
    /// The same, after the network spoke.
    Announced,
    /// A webhook, after a dial.
    Ask(Request),
}

/// One call as Twilio sees it.
pub struct Phone {
    play: Arc<Play>,
    settings: Settings,
    far_end: Box<dyn FarEnd>,
    /// With the time of the answer.
    recording: Option<(Recording, u64)>,
    status: Status,
    /// When the call's time limit is over.
    time_up: Option<u64>,
    stage: Stage,
    verbs: VecDeque<Verb>,
    /// Rises with every stage: what belongs to an earlier one comes too late.
    step: u64,
    streams: u64,
    callbacks: Callbacks,
}

impl Phone {
    /// Twilio takes the call that `form` places, and dials.
    pub fn dial(
        post: &mut Post,
        play: &Arc<Play>,
        far_end: Box<dyn FarEnd>,
        form: &str,
    ) -> anyhow::Result<Self> {
        let form: Form = parse(form.as_bytes()).into_owned().collect();
        let refused = |refusal: create::Refusal| anyhow!("{refusal:?}");
        let (to, _) = create::numbers(&form, FROM_NUMBER).map_err(refused)?;
        ensure!(play.scenario.to() == Some(&to), "{to} was called");
        let (settings, problems) = create::settings(&form).map_err(refused)?;
        for problem in problems {
            violation(play, "twilio", problem);
        }
        let network = &play.scenario.network;
        let ring_ms = network.ring_ms.min(settings.timeout_s * 1000);
        let callbacks = Callbacks::new(settings.status.clone(), network.messy_callbacks);
        let mut phone = Self {
            play: Arc::clone(play),
            far_end,
            settings,
            recording: None,
            status: Status::Initiated,
            time_up: None,
            stage: Stage::Ringing,
            verbs: VecDeque::new(),
            step: 0,
            streams: 0,
            callbacks,
        };
        phone.note(What::Dialled { to });
        post.send(Lane::Rest, Delivery::Bridge(ToBridge::Placed));
        phone.report(post);
        if matches!(network.result, DialResult::Answered | DialResult::NoAnswer) {
            phone.status = Status::Ringing;
            phone.note(What::Ringing);
            phone.report(post);
        }
        post.after(ring_ms, Delivery::Phone(ToPhone::Rung));
        Ok(phone)
    }

    /// Something arrived, or it is time for something.
    pub fn handle(&mut self, post: &mut Post, event: ToPhone) {
        match event {
            ToPhone::Document { xml, step } if step == self.step => self.perform(post, &xml),
            ToPhone::Upgraded { accepted, step } if step == self.step => {
                self.upgraded(post, accepted);
            }
            ToPhone::Tick { step } if step == self.step => self.play_on(post),
            ToPhone::Waited { step } if step == self.step => self.waited(post),
            ToPhone::Document { .. }
            | ToPhone::Upgraded { .. }
            | ToPhone::Tick { .. }
            | ToPhone::Waited { .. } => {}
            ToPhone::Text(text) => {
                if let Stage::Streaming { stream, .. } = &mut self.stage {
                    let effects = stream.receive(&text, self.far_end.as_mut());
                    self.carry_out(post, effects);
                }
            }
            ToPhone::Closed => {
                if let Stage::Streaming { action, .. } = &self.stage {
                    let action = action.clone();
                    self.end_stream(post);
                    self.stream_over(post, action);
                }
            }
            ToPhone::HangUp => {
                post.send(Lane::Rest, Delivery::Bridge(ToBridge::HungUp));
                self.stop(post, "bridge");
            }
            ToPhone::Rung => self.rung(post),
        }
    }

    /// When [`Self::tick`] has something to do.
    pub fn deadline(&self) -> Option<u64> {
        self.time_up
    }

    /// Ends a call that has lasted as long as it may.
    pub fn tick(&mut self, post: &mut Post) {
        if self.time_up.is_some_and(|at| at <= post.now()) {
            self.stop(post, "network");
        }
    }

    fn rung(&mut self, post: &mut Post) {
        if !matches!(self.stage, Stage::Ringing) {
            return;
        }
        let network = &self.play.scenario.network;
        let picked_up = network.ring_ms <= self.settings.timeout_s * 1000;
        self.status = match network.result {
            DialResult::Answered if picked_up => Status::InProgress,
            DialResult::Answered | DialResult::NoAnswer => Status::NoAnswer,
            DialResult::Busy => Status::Busy,
            DialResult::Failed => Status::Failed,
        };
        if self.status != Status::InProgress {
            return self.end(post, "network");
        }
        self.note(What::Answered);
        self.recording = Some((Recording::new(Arc::clone(&self.play)), post.now()));
        self.report(post);
        self.time_up = Some(post.now() + self.settings.time_limit_s * 1000);
        match self.settings.voice.clone() {
            Source::Fetch(request, form) => self.ask(post, &request, form),
            Source::Inline(xml) => self.perform(post, &xml),
        }
    }

    fn perform(&mut self, post: &mut Post, xml: &str) {
        let script = twiml::parse(xml, "");
        for problem in script.problems {
            violation(&self.play, "twilio", format!("TwiML: {problem}"));
        }
        self.verbs = script.verbs.into();
        self.next_verb(post);
    }

    fn next_verb(&mut self, post: &mut Post) {
        match self.verbs.pop_front() {
            Some(Verb::Connect { action, stream }) => {
                let path = Url::parse(&stream.url).map(|url| url.path().to_owned());
                self.enter(Stage::Opening { stream, action });
                let (path, step) = (path.unwrap_or_default(), self.step);
                let upgrade = ToBridge::Upgrade { path, step };
                post.send(Lane::StreamIn, Delivery::Bridge(upgrade));
            }
            Some(Verb::Say { text, times }) => {
                self.catch_up();
                let letters = text.chars().count() as u64;
                self.note(What::NetworkSays { text });
                let time = Duration::from_millis(letters * SAY_MS_PER_LETTER * times.max(1));
                self.wait(post, time, Then::Announced);
            }
            Some(Verb::Pause { seconds }) => {
                self.wait(post, Duration::from_secs(seconds), Then::NextVerb);
            }
            Some(Verb::Dial { action, numbers }) => {
                for callee in numbers {
                    if callee.whisper.is_some() {
                        violation(&self.play, "twilio", "no whispers in virtual time".into());
                    }
                    let number = callee.number;
                    self.note(What::Dials { number });
                }
                let then = action.map_or(Then::NextVerb, Then::Ask);
                self.wait(post, HANDOFF_RINGS + HANDOFF_TALKS, then);
            }
            Some(Verb::Redirect(to)) => self.ask(post, &to, Form::new()),
            Some(Verb::Reject { .. }) => {
                violation(&self.play, "twilio", "<Reject> of an answered call".into());
                self.end(post, "bridge");
            }
            // Behind its last verb a call ends.
            Some(Verb::Hangup) | None => self.end(post, "bridge"),
        }
    }

    fn upgraded(&mut self, post: &mut Post, accepted: bool) {
        let opening = std::mem::replace(&mut self.stage, Stage::Asking);
        let Stage::Opening { stream, action } = opening else {
            return;
        };
        if !accepted {
            let refusal = "31920 the stream's handshake was answered 403";
            violation(&self.play, "twilio", refusal.into());
            return self.stream_over(post, action);
        }
        self.catch_up();
        self.streams += 1;
        let stream_sid = format!("MZ{:032x}", self.streams);
        let mut frames = Frames::new(ACCOUNT_SID, CALL_SID, &stream_sid);
        let first = [Frames::connected(), frames.start(&stream.parameters)];
        let stream = Stream::new(frames);
        self.enter(Stage::Streaming { stream, action });
        self.note(What::StreamStarted);
        self.carry_out(
            post,
            Effects {
                frames: first.into(),
                ..Effects::default()
            },
        );
        self.play_on(post);
    }

    fn play_on(&mut self, post: &mut Post) {
        let (Stage::Streaming { stream, .. }, Some((recording, _))) =
            (&mut self.stage, &self.recording)
        else {
            return;
        };
        let effects = stream.tick(self.far_end.as_mut(), recording);
        let tick = ToPhone::Tick { step: self.step };
        post.after(TICK_MS, Delivery::Phone(tick));
        let deed = effects.deed.clone();
        self.carry_out(post, effects);
        match deed {
            None | Some(Deed::Press(_)) => {}
            Some(Deed::HangUp) => self.stop(post, "shop"),
            Some(Deed::LineDrops) => {
                self.end_stream(post);
                self.end(post, "network");
            }
        }
    }

    fn carry_out(&self, post: &mut Post, effects: Effects) {
        effects.events.into_iter().for_each(|what| self.note(what));
        for echo in effects.echoes {
            post.send_echo(Delivery::Bridge(ToBridge::PhoneText(echo)));
        }
        for frame in effects.frames {
            let text = ToBridge::PhoneText(frame);
            post.send(Lane::StreamIn, Delivery::Bridge(text));
        }
    }

    /// Somebody ends the call, whatever it is doing.
    fn stop(&mut self, post: &mut Post, by: &str) {
        match &mut self.stage {
            Stage::Over => return,
            Stage::Ringing => self.status = Status::Canceled,
            Stage::Streaming { stream, .. } => {
                let stop = ToBridge::PhoneText(stream.frames.stop());
                post.send(Lane::StreamIn, Delivery::Bridge(stop));
                self.end_stream(post);
            }
            Stage::Opening { .. } => {
                post.send(Lane::StreamIn, Delivery::Bridge(ToBridge::PhoneClosed));
            }
            Stage::Asking | Stage::Waiting(_) => {}
        }
        self.end(post, by);
    }

    /// The media socket closes, from whichever side.
    fn end_stream(&mut self, post: &mut Post) {
        for event in self.far_end.cut_off() {
            self.note(event);
        }
        post.send(Lane::StreamIn, Delivery::Bridge(ToBridge::PhoneClosed));
        self.note(What::StreamStopped);
    }

    /// The bridge ended the stream, or refused it: what next?
    fn stream_over(&mut self, post: &mut Post, action: Option<Request>) {
        match action {
            Some(action) => self.ask(post, &action, Form::new()),
            None => self.next_verb(post),
        }
    }

    fn wait(&mut self, post: &mut Post, time: Duration, then: Then) {
        self.enter(Stage::Waiting(then));
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let waited = ToPhone::Waited { step: self.step };
        post.after(ms, Delivery::Phone(waited));
    }

    fn waited(&mut self, post: &mut Post) {
        let stage = std::mem::replace(&mut self.stage, Stage::Asking);
        let Stage::Waiting(then) = stage else { return };
        match then {
            Then::NextVerb => self.next_verb(post),
            Then::Announced => {
                if let Some((recording, _)) = &self.recording {
                    recording.catch_up_with_announcement();
                }
                self.next_verb(post);
            }
            Then::Ask(action) => {
                let form = [("DialCallStatus", "completed"), ("DialBridged", "true")];
                let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
                self.ask(post, &action, form.into());
            }
        }
    }

    /// Asks a webhook what to do.
    fn ask(&mut self, post: &mut Post, request: &Request, extra: Form) {
        self.enter(Stage::Asking);
        let mut form = self.form();
        form.extend(extra);
        let webhook = ToBridge::webhook(request, &form, self.step);
        post.send(Lane::Documents, Delivery::Bridge(webhook));
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.step += 1;
    }

    fn end(&mut self, post: &mut Post, by: &str) {
        self.enter(Stage::Over);
        self.time_up = None;
        if !self.status.is_terminal() {
            self.status = Status::Completed;
        }
        self.catch_up();
        self.note(What::Ended {
            by: by.to_owned(),
            status: self.status.name().to_owned(),
        });
        self.report(post);
    }

    fn report(&mut self, post: &mut Post) {
        let mut form = self.form();
        if self.status.is_terminal() {
            let answered = self.recording.as_ref().map(|(_, answered)| answered);
            // Parts of a second count as a whole one (`protocols.md` §2.10).
            let seconds = answered.map_or(0, |answered| (post.now() - answered) / 1000 + 1);
            form.push(("CallDuration".into(), seconds.to_string()));
        }
        self.callbacks.fire(post, self.status, form);
    }

    fn form(&self) -> Form {
        let parameters = [
            ("CallSid", CALL_SID),
            ("AccountSid", ACCOUNT_SID),
            ("Direction", "outbound-api"),
            ("CallStatus", self.status.name()),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        parameters.into()
    }

    fn catch_up(&self) {
        if let Some((recording, _)) = &self.recording {
            recording.catch_up();
        }
    }

    fn note(&self, what: What) {
        self.play.timeline.push(what);
    }
}
