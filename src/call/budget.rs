//! What the call may cost: near its limit the agent is told to come to an end, and at it the call
//! ends.

use super::Call;
use super::output::{LogLine, Output};
use super::prompt::Cue;
use super::record::EndReason;
use super::timers::Timer;
use crate::realtime::client;
use crate::realtime::prices::MicroDollars;

/// Of the limit: from here on the agent should settle only what is missing, …
const WRAP_UP_PERCENT: u64 = 80;
/// … here it says goodbye, which costs about a cent, and at the whole of it the line is ended.
const GOODBYE_PERCENT: u64 = 95;
/// Twilio bills started minutes.
const BILLED_MS: u64 = 60_000;

impl Call {
    /// What the call has cost so far, by the price table.
    pub(super) fn spent(&self, now: u64) -> MicroDollars {
        let answered = self.record.answered_at;
        let connected_ms = answered.map_or(0, |answered| now.saturating_sub(answered));
        self.settings.cost(&self.record.usage, connected_ms).total()
    }

    /// Asked whenever something was billed.
    pub(super) fn watch_spending(&mut self, now: u64) {
        let request = self.record.request.as_ref();
        let limit = request
            .and_then(|r| r.max_cost)
            .unwrap_or(self.settings.max_cost);
        // A minute that begins is billed.
        let spent = self.spent(now.saturating_add(1));
        let percent = spent
            .saturating_mul(100)
            .checked_div(limit)
            .unwrap_or(u64::MAX);
        if self.phone.gone {
            return;
        }
        if percent >= 100 {
            self.log(LogLine::warn("cost_limit"));
            self.record.end_reason.get_or_insert(EndReason::CostLimit);
            self.leave(now);
        } else if percent >= GOODBYE_PERCENT && !self.ending.is_closing() {
            self.log(LogLine::info("cost_limit"));
            if self.phone.is_streaming() {
                self.interrupt(now);
            }
            self.close_with(now, EndReason::CostLimit, Cue::TimeLimit);
        } else if percent >= WRAP_UP_PERCENT && !self.turn.wraps_up && self.model.is_ready() {
            self.turn.wraps_up = true;
            let event_id = self.model.event_id();
            let note = client::system_item(&event_id, &Cue::WrapUp.text());
            self.out.push_back(Output::Model(note));
        }
    }

    /// Another minute is billed.
    pub(super) fn on_minute(&mut self, now: u64) {
        self.timers
            .set(Timer::Minute, now.saturating_add(BILLED_MS));
        self.watch_spending(now);
    }
}
