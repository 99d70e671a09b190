//! One call from dialling to its terminal status.

use super::create::Settings;
use super::leg::{Leg, Source};
use super::status::{Callbacks, Status, Subscription};
use super::twiml::Request;
use super::webhook::{Form, put};
use super::{Twilio, date, sid};
use crate::play::Play;
use crate::scenario::DialResult;
use crate::timeline::What;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep};

/// A call as REST knows it.
pub struct Call {
    pub sid: String,
    pub account_sid: String,
    pub from: String,
    pub to: String,
    pub inbound: bool,
    pub play: Arc<Play>,
    state: Mutex<State>,
    orders: UnboundedSender<Order>,
}

struct State {
    status: Status,
    created: u64,
    answered: Option<(u64, Instant)>,
    /// Unix time of the end, and the length in seconds.
    ended: Option<(u64, u64)>,
    answered_by: Option<&'static str>,
}

/// What REST, or the clock, wants from a live call.
#[derive(Debug)]
pub enum Order {
    /// End it.
    HangUp,
    /// Drop what runs, and run this.
    Replace(Source),
    /// `TimeLimit` is over.
    TimeUp,
}

/// Who ended a call.
pub type By = &'static str;

impl Call {
    /// A call nobody has dialled yet, and the orders it will get.
    pub fn new(
        account_sid: &str,
        from: &str,
        to: &str,
        inbound: bool,
        play: Arc<Play>,
    ) -> (Arc<Self>, UnboundedReceiver<Order>) {
        let (orders, received) = unbounded_channel();
        let state = State {
            status: if inbound {
                Status::Ringing
            } else {
                Status::Queued
            },
            created: date::now(),
            answered: None,
            ended: None,
            answered_by: None,
        };
        let call = Self {
            sid: sid::new("CA"),
            account_sid: account_sid.into(),
            from: from.into(),
            to: to.into(),
            inbound,
            play,
            state: Mutex::new(state),
            orders,
        };
        (Arc::new(call), received)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present status.
    pub fn status(&self) -> Status {
        self.state().status
    }

    /// Moves on to this status, unless the call is over.
    pub fn advance(&self, status: Status) {
        let mut state = self.state();
        if state.status.is_terminal() {
            return;
        }
        state.status = status;
        if status == Status::InProgress {
            state.answered = Some((date::now(), Instant::now()));
        }
        if status.is_terminal() {
            // Parts of a second count as a whole one (`protocols.md` §2.10).
            let seconds = state
                .answered
                .map_or(0, |(_, at)| at.elapsed().as_secs() + 1);
            state.ended = Some((date::now(), seconds));
        }
    }

    /// Whether anybody has picked up.
    pub fn is_answered(&self) -> bool {
        self.state().answered.is_some()
    }

    /// A machine or a human picked up.
    pub fn set_answered_by(&self, who: &'static str) {
        self.state().answered_by = Some(who);
    }

    /// Length of the call in seconds; 0 when it was not answered.
    pub fn seconds(&self) -> u64 {
        self.state().ended.map_or(0, |(_, seconds)| seconds)
    }

    /// Gives an order; it is lost when the call is over.
    pub fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// Something happened.
    pub fn push(&self, what: What) {
        self.play.timeline.push(what);
    }

    /// The bridge broke the protocol.
    pub fn violation(&self, detail: String) {
        self.push(What::Violation {
            side: "twilio".into(),
            detail,
        });
    }

    /// The parameters of every webhook about this call (`protocols.md` §2.4): some empty, one with
    /// letters beyond ASCII, and one the documentation does not list.
    pub fn form(&self, status: Status) -> Form {
        let direction = if self.inbound {
            "inbound"
        } else {
            "outbound-api"
        };
        let mut form: Form = Vec::new();
        for (name, value) in [
            ("Called", self.to.as_str()),
            ("ToState", "CA"),
            ("CallerCountry", "US"),
            ("Direction", direction),
            ("CallerState", ""),
            ("ToZip", ""),
            ("CallSid", &self.sid),
            ("To", &self.to),
            ("CallerZip", ""),
            ("ToCountry", "US"),
            ("CalledZip", ""),
            ("ApiVersion", "2010-04-01"),
            ("CalledCity", "CAÑON CITY"),
            ("CallStatus", status.name()),
            ("From", &self.from),
            ("AccountSid", &self.account_sid),
            ("CalledCountry", "US"),
            ("CallerCity", ""),
            ("ToCity", "CAÑON CITY"),
            ("FromCountry", "US"),
            ("Caller", &self.from),
            ("FromCity", ""),
            ("CalledState", "CA"),
            ("FromZip", ""),
            ("FromState", ""),
            ("NewerParameter", "a+b & c=d"),
        ] {
            put(&mut form, name, value);
        }
        if let Some(who) = self.state().answered_by {
            put(&mut form, "AnsweredBy", who);
        }
        form
    }

    /// The resource REST returns (`protocols.md` §2.1).
    pub fn json(&self) -> Value {
        let state = self.state();
        let uri = format!(
            "/2010-04-01/Accounts/{}/Calls/{}",
            self.account_sid, self.sid
        );
        let status = if state.status == Status::Initiated {
            Status::Queued
        } else {
            state.status
        };
        let dated = status != Status::Queued;
        json!({
            "sid": self.sid, "account_sid": self.account_sid, "parent_call_sid": null,
            "to": self.to, "to_formatted": self.to, "from": self.from, "from_formatted": self.from,
            "phone_number_sid": "PN00000000000000000000000000000001", "status": status.name(),
            "start_time": state.answered.map(|(at, _)| date::rfc2822(at)),
            "end_time": state.ended.map(|(at, _)| date::rfc2822(at)),
            "duration": state.ended.map(|(_, seconds)| seconds.to_string()),
            "price": null, "price_unit": "USD",
            "direction": if self.inbound { "inbound" } else { "outbound-api" },
            "answered_by": state.answered_by, "api_version": "2010-04-01", "forwarded_from": "",
            "group_sid": null, "caller_name": "", "queue_time": "0", "trunk_sid": "",
            "uri": format!("{uri}.json"),
            "subresource_uris": {
                "recordings": format!("{uri}/Recordings.json"),
                "notifications": format!("{uri}/Notifications.json"),
                "streams": format!("{uri}/Streams.json"),
            },
            "date_created": dated.then(|| date::rfc2822(state.created)),
            "date_updated": dated.then(|| date::rfc2822(state.created)),
        })
    }
}

/// Dials, and plays the call to its end.
pub async fn dial(
    twilio: Arc<Twilio>,
    call: Arc<Call>,
    settings: Settings,
    mut orders: UnboundedReceiver<Order>,
) {
    let mut callbacks = Callbacks::new(&twilio.webhooks, &call, settings.status.clone());
    call.advance(Status::Initiated);
    callbacks.fire(&call, Status::Initiated);
    let network = call.play.scenario.network.clone();
    if matches!(network.result, DialResult::Answered | DialResult::NoAnswer) {
        call.advance(Status::Ringing);
        call.push(What::Ringing);
        callbacks.fire(&call, Status::Ringing);
    }
    let patience = Duration::from_secs(settings.timeout_s);
    let ring = Duration::from_millis(network.ring_ms);
    let by = tokio::select! {
        () = hung_up(&mut orders) => {
            call.advance(Status::Canceled);
            "bridge"
        }
        () = sleep(ring.min(patience)) => match network.result {
            DialResult::Answered if ring <= patience => {
                answer(&call, &mut callbacks);
                let leg = Leg::new(Arc::clone(&twilio), Arc::clone(&call), orders);
                talk(leg, &twilio, &call, settings).await
            }
            result => {
                call.advance(match result {
                    DialResult::Busy => Status::Busy,
                    DialResult::Failed => Status::Failed,
                    DialResult::Answered | DialResult::NoAnswer => Status::NoAnswer,
                });
                "network"
            }
        }
    };
    end(&call, &mut callbacks, by);
}

/// A call from outside arrives at `voice`, and is played to its end.
pub async fn arrive(
    twilio: Arc<Twilio>,
    call: Arc<Call>,
    orders: UnboundedReceiver<Order>,
    voice: &str,
    status: Option<Subscription>,
) {
    let mut callbacks = Callbacks::new(&twilio.webhooks, &call, status);
    call.push(What::Ringing);
    let leg = Leg::new(Arc::clone(&twilio), Arc::clone(&call), orders);
    let voice = Request {
        url: voice.into(),
        post: true,
    };
    let by = leg.run(Source::Fetch(voice, Form::new()), None).await;
    end(&call, &mut callbacks, by);
}

async fn talk(leg: Leg, twilio: &Arc<Twilio>, call: &Arc<Call>, settings: Settings) -> By {
    if let Some(amd) = settings.amd {
        match amd.callback {
            Some(request) => {
                tokio::spawn(report_human(Arc::clone(twilio), Arc::clone(call), request));
            }
            // Detection comes before the TwiML request, and its result with it.
            None => {
                sleep(Duration::from_millis(500)).await;
                call.set_answered_by("human");
            }
        }
    }
    let limit = Duration::from_secs(settings.time_limit_s);
    let timed = Arc::clone(call);
    let timer = tokio::spawn(async move {
        sleep(limit).await;
        timed.order(Order::TimeUp);
    });
    let by = leg.run(settings.voice, settings.fallback).await;
    timer.abort();
    by
}

async fn report_human(twilio: Arc<Twilio>, call: Arc<Call>, request: Request) {
    sleep(Duration::from_secs(2)).await;
    call.set_answered_by("human");
    let mut form = Form::new();
    put(&mut form, "CallSid", call.sid.clone());
    put(&mut form, "AccountSid", call.account_sid.clone());
    put(&mut form, "AnsweredBy", "human");
    put(&mut form, "MachineDetectionDuration", "2000");
    if let Err(error) = twilio.webhooks.send(&request, &form).await {
        call.violation(format!("AsyncAmdStatusCallback: {error}"));
    }
}

fn answer(call: &Call, callbacks: &mut Callbacks) {
    call.advance(Status::InProgress);
    call.push(What::Answered);
    callbacks.fire(call, Status::InProgress);
}

fn end(call: &Call, callbacks: &mut Callbacks, by: By) {
    call.advance(Status::Completed);
    let status = call.status();
    call.push(What::Ended {
        by: by.into(),
        status: status.name().into(),
    });
    callbacks.fire(call, status);
}

async fn hung_up(orders: &mut UnboundedReceiver<Order>) {
    while let Some(order) = orders.recv().await {
        if matches!(order, Order::HangUp) {
            return;
        }
    }
    std::future::pending().await
}
