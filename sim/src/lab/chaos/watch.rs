//! What must hold after every step, and of every outcome.

use super::audio::{BYTES_PER_MS, WORD_MS};
use super::model::Model;
use super::phone::Phone;
use orderline::call::Call;
use serde_json::Value;

/// The most a call may want done at once.
const MAX_OUTPUTS: usize = 1_000;
/// The most audio that may wait at the phone, in ms: the longest turn of the agent, and a filler.
const MAX_QUEUED_MS: u64 = 60_000;
/// How far what is proven may be ahead of what was played, in ms: the frames around a pause.
const TOLERANCE_MS: u64 = 200;

/// The same in words.
const TOLERANCE_WORDS: usize = 2;

/// What was found.
#[derive(Default)]
pub(super) struct Watch {
    pub(super) violations: Vec<String>,
    cost: f64,
}

impl Watch {
    pub(super) fn fail(&mut self, what: String) {
        if self.violations.len() < 5 && !self.violations.contains(&what) {
            self.violations.push(what);
        }
    }

    /// After every step.
    pub(super) fn step(
        &mut self,
        call: &Call,
        answered: bool,
        handed_over: bool,
        outputs: usize,
        phone: &Phone,
    ) {
        if outputs > MAX_OUTPUTS {
            self.fail(format!("{outputs} outputs at once"));
        }
        if phone.queued_ms() > MAX_QUEUED_MS {
            self.fail(format!("{} ms are queued at the phone", phone.queued_ms()));
        }
        // A call whose newest snapshot is from before the answer waits for Twilio's question, and its
        // object's alarm for both.
        let knows = || call.live(0).contains(r#""status":"in_progress""#);
        if answered
            && !handed_over
            && !call.is_finished()
            && call.next_deadline().is_none()
            && knows()
        {
            self.fail("no deadline is armed".into());
        }
    }

    /// Now and then.
    pub(super) fn cost(&mut self, live: &str) {
        let cost = live.split_once(r#""cost":"#).map_or("", |(_, rest)| rest);
        let end = cost.find([',', '}']).unwrap_or(0);
        let cost: f64 = cost.get(..end).unwrap_or("").parse().unwrap_or(f64::NAN);
        if cost.is_nan() || cost < self.cost {
            self.fail(format!("the cost fell from {} to {cost}", self.cost));
        }
        self.cost = cost;
    }

    pub(super) fn forget_cost(&mut self) {
        self.cost = 0.0;
    }

    /// Of the outcome and its events; whether it is confirmed.
    pub(super) fn outcome(
        &mut self,
        json: &str,
        events: &str,
        is_true: bool,
        model: &Model,
        phone: &Phone,
    ) -> bool {
        let outcome: Value = serde_json::from_str(json).unwrap_or_default();
        let confirmed = outcome["status"] == "confirmed";
        if confirmed && !is_true {
            self.fail("confirmed, and nobody heard and affirmed all of it".into());
        }
        let turns = events
            .lines()
            .filter(|line| line.contains(r#""type":"turn""#));
        for line in turns {
            let turn: Value = serde_json::from_str(line).unwrap_or_default();
            let item = model.said.get(turn["turn"].as_str().unwrap_or_default());
            let (Some(item), Some(heard_ms)) = (item, turn["heardMs"].as_u64()) else {
                continue;
            };
            let received_ms = (item.bytes / BYTES_PER_MS) as u64;
            let played_ms = (phone.played.bytes(item.number) / BYTES_PER_MS) as u64;
            if heard_ms > received_ms || heard_ms > played_ms + TOLERANCE_MS {
                self.fail(format!(
                    "heard {heard_ms} of {played_ms} ms played and {received_ms} received"
                ));
            }
            let words = turn["text"].as_str().unwrap_or_default();
            let words = words.split_whitespace().count();
            let played = usize::try_from(played_ms).unwrap_or(0).div_ceil(WORD_MS);
            if words > played + TOLERANCE_WORDS {
                self.fail(format!("{words} words heard of {played} that were played"));
            }
        }
        confirmed
    }
}
