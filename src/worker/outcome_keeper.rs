//! The part of a call's Durable Object that is left when the call is over: it keeps the outcome
//! until KV has it, the account knows, and whoever wants it has got it; then it deletes itself.
//!
//! What is kept stands in memory and is written to storage at every change; between a look at it
//! and its change nothing is awaited. The alarm is always set for the earliest of what is due.

use super::call_do::{ATTEMPT, Session};
use super::{account_do, now_ms, outgoing, store};
use crate::call::delivery::{Answer, Delivery, Message, PATIENCE_MS};
use crate::call::input::Input;
use crate::call::output::{Finished, LogLine};
use crate::call::recording::Recorder;
use crate::config::Config;
use crate::http::route::About;
use crate::json;
use crate::policy::account::{self, Bill, SuppressedBy};
use crate::policy::erasure;
use crate::twilio::sid::CallSid;
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use std::time::Duration;
use worker::{Response, Result};

/// Storage key.
const OUTCOME: &str = "outcome";
/// How long to wait before the outcome is written to KV, or told to the account, again, in ms.
const KV_RETRY_MS: u64 = 30_000;
/// How long the object keeps its copy of the outcome, in ms: longer than KV needs to show it
/// everywhere.
const KEEP_MS: u64 = 60 * 60 * 1000;

/// The outcome as the object keeps it, or what is left of it once it was erased.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Kept {
    sid: CallSid,
    json: String,
    summary: String,
    #[serde(default)]
    events: String,
    /// KV has it as it stands, delivery included.
    in_kv: bool,
    /// What the account has not been told yet: texts of [`account::Ask`].
    #[serde(default)]
    to_account: Vec<String>,
    /// None if nobody wants it sent, or it was erased.
    #[serde(default)]
    delivery: Option<Delivery>,
}

impl Kept {
    /// As the API shows it.
    pub(super) fn shown(&self) -> String {
        match &self.delivery {
            Some(delivery) => delivery.shown_in(&self.json),
            None => self.json.clone(),
        }
    }

    /// The events, or what is left of the call.
    pub(super) fn shown_events(&self) -> String {
        let gone = self.events.is_empty();
        (if gone { &self.json } else { &self.events }).clone()
    }

    /// What is left of a call that was erased.
    pub(super) fn tombstone(&self) -> Option<String> {
        erasure::is_tombstone(&self.json).then(|| self.json.clone())
    }

    fn is_published(&self) -> bool {
        self.in_kv && self.to_account.is_empty()
    }

    fn next_attempt(&self) -> Option<u64> {
        self.delivery.as_ref().and_then(Delivery::next_at)
    }

    /// Whether all who are to know the outcome do, or never will.
    fn is_settled(&self) -> bool {
        self.is_published() && self.next_attempt().is_none()
    }

    /// The time until something is to be done, in ms.
    fn due_in(&self, now: u64) -> u64 {
        let publish = if self.is_published() {
            u64::MAX
        } else {
            KV_RETRY_MS
        };
        let attempt = self
            .next_attempt()
            .map_or(u64::MAX, |at| at.saturating_sub(now));
        match publish.min(attempt) {
            u64::MAX => KEEP_MS,
            due => due,
        }
    }
}

impl Session {
    /// What is kept, if this call has come so far.
    pub(super) async fn kept(&self) -> Result<Option<Rc<Kept>>> {
        if self.kept.borrow().is_none() {
            let text = self.storage.text(OUTCOME).await?;
            // Another handler may have been faster, and further.
            let mut kept = self.kept.borrow_mut();
            if kept.is_none() {
                *kept = text.and_then(|text| json::read(&text)).map(Rc::new);
            }
        }
        Ok(self.in_memory())
    }

    fn in_memory(&self) -> Option<Rc<Kept>> {
        self.kept.borrow().clone()
    }

    /// Changes what is kept; [`Session::write`] has to follow.
    fn change(&self, change: impl FnOnce(&mut Kept)) {
        if let Some(kept) = self.kept.borrow_mut().as_mut() {
            change(Rc::make_mut(kept));
        }
    }

