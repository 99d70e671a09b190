//! The Twilio leg: what arrives from the phone, what is playing on it, what was heard.

use super::Call;
use super::output::{LogLine, Output};
use super::record::EndReason;
use super::timers::Timer;
use crate::audio::playback::{Cut, Playback};
use crate::audio::ulaw::BYTES_PER_MS;
use crate::order::spoken::discloses_ai;
use crate::realtime::client;
use crate::twilio::media::{self, MediaMessage};
use crate::twilio::sid::is_sid;
use std::collections::VecDeque;

/// Base64 of about five seconds, kept while the model is not ready: the shop's "hello" must not be
/// lost, and memory must not grow.
const MAX_EARLY_BYTES: usize = 54_000;
/// A smaller jump in time is jitter, in ms.
const MIN_GAP_MS: u64 = 40;
/// The longest silence put into a gap, in ms.
const MAX_GAP_MS: u64 = 10_000;

#[derive(Debug, Default)]
pub(super) struct Phone {
    /// Set by `start`.
    stream_sid: Option<String>,
    pub(super) started_at: u64,
    pub(super) playback: Playback,
    /// Audio that came before the model was ready.
    early: VecDeque<String>,
    early_bytes: usize,
    /// Stream time at which the next frame should begin, in ms.
    next_timestamp: Option<u64>,
    /// The stream is over.
    pub(super) gone: bool,
    complained: bool,
}

impl Phone {
    pub(super) fn is_streaming(&self) -> bool {
        self.stream_sid.is_some() && !self.gone
    }
}

impl Call {
    pub(super) fn phone_message(&mut self, now: u64, text: &str) {
        if self.phone.gone {
            return;
        }
        let Ok(frame) = media::parse(text) else {
            return self.complain_about_phone();
        };
        let stream_sid = frame.stream_sid.as_deref().unwrap_or_default();
        // Another stream's message changes nothing here.
        let ours = self.phone.stream_sid.as_deref() == Some(stream_sid);
        match frame.message {
            MediaMessage::Connected | MediaMessage::Other => {}
            MediaMessage::Start { call_sid } => self.phone_started(now, stream_sid, &call_sid),
            _ if !ours => self.complain_about_phone(),
            MediaMessage::Media {
                payload,
                timestamp_ms,
            } => self.phone_audio(&payload, timestamp_ms),
            MediaMessage::Mark { name } => self.phone_played(now, &name),
            MediaMessage::Dtmf { digit } => self.phone_key(now, &digit),
            MediaMessage::Stop => self.phone_gone(now, EndReason::ShopHungUp),
        }
    }

    /// The stream is over, whoever says so first: `stop`, the socket, a webhook or a status.
    pub(super) fn phone_gone(&mut self, now: u64, reason: EndReason) {
        if self.phone.gone || self.record.answered_at.is_none() {
            return;
        }
        self.phone.gone = true;
        self.phone.early.clear();
        let reason = *self.record.end_reason.get_or_insert(reason);
        self.log(LogLine::info("stream_ended").what(reason.word()));
        self.wind_up(now);
    }

    /// Sends a piece of the agent's audio, and a mark behind it.
    pub(super) fn play(&mut self, now: u64, item_id: &str, from: u64, bytes: u64, payload: &str) {
        let Some(stream_sid) = &self.phone.stream_sid else {
            return;
        };
        let mark = self.phone.playback.sent(now, item_id, from, bytes);
        self.out
            .push_back(Output::Phone(media::media(stream_sid, payload)));
        self.out
            .push_back(Output::Phone(media::mark(stream_sid, &mark)));
    }

    /// Silences the phone at once: what was cut off.
    pub(super) fn clear_phone(&mut self, now: u64) -> Vec<Cut> {
        let Some(stream_sid) = &self.phone.stream_sid else {
            return Vec::new();
        };
        self.out.push_back(Output::Phone(media::clear(stream_sid)));
        self.phone.playback.cleared(now)
    }

