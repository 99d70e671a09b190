//! The receiver of outcomes: an HTTP server as a customer would write it, signature check included
//! (Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`). And the row about it: it is down for
//! the whole call, and gets the outcome when it is back.

use super::calls::{self, Played};
use super::table::Row;
use super::{Name, Plan, folder};
use crate::rig::{self, Peers, Rig};
use crate::scenario::DialResult;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const WHAT: &str = "outcome receiver down, delivered afterwards";
/// 32 bytes, as the standard recommends.
const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
/// How long it stays down after the calls.
const DOWN: Duration = Duration::from_secs(3);
/// How long after its return everything must have come, with the first pauses of a backoff.
const DELIVERY: Duration = Duration::from_secs(90);

/// What came in, and how it was signed.
#[derive(Default)]
struct Inbox {
    /// Message ids by call.
    ids: BTreeMap<String, BTreeSet<String>>,
    bodies: BTreeMap<String, String>,
    wrong: Vec<String>,
    requests: usize,
}

/// The receiver; down until it is started, and when dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    inbox: Arc<Mutex<Inbox>>,
    task: Option<JoinHandle<()>>,
}

impl Receiver {
    /// A receiver that takes what comes.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let mut receiver = Self::down().await?;
        receiver.come_up().await?;
        Ok(receiver)
    }

    /// An address that refuses connections.
    async fn down() -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        Ok(Self {
            address,
            inbox: Arc::default(),
            task: None,
        })
    }

    async fn come_up(&mut self) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        let app = Router::new()
            .route("/outcomes", post(take))
            .with_state(Arc::clone(&self.inbox));
        self.task = Some(tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        }));
        Ok(())
    }

    /// What the Worker must be told.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "OUTCOME_WEBHOOK_URL",
                format!("http://{}/outcomes", self.address),
            ),
            (
                "OUTCOME_WEBHOOK_SECRET",
                format!("whsec_{}", STANDARD.encode(KEY)),
            ),
        ]
    }

    /// Waits until every outcome has come in; whether it did.
    pub(super) async fn has_all(&self, played: &[Played], within: Duration) -> bool {
        let deadline = Instant::now() + within;
        loop {
            let missing = {
                let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
                played.iter().any(|call| !inbox.ids.contains_key(&call.sid))
            };
            if !missing || Instant::now() > deadline {
                return !missing;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// What is not right about the delivery of this call's outcome.
    pub(super) fn wrong_about(&self, call: &Played) -> Vec<String> {
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wrong: Vec<String> = inbox
            .wrong
            .iter()
            .filter(|wrong| wrong.contains(&call.sid))
            .cloned()
            .collect();
        match inbox.ids.get(&call.sid) {
            None => wrong.push("its outcome was not delivered".to_owned()),
            Some(ids) if ids.len() > 1 => {
                wrong.push(format!("its outcome has {} message ids", ids.len()));
            }
            Some(_) => {}
        }
        if let (Some(body), Some(outcome)) = (inbox.bodies.get(&call.sid), &call.outcome) {
            let body: Value = serde_json::from_str(body).unwrap_or_default();
            if outcome_in(&body)["status"] != outcome.json["status"] {
                wrong.push("the outcome delivered is another one".to_owned());
            }
        }
        wrong
    }

    /// For the table.
    pub(super) fn measured(&self) -> String {
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        format!(
            "{} outcomes delivered in {} requests",
            inbox.ids.len(),
            inbox.requests
        )
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn take(
    State(inbox): State<Arc<Mutex<Inbox>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let text = String::from_utf8_lossy(&body).into_owned();
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let sid = outcome_in(&json)["callId"].as_str().unwrap_or_default();
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let mut inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
    inbox.requests += 1;
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    if !is_signed(&id, &timestamp, &body, &header("webhook-signature")) {
        inbox.wrong.push(format!("{sid}: wrong signature"));
        return StatusCode::UNAUTHORIZED;
    }
    inbox.ids.entry(sid.to_owned()).or_default().insert(id);
    inbox.bodies.insert(sid.to_owned(), text);
    StatusCode::NO_CONTENT
}

/// The outcome in a message: all of it, or its `data`.
fn outcome_in(body: &Value) -> &Value {
    body.get("data").unwrap_or(body)
}

fn is_signed(id: &str, timestamp: &str, body: &[u8], given: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(KEY) else {
        return false;
    };
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    !id.is_empty() && given.split(' ').any(|signature| signature == expected)
}

pub(super) async fn row(plan: Plan) -> Row {
    match measure(plan).await {
        Ok(row) => row,
        Err(error) => Row::broken(Name::Receiver, WHAT, &error),
    }
}

async fn measure(plan: Plan) -> anyhow::Result<Row> {
    let scenarios: anyhow::Result<Vec<_>> = (0..plan.cases(10, 3))
        .map(|n| calls::short(n, DialResult::Answered, 400, false))
        .collect();
    let mut receiver = Receiver::down().await?;
    let log = folder().join("receiver.log");
    let (clips, peers) = (rig::clips()?, Peers::Simulated);
    let rig = Rig::start_with(&receiver.variables(), scenarios?, clips, &peers, &log).await?;
    let calls = rig.plays.iter().map(|play| calls::play(&rig, play, &[]));
    let mut played = join_all(calls).await;
    sleep(DOWN).await;
    receiver.come_up().await?;
    let back = Instant::now();
    receiver.has_all(&played, DELIVERY).await;
    let seconds = back.elapsed().as_secs_f64();
    for call in &mut played {
        call.wrong.extend(receiver.wrong_about(call));
    }
    let mut row = Row::of(Name::Receiver, WHAT, &played, &rig.worker.log_text());
    row.measured = format!("{}, {seconds:.1} s after its return", receiver.measured());
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_covers_id_time_and_body() {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
        mac.update(b"msg_1.1700000000.{}");
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let given = format!("v1,other {signature}");
        assert!(is_signed("msg_1", "1700000000", b"{}", &given));
        assert!(!is_signed("msg_2", "1700000000", b"{}", &given));
        assert!(!is_signed("msg_1", "1700000001", b"{}", &given));
        assert!(!is_signed("msg_1", "1700000000", b"{ }", &given));
        assert!(!is_signed("", "", b"", ""));
    }
}