    /// Writes what is kept, and sets the alarm.
    async fn write(&self) -> Result<()> {
        let text = match self.in_memory() {
            Some(kept) => serde_json::to_string(&*kept)?,
            None => return Ok(()),
        };
        self.storage.put_text(OUTCOME, &text).await?;
        // By what is kept now, whoever wrote it.
        let due = self.in_memory().map_or(0, |kept| kept.due_in(now_ms()));
        self.set_alarm(due).await
    }

    async fn set_alarm(&self, ms: u64) -> Result<()> {
        let storage = self.state.storage();
        storage.set_alarm(Duration::from_millis(ms.max(1))).await
    }

    /// Keeps the outcome, then makes it known.
    pub(super) async fn keep(self: Rc<Self>, finished: Finished) {
        let Some(sid) = self.sid.borrow().clone() else {
            return;
        };
        // A call that came to us holds no slot.
        let attempt = self.storage.text(ATTEMPT).await.unwrap_or(None);
        // Kept before this object was reset, or erased.
        if matches!(self.kept().await, Ok(Some(_))) || self.erased.get() {
            return;
        }
        let config = self.config.as_ref();
        // Who placed it may have been lost before it could tell.
        let placed = attempt.clone().map(|id| account::Ask::Placed {
            id,
            sid: sid.as_str().to_owned(),
            age_ms: u64::MAX,
            keep_ms: config.map_or(0, Config::outcome_ttl_ms),
        });
        let settle = attempt.map(|id| {
            account::Ask::Settle(Bill {
                id,
                cost: finished.cost,
                reached: finished.reached,
            })
        });
        let suppress = finished.suppress.map(|number| account::Ask::Suppress {
            number,
            by: SuppressedBy::Shop,
        });
        let asks = placed.iter().chain(&settle).chain(&suppress);
        let to_account = asks.map(account::Ask::to_text).collect();
        let url = finished.callback_url;
        let url = url.or_else(|| config?.outcome_webhook_url.clone());
        let kept = Kept {
            sid,
            json: finished.json,
            summary: finished.summary,
            events: finished.events,
            in_kv: false,
            to_account,
            delivery: url.map(|url| Delivery::new(url, now_ms())),
        };
        self.kept.replace(Some(Rc::new(kept)));
        if self.settle().await.is_err() {
            self.log(&LogLine::error("outcome_not_kept"));
        }
        self.keep_recording().await;
    }

    /// Publishes what was recorded, if anything was.
    async fn keep_recording(&self) {
        let recording = self.step(Recorder::take).flatten();
        let sid = self.sid.borrow().clone();
        let (Some(recording), Some(config), Some(sid)) = (recording, &self.config, sid) else {
            return;
        };
        if self.erased.get() {
            return;
        }
        let put = store::put_recording(&self.env, &sid, &recording, config.outcome_ttl_days);
        if put.await.is_err() {
            self.log(&LogLine::error("recording_not_kept"));
        }
    }

    /// Does what is due: KV and the account first, for they answer soon. The alarm does again what
    /// fails.
    async fn settle(&self) -> Result<()> {
        if self.settling.replace(true) {
            return self.set_alarm(KV_RETRY_MS).await;
        }
        let now = now_ms();
        let mut begun = false;
        self.change(|kept| begun = kept.delivery.as_mut().is_some_and(|it| it.begin(now)));
        let written = self.write().await;
        self.publish().await;
        if begun {
            self.deliver().await;
        }
        self.settling.set(false);
        self.write().await.and(written)
    }

    /// Tells the account that the call is over, and writes the outcome to KV.
    async fn publish(&self) {
        while let (Some(kept), Some(config)) = (self.in_memory(), &self.config) {
            let Some(ask) = kept.to_account.first() else {
                break;
            };
            if account_do::ask(&self.env, config, ask.clone())
                .await
                .is_err()
            {
                break;
            }
            self.change(|kept| kept.to_account.retain(|other| other != ask));
        }
        let Some(kept) = self.in_memory().filter(|kept| !kept.in_kv) else {
            return;
        };
        if self.put(&kept).await.is_err() {
            self.log(&LogLine::error("outcome_not_published"));
            return;
        }
        // It may have been erased meanwhile.
        let same = self.in_memory().is_some_and(|now| Rc::ptr_eq(&now, &kept));
        self.change(|kept| kept.in_kv = same);
    }

