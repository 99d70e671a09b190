//! The Twilio leg: what arrives from the phone, what is playing on it, what was heard.

use super::floor::Floor;
use super::output::{LogLine, Output};
use super::prompt::Cue;
use super::record::{EndReason, StreamStart};
use super::timers::Timer;
use super::{Call, SAVE_AGENT_MS};
use crate::audio::playback::{Marks, Place, Playback};
use crate::audio::ulaw::{self, BYTES_PER_MS};
use crate::order::disclosure::discloses;
use crate::realtime::client;
use crate::twilio::media::{self, MediaMessage};
use crate::twilio::sid::is_sid;
use crate::twilio::stream_clock::StreamClock;

/// Five seconds, kept while the model is not ready: the shop's "hello" must not be lost, and memory
/// must not grow.
const MAX_EARLY_BYTES: usize = 40_000;
/// As much silence goes to the model at once, in bytes: 100 ms.
const BATCH_BYTES: usize = 800;
/// A smaller jump in time is jitter, in ms.
const MIN_GAP_MS: u64 = 40;
/// The longest silence put into a gap, in ms.
const MAX_GAP_MS: u64 = 10_000;
/// When no audio has come for so long while somebody speaks, the line has stalled, in ms; and how
/// much silence the model hears then, so that it can end the turn (`protocols.md` §1.12).
const STALL_MS: u64 = 750;
const STALL_SILENCE_MS: u64 = 1_000;
/// Silence that is enough for our own detector, in bytes: a second.
const MAX_HEARD_SILENCE: usize = 8_000;
/// How far the audio may run ahead of the clock, in ms: beyond, it is a flood.
const MAX_AHEAD_MS: u64 = 10_000;
/// How often Twilio is told to open a stream: once, and three times after it was lost.
const MAX_STREAMS: u32 = 4;
/// How long a lost stream may take to come back, in ms: Twilio retries its question while we restart.
const LINE_PATIENCE_MS: u64 = 20_000;

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each may come at any time")]
pub(super) struct Phone {
    /// Set by `start`.
    stream_sid: Option<String>,
    pub(super) started_at: u64,
    pub(super) playback: Playback,
    pub(super) clock: StreamClock,
    /// Where the echo of what was sent so far would end, in samples of the stream.
    voice_ends_at: u64,
    /// Audio that the model has yet to get, μ-law.
    unsent: Vec<u8>,
    /// Stream time up to which the model has heard audio or silence in its place, in ms.
    passed_on: Option<u64>,
    /// Stream time up to which audio has come, in ms.
    received: u64,
    /// The stream broke, and another is to take its place.
    pub(super) lost: bool,
    /// The stream is over.
    pub(super) gone: bool,
    complained: bool,
    /// Its socket has outlived the call's memory, and nothing has come by it since.
    is_unheard: bool,
}

impl Phone {
    pub(super) fn is_streaming(&self) -> bool {
        self.stream_sid.is_some() && !self.gone
    }

    /// When everything sent so far will have played, by estimate.
    pub(super) fn ends_at(&self) -> u64 {
        self.clock.local(self.playback.ends_at())
    }

    /// Nothing plays any more, and the model gets nothing any more.
    pub(super) fn give_up_audio(&mut self) {
        self.playback = Playback::default();
        self.unsent = Vec::new();
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
        if is_sid(stream_sid, "MZ") && std::mem::take(&mut self.phone.is_unheard) {
            let starts = matches!(frame.message, MediaMessage::Start { .. });
            self.take_back(now, stream_sid, starts);
        }
        let ours = self.phone.stream_sid.as_deref() == Some(stream_sid);
        match frame.message {
            MediaMessage::Connected | MediaMessage::Other => {}
            MediaMessage::Start { call_sid } => self.phone_started(now, stream_sid, &call_sid),
            _ if !ours => self.complain_about_phone(),
            MediaMessage::Media {
                payload,
                timestamp_ms,
            } => self.phone_audio(now, frame.sequence, &payload, timestamp_ms),
            MediaMessage::Mark { name } => self.phone_played(now, frame.sequence, &name),
            MediaMessage::Dtmf { digit } => self.phone_key(now, &digit),
            MediaMessage::Stop => self.phone_gone(now, EndReason::ShopHungUp),
        }
    }

    /// The media socket is gone without a `stop`.
    pub(super) fn phone_closed(&mut self, now: u64) {
        if self.may_stream_again() {
            self.phone_lost(now);
        } else {
            self.phone_gone(now, EndReason::MediaLost);
        }
    }

    /// Whether the call can go on when its stream breaks.
    pub(super) fn may_stream_again(&self) -> bool {
        let answered = self.record.answered_at.is_some() && !self.phone.gone;
        let goes_on = !self.ending.is_ending() && self.record.end_reason.is_none();
        answered && goes_on && self.record.streams < MAX_STREAMS
    }

