//! What happens to the call under test, one step after the other. The words are those of a sane
//! phone and a sane model, so that a fuzzer gets deep into a call; their order is not, and raw texts
//! are any bytes.

use arbitrary::Arbitrary;
use serde_json::{Value, json};

/// Where the call stands at the start.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
pub(super) enum Start {
    Placed,
    CameIn,
    Answered,
    Talking,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Step<'a> {
    Wait(u16),
    Voice,
    Claim(bool),
    StreamEnded,
    DialEnded(bool),
    Status(u8),
    HungUp(bool),
    Restart(bool),
    Alarm,
    Start,
    Stop,
    PhoneClosed,
    /// So many frames of the shop, each 20 ms after the one before.
    Shop(Sound, u8),
    /// The phone has played what was sent up to here: so many marks come back.
    Echo(u8),
    /// The phone plays all that it has.
    PlayOut,
    Key(u8),
    PhoneText(&'a str),
    ModelOpen,
    ModelClosed(u16),
    Event(Event<'a>),
    /// A response with audio and these words, from its beginning to its end.
    Agent(Line, u8),
    /// A turn of the shop, as the model hears it.
    Turn(Line),
    ModelText(&'a str),
    /// The last words of a socket that is not the call's any more.
    StaleText(&'a str),
    Greeting(u16),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Sound {
    Silence,
    Speech,
    Hum,
    Lost,
}

/// A server event about one of a few responses and items.
#[derive(Arbitrary, Debug)]
pub(super) enum Event<'a> {
    Session,
    Speech(bool),
    Committed(u8),
    Transcribed(u8, Line),
    NotTranscribed(u8),
    Response(u8),
    Words(u8, u8, Line),
    Audio(u8, u8, u16),
    MessageDone(u8),
    Tool(u8, u8),
    ToolRaw(u8, &'a str),
    Done(u8, u8),
    Error(u8),
    Other(&'a str),
}

/// One of [`LINES`].
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) struct Line(u8);

const LINES: [&str; 28] = [
    "",
    "Yes.",
    "No.",
    "Mm-hmm.",
    "Hold on.",
    "Hello, Mario's.",
    "Sure, go ahead.",
    "Could you say that again?",
    "That's seventeen fifty, twenty ten with tax.",
    "No, twenty-two fifty.",
    "Are you a robot?",
    "Please don't call here again.",
    "Press one for orders.",
    "My card is 4111 1111 1111 1111.",
    "It's Dana, 310 555 0142.",
    "Thank you, goodbye!",
    "Hello! I'm an AI assistant calling for a customer.",
    "I'd like one large pizza with pepperoni, please.",
    "The name is Dana, and the phone number is three one oh, five five five, oh one four two.",
    "It's for pickup.",
    "It's for delivery to 12 Main Street, apartment 4, Springfield, Illinois 62701.",
    "So that's one large pepperoni for Dana, for pickup. Is that right?",
    "What is the total with tax?",
    "So twenty ten in total?",
    "One moment, please.",
    "I'm a person.",
    "Let me connect you to somebody.",
    "😀 — ¿Qué?\u{0}",
];

impl Line {
    pub(super) fn words(self) -> &'static str {
        LINES[usize::from(self.0) % LINES.len()]
    }
}

/// Names and arguments that make sense; a fuzzer may pair them otherwise.
const TOOLS: [(&str, &str); 12] = [
    (
        "save_order_item",
        r#"{"size":"large","toppings":["pepperoni"]}"#,
    ),
    (
        "save_order_item",
        r#"{"size":"small","quantity":2,"replaces":1}"#,
    ),
    (
        "set_customer",
        r#"{"name":"Dana","phone":"+13105550142","delivery_method":"pickup"}"#,
    ),
    (
        "set_customer",
        r#"{"name":"Dana","phone":"+13105550142","delivery_method":"delivery"}"#,
    ),
    (
        "set_address",
        r#"{"street":"12 Main Street","city":"Springfield","state":"IL","zip":"62701"}"#,
    ),
    ("confirm_total", r#"{"subtotal":17.5,"total":20.1}"#),
    ("confirm_total", r#"{"subtotal":22.5,"total":22.5}"#),
    ("press_digits", r#"{"digits":"1,#"}"#),
    ("escalate_to_human", r#"{"reason":"asked"}"#),
    ("do_not_call", "{}"),
    ("end_call", r#"{"reason":"closed"}"#),
    ("unknown", "[]"),
];

fn id(kind: &str, n: u8) -> String {
    format!("{kind}_{}", n % 6)
}

impl Event<'_> {
    /// The event as the server sends it; `audio` makes base64 of so many bytes.
    pub(super) fn to_json(&self, audio: impl Fn(usize) -> String) -> Value {
        match *self {
            Self::Session => json!({"type": "session.updated", "session": {}}),
            Self::Speech(on) => {
                let edge = if on { "started" } else { "stopped" };
                json!({"type": format!("input_audio_buffer.speech_{edge}"), "item_id": id("shop", 0)})
            }
            Self::Committed(item) => {
                json!({"type": "input_audio_buffer.committed", "item_id": id("shop", item)})
            }
            Self::Transcribed(item, line) => {
                json!({"type": "conversation.item.input_audio_transcription.completed",
                       "item_id": id("shop", item), "transcript": line.words(),
                       "usage": {"type": "duration", "seconds": 2}})
            }
            Self::NotTranscribed(item) => {
                json!({"type": "conversation.item.input_audio_transcription.failed",
                       "item_id": id("shop", item)})
            }
            Self::Response(response) => {
                json!({"type": "response.created",
                       "response": {"id": id("resp", response), "status": "in_progress"}})
            }
            Self::Words(response, item, line) => {
                json!({"type": "response.output_audio_transcript.delta",
                       "response_id": id("resp", response), "item_id": id("item", item),
                       "delta": line.words()})
            }
            Self::Audio(response, item, bytes) => {
                json!({"type": "response.output_audio.delta", "response_id": id("resp", response),
                       "item_id": id("item", item), "delta": audio(usize::from(bytes))})
            }
            Self::MessageDone(item) => {
                json!({"type": "response.output_item.done", "response_id": id("resp", item),
                       "item": {"id": id("item", item), "type": "message", "status": "completed"}})
            }
            Self::Tool(call, tool) => {
                let (name, arguments) = TOOLS[usize::from(tool) % TOOLS.len()];
                tool_call(call, name, arguments)
            }
            Self::ToolRaw(tool, arguments) => {
                tool_call(tool, TOOLS[usize::from(tool) % TOOLS.len()].0, arguments)
            }
            Self::Done(response, how) => {
                let statuses = ["completed", "cancelled", "incomplete", "failed"];
                json!({"type": "response.done", "response": {
                    "id": id("resp", response), "status": statuses[usize::from(how) % 4],
                    "usage": {"total_tokens": 90, "input_tokens": 50, "output_tokens": 40,
                        "input_token_details": {"text_tokens": 20, "audio_tokens": 30, "cached_tokens": 10},
                        "output_token_details": {"text_tokens": 10, "audio_tokens": 30}}}})
            }
            Self::Error(code) => {
                let codes = [
                    "session_expired",
                    "server_error",
                    "rate_limit_exceeded",
                    "response_cancel_not_active",
                    "invalid_value",
                    "insufficient_quota",
                ];
                let code = codes[usize::from(code) % codes.len()];
                json!({"type": "error", "error": {"type": "invalid_request_error", "code": code}})
            }
            Self::Other(kind) => json!({"type": kind}),
        }
    }
}

fn tool_call(call: u8, name: &str, arguments: &str) -> Value {
    json!({"type": "response.output_item.done", "response_id": id("resp", call), "item": {
        "type": "function_call", "status": "completed", "call_id": id("call", call),
        "name": name, "arguments": arguments}})
}
