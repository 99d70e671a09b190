//! What the model says and what it hears: audio to the phone, words to the transcript.

use super::Call;
use super::timers::Timer;
use crate::twilio::media;

impl Call {
    /// All of an item's audio has come: its words and its audio belong together now.
    pub(super) fn agent_complete(&mut self, now: u64, item_id: &str) {
        self.record.transcript.agent_complete(item_id);
        self.note_disclosure(now);
    }

    pub(super) fn audio_delta(&mut self, now: u64, response_id: &str, item_id: &str, delta: &str) {
        if !self.model.is_heard(response_id)
            || !self.phone.is_streaming()
            || self.ending.is_leaving()
        {
            return;
        }
        let Some(bytes) = media::decoded_len(delta) else {
            return;
        };
        let from = self.model.received(item_id, bytes);
        let at = self.record.at_ms(now);
        self.record
            .transcript
            .agent_audio(item_id, at, from.saturating_add(bytes));
        self.model.current.spoke = true;
        self.agent_speaks(now);
        self.play(now, item_id, from, bytes, delta);
    }

    pub(super) fn words_delta(&mut self, now: u64, response_id: &str, item_id: &str, words: &str) {
        if self.model.is_heard(response_id) {
            let at = self.record.at_ms(now);
            self.record.transcript.agent_words(item_id, at, words);
            if !words.trim().is_empty() {
                self.model.current.asked = words.trim_end().ends_with('?');
            }
        }
    }

    pub(super) fn shop_words(&mut self, now: u64, item_id: &str, words: &str) {
        let at = self.record.at_ms(now);
        self.record.transcript.shop_words(item_id, at, words);
        self.reopen_if_rejected(now, words);
        self.save();
        if !self.record.transcript.is_pending() {
            self.run_pending_total();
            if self.timers.is_set(Timer::Finish) && self.phone.gone {
                self.finish(now);
            }
        }
    }
}
