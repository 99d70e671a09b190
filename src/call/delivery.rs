//! The delivery of an outcome to whoever wants it, as Standard Webhooks 1.0.0 recommends: at once,
//! then again after longer and longer pauses, until it is accepted, refused for good, or a day old.

use super::output::LogLine;
use crate::policy::callback::{self, Secret};
use crate::timestamp::timestamp;
use crate::twilio::sid::CallSid;
use crate::url::Parts;
use serde::{Deserialize, Serialize};

/// How long an attempt may take, in ms.
pub const PATIENCE_MS: u64 = 10_000;
/// After so long an attempt that did not end was lost with the object that made it, in ms.
const LOST_AFTER_MS: u64 = 3 * PATIENCE_MS;
/// The last attempt is made so long after the first, in ms.
const LAST_AFTER_MS: u64 = 24 * 60 * 60 * 1000;
/// The pauses between attempts, in ms; the last one again and again. Those of the specification's
/// example, as far as a day goes.
const PAUSES_MS: [u64; 5] = [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000];
/// Up to so much of a pause is added or taken away, in thousandths.
const JITTER: u64 = 200;

/// How a delivery stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Status {
    /// It goes on.
    Pending,
    /// The outcome was accepted.
    Delivered,
    /// It was given up.
    Failed,
}

const STATUSES: [Status; 3] = [Status::Pending, Status::Delivered, Status::Failed];

impl Status {
    /// Its name, and that of its time, in JSON.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Pending => ("pending", "nextAttemptAt"),
            Self::Delivered => ("delivered", "deliveredAt"),
            Self::Failed => ("failed", "failedAt"),
        }
    }
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// An HTTP status, and after how many ms the receiver wants to be asked again.
    Status(u16, Option<u64>),
    /// None, and why: `timeout`, `unreachable`, or `unsigned` where there is no secret any more.
    None(&'static str),
}

impl Answer {
    /// An HTTP status and the text of `Retry-After`, which counts where it is in seconds.
    pub fn of(status: u16, retry_after: Option<&str>) -> Self {
        let seconds = retry_after.and_then(|text| text.trim().parse::<u64>().ok());
        Self::Status(status, seconds.map(|seconds| seconds.saturating_mul(1000)))
    }
}

/// One delivery. Times are milliseconds since the Unix epoch.
///
/// It is stored as one text: serde's code for its fields would be 2 kB of the Worker.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Delivery {
    url: String,
    status: Status,
    /// When the outcome was there.
    since: u64,
    /// Attempts that were begun.
    attempts: u64,
    last_answer: Option<String>,
    /// While it is pending, when the next attempt is due; then when it was delivered or given up.
    at: u64,
}

/// What is sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// JSON, the same at every attempt.
    pub body: String,
    /// By name.
    pub headers: [(&'static str, String); 4],
}

/// What is stored: the fields in their order, with spaces between, the URL last.
impl From<Delivery> for String {
    fn from(delivery: Delivery) -> Self {
        let status = delivery.status.words().0;
        let answer = delivery.last_answer.unwrap_or_default();
        let (since, attempts, at) = (delivery.since, delivery.attempts, delivery.at);
        format!("{status} {since} {attempts} {at} {answer} {}", delivery.url)
    }
}

impl TryFrom<String> for Delivery {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        read(&text).ok_or("no delivery")
    }
}

fn read(text: &str) -> Option<Delivery> {
    let mut parts = text.splitn(6, ' ');
    let word = parts.next()?;
    let status = STATUSES
        .into_iter()
        .find(|status| status.words().0 == word)?;
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (since, attempts, at) = (number()?, number()?, number()?);
    let answer = parts.next()?;
    Some(Delivery {
        status,
        since,
        attempts,
        at,
        last_answer: (!answer.is_empty()).then(|| answer.to_owned()),
        url: parts.next()?.to_owned(),
    })
}

impl Delivery {
    /// The first attempt is due.
    pub fn new(url: String, now: u64) -> Self {
        Self {
            url,
            status: Status::Pending,
            since: now,
            attempts: 0,
            last_answer: None,
            at: now,
        }
    }

