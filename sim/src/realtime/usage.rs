//! Plausible token counts: text by length, audio by duration (`protocols.md` §1.7).

use super::conversation::Conversation;
use super::session::Session;
use orderline::audio::ulaw::BYTES_PER_MS;
use serde_json::{Value, json};

/// Input tokens of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Input {
    pub text: u64,
    pub audio: u64,
    pub cached_text: u64,
    pub cached_audio: u64,
}

impl Input {
    /// Everything in the context, of which what the previous response already had is cached in
    /// whole blocks.
    pub fn of(session: &Session, conversation: &Conversation, previous: Self) -> Self {
        let mut text = text_tokens(&session.at("/instructions").to_string())
            + text_tokens(&session.at("/tools").to_string());
        let mut audio = 0;
        for item in conversation.items() {
            let ms = item.audio as u64 / BYTES_PER_MS;
            match (ms, item.value["role"].as_str()) {
                (0, _) => text += text_tokens(&item.value.to_string()) / 2,
                (_, Some("assistant")) => audio += ms / 50,
                _ => audio += ms / 100,
            }
        }
        let block = |tokens: u64, before: u64| tokens.min(before) / 64 * 64;
        Self {
            text,
            audio,
            cached_text: block(text, previous.text),
            cached_audio: block(audio, previous.audio),
        }
    }

    /// The `usage` of a response that made this much text and audio.
    pub fn usage(self, text: &str, audio_bytes: usize) -> Value {
        let (out_text, out_audio) = (text_tokens(text), audio_bytes as u64 / BYTES_PER_MS / 50);
        let (input, output) = (self.text + self.audio, out_text + out_audio);
        json!({"total_tokens": input + output, "input_tokens": input, "output_tokens": output,
            "input_token_details": {"text_tokens": self.text, "audio_tokens": self.audio, "image_tokens": 0,
                "cached_tokens": self.cached_text + self.cached_audio,
                "cached_tokens_details": {"text_tokens": self.cached_text, "audio_tokens": self.cached_audio, "image_tokens": 0}},
            "output_token_details": {"text_tokens": out_text, "audio_tokens": out_audio}})
    }
}

fn text_tokens(text: &str) -> u64 {
    text.len() as u64 / 4
}
