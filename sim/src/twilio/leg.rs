//! Runs TwiML on a live call (`protocols.md` §2.8).

use super::call::{By, Call, Order};
use super::line::Recording;
use super::media::{self, StreamEnd};
use super::shop::Shop;
use super::status::Status;
use super::twiml::{self, Callee, Request, Stream, Verb};
use super::webhook::{Form, put};
use super::{Twilio, sid};
use crate::fault;
use crate::timeline::What;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;

/// How fast the network speaks.
pub const SAY_MS_PER_LETTER: u64 = 60;
/// The human a call is handed to picks up after this, and talks for that long.
pub const HANDOFF_RINGS: Duration = Duration::from_millis(500);
pub const HANDOFF_TALKS: Duration = Duration::from_millis(1500);
/// A call that asks for more documents than this runs in circles.
const MAX_DOCUMENTS: usize = 50;

/// Where a document comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A webhook, with parameters beside those of the call.
    Fetch(Request, Form),
    /// Given by REST.
    Inline(String),
}

/// What a verb leads to.
enum Next {
    /// The verb after it.
    Verb,
    /// Another document.
    Document(Source),
    /// The end of the call.
    Over(By),
}

/// A call between its answer and its end.
pub struct Leg {
    pub twilio: Arc<Twilio>,
    pub call: Arc<Call>,
    pub orders: UnboundedReceiver<Order>,
    pub shop: Shop,
    pub recording: Recording,
}

impl Leg {
    /// A call just answered, or, inbound, just arrived.
    pub fn new(twilio: Arc<Twilio>, call: Arc<Call>, orders: UnboundedReceiver<Order>) -> Self {
        let shop = Shop::new(call.play.scenario.shop.clone(), twilio.clips.clone());
        let recording = Recording::new(Arc::clone(&call.play));
        Self {
            twilio,
            call,
            orders,
            shop,
            recording,
        }
    }

    /// Runs this document and what follows from it; `fallback` stands in for the first one.
    pub async fn run(mut self, first: Source, fallback: Option<Request>) -> By {
        fault::schedule(&self.call.play);
        let mut source = first;
        let mut fallback = fallback;
        for _ in 0..MAX_DOCUMENTS {
            let verbs = match self.obtain(source).await {
                Ok(verbs) => verbs,
                Err(next) => {
                    source = match (next, fallback.take()) {
                        (Next::Document(source), _) => source,
                        (Next::Over(by), _) => return self.over(by),
                        (Next::Verb, Some(url)) => Source::Fetch(url, Form::new()),
                        (Next::Verb, None) => {
                            let text = "An application error has occurred. Goodbye.".to_string();
                            self.say(&text, 1).await;
                            return self.over("network");
                        }
                    };
                    continue;
                }
            };
            fallback = None;
            source = match self.perform(verbs).await {
                Next::Document(source) => source,
                Next::Over(by) => return self.over(by),
                // Behind its last verb a call ends.
                Next::Verb => return self.over("bridge"),
            };
        }
        self.call.violation("TwiML runs in circles".into());
        self.over("network")
    }

    fn over(&self, by: By) -> By {
        if self.call.is_answered() {
            self.recording.catch_up();
        }
        by
    }

    /// The verbs of a document; `Next::Verb` when there is none to be had.
    async fn obtain(&mut self, source: Source) -> Result<Vec<Verb>, Next> {
        let (xml, base) = match source {
            Source::Inline(xml) => (xml, String::new()),
            Source::Fetch(request, extra) => (self.fetch(&request, extra).await?, request.url),
        };
        let script = twiml::parse(&xml, &base);
        let unusable = script.verbs.is_empty() && !script.problems.is_empty();
        for problem in script.problems {
            self.call.violation(format!("TwiML: {problem}"));
        }
        if unusable {
            Err(Next::Verb)
        } else {
            Ok(script.verbs)
        }
    }

    async fn fetch(&mut self, request: &Request, extra: Form) -> Result<String, Next> {
        let mut form = self.call.form(self.call.status());
        form.extend(extra);
        let webhooks = self.twilio.webhooks.clone();
        let reply = tokio::select! {
            biased;
            order = self.orders.recv() => return Err(obey(order)),
            reply = webhooks.send(request, &form) => reply,
        };
        match reply {
            Err(error) => {
                self.call.violation(error);
                Err(Next::Verb)
            }
            Ok(reply) => {
                let kind = reply
                    .content_type
                    .split(';')
                    .next()
                    .unwrap_or_default()
                    .trim();
                if kind != "text/xml" && kind != "application/xml" || reply.status != 200 {
                    self.call.violation(format!(
                        "12300 {} answered {} `{}` instead of 200 `text/xml`",
                        request.url, reply.status, reply.content_type
                    ));
                }
                Ok(reply.body)
            }
        }
    }