    /// The stream broke: the agent's words end where they were heard to end, and Twilio, who asks what
    /// to do, is told to open another.
    pub(super) fn phone_lost(&mut self, now: u64) {
        if std::mem::replace(&mut self.phone.lost, true) {
            return;
        }
        self.log(LogLine::warn("stream_lost").n(u64::from(self.record.streams)));
        self.cancel_response();
        let line = self.phone.clock.now(now);
        if !self.phone.playback.is_held() {
            self.phone.playback.hold(line);
        }
        self.drop_words();
        self.floor = Floor::default();
        for timer in [
            Timer::Silence,
            Timer::Decide,
            Timer::Cut,
            Timer::Commit,
            Timer::Stall,
            Timer::ShopTurn,
            Timer::Filler,
        ] {
            self.timers.stop(timer);
        }
        self.phone = self.next_phone();
        self.await_line(now);
        self.save();
    }

    /// A phone whose marks are told from all before, also from those of a life of which no snapshot tells:
    /// the time does.
    pub(super) fn next_phone(&mut self) -> Phone {
        let age = self.clock.saturating_sub(self.record.placed_at) / 100;
        let age = u32::try_from(age).unwrap_or(u32::MAX).min(0xFFFF);
        self.record.lives = self.record.lives.saturating_add(1).max(age);
        Phone {
            playback: Playback::of_generation(self.record.lives << 16),
            lost: true,
            ..Phone::default()
        }
    }

    /// Twilio should open another stream soon.
    pub(super) fn await_line(&mut self, now: u64) {
        self.timers
            .set(Timer::LineGone, now.saturating_add(LINE_PATIENCE_MS));
    }

    /// Another stream has come for one that was lost, or the call has come back to its own.
    pub(super) fn line_back(&mut self, now: u64) {
        self.phone.lost = false;
        self.timers.stop(Timer::LineGone);
        if self.greeting_is_due() && self.can_greet() {
            return self.greet(now);
        }
        self.want(Some(Cue::Interrupted), true);
        self.expect_agent(now, super::filler::GAP_MS);
        self.on_gap(now);
    }

    /// After a restart: the phone's socket is still there, and the first message tells of which stream.
    pub(super) fn await_stream(&mut self, now: u64) {
        self.phone.is_unheard = true;
        self.await_line(now);
    }

    /// The first message after a restart. A snapshot may be older than the stream.
    fn take_back(&mut self, now: u64, stream_sid: &str, starts: bool) {
        let known = self.record.stream.clone();
        if let Some(stream) = known.filter(|stream| stream.sid == stream_sid) {
            self.out.push_back(Output::Phone(media::clear(&stream.sid)));
            self.phone.stream_sid = Some(stream.sid);
            self.phone.started_at = stream.at;
            self.phone.clock.start(stream.at);
            self.line_back(now);
        } else if !starts {
            // Its start is not known any more: Twilio opens another.
            self.out.push_back(Output::ClosePhone);
        }
    }

    /// The stream is over, whoever says so first: `stop`, the socket, a webhook or a status.
    pub(super) fn phone_gone(&mut self, now: u64, reason: EndReason) {
        if self.phone.gone || self.record.answered_at.is_none() {
            return;
        }
        self.phone.gone = true;
        self.phone.unsent = Vec::new();
        let reason = *self.record.end_reason.get_or_insert(reason);
        self.log(LogLine::info("stream_ended").what(reason.word()));
        self.wind_up(now);
    }

    /// Sends a piece of the agent's audio and a mark behind it, or holds it back; `from` is how much
    /// of the item came before, in bytes.
    pub(super) fn play(
        &mut self,
        now: u64,
        item_id: &str,
        from: u64,
        audio: Vec<u8>,
        payload: &str,
    ) {
        self.phone.playback.line_varies(self.phone.clock.spread());
        let longest = self.phone.playback.longest_piece();
        if audio.len() <= longest {
            return self.play_piece(now, item_id, from, audio, payload);
        }
        let mut from = from;
        for piece in audio.chunks(longest) {
            self.play_piece(now, item_id, from, piece.to_vec(), &media::encode(piece));
            from = from.saturating_add(piece.len() as u64);
        }
    }

    fn play_piece(&mut self, now: u64, item_id: &str, from: u64, audio: Vec<u8>, payload: &str) {
        let line = self.phone.clock.now(now);
        self.finish_cut();
        if !self.phone.playback.continues(line, item_id, from) {
            self.ask_for_mark();
        }
        if !self.phone.playback.is_held() {
            self.expect_echo(self.phone.playback.new_start(line), &audio);
        }
        if let Some(marks) = self.phone.playback.send(line, item_id, from, audio) {
            self.send_audio(now, payload, marks);
        }
    }