    /// Passes on what the shop said while the model was not ready.
    pub(super) fn flush_early_audio(&mut self) {
        self.phone.early_bytes = 0;
        for payload in std::mem::take(&mut self.phone.early) {
            self.out
                .push_back(Output::Model(client::append_audio(&payload)));
        }
    }

    fn phone_audio(&mut self, payload: &str, timestamp_ms: u64) {
        // Checked here because it is passed on inside a JSON string.
        let Some(bytes) = media::decoded_len(payload) else {
            return self.complain_about_phone();
        };
        let expected = self
            .phone
            .next_timestamp
            .replace(timestamp_ms.saturating_add(bytes / BYTES_PER_MS));
        let missing_ms = expected.map_or(0, |expected| timestamp_ms.saturating_sub(expected));
        if missing_ms >= MIN_GAP_MS {
            // Audio that was lost on the way shows as a jump in time. The model counts bytes: without
            // silence in the gap it would never hear the pause that ends a turn (`protocols.md` §1.12).
            let groups = missing_ms.min(MAX_GAP_MS) * BYTES_PER_MS / 3;
            let silence = "////".repeat(usize::try_from(groups).unwrap_or(0));
            self.pass_on(&silence);
        }
        self.pass_on(payload);
    }

    fn pass_on(&mut self, payload: &str) {
        if self.model.is_ready() {
            self.out
                .push_back(Output::Model(client::append_audio(payload)));
        } else if !self.record.finished {
            self.phone.early_bytes += payload.len();
            self.phone.early.push_back(payload.to_owned());
            while self.phone.early_bytes > MAX_EARLY_BYTES {
                let oldest = self.phone.early.pop_front().unwrap_or_default();
                self.phone.early_bytes -= oldest.len().min(self.phone.early_bytes);
            }
        }
    }

    fn phone_started(&mut self, now: u64, stream_sid: &str, call_sid: &str) {
        if self.phone.stream_sid.is_some()
            || !is_sid(stream_sid, "MZ")
            || call_sid != self.record.sid.as_str()
        {
            self.log(LogLine::warn("start_refused"));
            return;
        }
        self.phone.stream_sid = Some(stream_sid.to_owned());
        self.phone.started_at = now;
        self.turn.quiet_since = now;
        self.log(LogLine::info("stream_started"));
        if self.ending.is_leaving() || self.record.end_reason == Some(EndReason::ModelLost) {
            // There is nobody to talk: Twilio's own voice apologises when it asks what to do.
            self.out.push_back(Output::ClosePhone);
        }
        self.open_conversation(now);
    }

    fn phone_played(&mut self, now: u64, mark: &str) {
        for heard in self.phone.playback.echoed(now, mark) {
            self.record
                .transcript
                .agent_heard(&heard.item_id, heard.bytes);
        }
        self.note_disclosure(now);
        if self.phone.playback.is_drained() {
            self.timers.stop(Timer::Drain);
            self.save();
        }
    }

    /// The disclosure counts from the moment its words were proven to have been heard.
    pub(super) fn note_disclosure(&mut self, now: u64) {
        let disclosed = || {
            self.record
                .transcript
                .agent_turns()
                .any(|turn| discloses_ai(turn.heard_text()))
        };
        if self.record.disclosed_at.is_none() && disclosed() {
            self.record.disclosed_at = Some(now);
            self.log(LogLine::info("disclosed"));
            self.save();
        }
    }

    fn phone_key(&mut self, now: u64, digit: &str) {
        if digit.len() == 1
            && digit
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#' | b'A'..=b'D'))
        {
            let at = self.record.at_ms(now);
            self.record.transcript.shop_key(at, digit);
        }
    }

    fn complain_about_phone(&mut self) {
        if !std::mem::replace(&mut self.phone.complained, true) {
            self.log(LogLine::warn("bad_phone_message"));
        }
    }
}