    async fn perform(&mut self, verbs: Vec<Verb>) -> Next {
        for verb in verbs {
            let answers = !matches!(verb, Verb::Reject { .. } | Verb::Hangup | Verb::Redirect(_));
            if answers && self.call.status() == Status::Ringing {
                self.call.advance(Status::InProgress);
                self.call.push(What::Answered);
                self.recording = Recording::new(Arc::clone(&self.call.play));
            }
            let next = match verb {
                Verb::Connect { action, stream } => self.connect(action, &stream).await,
                Verb::Say { text, times } => self.say(&text, times).await,
                Verb::Pause { seconds } => self.wait(Duration::from_secs(seconds)).await,
                Verb::Dial { action, numbers } => self.hand_over(action, &numbers).await,
                Verb::Redirect(to) => Next::Document(Source::Fetch(to, Form::new())),
                Verb::Hangup => Next::Over("bridge"),
                Verb::Reject { busy } => self.reject(busy),
            };
            if !matches!(next, Next::Verb) {
                return next;
            }
        }
        Next::Verb
    }

    async fn connect(&mut self, action: Option<Request>, stream: &Stream) -> Next {
        let stream_sid = sid::new("MZ");
        self.recording.catch_up();
        let end = media::run(self, stream, &stream_sid).await;
        match end {
            StreamEnd::ByShop => Next::Over("shop"),
            StreamEnd::LineLost => Next::Over("network"),
            StreamEnd::Ordered(order) => obey(Some(order)),
            StreamEnd::ByBridge | StreamEnd::SocketLost => {
                let Some(action) = action else {
                    return Next::Verb;
                };
                let mut form = Form::new();
                put(&mut form, "StreamSid", stream_sid);
                put(
                    &mut form,
                    "StreamName",
                    stream.name.clone().unwrap_or_default(),
                );
                Next::Document(Source::Fetch(action, form))
            }
        }
    }

    async fn say(&mut self, text: &str, times: u64) -> Next {
        self.recording.catch_up();
        self.call.push(What::NetworkSays {
            text: text.to_string(),
        });
        // `loop="0"` means "until the call ends"; a while is enough here.
        let times = if times == 0 { 100 } else { times };
        let letters = text.chars().count() as u64;
        let next = self
            .wait(Duration::from_millis(letters * SAY_MS_PER_LETTER * times))
            .await;
        self.recording.catch_up_with_announcement();
        next
    }

    async fn hand_over(&mut self, action: Option<Request>, callees: &[Callee]) -> Next {
        for callee in callees {
            self.call.push(What::Dials {
                number: callee.number.clone(),
            });
        }
        let mut next = self.wait(HANDOFF_RINGS).await;
        for whisper in callees.iter().filter_map(|callee| callee.whisper.as_ref()) {
            if matches!(next, Next::Verb) {
                next = self.whisper(whisper).await;
            }
        }
        if matches!(next, Next::Verb) {
            next = self.wait(HANDOFF_TALKS).await;
        }
        let Some(action) = action.filter(|_| matches!(next, Next::Verb)) else {
            return next;
        };
        let mut form = Form::new();
        put(&mut form, "DialCallSid", sid::new("CA"));
        put(&mut form, "DialCallStatus", "completed");
        put(
            &mut form,
            "DialCallDuration",
            HANDOFF_TALKS.as_secs().max(1).to_string(),
        );
        put(&mut form, "DialBridged", "true");
        Next::Document(Source::Fetch(action, form))
    }

    /// What the callee alone hears first; it is fetched and checked, but takes no time.
    async fn whisper(&mut self, request: &Request) -> Next {
        let mut extra = Form::new();
        put(&mut extra, "ParentCallSid", self.call.sid.clone());
        match self.obtain(Source::Fetch(request.clone(), extra)).await {
            Ok(_) => Next::Verb,
            Err(next) => next,
        }
    }

    fn reject(&self, busy: bool) -> Next {
        if self.call.inbound && self.call.status() == Status::Ringing {
            self.call
                .advance(if busy { Status::Busy } else { Status::NoAnswer });
        } else {
            self.call
                .violation("TwiML: <Reject> of a call that is not ringing in".into());
        }
        Next::Over("bridge")
    }

    /// Time passes, unless REST wants something else.
    async fn wait(&mut self, time: Duration) -> Next {
        tokio::select! {
            biased;
            order = self.orders.recv() => obey(order),
            () = sleep(time) => Next::Verb,
        }
    }
}

fn obey(order: Option<Order>) -> Next {
    match order {
        Some(Order::Replace(source)) => Next::Document(source),
        Some(Order::TimeUp) => Next::Over("network"),
        Some(Order::HangUp) | None => Next::Over("bridge"),
    }
}
