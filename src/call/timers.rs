//! The deadlines of a call: one small table, after quinn-proto.

/// What a deadline is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Timer {
    /// Nobody has spoken for a while: speak again.
    Silence,
    /// It must be decided whether the agent goes on.
    Decide,
    /// The phone should have told by now where it stopped.
    Cut,
    /// The model should have taken the shop's turn by now.
    Commit,
    /// Audio should have come while the shop speaks.
    Stall,
    /// The shop has spoken for implausibly long: its pause was missed.
    ShopTurn,
    /// The call has lasted as long as it may.
    MaxDuration,
    /// Another minute is billed.
    Minute,
    /// The closing words should have been heard by now.
    Drain,
    /// The call should have ended by now: end it, whatever is missing.
    Closing,
    /// Twilio should have ended the stream by now: close it from our side.
    LineGone,
    /// The words of the shop that a total needs have not been written down in time.
    Words,
    /// The keys should have been heard by now.
    Keys,
    /// The model is expected to answer: to open, to configure, or to begin a response.
    Model,
    /// The last words should be written down by now: write the outcome.
    Finish,
    /// It is time to try another session.
    Reconnect,
    /// The agent should have spoken by now: fill the gap.
    Filler,
    /// What has changed should be kept by now.
    Save,
}

const TIMERS: [Timer; 18] = [
    Timer::Silence,
    Timer::Decide,
    Timer::Cut,
    Timer::Commit,
    Timer::Stall,
    Timer::ShopTurn,
    Timer::MaxDuration,
    Timer::Minute,
    Timer::Drain,
    Timer::Closing,
    Timer::LineGone,
    Timer::Words,
    Timer::Keys,
    Timer::Model,
    Timer::Finish,
    Timer::Reconnect,
    Timer::Filler,
    Timer::Save,
];

/// When each timer is due, in ms.
#[derive(Debug, Default)]
pub struct Timers {
    due: [Option<u64>; TIMERS.len()],
}

impl Timers {
    /// Sets a timer, whatever it was.
    pub fn set(&mut self, timer: Timer, at: u64) {
        if let Some(due) = self.due.get_mut(timer as usize) {
            *due = Some(at);
        }
    }

    /// Sets a timer unless it is running.
    pub fn set_if_idle(&mut self, timer: Timer, at: u64) {
        if !self.is_set(timer) {
            self.set(timer, at);
        }
    }

    /// Sets a timer unless it is due before.
    pub fn set_by(&mut self, timer: Timer, at: u64) {
        let due = self.due.get(timer as usize).copied().flatten();
        if due.is_none_or(|due| due > at) {
            self.set(timer, at);
        }
    }

    /// Stops a timer.
    pub fn stop(&mut self, timer: Timer) {
        if let Some(due) = self.due.get_mut(timer as usize) {
            *due = None;
        }
    }

    /// Stops all timers.
    pub fn stop_all(&mut self) {
        self.due = Default::default();
    }

    /// Whether a timer is running.
    pub fn is_set(&self, timer: Timer) -> bool {
        self.due.get(timer as usize).copied().flatten().is_some()
    }

    /// The next timer that is due, stopped.
    pub fn take_due(&mut self, now: u64) -> Option<Timer> {
        let timer = TIMERS.into_iter().find(|t| {
            self.due
                .get(*t as usize)
                .copied()
                .flatten()
                .is_some_and(|at| at <= now)
        })?;
        self.stop(timer);
        Some(timer)
    }

    /// When the next timer is due.
    pub fn next(&self) -> Option<u64> {
        self.due.iter().copied().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_place_for_every_timer() {
        for (at, timer) in TIMERS.into_iter().enumerate() {
            assert_eq!(timer as usize, at);
        }
    }

    #[test]
    fn due_timers_come_out_once() {
        let mut timers = Timers::default();
        timers.set(Timer::Silence, 30);
        timers.set(Timer::Closing, 10);
        timers.set_if_idle(Timer::Closing, 99);
        timers.set_by(Timer::Closing, 11);
        timers.set_by(Timer::Silence, 20);
        assert_eq!(timers.next(), Some(10));
        assert_eq!(timers.take_due(9), None);
        assert_eq!(timers.take_due(20), Some(Timer::Silence));
        assert_eq!(timers.take_due(20), Some(Timer::Closing));
        assert_eq!((timers.take_due(20), timers.next()), (None, None));
    }
}