    /// Begins an attempt, if one is due. Until it is answered, or was lost, no other is.
    pub fn begin(&mut self, now: u64) -> bool {
        let due = self.next_at().is_some_and(|at| at <= now);
        if due {
            self.attempts = self.attempts.saturating_add(1);
            self.at = now.saturating_add(LOST_AFTER_MS);
        }
        due
    }

    /// When the next attempt is due, unless it is over.
    pub fn next_at(&self) -> Option<u64> {
        (self.status == Status::Pending).then_some(self.at)
    }

    /// Where to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What came of the attempt; `random` is any number.
    pub fn answered(&mut self, now: u64, answer: Answer, random: u32) {
        let (said, wait) = match answer {
            Answer::Status(code, wait) => (code.to_string(), wait.unwrap_or(0)),
            Answer::None(why) => (why.to_owned(), 0),
        };
        self.last_answer = Some(said);
        let last = self.since.saturating_add(LAST_AFTER_MS);
        self.at = now;
        self.status = match answer {
            Answer::Status(200..=299, _) => Status::Delivered,
            // The one answer that asks for no more; all others may be a mistake that is mended.
            Answer::Status(410, _) => Status::Failed,
            _ if now >= last => Status::Failed,
            _ => {
                let pause = self.pause(random).max(wait);
                self.at = now.saturating_add(pause).min(last);
                Status::Pending
            }
        };
    }

    /// The pause after the last attempt, in ms.
    fn pause(&self, random: u32) -> u64 {
        let [.., longest] = PAUSES_MS;
        let at = usize::try_from(self.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let pause = PAUSES_MS.get(at).copied().unwrap_or(longest);
        let spread = u64::from(random) % (2 * JITTER + 1);
        let thousandths = (1000 - JITTER).saturating_add(spread);
        pause.saturating_mul(thousandths) / 1000
    }

    /// What to send now. The id belongs to the call, and so to its only outcome: whoever gets it
    /// twice can tell.
    pub fn message(&self, sid: &CallSid, outcome: &str, secrets: &[Secret], now: u64) -> Message {
        let since = timestamp(self.since).unwrap_or_default();
        let body = format!(r#"{{"type":"call.outcome","timestamp":"{since}","data":{outcome}}}"#);
        let (id, seconds) = (format!("outcome_{sid}"), (now / 1000).to_string());
        let signature = callback::sign(secrets, &id, &seconds, &body);
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id),
            ("webhook-timestamp", seconds),
            ("webhook-signature", signature),
        ];
        Message { body, headers }
    }

    /// The outcome as the API shows it: with `delivery`, which is no part of what was delivered.
    /// Of the URL only the host, for the rest may be a secret.
    pub fn shown_in(&self, outcome: &str) -> String {
        let open = outcome.strip_suffix('}').unwrap_or(outcome);
        let (status, time) = self.status.words();
        let host = Parts::of(&self.url).map_or("", |parts| parts.host);
        let at = timestamp(self.at).unwrap_or_default();
        // Nothing of it needs escaping: hosts are plain, answers are numbers and our own words.
        let answer = match &self.last_answer {
            Some(answer) => format!(r#""{answer}""#),
            None => "null".to_owned(),
        };
        let attempts = self.attempts;
        format!(
            r#"{open},"delivery":{{"status":"{status}","host":"{host}","attempts":{attempts},"lastAnswer":{answer},"{time}":"{at}"}}}}"#
        )
    }

    /// What the log says of an attempt that was answered.
    pub fn line(&self, answer: Answer) -> LogLine {
        let line = match self.status {
            Status::Delivered => LogLine::info("outcome_delivered"),
            Status::Pending => LogLine::warn("outcome_not_delivered"),
            Status::Failed => LogLine::warn("delivery_given_up"),
        };
        match answer {
            Answer::Status(code, _) => line.n(u64::from(code)),
            Answer::None(why) => line.what(why),
        }
    }
}

#[cfg(test)]
mod tests;
