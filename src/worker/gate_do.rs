//! The Durable Object of an idempotency key: one per key, so that of two requests at the same time
//! one comes first.

use super::log::runtime_error;
use super::{now_ms, outgoing};
use crate::http::problem::Problem;
use crate::json;
use crate::policy::idempotency::{Answer, Claim, Entry, KEEP_MS, claim, digest};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use worker::{DurableObject, Env, Headers, Request, Response, Result, State, durable_object};

/// Binding of the namespace, class [`CallGate`].
const GATE: &str = "GATE";
/// Storage key.
const ENTRY: &str = "entry";

/// What the Worker tells the object.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Ask {
    /// May a request with this body go ahead?
    Claim { body: String },
    /// This is its answer.
    Settle(Answer),
    /// Nothing rang: the key is free again.
    Release,
}

/// A key that a request holds.
pub(super) struct Key(String);

impl Key {
    /// The key's object is named by a digest: keys may be private.
    pub(super) fn new(key: &str) -> Self {
        Self(digest(key.as_bytes()))
    }

    /// Asks whether a request with this body may go ahead.
    pub(super) async fn claim(
        &self,
        env: &Env,
        body: &[u8],
    ) -> std::result::Result<Claim, Problem> {
        let mut response = self.send(env, &Ask::Claim { body: digest(body) }).await?;
        let text = response
            .text()
            .await
            .map_err(runtime_error("gate_answer"))?;
        json::read(&text).ok_or_else(Problem::internal)
    }

    /// Remembers the call that was placed.
    pub(super) async fn settle(&self, env: &Env, sid: &str) -> std::result::Result<(), Problem> {
        self.send(
            env,
            &Ask::Settle(Answer {
                sid: sid.to_owned(),
            }),
        )
        .await
        .map(drop)
    }

    /// Frees the key: nothing rang.
    pub(super) async fn release(&self, env: &Env) -> std::result::Result<(), Problem> {
        self.send(env, &Ask::Release).await.map(drop)
    }

    async fn send(&self, env: &Env, ask: &Ask) -> std::result::Result<Response, Problem> {
        let body = serde_json::to_string(ask).map_err(|_| Problem::internal())?;
        let exchange = async {
            let stub = env.durable_object(GATE)?.get_by_name(&self.0)?;
            let request = outgoing::request("https://gate/", &Headers::new(), Some(&body))?;
            stub.fetch_with_request(request).await
        };
        exchange.await.map_err(runtime_error("gate"))
    }
}

/// The Durable Object.
#[durable_object(alarm)]
pub struct CallGate {
    state: State,
}

impl DurableObject for CallGate {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let ask: Ask = json::read(&request.text().await?).ok_or("unknown question")?;
        // No other request is delivered while storage is being read or written, so the entry that
        // was read is still the entry when it is written.
        let entry = self.entry().await?;
        match (ask, entry) {
            (Ask::Claim { body }, entry) => {
                let now = now_ms();
                let decision = claim(entry.as_ref(), &body, now);
                if decision == Claim::Fresh {
                    self.write(&Entry {
                        body,
                        since: now,
                        answer: None,
                    })
                    .await?;
                    self.state
                        .storage()
                        .set_alarm(Duration::from_millis(KEEP_MS))
                        .await?;
                }
                Response::from_json(&decision)
            }
            (Ask::Settle(answer), Some(entry)) => {
                self.write(&Entry {
                    answer: Some(answer),
                    ..entry
                })
                .await?;
                Response::empty()
            }
            (Ask::Release, _) => {
                self.state.storage().delete_all().await?;
                Response::empty()
            }
            (Ask::Settle(_), None) => Response::empty(),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.state.storage().delete_all().await?;
        Response::empty()
    }
}

impl CallGate {
    async fn entry(&self) -> Result<Option<Entry>> {
        let text: Option<String> = self.state.storage().get(ENTRY).await?;
        Ok(text.and_then(|text| json::read(&text)))
    }

    async fn write(&self, entry: &Entry) -> Result<()> {
        self.state
            .storage()
            .put(ENTRY, serde_json::to_string(entry)?)
            .await
    }
}
