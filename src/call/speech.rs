//! What the model says and what it hears: audio to the phone, words to the transcript.

use super::output::LogLine;
use super::timers::Timer;
use super::{Call, SAVE_SHOP_MS};
use crate::audio::ulaw::BYTES_PER_MS;
use crate::order::backchannel::asks_to_wait;
use crate::order::do_not_call::asks_not_to_be_called;
use crate::twilio::media;

/// A turn of the agent longer than this ends with its sentence, in bytes of audio: half a minute. A
/// read-back of a large order takes 20 s.
const MAX_TURN_BYTES: u64 = 30_000 * BYTES_PER_MS;
/// And here if there is no end to the sentence.
const LONGEST_TURN_BYTES: u64 = 40_000 * BYTES_PER_MS;

impl Call {
    /// Says something of which all words and all audio are there, behind what is queued, on a line that
    /// is there: what nobody is sent counts as heard with the next mark.
    pub(super) fn say_whole(&mut self, now: u64, item_id: &str, words: &str, audio: Vec<u8>) {
        debug_assert!(self.phone.is_streaming(), "{item_id} is said to nobody");
        let at = self.record.at_ms(now);
        self.note_words(item_id, words);
        let transcript = &mut self.record.transcript;
        transcript.agent_words(item_id, at, words);
        transcript.agent_audio(item_id, at, audio.len() as u64);
        transcript.agent_complete(item_id);
        let payload = media::encode(&audio);
        self.play(now, item_id, 0, audio, &payload);
        self.ask_for_mark();
    }

    /// All of an item has come: its words and its audio belong together now.
    pub(super) fn agent_complete(&mut self, now: u64, item_id: &str) {
        self.record.transcript.agent_complete(item_id);
        self.note_disclosure(now);
    }

    pub(super) fn audio_delta(&mut self, now: u64, response_id: &str, item_id: &str, delta: &str) {
        if self.filler.is_recording() {
            return self.filler_audio(delta);
        }
        if !self.model.is_heard(response_id)
            || !self.phone.is_streaming()
            || self.ending.is_leaving()
        {
            return;
        }
        let Some(audio) = media::decode(delta) else {
            return;
        };
        let bytes = audio.len() as u64;
        let from = self.model.received(item_id, bytes);
        let at = self.record.at_ms(now);
        self.record
            .transcript
            .agent_audio(item_id, at, from.saturating_add(bytes));
        self.model.current.spoke = true;
        if !self.model.current.items.iter().any(|id| id == item_id) {
            self.model.current.items.push(item_id.to_owned());
        }
        if self.model.current.greets {
            self.record_greeting(item_id, &audio);
        }
        match self.end_of_monologue(item_id, from.saturating_add(bytes)) {
            None => self.play(now, item_id, from, audio, delta),
            Some(end) => self.cut_monologue(now, item_id, from, end, audio),
        }
    }

    /// Where an item that is too long ends, in bytes of it, once that is in what has come.
    fn end_of_monologue(&self, item_id: &str, received: u64) -> Option<u64> {
        if received <= MAX_TURN_BYTES {
            return None;
        }
        let sentence = self
            .record
            .transcript
            .sentence_end_after(item_id, MAX_TURN_BYTES);
        let end = sentence.map_or(LONGEST_TURN_BYTES, |end| end.min(LONGEST_TURN_BYTES));
        (end <= received).then_some(end)
    }

    /// Nobody listens to a monologue: it ends with this sentence, and the shop has the floor.
    fn cut_monologue(&mut self, now: u64, item_id: &str, from: u64, end: u64, mut audio: Vec<u8>) {
        audio.truncate(usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX));
        if !audio.is_empty() {
            let payload = media::encode(&audio);
            self.play(now, item_id, from, audio, &payload);
            self.ask_for_mark();
        }
        self.log(LogLine::info("monologue_cut").n(end / BYTES_PER_MS));
        self.record.transcript.agent_cut(item_id);
        self.cancel_response();
        self.truncate(item_id, end / BYTES_PER_MS);
    }

    pub(super) fn words_delta(&mut self, now: u64, response_id: &str, item_id: &str, words: &str) {
        if self.filler.is_recording() {
            self.filler_words(words);
        } else if self.model.is_heard(response_id) {
            let at = self.record.at_ms(now);
            self.note_words(item_id, words);
            self.record.transcript.agent_words(item_id, at, words);
            if !words.trim().is_empty() {
                self.model.current.asked = words.trim_end().ends_with('?');
            }
        }
    }

    pub(super) fn shop_words(&mut self, now: u64, item_id: &str, words: &str) {
        if self.are_the_shops(now, item_id, words) {
            let at = self.record.at_ms(now);
            self.record.transcript.shop_words(item_id, at, words);
            self.reconsider(now, item_id, words);
            self.turn.asked_to_wait |= asks_to_wait(words);
            self.reopen_if_rejected(now, words);
            if asks_not_to_be_called(words) {
                self.do_not_call(now);
            }
        }
        self.save_within(SAVE_SHOP_MS);
        if !self.record.transcript.is_pending() {
            self.run_pending_total();
            let waits = self.timers.is_set(Timer::Finish) && !self.filler.is_recording();
            if waits && self.phone.gone {
                self.finish(now);
            }
        }
    }
}