    /// Silences the phone and holds back what comes. Where the agent was, if it was speaking.
    pub(super) fn hold_phone(&mut self, now: u64) -> Option<Place> {
        let is_steady = self.phone.clock.is_steady(now);
        self.phone.playback.line_is_steady(is_steady);
        self.phone.playback.line_varies(self.phone.clock.spread());
        self.phone.playback.clock_lags(self.phone.clock.lag());
        // Not behind the `clear`: it would come back later than those that are thrown away, which then
        // look as if they had played.
        self.ask_for_mark();
        let place = self.phone.playback.hold(self.phone.clock.now(now))?;
        if let Some(stream_sid) = &self.phone.stream_sid {
            self.out.push_back(Output::Phone(media::clear(stream_sid)));
        }
        // What may still have been said may still come back.
        let spread = self.phone.clock.spread().unwrap_or(0);
        let ends_at = self.phone.playback.ends_at().saturating_add(spread);
        self.floor.echo.cleared(ends_at);
        Some(place)
    }

    /// Sends what was held back.
    pub(super) fn resume_phone(&mut self, now: u64) {
        let resumed = self.phone.playback.resume(self.phone.clock.now(now));
        for doubt in resumed.doubts {
            let transcript = &mut self.record.transcript;
            transcript.agent_unclear(&doubt.item_id, doubt.bytes);
        }
        for again in resumed.again {
            self.expect_echo(again.starts_at, &again.audio);
            self.send_audio(now, &media::encode(&again.audio), again.marks);
        }
    }

    /// What is said now may come back. A reply stays in one piece where it was first thought to play:
    /// the place of all of it may be wrong, but not of its parts against each other.
    fn expect_echo(&mut self, new_start: Option<u64>, audio: &[u8]) {
        let follows = self.phone.voice_ends_at;
        let starts_at = new_start.map_or(follows, |at| at.saturating_mul(BYTES_PER_MS));
        self.phone.voice_ends_at = starts_at.saturating_add(audio.len() as u64);
        self.floor.echo.sent(starts_at / BYTES_PER_MS, audio);
    }

    /// What was sent last is followed by nothing that could have a mark for both.
    pub(super) fn ask_for_mark(&mut self) {
        let owed = self.phone.playback.owed_mark();
        if let (Some(stream_sid), Some(name)) = (&self.phone.stream_sid, owed) {
            self.out
                .push_back(Output::Phone(media::mark(stream_sid, &name)));
        }
    }

    fn send_audio(&mut self, now: u64, payload: &str, marks: Marks) {
        let Some(stream_sid) = &self.phone.stream_sid else {
            return;
        };
        let before = marks.before.map(|name| media::mark(stream_sid, &name));
        let audio = (!payload.is_empty()).then(|| media::media(stream_sid, payload));
        let after = marks.after.map(|name| media::mark(stream_sid, &name));
        let frames = before.into_iter().chain(audio).chain(after);
        self.out.extend(frames.map(Output::Phone));
        self.agent_speaks(now);
    }

    /// Passes on what the model has yet to hear.
    pub(super) fn send_unsent(&mut self) {
        let audio = std::mem::take(&mut self.phone.unsent);
        if !audio.is_empty() {
            let payload = media::encode(&audio);
            self.out
                .push_back(Output::Model(client::append_audio(&payload)));
        }
    }

    /// What the model has heard is a turn.
    pub(super) fn commit_audio(&mut self) {
        self.send_unsent();
        self.out
            .push_back(Output::Model(client::COMMIT_AUDIO.to_owned()));
    }

    fn phone_audio(
        &mut self,
        now: u64,
        sequence: Option<u64>,
        payload: &str,
        timestamp_ms: Option<u64>,
    ) {
        // Checked here because it is passed on inside a JSON string.
        let Some(audio) = media::decode(payload) else {
            return self.complain_about_phone();
        };
        let length_ms = audio.len() as u64 / BYTES_PER_MS;
        if let Some(begins_at) = timestamp_ms
            && !self.take_place(now, sequence, begins_at, length_ms)
        {
            return self.complain_about_phone();
        }
        // Its own time: the clock's may not know yet how quick the way is.
        let ends_at = timestamp_ms.map_or_else(
            || self.phone.clock.event(now, sequence).0,
            |begins_at| begins_at.saturating_add(length_ms),
        );
        self.listen(now, ends_at, &audio);
        if self.model.is_ready() && self.phone.unsent.is_empty() && !self.floor.is_silent() {
            self.out
                .push_back(Output::Model(client::append_audio(payload)));
        } else {
            self.pass_on(&audio);
        }
        if self.floor.awaits_audio() {
            self.timers.set(Timer::Stall, now.saturating_add(STALL_MS));
        } else {
            self.timers.stop(Timer::Stall);
        }
    }

