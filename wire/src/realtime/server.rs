//! Server events (`protocols.md` §1.6), read in one scan. Unknown types and extra fields are
//! ignored; a known type without its fields is malformed.

use super::usage::{ResponseUsage, TranscriptionUsage};
use crate::json::{self, Str};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The largest event taken from the socket, in bytes.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// Events of `protocols.md` §1.6 that change nothing for us.
const IGNORED: [&str; 24] = [
    "conversation.created",
    "conversation.item.added",
    "conversation.item.created",
    "conversation.item.deleted",
    "conversation.item.done",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.segment",
    "conversation.item.retrieved",
    "conversation.item.truncated",
    "input_audio_buffer.cleared",
    "input_audio_buffer.dtmf_event_received",
    "input_audio_buffer.timeout_triggered",
    "rate_limits.updated",
    "response.content_part.added",
    "response.content_part.done",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.output_item.added",
    "response.output_text.delta",
    "response.output_text.done",
    "output_audio_buffer.started",
    "output_audio_buffer.stopped",
];

/// An event from the model.
#[derive(Debug, PartialEq)]
pub enum ServerEvent<'a> {
    /// The session exists, with default settings.
    SessionCreated,
    /// Our settings are in force.
    SessionUpdated,
    /// The model hears the shop speak.
    SpeechStarted,
    /// The model hears the shop pause.
    SpeechStopped,
    /// The shop's turn is an item of the conversation now.
    Committed {
        /// The item.
        item_id: Str<'a>,
    },
    /// What the shop said, in words.
    Transcribed {
        /// The item.
        item_id: Str<'a>,
        /// The words; may be empty.
        transcript: Str<'a>,
        /// What the transcription used.
        usage: TranscriptionUsage,
    },
    /// The shop's words could not be written down.
    TranscriptionFailed {
        /// The item.
        item_id: Str<'a>,
    },
    /// A response began, asked for or not.
    ResponseCreated {
        /// The response.
        response_id: String,
    },
    /// A piece of the agent's audio.
    AudioDelta {
        /// The response.
        response_id: Str<'a>,
        /// The item it belongs to.
        item_id: Str<'a>,
        /// Base64 of μ-law bytes.
        delta: Str<'a>,
    },
    /// A piece of the agent's words.
    TranscriptDelta {
        /// The response.
        response_id: Str<'a>,
        /// The item it belongs to.
        item_id: Str<'a>,
        /// The words.
        delta: Str<'a>,
    },
    /// An item that speaks is complete: all of its words and all of its audio have been sent. Not so one of
    /// a response that was cut off or failed, though its parts are `done` as well.
    MessageDone {
        /// The response.
        response_id: Str<'a>,
        /// The item.
        item_id: String,
    },
    /// The model calls a tool; its arguments are complete.
    ToolCall(ToolCall),
    /// A response ended.
    ResponseDone(ResponseDone),
    /// Something we sent was refused, or the server failed.
    Error(ServerError),
    /// An event that changes nothing for us.
    Other,
    /// An event that this code does not know.
    Unknown,
}

/// A complete tool call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ToolCall {
    /// Identifies the call; its output must carry it.
    pub call_id: String,
    /// The tool.
    pub name: String,
    /// Arguments as the model wrote them: hopefully JSON.
    pub arguments: String,
}

/// A response that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseDone {
    /// The response.
    pub response_id: String,
    /// How it ended.
    pub status: ResponseStatus,
    /// What it used; everything generated is billed, heard or not.
    pub usage: ResponseUsage,
    /// The code of its error, where it failed and has one.
    pub error: String,
}

/// How a response ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResponseStatus {
    /// By itself.
    Completed,
    /// By a cancellation.
    Cancelled,
    /// Cut by a limit or a filter.
    Incomplete,
    /// The server could not produce it: nothing is heard.
    Failed,
}

/// An `error` event. The message may quote what we sent, so it never reaches a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerError {
    /// `error.code`, or `error.type` where there is no code.
    pub code: String,
    /// The `event_id` of the client event that was refused, where there was one.
    pub event_id: Option<String>,
}

/// The event cannot be used; the server's fault, and no reason to end a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EventError {
    /// Over [`MAX_EVENT_BYTES`].
    #[error("event too large")]
    TooLarge,
    /// Not JSON, or a known event without its fields.
    #[error("malformed event")]
    Malformed,
}

/// Reads one event.
pub fn parse(text: &str) -> Result<ServerEvent<'_>, EventError> {
    if text.len() > MAX_EVENT_BYTES {
        return Err(EventError::TooLarge);
    }
    Wire::read(text).and_then(read).ok_or(EventError::Malformed)
}