    async fn put(&self, kept: &Kept) -> Result<()> {
        let config = self.config.as_ref();
        let ttl_days = config.map_or(30, |config| config.outcome_ttl_days);
        let (sid, json, events) = (&kept.sid, kept.shown(), &kept.events);
        store::put(&self.env, sid, &json, &kept.summary, events, ttl_days).await
    }

    /// Makes the attempt to deliver the outcome that has begun.
    async fn deliver(&self) {
        let (Some(kept), Some(config)) = (self.in_memory(), &self.config) else {
            return;
        };
        // An erased call has no delivery any more.
        let Some(delivery) = &kept.delivery else {
            return;
        };
        let secrets = &config.outcome_webhook_secrets;
        let Message { body, headers } = delivery.message(&kept.sid, &kept.json, secrets, now_ms());
        let patience = Duration::from_millis(PATIENCE_MS);
        let answer = if secrets.is_empty() {
            Err("unsigned")
        } else {
            outgoing::post(delivery.url(), &headers, &body, patience, false).await
        };
        let answer = match answer {
            Ok(answer) => Answer::of(answer.status, answer.retry_after.as_deref()),
            Err(why) => Answer::None(why),
        };
        let random = getrandom::u32().unwrap_or_default();
        self.change(|kept| {
            if let Some(delivery) = &mut kept.delivery {
                delivery.answered(now_ms(), answer, random);
                self.log(&delivery.line(answer));
                // The alarm writes it again, not at once: KV takes one write a second for a key.
                kept.in_kv = false;
            }
        });
    }

    /// Erases everything about a call that is over, here and in KV.
    pub(super) async fn erase(self: &Rc<Self>, sid: CallSid) -> Result<Response> {
        let runs =
            |call: &Option<Box<Recorder>>| call.as_ref().is_some_and(|call| !call.is_finished());
        if runs(&self.call.borrow()) {
            return Response::error("", 409);
        }
        // What the account has not been told is still told.
        let (here, to_account) = match self.kept().await? {
            Some(kept) => (Some(kept.json.clone()), kept.to_account.clone()),
            None => (None, Vec::new()),
        };
        let known = match here {
            None => match store::get(&self.env, &sid, About::State).await {
                Ok(known) => known,
                // What is there is not known, and would stay.
                Err(_) => return Response::error("", 500),
            },
            here => here,
        };
        let json = match known {
            Some(json) if erasure::is_tombstone(&json) => return Response::ok(json),
            None if self.call.borrow().is_none() => return Response::error("", 404),
            _ => erasure::tombstone(sid.as_str(), now_ms()),
        };
        let left = Rc::new(Kept {
            sid,
            json: json.clone(),
            summary: erasure::SUMMARY.to_owned(),
            events: String::new(),
            in_kv: false,
            to_account,
            delivery: None,
        });
        self.kept.replace(Some(Rc::clone(&left)));
        // The alarm writes it once more, behind an outcome that was on its way to KV.
        if let Err(error) = self.write().await {
            self.kept.take();
            return Err(error);
        }
        // From here on nothing that was under way writes again.
        self.erased.set(true);
        self.call.take();
        self.storage.erase_snapshot().await?;
        self.state.storage().delete(ATTEMPT).await?;
        if self.put(&left).await.is_err() {
            self.log(&LogLine::error("tombstone_not_published"));
        }
        Response::ok(json)
    }

    pub(super) async fn alarm(self: &Rc<Self>) -> Result<()> {
        match self.kept().await? {
            Some(kept) if kept.is_settled() => {
                self.call.take();
                self.kept.take();
                self.state.storage().delete_all().await
            }
            Some(kept) => {
                drop(kept);
                self.settle().await
            }
            None if self.call.borrow().is_some() => {
                self.input(Input::Alarm);
                // A human may still be talking.
                let due = self
                    .call
                    .borrow()
                    .as_ref()
                    .filter(|call| !call.is_finished())
                    .map(|call| call.final_deadline());
                match due {
                    Some(due) => self.set_alarm(due.saturating_sub(now_ms())).await,
                    None => Ok(()),
                }
            }
            // A snapshot that cannot be read now (a variable is wrong, say) may be read later.
            None if self.storage.snapshot().await?.is_some() => {
                self.log(&LogLine::error("outcome_overdue"));
                self.set_alarm(KEEP_MS).await
            }
            None => self.state.storage().delete_all().await,
        }
    }
}