    /// Gives audio its place in the stream. False if it has none: it has come before, or it is more
    /// than anybody can have said by now.
    fn take_place(
        &mut self,
        now: u64,
        sequence: Option<u64>,
        begins_at: u64,
        length_ms: u64,
    ) -> bool {
        let ends_at = begins_at.saturating_add(length_ms);
        let elapsed = now.saturating_sub(self.phone.started_at);
        if ends_at <= self.phone.received || ends_at > elapsed.saturating_add(MAX_AHEAD_MS) {
            return false;
        }
        self.phone.received = ends_at;
        let slow = self.phone.clock.frame(now, sequence, ends_at);
        self.phone.playback.shift(slow);
        let passed_on = self.phone.passed_on.unwrap_or(begins_at);
        self.phone.passed_on = Some(passed_on.max(ends_at));
        // Audio that was lost on the way shows as a jump in time. The model counts bytes: without
        // silence in the gap it would never hear the pause that ends a turn (`protocols.md` §1.12).
        let missing_ms = begins_at.saturating_sub(passed_on);
        if missing_ms >= MIN_GAP_MS {
            self.pass_on_silence(now, missing_ms.min(MAX_GAP_MS));
        }
        true
    }

    /// No audio has come for a while, and somebody is speaking.
    pub(super) fn on_stall(&mut self, now: u64) {
        self.log(LogLine::warn("stalled"));
        self.pass_on_silence(now, STALL_SILENCE_MS);
        let passed_on = self.phone.passed_on.unwrap_or(0);
        self.phone.passed_on = Some(passed_on.saturating_add(STALL_SILENCE_MS));
    }

    fn pass_on_silence(&mut self, now: u64, ms: u64) {
        let bytes = usize::try_from(ms.saturating_mul(BYTES_PER_MS)).unwrap_or(0);
        let silence = vec![ulaw::SILENCE; bytes];
        self.pass_on(&silence);
        let heard = bytes.min(MAX_HEARD_SILENCE);
        self.listen(
            now,
            self.phone.received,
            silence.get(..heard).unwrap_or_default(),
        );
    }

    /// Frame by frame while there is anything to hear, and together where nothing can be: every message
    /// costs.
    fn pass_on(&mut self, audio: &[u8]) {
        if self.record.finished {
            return;
        }
        let unsent = &mut self.phone.unsent;
        unsent.extend_from_slice(audio);
        if self.model.is_ready() {
            if unsent.len() >= BATCH_BYTES || !self.floor.is_silent() {
                self.send_unsent();
            }
        } else {
            let too_old = unsent.len().saturating_sub(MAX_EARLY_BYTES);
            unsent.drain(..too_old);
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
        self.record.stream = Some(StreamStart {
            sid: stream_sid.to_owned(),
            at: now,
        });
        self.save();
        self.phone.clock.start(now);
        self.turn.quiet_since = now;
        self.log(LogLine::info("stream_started"));
        if self.ending.is_leaving() || self.record.end_reason == Some(EndReason::ModelLost) {
            // There is nobody to talk: Twilio's own voice apologises when it asks what to do.
            self.out.push_back(Output::ClosePhone);
        } else if self.phone.lost && self.turn.opened {
            self.line_back(now);
        }
        self.phone.lost = false;
        self.timers.stop(Timer::LineGone);
        self.open_conversation(now);
    }

    fn phone_played(&mut self, now: u64, sequence: Option<u64>, mark: &str) {
        let (at, lag) = self.phone.clock.event(now, sequence);
        self.phone.playback.clock_lags(lag);
        let is_steady = self.phone.clock.is_steady(now);
        self.phone.playback.line_is_steady(is_steady);
        let heard = self.phone.playback.echoed(at, mark);
        let is_news = !heard.is_empty();
        for heard in heard {
            self.record
                .transcript
                .agent_heard(&heard.item_id, heard.bytes);
            self.keys_heard(&heard.item_id, heard.bytes);
        }
        self.note_disclosure(now);
        self.finish_cut_if_known();
        if !self.floor.is_paused() {
            self.note_stop();
        }
        if is_news && self.phone.playback.is_drained() {
            self.timers.stop(Timer::Drain);
            self.save_within(SAVE_AGENT_MS);
        }
    }

    /// The disclosure counts from the moment its whole sentence was proven to have been heard.
    pub(super) fn note_disclosure(&mut self, now: u64) {
        let disclosed = || {
            self.record
                .transcript
                .agent_turns()
                .any(|turn| turn.is_clear() && discloses(turn.heard_sentences()))
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