fn read(wire: Wire<'_>) -> Option<ServerEvent<'_>> {
    Some(match &*wire.kind {
        "session.created" => ServerEvent::SessionCreated,
        "session.updated" => ServerEvent::SessionUpdated,
        "input_audio_buffer.speech_started" => ServerEvent::SpeechStarted,
        "input_audio_buffer.speech_stopped" => ServerEvent::SpeechStopped,
        "input_audio_buffer.committed" => ServerEvent::Committed {
            item_id: wire.item_id?,
        },
        "conversation.item.input_audio_transcription.completed" => ServerEvent::Transcribed {
            item_id: wire.item_id?,
            transcript: wire.transcript?,
            usage: nested(wire.usage.as_ref()).unwrap_or_default(),
        },
        "conversation.item.input_audio_transcription.failed" => ServerEvent::TranscriptionFailed {
            item_id: wire.item_id?,
        },
        "response.created" => ServerEvent::ResponseCreated {
            response_id: nested::<WireResponse>(wire.response.as_ref())?.id,
        },
        "response.output_audio.delta" => ServerEvent::AudioDelta {
            response_id: wire.response_id?,
            item_id: wire.item_id?,
            delta: wire.delta?,
        },
        "response.output_audio_transcript.delta" => ServerEvent::TranscriptDelta {
            response_id: wire.response_id?,
            item_id: wire.item_id?,
            delta: wire.delta?,
        },
        "response.output_item.done" => match nested::<WireItem>(wire.item.as_ref())? {
            // An interrupted response ends its items as `incomplete`: such arguments are not to be acted on.
            WireItem {
                kind,
                status,
                call_id: Some(call_id),
                name: Some(name),
                arguments: Some(arguments),
                ..
            } if kind == "function_call" && status.as_deref() != Some("incomplete") => {
                ServerEvent::ToolCall(ToolCall {
                    call_id,
                    name,
                    arguments,
                })
            }
            WireItem {
                kind,
                status,
                id: Some(item_id),
                ..
            } if kind == "message" && status.as_deref() == Some("completed") => {
                ServerEvent::MessageDone {
                    response_id: wire.response_id?,
                    item_id,
                }
            }
            WireItem { .. } => ServerEvent::Other,
        },
        "response.done" => {
            let response = nested::<WireResponse>(wire.response.as_ref())?;
            let WireUsage { usage } = nested(wire.response.as_ref()).unwrap_or_default();
            ServerEvent::ResponseDone(ResponseDone {
                response_id: response.id,
                status: match response.status.as_deref() {
                    Some("cancelled") => ResponseStatus::Cancelled,
                    Some("incomplete") => ResponseStatus::Incomplete,
                    Some("failed") => ResponseStatus::Failed,
                    _ => ResponseStatus::Completed,
                },
                usage: usage.unwrap_or_default(),
                error: {
                    let WireDetails { status_details } =
                        nested(wire.response.as_ref()).unwrap_or_default();
                    let details = status_details.unwrap_or_default();
                    details.error.map(WireError::into_code).unwrap_or_default()
                },
            })
        }
        "error" => {
            let mut error = nested::<WireError>(wire.error.as_ref())?;
            let event_id = error.event_id.take();
            ServerEvent::Error(ServerError {
                code: error.into_code(),
                event_id,
            })
        }
        kind if IGNORED.contains(&kind) => ServerEvent::Other,
        _ => ServerEvent::Unknown,
    })
}

fn nested<T: DeserializeOwned>(object: Option<&Value>) -> Option<T> {
    json::typed(object?)
}

#[derive(Default)]
struct Wire<'a> {
    kind: Str<'a>,
    item_id: Option<Str<'a>>,
    response_id: Option<Str<'a>>,
    delta: Option<Str<'a>>,
    transcript: Option<Str<'a>>,
    item: Option<Value>,
    response: Option<Value>,
    error: Option<Value>,
    usage: Option<Value>,
}

impl<'a> Wire<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut wire = Self::default();
        let mut kind = None;
        json::message(text, "", &mut |_, name, value| match name {
            "type" => kind = value.text(),
            "item_id" => wire.item_id = value.text(),
            "response_id" => wire.response_id = value.text(),
            "delta" => wire.delta = value.text(),
            "transcript" => wire.transcript = value.text(),
            "item" => wire.item = value.object(),
            "response" => wire.response = value.object(),
            "error" => wire.error = value.object(),
            "usage" => wire.usage = value.object(),
            _ => {}
        })
        .ok()?;
        wire.kind = kind?;
        Some(wire)
    }
}

