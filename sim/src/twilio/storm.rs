//! What comes at the bridge beside a call, all of it with valid signatures: a second media socket,
//! requests about a call that nobody knows, and everything once more.

use super::call::Call;
use super::twiml::Request;
use super::webhook::{Form, put};
use super::wire::{Frames, FromBridge, read};
use super::{Twilio, media, sid};
use crate::fault::Fault;
use crate::timeline::What;
use futures_util::{SinkExt, StreamExt};
use orderline::audio::ulaw::SILENCE;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// How long a second socket is listened to.
const LISTEN: Duration = Duration::from_secs(2);

/// Lets it loose, beside the call.
pub fn begin(twilio: &Arc<Twilio>, call: &Arc<Call>, stream_url: &str, fault: Fault) {
    let (twilio, call, url) = (Arc::clone(twilio), Arc::clone(call), stream_url.to_owned());
    tokio::spawn(async move {
        let wrong = match fault {
            Fault::SecondStream => second_stream(&twilio, &call, &url).await,
            Fault::UnknownCall => unknown_call(&twilio, &call, &url).await,
            Fault::Replay => replay(&twilio, &call, &url).await,
            _ => Vec::new(),
        };
        for detail in wrong {
            call.push(What::Violation {
                side: "twilio".into(),
                detail: format!("{}: {detail}", fault.name()),
            });
        }
    });
}

/// A second socket may be refused, or closed; it may not be spoken to.
async fn second_stream(twilio: &Twilio, call: &Call, url: &str) -> Vec<String> {
    let Ok(mut socket) = media::open(url, &twilio.config.auth_token).await else {
        return Vec::new();
    };
    let stream_sid = sid::new("MZ");
    let mut frames = Frames::new(&call.account_sid, &call.sid, &stream_sid);
    let mut first = vec![Frames::connected(), frames.start(&BTreeMap::new())];
    first.extend((0..10).map(|_| frames.media(&[SILENCE; 160])));
    for frame in first {
        if socket.send(Message::text(frame)).await.is_err() {
            return Vec::new();
        }
    }
    let spoken_to = async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Text(text) = message
                && !matches!(read(&text, &stream_sid), Ok(FromBridge::Clear))
            {
                return true;
            }
        }
        false
    };
    let spoken_to = timeout(LISTEN, spoken_to).await.unwrap_or(false);
    let told = spoken_to.then(|| "the bridge speaks on a second media socket".to_owned());
    told.into_iter().collect()
}

/// A call that does not exist is told so: no stream opens, and nothing breaks.
async fn unknown_call(twilio: &Twilio, call: &Call, url: &str) -> Vec<String> {
    let unknown = sid::new("CA");
    let mut wrong = Vec::new();
    if media::open(&url.replace(&call.sid, &unknown), &twilio.config.auth_token)
        .await
        .is_ok()
    {
        wrong.push("a stream of an unknown call was opened".to_owned());
    }
    for (request, mut form) in twilio.webhooks.sent_about(&call.sid) {
        for (_, value) in form.iter_mut().filter(|(name, _)| name == "CallSid") {
            value.clone_from(&unknown);
        }
        wrong.extend(breakdown(twilio, &request, &form).await);
    }
    wrong
}

/// What was sent before is sent again, the stream's upgrade as well.
async fn replay(twilio: &Twilio, call: &Call, url: &str) -> Vec<String> {
    let mut wrong = send_again(twilio, &call.sid).await;
    // And with a status that no call has.
    for (request, mut form) in twilio.webhooks.sent_about(&call.sid) {
        if form.iter().any(|(name, _)| name == "CallbackSource") {
            form.retain(|(name, _)| name != "CallStatus");
            put(&mut form, "CallStatus", "levitating");
            wrong.extend(breakdown(twilio, &request, &form).await);
        }
    }
    wrong.extend(second_stream(twilio, call, url).await);
    wrong
}

/// Every webhook of a call once more, with the same signature; what broke down at that.
pub async fn send_again(twilio: &Twilio, sid: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (request, form) in twilio.webhooks.sent_about(sid) {
        wrong.extend(breakdown(twilio, &request, &form).await);
    }
    wrong
}

/// An answer may be a refusal, but not an error of the server.
async fn breakdown(twilio: &Twilio, request: &Request, form: &Form) -> Option<String> {
    let answer = twilio.webhooks.deliver(request, form).await;
    answer.err().filter(|why| !why.contains(" answered 4"))
}
