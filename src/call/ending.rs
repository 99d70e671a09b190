//! How a call ends: closing words that are heard to their end, the hang-up or the handoff, and the
//! outcome, exactly once.

use super::Call;
use super::filler::Filler;
use super::floor::Floor;
use super::greeting::Greeting;
use super::model::Flight;
use super::output::{LogLine, Output};
use super::prompt::Cue;
use super::record::{EndReason, Handoff};
use super::timers::Timer;
use crate::order::answer::{self, Answer};
use crate::twilio::webhook::CallStatus;

/// How long closing words may take, in ms.
const CLOSING_MS: u64 = 20_000;
/// How much later than estimated the last mark may come, in ms.
const DRAIN_GRACE_MS: u64 = 2_000;
/// How long Twilio may take to end the stream after a hang-up, in ms.
const LINE_GRACE_MS: u64 = 5_000;
/// How much later than the call's end its stream's end may be reported, in ms.
const STREAM_END_GRACE_MS: u64 = 1_500;
/// How long the shop's last words may take to be written down, in ms.
const LAST_WORDS_MS: u64 = 2_500;
/// How long Twilio may take to ask what to do when the stream has ended, in ms.
const QUESTION_MS: u64 = 20_000;
/// How long the end of a dialled handoff may be reported after the end of the call, in ms.
const HANDOFF_GRACE_MS: u64 = 5_000;

#[derive(Debug, Default)]
pub(super) struct Ending {
    stage: Stage,
    /// Twilio says that the call is over.
    call_over: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Stage {
    /// The conversation goes on.
    #[default]
    Live,
    /// The last words are being said.
    Closing,
    /// The line is being ended.
    Leaving,
}

/// How the model asked to end its part of the call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Farewell {
    Goodbye,
    Handoff,
    NoHandoff,
    DoNotCall,
}

impl Ending {
    pub(super) fn is_closing(&self) -> bool {
        self.stage != Stage::Live
    }

    /// The call is ending, or over for Twilio.
    pub(super) fn is_ending(&self) -> bool {
        self.is_closing() || self.call_over
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.stage == Stage::Leaving
    }
}

impl Call {
    /// Ends the call as the model asked, after its words, or after words it still has to say.
    pub(super) fn say_farewell(&mut self, now: u64, farewell: Farewell, spoken: bool) {
        if self.hold_farewell(farewell, spoken) {
            return;
        }
        let (reason, cue) = match farewell {
            Farewell::Goodbye => (EndReason::Goodbye, Cue::Goodbye),
            Farewell::Handoff => (EndReason::Handoff, Cue::Handoff),
            Farewell::NoHandoff => (EndReason::NoHandoff, Cue::Goodbye),
            Farewell::DoNotCall => (EndReason::DoNotCall, Cue::DoNotCall),
        };
        if farewell == Farewell::Handoff {
            self.record.handoff = Handoff::Pending;
        }
        if spoken {
            self.begin_closing(now, reason);
            self.turn.wanted = None;
        } else {
            self.close_with(now, reason, cue);
        }
    }

    /// Ends the call after closing words that the model is asked for.
    pub(super) fn close_with(&mut self, now: u64, reason: EndReason, cue: Cue) {
        if self.begin_closing(now, reason) {
            self.want_only(cue);
        }
    }

    pub(super) fn on_time_limit(&mut self, now: u64) {
        if self.ending.is_closing() || self.phone.gone {
            return;
        }
        self.log(LogLine::info("time_limit"));
        if self.phone.is_streaming() {
            self.interrupt(now);
        }
        self.close_with(now, EndReason::TimeLimit, Cue::TimeLimit);
    }

    fn begin_closing(&mut self, now: u64, reason: EndReason) -> bool {
        if self.ending.is_closing() {
            return false;
        }
        self.ending.stage = Stage::Closing;
        self.record.end_reason = Some(reason);
        self.timers.stop(Timer::Silence);
        self.timers.stop(Timer::MaxDuration);
        self.timers
            .set(Timer::Closing, now.saturating_add(CLOSING_MS));
        self.log(LogLine::info("closing").what(reason.word()));
        self.save();
        true
    }

