//! The shop asks not to be called again: it never is, and this call ends politely.

use super::Call;
use super::output::LogLine;
use super::prompt::Cue;
use super::record::EndReason;

impl Call {
    /// The shop said so.
    pub(super) fn do_not_call(&mut self, now: u64) {
        self.note_do_not_call();
        if self.ending.is_closing() || self.phone.gone {
            return;
        }
        if self.phone.is_streaming() {
            self.interrupt(now);
        }
        self.close_with(now, EndReason::DoNotCall, Cue::DoNotCall);
    }

    /// Remembered for the suppression list. An order that is complete by then stands;
    /// no other can be confirmed on this call any more.
    pub(super) fn note_do_not_call(&mut self) {
        if self.record.do_not_call.is_some() {
            return;
        }
        self.record.do_not_call = Some(super::outcome::is_complete(&self.record));
        self.log(LogLine::info("do_not_call"));
        self.save();
    }
}