#[derive(Deserialize)]
struct WireResponse {
    id: String,
    status: Option<String>,
}

/// Read by itself: a response with a usage of another form has ended all the same.
#[derive(Default, Deserialize)]
struct WireUsage {
    usage: Option<ResponseUsage>,
}

/// Read by itself, like the usage.
#[derive(Default, Deserialize)]
struct WireDetails {
    status_details: Option<Details>,
}

#[derive(Default, Deserialize)]
struct Details {
    error: Option<WireError>,
}

#[derive(Deserialize)]
struct WireItem {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    status: Option<String>,
    call_id: Option<String>,
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    event_id: Option<String>,
}

impl WireError {
    fn into_code(self) -> String {
        let code = self.code.or(self.kind);
        code.unwrap_or_else(|| "unknown".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_one_line_examples_of_the_protocol_are_read() {
        let audio = r#"{"type":"response.output_audio.delta","event_id":"e17","response_id":"resp_1","item_id":"item_A1","output_index":0,"content_index":0,"delta":"/////w=="}"#;
        assert_eq!(
            parse(audio),
            Ok(ServerEvent::AudioDelta {
                response_id: "resp_1".into(),
                item_id: "item_A1".into(),
                delta: "/////w==".into()
            })
        );
        let created = r#"{"type":"response.created","event_id":"e13","response":{"object":"realtime.response","id":"resp_1","status":"in_progress","status_details":null,"output":[],"usage":null,"metadata":null}}"#;
        assert_eq!(
            parse(created),
            Ok(ServerEvent::ResponseCreated {
                response_id: "resp_1".into()
            })
        );
        let call = r#"{"type":"response.output_item.done","event_id":"e26","response_id":"resp_2","output_index":0,"item":{"id":"item_F1","object":"realtime.item","type":"function_call","status":"completed","name":"end_call","call_id":"call_1","arguments":"{\"reason\":\"done\"}"}}"#;
        assert_eq!(
            parse(call),
            Ok(ServerEvent::ToolCall(ToolCall {
                call_id: "call_1".into(),
                name: "end_call".into(),
                arguments: "{\"reason\":\"done\"}".into()
            }))
        );
        let failed = r#"{"type":"response.done","event_id":"e28","response":{"object":"realtime.response","id":"resp_3","status":"failed","status_details":{"type":"failed","error":{"type":"server_error","code":null,"message":"x"}},"output":[],"usage":{"total_tokens":0,"input_tokens":0,"output_tokens":0}}}"#;
        assert_eq!(
            parse(failed),
            Ok(ServerEvent::ResponseDone(ResponseDone {
                response_id: "resp_3".into(),
                status: ResponseStatus::Failed,
                usage: ResponseUsage::default(),
                error: "server_error".into()
            }))
        );
        let error = r#"{"type":"error","event_id":"event_9","error":{"type":"invalid_request_error","code":null,"message":"m","param":null,"event_id":"rc-7"}}"#;
        assert_eq!(
            parse(error),
            Ok(ServerEvent::Error(ServerError {
                code: "invalid_request_error".into(),
                event_id: Some("rc-7".into())
            }))
        );
    }

    #[test]
    fn words_with_escapes_are_unescaped() {
        let text = r#"{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","content_index":0,"transcript":"It\u2019s \"done\"","usage":null}"#;
        assert_eq!(
            parse(text),
            Ok(ServerEvent::Transcribed {
                item_id: "i".into(),
                transcript: "It’s \"done\"".into(),
                usage: TranscriptionUsage::default()
            })
        );
    }

    #[test]
    fn news_is_ignored_and_nonsense_is_malformed() {
        assert_eq!(
            parse(r#"{"type":"response.sparkles","x":[1]}"#),
            Ok(ServerEvent::Unknown)
        );
        assert_eq!(
            parse(r#"{"type":"response.output_item.done","item":{"type":"message","id":"a"}}"#),
            Ok(ServerEvent::Other)
        );
        for bad in [
            "",
            "{}",
            r#"{"type":3}"#,
            r#"{"type":"response.done"}"#,
            r#"{"type":"response.output_audio.delta","delta":"AA=="}"#,
        ] {
            assert_eq!(parse(bad), Err(EventError::Malformed), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_the_parser(text in ".*", kind in "[a-z_.]{0,40}") {
            let _ = parse(&text);
            let _ = parse(&format!("{{\"type\":\"{kind}\",\"item\":{{}},\"response\":{{}}}}"));
        }
    }
}
