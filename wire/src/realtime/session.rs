//! The `session.update` of a phone call: μ-law both ways, the model only listens and speaks;
//! whose turn it is, is decided by us (`create_response` and `interrupt_response` are off).

use crate::json;
use serde_json::{Value, json};

/// The silence that ends the shop's turn, in ms. The documented default and the observed one differ
/// (`protocols.md` §1.3): always set.
pub const SILENCE_MS: u64 = 500;

/// What differs from call to call.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The prompt.
    pub instructions: &'a str,
    /// Name of the voice.
    pub voice: &'a str,
    /// Model that writes down what the shop says.
    pub transcribe_model: &'a str,
    /// ISO 639-1 language of the shop.
    pub language: &'a str,
    /// A list of function tools, in the flat GA form.
    pub tools: &'a Value,
}

impl Session<'_> {
    /// The event, ready to send.
    pub fn to_event(&self, event_id: &str) -> String {
        json::text(&json!({
            "type": "session.update",
            "event_id": event_id,
            "session": {
                "type": "realtime",
                "output_modalities": ["audio"],
                "instructions": self.instructions,
                "audio": {
                    "input": {
                        "format": { "type": "audio/pcmu" },
                        "transcription": { "model": self.transcribe_model, "language": self.language },
                        "turn_detection": {
                            "type": "server_vad",
                            "threshold": 0.5,
                            "prefix_padding_ms": 300,
                            "silence_duration_ms": SILENCE_MS,
                            "create_response": false,
                            "interrupt_response": false
                        }
                    },
                    "output": { "format": { "type": "audio/pcmu" }, "voice": self.voice }
                },
                "tools": self.tools,
                "tool_choice": "auto"
            }
        }))
    }
}
