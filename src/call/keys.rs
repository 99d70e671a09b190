//! Keys that the agent presses: tones on the line, and the answer to the model when they were heard.

use super::Call;
use super::model::{Flight, Keys};
use super::timers::Timer;
use crate::audio::dtmf;
use crate::order::digits::Digits;
use crate::order::tools;

/// How much later than estimated the tones' mark may come, in ms.
const GRACE_MS: u64 = 2_000;

impl Call {
    /// Plays the tones behind what is queued.
    pub(super) fn press(&mut self, now: u64, call_id: &str, digits: &Digits) {
        let audio = dtmf::tones(digits.as_str());
        let bytes = audio.len() as u64;
        let item_id = format!("keys_{call_id}");
        let words = format!("[pressed {}]", digits.as_str());
        self.say_whole(now, &item_id, &words, audio);
        self.model.pending_keys = Some(Keys {
            call_id: call_id.to_owned(),
            item_id,
            bytes,
        });
        let heard_at = self.phone.ends_at().max(now);
        self.timers
            .set(Timer::Keys, heard_at.saturating_add(GRACE_MS));
    }

    /// An item is proven to have been heard so far.
    pub(super) fn keys_heard(&mut self, item_id: &str, bytes: u64) {
        let keys = self.model.pending_keys.as_ref();
        if keys.is_some_and(|keys| keys.item_id == item_id && bytes >= keys.bytes) {
            self.keys_done(true);
        }
    }

    /// An item was cut off.
    pub(super) fn keys_cut_off(&mut self, item_id: &str) {
        let keys = self.model.pending_keys.as_ref();
        if keys.is_some_and(|keys| keys.item_id == item_id) {
            self.keys_done(false);
        }
    }

    /// Tells the model what became of the keys.
    pub(super) fn keys_done(&mut self, heard: bool) {
        let Some(keys) = self.model.pending_keys.take() else {
            return;
        };
        self.timers.stop(Timer::Keys);
        let output = if heard {
            tools::done()
        } else {
            tools::interrupted()
        };
        self.model.outputs.push((keys.call_id, output));
        if self.model.flight == Flight::Free {
            self.send_tool_outputs();
            self.want_after_tools();
        }
    }
}
