//! Status callbacks: one request per subscribed event, in order or, with `messy_callbacks`, as
//! Twilio may also do: each twice, and neighbours swapped (`protocols.md` §2.5).

use super::twiml::Request;
use super::webhook::{Form, Webhooks, put};
use super::{call::Call, date};
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The states of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Queued,
    Initiated,
    Ringing,
    InProgress,
    Completed,
    Busy,
    NoAnswer,
    Failed,
    Canceled,
}

impl Status {
    /// As in `CallStatus`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Whether the call is over.
    pub fn is_terminal(self) -> bool {
        !matches!(
            self,
            Self::Queued | Self::Initiated | Self::Ringing | Self::InProgress
        )
    }

    /// The `StatusCallbackEvent` that subscribes to it.
    pub fn event(self) -> &'static str {
        match self {
            Self::Queued | Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "answered",
            _ => "completed",
        }
    }

    fn sip_code(self) -> &'static str {
        match self {
            Self::Busy => "486",
            Self::NoAnswer | Self::Canceled => "487",
            Self::Failed => "404",
            _ => "200",
        }
    }
}

/// What the bridge subscribed to.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    pub request: Request,
    /// Names of `StatusCallbackEvent`.
    pub events: Vec<String>,
}

/// Fires the callbacks of one call.
pub struct Callbacks {
    events: Vec<String>,
    sequence: u64,
    queue: Option<UnboundedSender<Form>>,
}

impl Callbacks {
    /// Callbacks of `call`; nothing is sent without a subscription.
    pub fn new(webhooks: &Webhooks, call: &Arc<Call>, subscription: Option<Subscription>) -> Self {
        let Some(Subscription { request, events }) = subscription else {
            return Self {
                events: Vec::new(),
                sequence: 0,
                queue: None,
            };
        };
        let (queue, forms) = unbounded_channel();
        tokio::spawn(deliver(webhooks.clone(), Arc::clone(call), request, forms));
        Self {
            events,
            sequence: 0,
            queue: Some(queue),
        }
    }

    /// The call reached this status.
    pub fn fire(&mut self, call: &Call, status: Status) {
        let Some(queue) = &self.queue else { return };
        if !self.events.iter().any(|event| event == status.event()) {
            return;
        }
        let mut form = call.form(status);
        put(&mut form, "CallbackSource", "call-progress-events");
        put(&mut form, "SequenceNumber", self.sequence.to_string());
        put(&mut form, "Timestamp", date::rfc2822(date::now()));
        if status.is_terminal() {
            let seconds = call.seconds();
            put(&mut form, "CallDuration", seconds.to_string());
            put(&mut form, "Duration", seconds.div_ceil(60).to_string());
            put(&mut form, "SipResponseCode", status.sip_code());
        }
        self.sequence += 1;
        // The other end lives as long as this one.
        let _ = queue.send(form);
    }
}

async fn deliver(
    webhooks: Webhooks,
    call: Arc<Call>,
    request: Request,
    mut forms: UnboundedReceiver<Form>,
) {
    let messy = call.play.scenario.network.messy_callbacks;
    let mut held = None;
    while let Some(form) = forms.recv().await {
        if messy && held.is_none() {
            held = Some(form);
            continue;
        }
        send(&webhooks, &call, &request, &form, messy).await;
        if let Some(earlier) = held.take() {
            send(&webhooks, &call, &request, &earlier, messy).await;
        }
    }
    if let Some(last) = held {
        send(&webhooks, &call, &request, &last, messy).await;
    }
}

async fn send(webhooks: &Webhooks, call: &Call, request: &Request, form: &Form, twice: bool) {
    for _ in 0..=u8::from(twice) {
        if let Err(error) = webhooks.send(request, form).await {
            call.violation(format!("status callback: {error}"));
        }
    }
}