    /// Leaves once the closing words have been heard, and what the shop said meanwhile.
    pub(super) fn leave_when_heard(&mut self, now: u64) {
        let said = self.ending.stage == Stage::Closing
            && self.model.flight == Flight::Free
            && self.turn.wanted.is_none();
        if !said || (self.floor.has_open_turn() && self.phone.is_streaming()) {
            return;
        }
        if !self.phone.is_streaming() {
            self.leave(now);
        } else if !self.phone.playback.is_drained() {
            let heard_at = self.phone.ends_at().max(now);
            self.timers
                .set_if_idle(Timer::Drain, heard_at.saturating_add(DRAIN_GRACE_MS));
        } else if self.record.transcript.is_pending() {
            self.timers
                .set_if_idle(Timer::Drain, now.saturating_add(LAST_WORDS_MS));
        } else {
            self.leave(now);
        }
    }

    /// The closing words have taken too long; what of them still plays is heard to its end.
    pub(super) fn on_closing_overdue(&mut self, now: u64) {
        let ends_at = self.phone.ends_at();
        if self.phone.is_streaming() && ends_at > now {
            self.cancel_response();
            self.timers
                .set(Timer::Drain, ends_at.saturating_add(DRAIN_GRACE_MS));
        } else {
            self.leave(now);
        }
    }

    /// The shop objects while the agent says goodbye: the conversation goes on.
    pub(super) fn reopen_if_rejected(&mut self, now: u64, words: &str) {
        let goodbye = self.ending.stage == Stage::Closing
            && self.record.end_reason == Some(EndReason::Goodbye);
        if goodbye && answer::read(words) == (Answer::Objects { firmly: true }) {
            self.log(LogLine::info("reopened"));
            self.ending.stage = Stage::Live;
            self.record.end_reason = None;
            self.timers.stop(Timer::Drain);
            self.timers.stop(Timer::Closing);
            let answered_at = self.record.answered_at.unwrap_or(now);
            self.timers.set(
                Timer::MaxDuration,
                answered_at.saturating_add(self.max_call_ms()).max(now),
            );
            self.want(None, true);
        }
    }

    /// Ends the line: by hanging up, or for a handoff by closing the stream, so that Twilio asks
    /// what to do next.
    pub(super) fn leave(&mut self, now: u64) {
        if self.ending.is_leaving() || self.phone.gone {
            return;
        }
        self.ending.stage = Stage::Leaving;
        self.timers.stop(Timer::Drain);
        self.timers.stop(Timer::Closing);
        self.timers.stop(Timer::Model);
        if self.record.handoff == Handoff::Pending {
            self.out.push_back(Output::ClosePhone);
        } else {
            self.out.push_back(Output::HangUp);
        }
        self.timers
            .set(Timer::LineGone, now.saturating_add(LINE_GRACE_MS));
    }

    /// Hands over without words: the model cannot be reached.
    pub(super) fn hand_off_silently(&mut self, now: u64) {
        self.record.handoff = Handoff::Pending;
        self.begin_closing(now, EndReason::Handoff);
        self.leave(now);
    }

    pub(super) fn hung_up(&mut self, done: bool) {
        if !done && !self.phone.gone {
            self.log(LogLine::warn("hang_up_failed"));
            self.out.push_back(Output::ClosePhone);
        }
    }

    pub(super) fn status(&mut self, now: u64, status: CallStatus) {
        if !status.is_terminal() || self.record.finished {
            return;
        }
        self.log(LogLine::info("call_ended"));
        if self.record.answered_at.is_none() {
            self.record.never_connected = Some(status);
            self.record.end_reason = Some(EndReason::NotConnected);
            self.finish(now);
        } else if matches!(self.record.handoff, Handoff::Pending | Handoff::Dialling) {
            self.phone_gone(now, EndReason::ShopHungUp);
            self.timers
                .set(Timer::Finish, now.saturating_add(HANDOFF_GRACE_MS));
        } else if !self.phone.gone {
            if !self.record.stream_claimed && self.record.end_reason.is_none() {
                // Answered, but the media stream never came up.
                self.record.never_connected = Some(CallStatus::Failed);
            }
            // Whether the shop hung up or the line broke, the stream's own end says best.
            self.ending.call_over = true;
            let patience = if self.phone.is_streaming() {
                STREAM_END_GRACE_MS
            } else {
                0
            };
            self.timers
                .set(Timer::LineGone, now.saturating_add(patience));
        }
    }

    /// The stream should have ended by now.
    pub(super) fn line_overdue(&mut self, now: u64) {
        self.out.push_back(Output::ClosePhone);
        let never_came = !self.phone.is_streaming() && !self.ending.is_leaving();
        let is_given_up = self.record.end_reason == Some(EndReason::ModelLost);
        if self.phone.lost || never_came || is_given_up {
            self.out.push_back(Output::HangUp);
            self.phone_gone(now, EndReason::MediaLost);
        } else if self.ending.call_over {
            self.phone_gone(now, EndReason::ShopHungUp);
        }
    }

