//! What passed between the three parties of a conversation, as a witness of the wires saw it.

use crate::virtual_time::{Delivery, Sent, ToBridge, ToModel, ToPhone, Witness};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// One message; times are ms since the call was placed.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) sent: u64,
    /// So many frames the bridge had heard then.
    pub(super) frames: usize,
    /// When it arrived.
    pub(super) at: u64,
    pub(super) what: Seen,
}

/// What matters of a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seen {
    /// The phone gets audio to play.
    Media(Vec<u8>),
    /// The phone is to throw away what it has not played.
    Clear,
    /// The phone plays its next 20 ms, and says as much.
    Tick,
    /// The bridge hears the far end's next 20 ms.
    Frame,
    SpeechStarted,
    /// The bridge learns words of the far end.
    Words(String),
    /// The bridge gets audio of the agent.
    Delta {
        response: String,
        item: String,
        audio: Vec<u8>,
    },
    /// A response ends; early when `cancelled`.
    Done {
        response: String,
        cancelled: bool,
    },
    /// The model is told where an item was cut off.
    Truncate {
        item: String,
        ms: u64,
    },
    Cancel {
        response: String,
    },
    /// The model ends the call: what is still to be played are closing words.
    EndCall,
}

/// Writes the log.
#[derive(Default)]
pub(super) struct Log {
    pub(super) entries: Vec<Entry>,
    /// How many things had arrived anywhere.
    arrived: u64,
    /// The same, at every frame.
    frames: Vec<u64>,
    /// The phone's stage that has ticks; a tick of an earlier one is void.
    stage: Option<u64>,
}

impl Witness for Log {
    fn arrives(&mut self, sent: Sent, now: u64, what: &Delivery) {
        self.arrived += 1;
        let seen = match what {
            Delivery::Phone(ToPhone::Tick { step }) => {
                (*self.stage.get_or_insert(*step) == *step).then_some(Seen::Tick)
            }
            Delivery::Phone(ToPhone::Text(text)) => to_phone(text),
            Delivery::Bridge(ToBridge::PhoneText(text)) => {
                text.contains(r#""event":"media""#).then_some(Seen::Frame)
            }
            Delivery::Bridge(ToBridge::ModelText { text, .. }) => from_model(text),
            Delivery::Model(ToModel::Text { text, .. }) => to_model(text),
            _ => None,
        };
        if seen == Some(Seen::Frame) {
            self.frames.push(self.arrived);
        }
        let frames = self.frames.partition_point(|frame| *frame <= sent.after);
        let entry = |what| Entry {
            sent: sent.at,
            frames,
            at: now,
            what,
        };
        self.entries.extend(seen.map(entry));
    }
}

fn to_phone(text: &str) -> Option<Seen> {
    let frame: Value = serde_json::from_str(text).ok()?;
    match frame["event"].as_str()? {
        "media" => Some(Seen::Media(decoded(&frame["media"]["payload"])?)),
        "clear" => Some(Seen::Clear),
        _ => None,
    }
}

fn from_model(text: &str) -> Option<Seen> {
    let event: Value = serde_json::from_str(text).ok()?;
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match event["type"].as_str()? {
        "input_audio_buffer.speech_started" => Some(Seen::SpeechStarted),
        "conversation.item.input_audio_transcription.completed" => {
            Some(Seen::Words(string(&event["transcript"])))
        }
        "response.output_audio.delta" => Some(Seen::Delta {
            response: string(&event["response_id"]),
            item: string(&event["item_id"]),
            audio: decoded(&event["delta"])?,
        }),
        "response.function_call_arguments.done" => {
            (event["name"] == "end_call").then_some(Seen::EndCall)
        }
        "response.done" => Some(Seen::Done {
            response: string(&event["response"]["id"]),
            cancelled: event["response"]["status"] == "cancelled",
        }),
        _ => None,
    }
}

fn to_model(text: &str) -> Option<Seen> {
    if text.contains("input_audio_buffer.append") {
        return None;
    }
    let event: Value = serde_json::from_str(text).ok()?;
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match event["type"].as_str()? {
        "conversation.item.truncate" => Some(Seen::Truncate {
            item: string(&event["item_id"]),
            ms: event["audio_end_ms"].as_u64()?,
        }),
        "response.cancel" => Some(Seen::Cancel {
            response: string(&event["response_id"]),
        }),
        _ => None,
    }
}

fn decoded(payload: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(payload.as_str()?).ok()
}
