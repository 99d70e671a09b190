//! A receiver of outcomes on loopback, as strict as the Standard Webhooks specification lets it be,
//! and written from it alone. What it answers is in the URL: `/503.hang/NAME` is a receiver that
//! answers 503 at first, nothing the second time, and 204 from then on.

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::time::Instant;

/// So far may a message's time be from ours, in seconds.
const FRESH_SEC: u64 = 5;
/// What 429 asks for, in seconds.
pub const RETRY_AFTER_SEC: u64 = 8;
/// Where a redirect leads.
pub const ELSEWHERE: &str = "/204/elsewhere";

/// One request that arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub at: Instant,
    pub path: String,
    /// `webhook-id`; empty if the message was refused.
    pub id: String,
    pub body: String,
    /// Why the message is not one of Standard Webhooks.
    pub wrong: Option<String>,
}

/// The receiver; it knows one secret.
pub struct Receiver {
    secret: String,
    arrivals: Mutex<Vec<Arrival>>,
}

impl Receiver {
    pub fn new(secret: &str) -> Arc<Self> {
        Arc::new(Self {
            secret: secret.to_owned(),
            arrivals: Mutex::default(),
        })
    }

    /// Serves until it is dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> anyhow::Result<()> {
        let app = Router::new().fallback(receive).with_state(self);
        Ok(axum::serve(listener, app).await?)
    }

    /// What arrived at a path, in order.
    pub fn arrivals(&self, path: &str) -> Vec<Arrival> {
        let all = self.arrivals.lock().unwrap();
        all.iter().filter(|one| one.path == path).cloned().collect()
    }
}

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let checked = if method == Method::POST {
        verify(&receiver.secret, &headers, &body, now_sec())
    } else {
        Err(anyhow::anyhow!("{method} instead of POST"))
    };
    let before = {
        let mut arrivals = receiver.arrivals.lock().unwrap();
        let before = arrivals.iter().filter(|one| one.path == path).count();
        arrivals.push(Arrival {
            at: Instant::now(),
            path: path.clone(),
            id: checked.as_ref().cloned().unwrap_or_default(),
            body: String::from_utf8_lossy(&body).into_owned(),
            wrong: checked.as_ref().err().map(|error| format!("{error:#}")),
        });
        before
    };
    if checked.is_err() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let plan = path.split('/').nth(1).unwrap_or_default();
    match plan.split('.').nth(before) {
        Some("hang") => std::future::pending().await,
        Some("302") => (StatusCode::FOUND, [("location", ELSEWHERE)]).into_response(),
        Some("429") => {
            let wait = [("retry-after", RETRY_AFTER_SEC.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, wait).into_response()
        }
        Some(status) => status
            .parse()
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::NOT_FOUND)
            .into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Checks a message as the specification says; its id.
fn verify(secret: &str, headers: &HeaderMap, body: &[u8], now_sec: u64) -> anyhow::Result<String> {
    let header = |name: &str| -> anyhow::Result<&str> {
        let mut values = headers.get_all(name).iter();
        let value = values.next().with_context(|| format!("no {name}"))?;
        ensure!(values.next().is_none(), "{name} more than once");
        Ok(value.to_str()?)
    };
    let id = header("webhook-id")?;
    ensure!(
        !id.is_empty() && !id.contains('.'),
        "webhook-id is empty or has a dot"
    );
    let timestamp = header("webhook-timestamp")?;
    let seconds: u64 = timestamp.parse().context("webhook-timestamp")?;
    ensure!(
        seconds.abs_diff(now_sec) <= FRESH_SEC,
        "webhook-timestamp is {seconds}, and it is {now_sec}"
    );
    let key = STANDARD.decode(secret.trim_start_matches("whsec_"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let mut signatures = header("webhook-signature")?.split(' ');
    ensure!(
        signatures.any(|given| given == expected),
        "no signature is right"
    );
    ensure!(
        header("content-type")? == "application/json",
        "content-type is not JSON's"
    );
    let message: Value = serde_json::from_slice(body)?;
    ensure!(
        message["type"] == "call.outcome",
        "type is {}",
        message["type"]
    );
    ensure!(message["timestamp"].is_string(), "no timestamp");
    ensure!(message["data"].is_object(), "no data");
    Ok(id.to_owned())
}

fn now_sec() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &str = r#"{"type":"call.outcome","timestamp":"2021-02-25T15:02:10Z","data":{}}"#;
    const NOW: u64 = 1_614_265_330;

    fn headers(change: impl Fn(&mut HeaderMap)) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/json"),
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", "1614265330"),
            // By openssl: printf '%s' "msg_1.1614265330.$BODY" | openssl dgst -sha256 -mac HMAC -macopt hexkey:…
            (
                "webhook-signature",
                "v1,bm90aGluZw== v1,bMYYJn6QiuUX/g4fJ0iChQUBexAXayr4fnw9Kt8Qi1Y=",
            ),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        change(&mut headers);
        headers
    }

    #[test]
    fn only_a_fresh_and_signed_message_is_taken() {
        let good = headers(|_| ());
        assert_eq!(
            verify(SECRET, &good, BODY.as_bytes(), NOW + 5).unwrap(),
            "msg_1"
        );
        let set = |name: &'static str, value: &'static str| {
            headers(move |headers| {
                headers.insert(name, value.parse().unwrap());
            })
        };
        for bad in [
            set("webhook-id", "msg_2"),
            set("webhook-timestamp", "1614265331"),
            set("webhook-signature", "v1,bm90aGluZw=="),
            set("content-type", "text/plain"),
            headers(|headers| assert!(headers.remove("webhook-id").is_some())),
            headers(|headers| assert!(headers.append("webhook-id", "msg_1".parse().unwrap()))),
        ] {
            assert!(verify(SECRET, &bad, BODY.as_bytes(), NOW).is_err());
        }
        assert!(
            verify(SECRET, &good, BODY.as_bytes(), NOW + 6).is_err(),
            "old"
        );
        assert!(verify(SECRET, &good, b"{}", NOW).is_err(), "another body");
        let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert!(verify(other, &good, BODY.as_bytes(), NOW).is_err());
    }
}