    /// The line is gone: nothing more can be said, but the shop's last words may still be on their
    /// way through the transcription.
    pub(super) fn wind_up(&mut self, now: u64) {
        self.ending.stage = Stage::Leaving;
        self.timers.stop_all();
        self.turn.wanted = None;
        self.out.push_back(Output::ClosePhone);
        if matches!(self.record.handoff, Handoff::Pending | Handoff::Dialling) {
            self.out.push_back(Output::CloseModel);
            self.record.transcript.settle();
            self.await_question(now);
            self.save();
            return;
        }
        if self.model.is_ready() && self.floor.shop_speaks() {
            self.commit_audio();
            self.timers
                .set(Timer::Finish, now.saturating_add(LAST_WORDS_MS));
        } else if self.model.is_ready() && self.record.transcript.is_pending() {
            self.timers
                .set(Timer::Finish, now.saturating_add(LAST_WORDS_MS));
        } else if !self.record_filler(now) {
            self.finish(now);
        }
    }

    /// Twilio should ask soon whom to dial.
    fn await_question(&mut self, now: u64) {
        if self.record.handoff == Handoff::Pending {
            self.timers
                .set(Timer::Finish, now.saturating_add(QUESTION_MS));
        }
    }

    /// Who has a stream was answered, even if the snapshot that said so was lost.
    pub(super) fn assume_answered(&mut self, now: u64) {
        if self.record.answered_at.is_none() && !self.record.finished {
            self.record.answered_at = Some(now);
            self.record.stream_claimed = true;
        }
    }

    /// The object was reset, and what was held in memory is gone: the call goes on from its record, on
    /// the stream it had or on one that Twilio opens when it asks what to do.
    pub(super) fn restored(&mut self, now: u64, streaming: bool) {
        if streaming {
            self.assume_answered(now);
        }
        if self.record.finished {
            return;
        }
        let Some(answered_at) = self.record.answered_at else {
            // An object is let go of when it has rung for ten seconds.
            return self.load_lines();
        };
        if self.record.handoff != Handoff::None {
            // A human takes over, or has.
            if streaming && self.record.handoff == Handoff::Pending {
                self.out.push_back(Output::ClosePhone);
            }
            return self.await_question(now);
        }
        if self.record.end_reason.is_some() {
            // It was ending.
            return self.give_up(now);
        }
        self.log(LogLine::warn("restored"));
        self.load_lines();
        self.timers.set(
            Timer::MaxDuration,
            answered_at.saturating_add(self.max_call_ms()),
        );
        self.on_minute(now);
        self.record.transcript.settle();
        self.turn.opened = !self.record.transcript.turns().is_empty();
        self.phone = self.next_phone();
        if streaming {
            self.connect_model(now);
            self.model.owes = true;
            self.await_stream(now);
        } else {
            self.await_line(now);
        }
        self.save();
    }

    /// Whatever state the call is in, it must have an outcome now.
    pub(super) fn give_up(&mut self, now: u64) {
        if self.record.finished {
            // It was computed, and lost before it was kept.
            let finished = super::outcome::finished(&mut self.record, &self.settings);
            self.save();
            self.out.push_back(Output::Outcome(finished));
            return;
        }
        if self.record.handoff == Handoff::Dialling && now < self.final_deadline() {
            return;
        }
        self.log(LogLine::error("alarm"));
        self.record.end_reason.get_or_insert(EndReason::Crashed);
        self.out.push_back(Output::HangUp);
        self.out.push_back(Output::ClosePhone);
        self.finish(now);
    }

    /// Writes the outcome, once.
    pub(super) fn finish(&mut self, now: u64) {
        if self.record.finished {
            return;
        }
        self.record.finished = true;
        self.record.ended_at = Some(now);
        self.record.transcript.settle();
        self.phone.gone = true;
        self.ending.stage = Stage::Leaving;
        self.timers.stop_all();
        self.turn.wanted = None;
        let finished = super::outcome::finished(&mut self.record, &self.settings);
        self.out.push_back(Output::CloseModel);
        self.log(LogLine::info("outcome").what(finished.status.word()));
        self.save();
        self.flush_save();
        // The object lives on until the runtime lets it go, and its memory until the garbage collector
        // has found it.
        self.floor = Floor::default();
        self.phone.give_up_audio();
        self.greeting = Greeting::default();
        self.filler = Filler::default();
        self.out.push_back(Output::Outcome(finished));
    }
}
