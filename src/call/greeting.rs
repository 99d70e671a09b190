//! The first words: who is calling. They are the same on every call, so that their audio is kept
//! from the first call that speaks them, and starts on later ones when the line opens, without the
//! model.

use super::Call;
use super::output::Output;
use super::prompt::Cue;

use crate::order::spoken::Spoken;
use sha2::{Digest, Sha256};

/// The longest greeting that is kept, in bytes of audio: ten seconds.
const MAX_BYTES: usize = 80_000;

/// Said to whoever we call, by language (ISO 639-1). It discloses what is calling.
const OUTBOUND: [(&str, &str); 6] = [
    ("en", "Hi, I'm an AI assistant calling for a customer."),
    (
        "es",
        "Hola, soy un asistente de inteligencia artificial y llamo de parte de un cliente.",
    ),
    (
        "fr",
        "Bonjour, je suis une assistante d'intelligence artificielle et j'appelle pour un client.",
    ),
    (
        "de",
        "Hallo, ich bin ein KI-Assistent und rufe für einen Kunden an.",
    ),
    (
        "it",
        "Salve, sono un assistente di intelligenza artificiale e chiamo per un cliente.",
    ),
    (
        "pt",
        "Olá, sou um assistente de inteligência artificial e ligo em nome de um cliente.",
    ),
];
/// Said to whoever calls us.
const INBOUND: &str = "Hello, this is an AI assistant that orders food. How can I help you?";

#[derive(Debug, Default)]
pub(super) struct Greeting {
    /// Its audio, once it is known.
    audio: Option<Vec<u8>>,
    /// The model is saying it: what came of it so far.
    recording: Vec<u8>,
    /// The newest item that says it.
    item: Option<String>,
    /// It is being said or was, and was not cut off.
    stands: bool,
    /// How often its audio was played.
    played: u32,
    /// The model has not been told yet that it was said.
    untold: bool,
}

/// The words; nothing in a language in which the model has to find them.
fn text(language: Option<&str>) -> Option<&'static str> {
    let Some(language) = language else {
        return Some(INBOUND);
    };
    let known = OUTBOUND.iter().find(|(code, _)| *code == language);
    known.map(|(_, text)| *text)
}

impl Call {
    /// Where the greeting's audio is kept.
    pub(super) fn greeting_key(&self) -> Option<String> {
        text(self.language()).map(|text| self.line_key(text))
    }

    /// Where the audio of a line is kept: by everything that decides how it sounds.
    pub(super) fn line_key(&self, text: &str) -> String {
        let settings = &self.settings;
        let language = self.language().unwrap_or_default();
        let parts = [&settings.voice, &settings.model, language, text];
        let digest = Sha256::digest(parts.join("\n"));
        digest
            .iter()
            .fold("line:".to_owned(), |key, byte| key + &format!("{byte:02x}"))
    }

    /// The greeting's audio, from where it is kept.
    pub(super) fn greeting_loaded(&mut self, audio: &[u8]) {
        if !audio.is_empty() && audio.len() <= MAX_BYTES && !self.turn.opened {
            self.greeting.audio = Some(audio.to_owned());
        }
    }

    /// Whether the greeting can be said without the model.
    pub(super) fn can_greet(&self) -> bool {
        self.greeting.audio.is_some()
    }

    /// Says the greeting, or has it said; the order follows at once.
    pub(super) fn greet(&mut self, now: u64) {
        let placed_by_us = self.record.request.is_some();
        let Some(text) = text(self.language()) else {
            return self.want(Some(Cue::Opening), true);
        };
        let Some(audio) = self.greeting.audio.clone() else {
            return self.want(Some(Cue::Greeting(text)), true);
        };
        self.greeting.played = self.greeting.played.saturating_add(1);
        let item_id = format!("greeting_{}", self.greeting.played);
        self.say_whole(now, &item_id, text, audio);
        self.greeting.item = Some(item_id);
        self.greeting.stands = true;
        self.greeting.untold = true;
        if placed_by_us {
            self.want(Some(Cue::Begin), true);
        }
    }

    /// Whether the greeting has to be said again: it was cut off before its disclosure.
    pub(super) fn greeting_is_due(&self) -> bool {
        let known = text(self.language()).is_some();
        known && !self.greeting.stands && self.record.disclosed_at.is_none()
    }

    /// What the model has to be told was said before it is asked for more.
    pub(super) fn greeting_to_tell(&mut self) -> Option<&'static str> {
        let untold = std::mem::take(&mut self.greeting.untold);
        untold.then(|| text(self.language())).flatten()
    }

    /// Audio of the response that says the greeting.
    pub(super) fn record_greeting(&mut self, item_id: &str, audio: &[u8]) {
        let greeting = &mut self.greeting;
        if greeting.item.as_deref() != Some(item_id) {
            greeting.item = Some(item_id.to_owned());
            greeting.recording.clear();
            greeting.stands = true;
        }
        if greeting.recording.len().saturating_add(audio.len()) <= MAX_BYTES {
            greeting.recording.extend_from_slice(audio);
        } else {
            // It says more than it was asked to.
            greeting.recording.clear();
        }
    }

    /// The response that says the greeting is complete. Kept if it says that and nothing else.
    pub(super) fn greeting_spoken(&mut self) {
        let audio = std::mem::take(&mut self.greeting.recording);
        let item = self.greeting.item.as_deref().unwrap_or_default();
        let words = self
            .record
            .transcript
            .get(item)
            .map(|turn| Spoken::parse(turn.words()));
        let text = text(self.language()).unwrap_or_default();
        if audio.is_empty() || words != Some(Spoken::parse(text)) {
            return;
        }
        if let Some(key) = self.greeting_key() {
            self.out.push_back(Output::KeepLine {
                key,
                audio: audio.clone(),
            });
        }
        self.greeting.audio = Some(audio);
        if self.record.request.is_some() && self.greeting.stands {
            self.want(Some(Cue::Begin), true);
        }
    }

    /// An item was cut off.
    pub(super) fn greeting_cut_off(&mut self, item_id: &str) {
        if self.greeting.item.as_deref() == Some(item_id) {
            self.greeting.stands = false;
        }
    }

    /// Language of the one we call; nothing for a call that came to us.
    pub(super) fn language(&self) -> Option<&str> {
        self.record
            .request
            .as_ref()
            .map(|request| request.language.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::spoken::discloses_ai;

    #[test]
    fn every_greeting_discloses() {
        for text in OUTBOUND.iter().map(|(_, text)| *text).chain([INBOUND]) {
            assert!(discloses_ai(text), "{text}");
        }
    }
}
