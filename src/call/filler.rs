//! The line that fills a gap when the model is away or slow. It is said from kept audio, as the
//! greeting is; a call that finds none has the model speak it when the line is gone, for the calls
//! after it.

use super::Call;
use super::model::Flight;
use super::output::Output;
use super::prompt::Cue;
use super::timers::Timer;
use crate::order::spoken::Spoken;
use crate::realtime::client;
use crate::twilio::media;

/// Said into the gap, by language (ISO 639-1).
const TEXTS: [(&str, &str); 6] = [
    ("en", "Sorry, one moment, please."),
    ("es", "Perdone, un momento, por favor."),
    ("fr", "Pardon, un instant, s'il vous plaît."),
    ("de", "Entschuldigung, einen Moment bitte."),
    ("it", "Scusi, un attimo, per favore."),
    ("pt", "Desculpe, um momento, por favor."),
];
/// The longest filler that is kept, in bytes of audio: five seconds.
const MAX_BYTES: usize = 40_000;
/// How long the agent may be silent when it is its turn and the model is slow, in ms.
pub(super) const SLOW_MS: u64 = 3_000;
/// And when the model is lost: another session may be there at once.
pub(super) const GAP_MS: u64 = 300;
/// Between two fillers, in ms.
const AGAIN_MS: u64 = 7_000;
/// While the shop speaks, how soon to look again, in ms.
const LOOK_AGAIN_MS: u64 = 200;
/// How long the model may take to speak it, in ms.
const RECORDING_MS: u64 = 4_000;

#[derive(Debug, Default)]
pub(super) struct Filler {
    /// Its audio, where it is known.
    audio: Option<Vec<u8>>,
    /// When it was said last.
    said_at: Option<u64>,
    /// The model is saying it, and nobody listens.
    recording: Option<Recording>,
}

#[derive(Debug, Default)]
struct Recording {
    audio: Vec<u8>,
    words: String,
}

impl Filler {
    pub(super) fn is_recording(&self) -> bool {
        self.recording.is_some()
    }
}

impl Call {
    fn filler_text(&self) -> Option<&'static str> {
        let language = self.language().unwrap_or("en");
        let known = TEXTS.iter().find(|(code, _)| *code == language);
        known.map(|(_, text)| *text)
    }

    /// Where its audio is kept.
    pub(super) fn filler_key(&self) -> Option<String> {
        self.filler_text().map(|text| self.line_key(text))
    }

    /// Its audio, from where it is kept.
    pub(super) fn filler_loaded(&mut self, audio: &[u8]) {
        if !audio.is_empty() && audio.len() <= MAX_BYTES {
            self.filler.audio = Some(audio.to_owned());
        }
    }

    /// It is the agent's turn: unless it speaks by then, the gap is filled after so many ms of silence.
    pub(super) fn expect_agent(&mut self, now: u64, within_ms: u64) {
        let quiet_at = self.phone.ends_at().max(now);
        self.timers
            .set(Timer::Filler, quiet_at.saturating_add(within_ms));
    }

    /// The agent should have spoken by now.
    pub(super) fn on_gap(&mut self, now: u64) {
        let Some(audio) = self.filler.audio.clone() else {
            return;
        };
        let begun = self.record.transcript.agent_turns().next().is_some();
        if !begun || !self.phone.is_streaming() || self.ending.is_closing() {
            return;
        }
        let ends_at = self.phone.ends_at();
        let again_at = self
            .filler
            .said_at
            .map_or(0, |at| at.saturating_add(AGAIN_MS));
        let due = if self.floor.shop_speaks() || self.floor.is_paused() {
            now.saturating_add(LOOK_AGAIN_MS)
        } else {
            ends_at.max(again_at)
        };
        if due > now {
            return self.timers.set(Timer::Filler, due);
        }
        self.filler.said_at = Some(now);
        let item_id = format!("filler_{now}");
        let text = self.filler_text().unwrap_or_default();
        self.say_whole(now, &item_id, text, audio);
        self.expect_agent(now, AGAIN_MS);
    }

    /// The line is gone, and the model is not: has it speak the filler, if none is kept. Whether it
    /// does.
    pub(super) fn record_filler(&mut self, now: u64) -> bool {
        let Some(text) = self.filler_text() else {
            return false;
        };
        let can = self.filler.audio.is_none()
            && self.model.is_ready()
            && self.model.flight == Flight::Free
            && self.record.disclosed_at.is_some();
        if can {
            let event_id = self.model.event_id();
            let cue = Cue::Filler(text).text();
            self.out
                .push_back(Output::Model(client::system_item(&event_id, &cue)));
            let event_id = self.model.event_id();
            self.out
                .push_back(Output::Model(client::create_response(&event_id, false)));
            self.request_sent(now, event_id);
            self.filler.recording = Some(Recording::default());
            self.timers
                .set(Timer::Finish, now.saturating_add(RECORDING_MS));
        }
        can
    }

    /// Audio of the response that speaks it.
    pub(super) fn filler_audio(&mut self, delta: &str) {
        if let Some(recording) = &mut self.filler.recording
            && let Some(audio) = media::decode(delta)
            && recording.audio.len() <= MAX_BYTES
        {
            recording.audio.extend_from_slice(&audio);
        }
    }

    /// Its words.
    pub(super) fn filler_words(&mut self, words: &str) {
        if let Some(recording) = &mut self.filler.recording
            && recording.words.len() <= MAX_BYTES
        {
            recording.words.push_str(words);
        }
    }

    /// The response that speaks it is over. Kept if it says that and nothing else.
    pub(super) fn filler_spoken(&mut self, whole: bool) {
        let Some(recording) = self.filler.recording.take() else {
            return;
        };
        let text = self.filler_text().unwrap_or_default();
        let is_said = whole && Spoken::parse(&recording.words) == Spoken::parse(text);
        if let Some(key) = self.filler_key()
            && is_said
            && !recording.audio.is_empty()
            && recording.audio.len() <= MAX_BYTES
        {
            let audio = recording.audio;
            self.out.push_back(Output::KeepLine { key, audio });
        }
    }
}
