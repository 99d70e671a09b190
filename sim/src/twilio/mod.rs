//! A simulated Twilio: REST, signed webhooks, TwiML, media streams and the people in the shops.
//!
//! `rest.rs` takes the bridge's orders and starts a `call.rs`, which dials, lets `leg.rs` run the
//! TwiML and reports to `status.rs`. `media.rs` is the socket of `<Connect><Stream>`; `stream.rs`
//! carries its audio between `playback.rs` (what the shop hears) and `shop.rs` (what it says). Written from `protocols.md`
//! PART 2; as strict as the real one, and every breach is a `What::Violation`.

mod call;
pub mod create;
mod date;
pub mod ear;
mod keypad;
pub mod leg;
pub mod line;
mod media;
mod overrides;
mod playback;
mod rest;
pub mod shop;
pub mod sid;
pub mod signature;
pub mod status;
mod storm;
pub mod stream;
#[cfg(test)]
mod tests;
pub mod twiml;
pub mod webhook;
pub mod wire;

use crate::clips::Clips;
use crate::play::{Play, Plays};
use anyhow::bail;
use call::Call;
use status::Subscription;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::net::TcpListener;
use twiml::Request;
use webhook::Webhooks;

/// The account the bridge is to use.
pub struct TwilioConfig {
    pub account_sid: String,
    pub auth_token: String,
    /// The number calls are made from, E.164.
    pub from_number: String,
}

/// The simulated Twilio; serves REST and can make calls arrive.
pub struct Twilio {
    config: TwilioConfig,
    plays: Plays,
    clips: Clips,
    webhooks: Webhooks,
    calls: Mutex<HashMap<String, Arc<Call>>>,
    /// Requests to place calls: when they came, and for whom.
    asked: Mutex<Vec<(Instant, String)>>,
    /// Numbers for which the next such request is answered with this HTTP status, and places none.
    troubles: Mutex<HashMap<String, u16>>,
}

impl Twilio {
    /// # Errors
    /// When a scenario names a line without a clip.
    pub fn new(config: TwilioConfig, plays: Plays, clips: Clips) -> anyhow::Result<Arc<Self>> {
        for play in plays.iter() {
            for rule in &play.scenario.shop {
                for line in [&rule.say, &rule.heard, &rule.hearing]
                    .into_iter()
                    .flatten()
                {
                    if clips.get(line).is_none() {
                        bail!("scenario {}: there is no line `{line}`", play.scenario.name);
                    }
                }
            }
        }
        let webhooks = Webhooks::new(&config.auth_token);
        Ok(Arc::new(Self {
            config,
            plays,
            clips,
            webhooks,
            calls: Mutex::default(),
            asked: Mutex::default(),
            troubles: Mutex::default(),
        }))
    }

    /// Serves REST until dropped.
    ///
    /// # Errors
    /// When the socket fails.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> anyhow::Result<()> {
        Ok(axum::serve(listener, rest::router(self)).await?)
    }

    /// A call from `from` to our number arrives at `voice_url`, and is played to its end with
    /// this play's shop as the caller. `status_url` gets the final status. Returns its SID.
    pub async fn ring_in(
        self: &Arc<Self>,
        play: Arc<Play>,
        from: &str,
        voice_url: &str,
        status_url: Option<&str>,
    ) -> String {
        let config = &self.config;
        let (call, orders) = Call::new(&config.account_sid, from, &config.from_number, true, play);
        self.register(&call);
        let sid = call.sid.clone();
        let status = status_url.map(|url| Subscription {
            request: Request {
                url: url.into(),
                post: true,
            },
            events: vec!["completed".into()],
        });
        call::arrive(Arc::clone(self), call, orders, voice_url, status).await;
        sid
    }

    /// Sends every webhook of this call again; what broke down at that.
    pub async fn replay(&self, sid: &str) -> Vec<String> {
        storm::send_again(self, sid).await
    }

    /// The next request to call this number is answered with this HTTP status, and places no call.
    pub fn trouble(&self, number: &str, status: u16) {
        let mut troubles = self.troubles.lock().unwrap();
        troubles.insert(number.to_owned(), status);
    }

    /// All requests to place calls so far, whatever was answered: when they came, and for whom.
    pub fn asked(&self) -> Vec<(Instant, String)> {
        self.asked.lock().unwrap().clone()
    }

    /// Notes a request to call this number; what it is answered instead of a call.
    fn ask(&self, number: &str) -> Option<u16> {
        let mut asked = self.asked.lock().unwrap();
        asked.push((Instant::now(), number.to_owned()));
        self.troubles.lock().unwrap().remove(number)
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<String, Arc<Call>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the call for REST; false when its play already has one.
    fn register(&self, call: &Arc<Call>) -> bool {
        let mut calls = self.calls();
        let first = !calls
            .values()
            .any(|other| Arc::ptr_eq(&other.play, &call.play));
        calls.insert(call.sid.clone(), Arc::clone(call));
        first
    }

    /// The call a resource's file name (`CA….json`) names.
    fn call(&self, file: &str) -> Option<Arc<Call>> {
        self.calls().get(file.strip_suffix(".json")?).cloned()
    }

    fn play_of(&self, to: &str) -> Option<Arc<Play>> {
        let fits = |play: &&Arc<Play>| play.scenario.request.get("to").is_some_and(|v| v == to);
        self.plays.iter().find(fits).cloned()
    }
}
